"""extract, as a stage: one container a model, only what is new computed, and every failure reported."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from homoplasy.datasets import nsd
from homoplasy.errors import BadData, BadRequest, WorkFailed
from homoplasy.execution import Shard
from homoplasy.models import checkpoint, pixels, words
from homoplasy.models import timm as timm_source
from homoplasy.models._roster import Roster, parse
from homoplasy.representation import Representation
from homoplasy.stages import _extraction as extraction
from homoplasy.stages import _placing as placing
from homoplasy.stages import extract
from homoplasy.store import arrays, files, frames, weights
from homoplasy.tables import MODELS, STIMULI, UNTRAINED

IDS = np.arange(20) * 3
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (IDS.size, 48, 48, 3), dtype=np.uint8)
CAPTIONS = [f"a {color} ball on {number} tables" for color in ("red", "blue") for number in range(10)]
HONEST = [{"model": "pixels:cosine"}, {"model": "words:bag"}]


def write_stimuli(world, ids=IDS):
    rows = {"stimulus_id": ids, "coco_id": ids, "coco_split": "val2017", "shared": False}
    said = {"caption": CAPTIONS[: ids.size], "caption_words": 6, "cropped": 0.0}
    frame = pd.DataFrame(rows | said) if ids.size else STIMULI.empty()
    frames.write(world / "brain" / "stimuli.parquet", frame, STIMULI)


def plant(world, name, layers, ids=IDS, model=None):
    made = [
        Representation(values.astype(np.float32), ids, f"layer{i + 1}", facts={"depth": (i + 1) / len(layers)})
        for i, values in enumerate(layers)
    ]
    facts = {"model": model or f"planted:{name}", "modality": "vision", "family": "oak", "architecture": "planted"}
    arrays.write(world / "raw/pocket/planted" / f"{name}.safetensors", "features", made, facts)


@pytest.fixture
def world(choices, monkeypatch) -> Path:
    """A checkout with twenty stimuli, a roster of the two honest extractors, and a store of its own."""
    root = choices.parent
    monkeypatch.setenv("HOMOPLASY_STORE", str(root / "store"))
    monkeypatch.setattr(
        nsd, "open_tree", lambda raw: SimpleNamespace(pictures=lambda ids: PICTURES[np.searchsorted(IDS, ids)])
    )
    write_stimuli(root)
    files.write_json(root / "models" / "runs.json", [])
    roster(root, HONEST)
    return root


def roster(world, lines, **values):
    files.write_text(world / "rosters" / "small.yaml", yaml.safe_dump(lines))
    given = yaml.safe_load((world / "params.yaml").read_text())
    given["extract"] |= {"roster": "small", "untrained_twins": False} | values
    (world / "params.yaml").write_text(yaml.safe_dump(given))


def run(world):
    """Run the stage; give back the table of models and every file."""
    extract.main(*places(world))
    features = world / "features"
    found = {path.relative_to(features).as_posix(): path.read_bytes() for path in features.rglob("*.*")}
    return frames.read(features / "models.parquet", MODELS).set_index("model"), found


def places(world):
    names = ("params.yaml", "raw", "brain", "models", "rosters", "features", "twins", "record.yaml")
    return [world / name for name in names]


def open_features(world, at):
    return arrays.Container(world / "features" / at, "features")


def test_one_container_a_model_and_one_table(world):
    table, found = run(world)
    assert set(found) == {"models.parquet", "pixels/cosine.safetensors", "words/bag.safetensors"}
    assert table.index.tolist() == ["pixels:cosine", "words:bag"]
    assert table["modality"].tolist() == ["vision", "language"]
    assert (table["reason"] == "").all()
    container = open_features(world, "pixels/cosine.safetensors")
    assert container.facts["model"] == "pixels:cosine"
    assert np.array_equal(container.stimulus_ids, IDS)


def test_twice_is_the_same_to_the_last_byte(world, monkeypatch):
    roster(world, [*HONEST, {"model": "timm:test_resnet.random-1", "size": 48}])
    _, first = run(world)
    monkeypatch.setitem(os.environ, "HOMOPLASY_STORE", str(world / "other"))
    assert run(world)[1] == first


def test_a_model_added_computes_one(world, monkeypatch):
    run(world)
    before = list((world / "store").rglob("*.safetensors"))
    monkeypatch.setattr(words, "bag", None)  # so that reading it again would fail
    roster(world, [*HONEST, {"model": "timm:test_resnet.random-1", "size": 48}])
    table, _ = run(world)
    assert (table["reason"] == "").all()
    assert len(list((world / "store").rglob("*.safetensors"))) == len(before) + 1


NEOX = {
    "model": "transformers:gpt_neox.random-1",
    "config": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32},
}


@pytest.mark.parametrize(
    ("lines", "change"),
    [
        ({"model": "timm:test_vit.random-1", "size": 48}, {"pool": "cls"}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"pool": "mean_all"}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"pool": "flatten"}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"batch_size": 3}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"granularity": "stage"}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"project": 16}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"precision": "bfloat16"}),
        ({"model": "timm:test_vit.random-1", "size": 48}, {"memory_format": "channels_last"}),
        (NEOX, {"readout": "caption_mean"}),
        (NEOX, {"readout": "last_caption_token"}),
        (NEOX, {"readout": "bare"}),
        (NEOX, {"states": "hidden_states"}),
    ],
)
def test_a_setting_that_decides_the_features_is_part_of_the_key(world, lines, change):
    roster(world, [lines])
    run(world)
    roster(world, [lines], **change)
    run(world)
    assert len(list((world / "store").rglob("*.safetensors"))) == 2


def test_what_a_roster_line_says_labels_the_table_and_never_recomputes(world, monkeypatch):
    roster(world, [NEOX])
    assert run(world)[0].loc[NEOX["model"], ["family", "architecture"]].tolist() == ["gpt_neox", "Transformer"]
    roster(world, [NEOX | {"family": "mine", "architecture": "Recurrent", "parameters": 70.4, "width": 16}])
    row = run(world)[0].loc[NEOX["model"]]
    assert row[["family", "architecture", "parameters", "image_size"]].tolist() == ["mine", "Recurrent", 70.4e6, 0]
    assert len(list((world / "store").rglob("*.safetensors"))) == 1


def test_a_model_that_is_not_what_its_line_says_is_not_run(world):
    roster(world, [*HONEST, NEOX | {"depth": 3}])
    table = run(world)[0]
    assert "has depth 3, its configuration says 2" in table.loc[NEOX["model"], "reason"]
    assert len(list((world / "store").rglob("*.safetensors"))) == len(HONEST)


def test_the_seed_of_a_projection_counts_where_there_is_one(world):
    line = [{"model": "timm:test_vit.random-1", "size": 48}]
    for project, seed, kept in ((0, 1, 1), (0, 2, 1), (16, 1, 2), (16, 2, 3)):
        roster(world, line, project=project, seed=seed)
        run(world)
        assert len(list((world / "store").rglob("*.safetensors"))) == kept


def test_changed_code_recomputes_and_a_comment_does_not(world, monkeypatch):
    """What a fingerprint is made of has tests of its own; here, that the key holds it."""
    run(world)
    monkeypatch.setattr(extraction.code, "fingerprint", lambda module: f"another {module}")
    run(world)
    assert len(list((world / "store").rglob("*.safetensors"))) == 4


def test_pictures_that_are_kept_change_nothing(world):
    roster(world, [{"model": f"timm:test_resnet.random-{seed}", "size": 48} for seed in (1, 2)], picture_memory=0.0)
    _, first = run(world)
    roster(world, [{"model": f"timm:test_resnet.random-{seed}", "size": 48} for seed in (1, 2)], picture_memory=1.0)
    shutil.rmtree(world / "store")
    assert run(world)[1] == first


def test_shards_fill_the_store_and_the_whole_run_computes_nothing_more(world, monkeypatch, capsys):
    lines = [*HONEST, {"model": "timm:test_resnet.random-1", "size": 48}, {"model": "timm:resnet18.a1_in1k"}]
    roster(world, lines)
    _, expected = run(world)
    shutil.rmtree(world / "store")
    shutil.rmtree(world / "features")
    (world / "record.yaml").unlink()
    for number in (1, 2):
        run_shard(world, Shard(number, 2))
        assert len(list((world / "store").rglob("*.safetensors"))) == {1: 2, 2: 3}[number]
    assert capsys.readouterr().err.count("timm:resnet18.a1_in1k failed") == 2  # the run above, and one shard
    assert not (world / "features").exists()
    assert not (world / "record.yaml").exists()
    monkeypatch.setattr(words, "bag", None)  # so that reading it again would fail
    monkeypatch.setattr(timm_source.Timm, "represent", None)
    assert run(world)[1] == expected


def run_shard(world, shard):
    extract.main(*places(world), shard=shard)


def test_a_run_that_is_killed_keeps_every_model_it_has_read(world):
    """Killed while the second model is read, the first is in the store, and the next run gives the same bytes."""
    roster(world, HONEST)

    def killed(_captions):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "bag", killed)
        with pytest.raises(KeyboardInterrupt):
            run(world)
    assert len(list((world / "store").rglob("*.safetensors"))) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixels.Pixels, "represent", None)
        table, _ = run(world)
    assert (table["reason"] == "").all()


def test_components_are_computed_once(world, monkeypatch):
    plant(world, "vision-00", [RNG.standard_normal((IDS.size, 30))])
    given = {"pca_variance": 0.8, "pca_above": 20, "width_unit": 1.0}
    roster(world, [{"planted": "all"}, *HONEST], **given)
    _, first = run(world)
    monkeypatch.setattr(placing.pca, "scores", None)  # so that cutting again would fail
    assert run(world)[1] == first
    roster(world, [{"planted": "all"}, *HONEST], **given | {"pca_variance": 0.7})
    assert "TypeError" in run(world)[0].loc["planted:vision-00", "reason"]


def test_other_captions_recompute_the_words_and_not_the_pixels(world, monkeypatch):
    run(world)
    monkeypatch.setitem(globals(), "CAPTIONS", [f"the {caption}" for caption in CAPTIONS])
    write_stimuli(world)
    run(world)
    assert len(list((world / "store").rglob("*.safetensors"))) == 3


def test_planted_models_are_placed(world):
    plant(world, "vision-00", [RNG.standard_normal((IDS.size, 5)), RNG.standard_normal((IDS.size, 7))])
    roster(world, [{"planted": "all"}])
    table, found = run(world)
    source = (world / "raw/pocket/planted/vision-00.safetensors").read_bytes()
    assert found["planted/vision-00.safetensors"] == source
    assert table.loc["planted:vision-00", ["family", "layers"]].tolist() == ["oak", 2]


def test_planted_models_of_more_stimuli_give_those_that_are_asked_for(world):
    values = RNG.standard_normal((IDS.size, 5))
    plant(world, "vision-00", [values])
    write_stimuli(world, IDS[4:9])
    roster(world, [{"planted": "all"}])
    run(world)
    found = open_features(world, "planted/vision-00.safetensors")["layer1"]
    assert np.array_equal(found.stimulus_ids, IDS[4:9])
    assert np.array_equal(found.values, values[4:9].astype(np.float32))


def test_features_that_are_not_finite_or_constant_are_kept_for_cka_to_report(world):
    values = np.ones((IDS.size, 5))
    broken = values.copy()
    broken[3, 2] = np.inf
    plant(world, "vision-00", [values, broken, RNG.standard_normal((IDS.size, 9))])
    roster(world, [{"planted": "all"}], pca_variance=0.9, pca_above=2, width_unit=1.0)
    table, _ = run(world)
    assert table.loc["planted:vision-00", "reason"] == ""
    container = open_features(world, "planted/vision-00.safetensors")
    assert np.array_equal(container["layer1"].values, values.astype(np.float32))
    assert np.isinf(container["layer2"].values[3, 2])
    assert container["layer3"].n_units < 9


def test_wide_layers_are_cut_to_components(world):
    plant(world, "vision-00", [RNG.standard_normal((IDS.size, 30)), RNG.standard_normal((IDS.size, 4))])
    roster(world, [{"planted": "all"}], pca_variance=0.8, pca_above=160, width_unit=0.0625)
    run(world)
    container = open_features(world, "planted/vision-00.safetensors")
    facts = container.array_facts("layer1")
    assert facts["pca"] == container["layer1"].n_units < 30
    assert facts["pca_variance"] == 0.8
    assert container["layer2"].n_units == 4
    assert "pca" not in container.array_facts("layer2")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": IDS[1:], "layers": [np.ones((19, 2))]}, "lacks 1 of the stimuli, the first is 0"),
        ({"model": "planted:other"}, "it is the container of 'planted:other'"),
    ],
)
def test_a_planted_model_that_does_not_fit_has_a_reason(world, change, words):
    plant(world, "vision-00", **{"layers": [np.ones((20, 2))]} | change)
    plant(world, "vision-01", [np.ones((20, 2))])
    roster(world, [{"planted": "all"}])
    table, found = run(world)
    assert words in table.loc["planted:vision-00", "reason"]
    assert "planted/vision-00.safetensors" not in found


def test_every_checkpoint_of_every_run(world):
    config = {"kind": "vision", "task": "glyphs", "architecture": "test_resnet", "options": {}, "seed": 1, "seen": 8}
    config |= {"size": 48, "targets": 2, "levels": 4}
    state = {name: one.numpy() for name, one in checkpoint.build(config).state_dict().items()}
    for step in ("000000", "000008", "000008-ema"):
        weights.write(world / f"models/glyphs/step-{step}.safetensors", state, config)
    files.write_json(world / "models" / "runs.json", ["glyphs"])
    roster(world, [{"checkpoints": "all"}])
    table, found = run(world)
    assert table.index.tolist() == [f"checkpoint:glyphs/step-{step}" for step in ("000000", "000008", "000008-ema")]
    assert table["step"].tolist() == [0, 8, 8]
    assert table["weights"].tolist() == ["raw", "raw", "ema"]
    assert set(table["run"]) == {"glyphs"}
    assert "checkpoint/glyphs--step-000008.safetensors" in found


def test_a_model_that_fails_is_reported_and_the_others_go_on(world, capsys):
    roster(world, [*HONEST, {"model": "timm:resnet18.a1_in1k"}])
    table, _ = run(world)
    assert "not in the local cache" in table.loc["timm:resnet18.a1_in1k", "reason"]
    assert (table.loc[["pixels:cosine", "words:bag"], "reason"] == "").all()
    assert "extract: timm:resnet18.a1_in1k failed: 'timm/resnet18.a1_in1k' is not" in capsys.readouterr().err


def test_every_network_has_an_untrained_twin_apart_from_the_models(world):
    trained, drawn = "timm:test_resnet.r160_in1k", "timm:test_resnet.random-7"
    roster(world, [{"model": one, "size": 48} for one in (trained, drawn)] + HONEST, untrained_twins=True)
    table, _ = run(world)
    twins = frames.read(world / "twins" / "untrained.parquet", UNTRAINED)
    assert twins["model"].tolist() == [trained]  # the other one knows nothing itself, the rest are no networks
    assert twins["twin"].tolist() == [f"{trained}.random-1"]
    assert not set(twins["twin"]) & set(table.index)
    twin = arrays.Container(world / "twins/timm/test_resnet.r160_in1k.random-1.safetensors", "features")
    other = open_features(world, "timm/test_resnet.random-7.safetensors")
    assert twin.names() == other.names()
    assert not any(np.array_equal(twin[one].values, other[one].values) for one in twin.names())


def test_steps_of_a_training_run_share_a_twin_unless_step_0_is_there():
    def of(*names):
        entries = tuple(parse([{"model": name} for name in names], "a test", lambda _: None).entries)
        found = extraction.untrained(Roster(entries, planted=False, checkpoints=False))
        return {name: str(one.address) for name, one in found.items()}

    run = "transformers:EleutherAI/pythia-70m"
    assert of(f"{run}@step8", f"{run}@step64") == dict.fromkeys((f"{run}@step8", f"{run}@step64"), f"{run}.random-1")
    assert of(f"{run}@step0", f"{run}@step64") == {}
    assert of(f"{run}@main") == {f"{run}@main": f"{run}.random-1@main"}
    assert of("transformers:a/b.random-1", "transformers:gpt_neox.random-1", "timm:resnet50.random-2") == {}


def test_a_failure_that_is_not_tolerated_fails_the_stage_after_the_others(world):
    roster(world, [{"model": "timm:resnet18.a1_in1k"}, *HONEST], tolerate_failures=False)
    with pytest.raises(WorkFailed, match="1 of 3 models could not be read; the first: 'timm/resnet18"):
        run(world)
    assert len(list((world / "store").rglob("*.safetensors"))) == 2


def test_a_roster_of_which_nothing_can_be_read_fails(world):
    roster(world, [{"model": "timm:resnet18.a1_in1k"}])
    with pytest.raises(WorkFailed, match="1 of 1 models could not be read"):
        run(world)


def test_no_models_and_no_stimuli_give_an_empty_table(world):
    write_stimuli(world, IDS[:0])
    roster(world, [])
    table, found = run(world)
    assert table.empty
    assert set(found) == {"models.parquet"}


def test_models_without_stimuli_are_refused(world):
    write_stimuli(world, IDS[:0])
    with pytest.raises(BadRequest, match="no stimuli for the models of roster 'small'; choose roster none"):
        run(world)


def test_planted_models_where_there_are_none(world):
    roster(world, [{"planted": "all"}])
    with pytest.raises(BadRequest, match="asks for planted models"):
        run(world)


def test_a_run_that_is_not_there(world):
    (world / "models" / "runs.json").unlink()
    roster(world, [{"checkpoints": "all"}])
    with pytest.raises(BadData, match=r"runs.json is missing"):
        run(world)


def test_the_users_own_configuration_allows_code(world):
    line = {"model": "transformers:a/b", "remote_code": True}
    roster(world, [*HONEST, line])
    assert "runs code of its own" in run(world)[0].loc["transformers:a/b", "reason"]
    (world / "local.yaml").write_text("remote_code: [a/b]\n")
    assert "not in the local cache" in run(world)[0].loc["transformers:a/b", "reason"]
    (world / "local.yaml").write_text("remote_code: a/b\n")
    with pytest.raises(BadRequest, match="remote_code is 'a/b'; expected a list of models"):
        run(world)
    (world / "local.yaml").write_text("remote_code: [\n")
    with pytest.raises(BadRequest, match="local.yaml is not valid YAML"):
        run(world)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"roster": "smal"}, "no roster 'smal'; there are small. Nearest: 'small'"),
        ({"pool": "mean"}, "'extract.pool' is 'mean'; expected one of 'patch_mean', 'cls', 'mean_all'"),
        ({"readout": "first"}, "'extract.readout' is 'first'; expected one of 'last', 'last_caption_token'"),
        ({"batch_size": 0}, "'extract.batch_size' is 0"),
        ({"pca_variance": 1.5}, "'extract.pca_variance' is 1.5"),
        ({"pca_above": 0}, "'extract.pca_above' is 0"),
        ({"width_unit": 0.0}, "'extract.width_unit' is 0.0"),
        ({"granularity": "layer"}, "'extract.granularity' is 'layer'; expected one of 'block', 'stage'"),
        ({"project": -1}, "'extract.project' is -1; expected a whole number, 0 or more"),
        ({"seed": -1}, "'extract.seed' is -1; expected a whole number, 0 or more"),
        ({"precision": "float16"}, "'extract.precision' is 'float16'; expected one of 'float32', 'bfloat16'"),
        ({"memory_format": "last"}, "'extract.memory_format' is 'last'; expected one of 'contiguous', 'channels_last'"),
        ({"picture_memory": -1.0}, "'extract.picture_memory' is -1.0; expected a number, gigabytes, 0 or more"),
        ({"tolerate_failures": "yes"}, "'extract.tolerate_failures' is 'yes'; expected true or false"),
        ({"rooster": "small"}, "unknown parameter 'extract.rooster'.* Nearest: 'roster'"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(world, values, words):
    roster(world, HONEST, **values)
    with pytest.raises(BadRequest, match=words):
        run(world)
