import re

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from homoplasy import measures
from homoplasy.datasets import _manifest
from homoplasy.errors import BadRequest
from homoplasy.execution import Shard
from homoplasy.maths import tiles
from homoplasy.measures import CKA
from homoplasy.representation import Representation
from homoplasy.scoring import Scorer, cost, resample, score
from homoplasy.scoring.cells import Cells
from homoplasy.stages import _halves, _pairs, _plan, _scores, _settings, cka
from homoplasy.stages._pairs import Choice, Subject
from homoplasy.store import arrays, frames
from homoplasy.tables import DRAWS, SCORES
from tests.architecture import closure

IDS = np.arange(100, 160)  # all stimuli
SMALL = {
    "kernel_unit": 0.25,
    "kernel_sizes": [8, 36],
    "relative_sizes": [1.0],
    "linear": True,
    "estimators": ["biased", "debiased"],
    "images": "own",
    "hemispheres": "pooled",
    "standardise": "drop_constant",
    "epsilon": 0.0,
    "precision": "float32",
    "neighbours": [],
    "metric": "cosine",
    "halves": 0,
    "halves_size": 1.0,
    "halves_depths": [0.5, 1.0],
    "seed": 1,
}


@pytest.fixture(autouse=True)
def _one_thread():
    """What memory holds depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def settings(**changed):
    return _settings.check(SMALL | changed, cka.Settings, "cka")


def features(folder, name, seed, layers=("blocks.0", "blocks.1"), spoil=None):
    rng = np.random.default_rng(seed)
    made = [
        Representation(
            rng.standard_normal((60, 8)).astype(np.float32), IDS, layer, facts={"depth": (i + 1) / len(layers)}
        )
        for i, layer in enumerate(layers)
    ]
    if spoil is not None:
        made[0].values[:] = spoil
    path = folder / "planted" / f"{name}.safetensors"
    arrays.write(path, "features", made, {"model": f"planted:{name}", "modality": "vision"})
    return path


def brain(folder, subject, seed, shared=10):
    """Forty images of a subject, ten of them shared; V1 in both hemispheres, V2 with too few voxels on the left."""
    rng = np.random.default_rng(seed)
    ids = np.sort(np.concatenate([IDS[:10], rng.choice(IDS[10:], 30, replace=False)]))
    regions = []
    for name, width, left, reasons in (("V1", 12, 5, ("", "")), ("V2", 9, 2, ("too_few_voxels", ""))):
        facts = {
            "region": name,
            "left": left,
            "ceiling": 0.8,
            "ceiling_left": 0.7,
            "ceiling_right": None,
            "reason_left": reasons[0],
            "reason_right": reasons[1],
        }
        values = rng.standard_normal((40, width)).astype(np.float32)
        regions.append(Representation(values, ids, name, unit_ids=np.arange(width), facts=facts))
    path = folder / subject / "patterns.safetensors"
    arrays.write(path, "patterns", regions, {"subject": subject, "shared": IDS[:shared].tolist()})
    return path


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Two subjects and two models on disk, and a store of its own."""
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "store"))
    for number in (1, 5):
        brain(tmp_path / "brain", f"subj0{number}", number)
    for seed, name in enumerate(("vision-00", "vision-01")):
        features(tmp_path / "features", name, seed)
    return tmp_path


def fill(house, **changed):
    return _scores.fill(settings(**changed).plan(), house / "brain", house / "features")


def run(house, **changed):
    return _pairs.read(fill(house, **changed).scores)


def halves(house, **changed):
    return _halves.read(fill(house, **{"halves": 2} | changed).halves)


def test_every_layer_meets_every_region_of_every_subject(house):
    table = run(house)
    kernels = 4 * 2  # two absolute widths, one relative, linear; two estimators
    assert len(table) == 2 * 2 * 2 * 2 * kernels
    assert sorted(set(table["source"])) == ["planted:vision-00", "planted:vision-01"]
    assert set(table["target"]) == {f"subj0{s}/{r}" for s in (1, 5) for r in ("V1", "V2")}
    assert set(table["params"]) == {
        f"{k} {e}" for k in ("linear", "sigma=2", "sigma=9", "c=1") for e in SMALL["estimators"]
    }
    assert set(table["depth"]) == {0.5, 1.0}
    assert set(table["ceiling"]) == {0.8}
    assert set(table["n"]) == {30}


def test_its_values_are_those_of_the_library(house):
    table = run(house)
    layer = arrays.Container(house / "features/planted/vision-01.safetensors", "features")["blocks.1"]
    container = arrays.Container(house / "brain/subj05/patterns.safetensors", "patterns")
    region = container["V2"]
    own = region.select(region.stimulus_ids[~np.isin(region.stimulus_ids, container.facts["shared"])])
    expected = score([layer], [own], [CKA(sigma=9.0, debiased=False)]).iloc[0]
    row = table[
        (table["source"] == "planted:vision-01")
        & (table["layer"] == "blocks.1")
        & (table["target"] == "subj05/V2")
        & (table["params"] == "sigma=9 biased")
    ].iloc[0]
    for column in ("value", "null_mean", "null_sd", "source_pr", "target_offdiagonal"):
        assert row[column] == pytest.approx(expected[column], abs=1e-12)


@pytest.mark.parametrize(("images", "n"), [("own", 30), ("shared", 10), ("all", 40)])
def test_images(house, images, n):
    assert set(run(house, images=images)["n"]) == {n}


def test_hemispheres(house):
    split = run(house, hemispheres="split")
    assert set(split["target"]) == {f"subj0{s}/{t}" for s in (1, 5) for t in ("lh.V1", "rh.V1", "rh.V2")}
    assert set(split["region"]) == {"V1", "V2"}
    units = split.groupby("target")["target_units"].first()
    assert units[["subj01/lh.V1", "subj01/rh.V1", "subj01/rh.V2"]].tolist() == [5, 7, 7]
    assert split.groupby("target")["ceiling"].first()["subj01/lh.V1"] == 0.7
    assert split.loc[split["target"] == "subj01/rh.V1", "ceiling"].isna().all()
    assert set(run(house, hemispheres="both")["target"]) == set(split["target"]) | set(run(house)["target"])


def test_hopeless_layers_stay_as_rows(house):
    features(house / "features", "constant", 7, spoil=1.0)
    features(house / "features", "broken", 8, spoil=np.nan)
    table = run(house)
    found = table[table["layer"] == "blocks.0"].groupby("source")["reason"].agg(lambda reasons: set(reasons))
    assert found["planted:constant"] == {"constant_features"}
    assert found["planted:broken"] == {"non_finite"}
    assert (table.loc[table["layer"] == "blocks.1", "reason"] == "").all()
    assert table.loc[table["reason"] != "", "value"].isna().all()


def counted(monkeypatch):
    """The models of every sweep."""
    calls = []
    plain = Scorer.stream

    def counting(self, sources):
        def noted():
            for one in sources:
                if one.address not in calls[-1]:
                    calls[-1].append(one.address)
                yield one

        calls.append([])
        return plain(self, noted())

    monkeypatch.setattr(Scorer, "stream", counting)
    return calls


def test_all_models_share_one_sweep_a_subject(house, monkeypatch):
    calls, sizes = counted(monkeypatch), []
    sweep = tiles.sweep
    monkeypatch.setattr(
        tiles, "sweep", lambda x, y, *rest, **more: (sizes.append((len(x), len(y))), sweep(x, y, *rest, **more))[1]
    )
    run(house)
    assert calls == [["planted:vision-00", "planted:vision-01"]] * 2
    assert sizes == [(4, 2)] * 2


def test_a_new_model_is_the_only_one_that_is_scored(house, monkeypatch):
    first = run(house)
    calls = counted(monkeypatch)
    features(house / "features", "vision-02", 5)
    second = run(house)
    assert calls == [["planted:vision-02"]] * 2
    old = second[second["source"] != "planted:vision-02"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, first, check_exact=True)
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "other"))
    pd.testing.assert_frame_equal(run(house), second, check_exact=True)  # all three in one sweep: the same bits


def test_a_new_subject_is_the_only_one_that_is_scored(house, monkeypatch):
    first = run(house)
    calls = counted(monkeypatch)
    brain(house / "brain", "subj07", 7)
    second = run(house)
    assert calls == [["planted:vision-00", "planted:vision-01"]]
    old = second[second["subject"] != "subj07"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, first, check_exact=True)


def test_a_model_whose_layers_are_parted_by_memory_has_the_same_bits(house, monkeypatch):
    whole = run(house)
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "other"))
    monkeypatch.setenv("HOMOPLASY_MEMORY", "0.3MB")
    sizes = []
    plain = Cells.rows
    monkeypatch.setattr(Cells, "rows", lambda self: (sizes.append(len(self._sources)), plain(self))[1])
    pd.testing.assert_frame_equal(run(house), whole, check_exact=True)
    assert max(sizes) < 4


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_kill_loses_the_batch_it_was_in_and_no_more(house, monkeypatch, precision):
    """float64: a batch is a model; float32: it is what memory holds, here a layer or two."""
    if precision == "float32":
        monkeypatch.setenv("HOMOPLASY_MEMORY", "0.3MB")
    done = []
    plain = Cells.rows

    def dying(self):
        if self._targets[0].facts["subject"] == "subj05" and self._sources[-1].address.endswith("01"):
            raise KeyboardInterrupt
        return plain(self)

    monkeypatch.setattr(Cells, "rows", dying)
    with pytest.raises(KeyboardInterrupt):
        run(house, precision=precision)
    monkeypatch.setattr(Cells, "rows", lambda self: (done.append(self._sources), plain(self))[1])
    resumed = run(house, precision=precision)
    assert {one.address for block in done for one in block} == {"planted:vision-01"}
    assert not list((house / "store").rglob("*.part"))
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "other"))
    pd.testing.assert_frame_equal(resumed, run(house, precision=precision), check_exact=True)


def test_the_order_of_files_is_nothing(house):
    table = run(house)
    (house / "features/planted/vision-00.safetensors").rename(house / "features/planted/zz.safetensors")
    pd.testing.assert_frame_equal(run(house), table, check_exact=True)


CHANGES = [
    ("kernel_unit", 0.5),
    ("kernel_sizes", [8]),
    ("relative_sizes", [2.0]),
    ("linear", False),
    ("estimators", ["debiased"]),
    ("images", "all"),
    ("hemispheres", "split"),
    ("standardise", "epsilon"),
    ("epsilon", 0.1),
    ("precision", "float64"),
    ("neighbours", [3]),
]
OF_NEIGHBOURS = [("metric", "inner")]
OF_HALVES = [("halves", 3), ("halves_size", 2.0), ("halves_depths", [0.0, 0.5]), ("seed", 2)]


@pytest.mark.parametrize(("key", "value"), CHANGES)
def test_every_parameter_changes_something(house, key, value):
    assert set(dict(CHANGES + OF_NEIGHBOURS + OF_HALVES)) == set(cka.Settings.model_fields)
    assert not run(house, **{key: value}).equals(run(house))


@pytest.mark.parametrize(("key", "value"), OF_NEIGHBOURS)
def test_every_parameter_of_the_neighbours_changes_something(house, key, value):
    assert not run(house, neighbours=[3], **{key: value}).equals(run(house, neighbours=[3]))


@pytest.mark.parametrize(("key", "value"), OF_HALVES)
def test_every_parameter_of_the_halves_changes_something(house, key, value):
    assert not halves(house, **{key: value}).equals(halves(house))


def test_neighbours_stand_beside_the_kernels_and_make_no_kernel_anew(house, monkeypatch):
    table = run(house)
    calls = counted(monkeypatch)
    both = run(house, neighbours=[3, 5])
    assert calls == [["planted:vision-00", "planted:vision-01"]] * 2
    of_neighbours = both["params"].isin(["k=3 cosine", "k=5 cosine"])
    assert set(both.loc[of_neighbours, "measure"]) == {"mutual_knn", "cycle_knn", "cknna"}
    assert of_neighbours.sum() == 2 * 2 * 2 * 2 * 3 * 2
    kept = both[~of_neighbours].sort_values(list(SCORES.key), ignore_index=True)
    pd.testing.assert_frame_equal(kept, table.sort_values(list(SCORES.key), ignore_index=True), check_exact=True)
    layer = arrays.Container(house / "features/planted/vision-01.safetensors", "features")["blocks.1"]
    subject = Subject(house / "brain/subj05/patterns.safetensors", settings().choice())
    expected = score([layer], subject.targets(), [measures.MutualKNN(k=(5,))])["value"]
    mine = both[(both["source"] == "planted:vision-01") & (both["layer"] == "blocks.1") & (both["subject"] == "subj05")]
    found = mine[(mine["measure"] == "mutual_knn") & (mine["params"] == "k=5 cosine")]["value"]
    assert found.tolist() == expected.tolist()


def test_both_halves_are_scored_on_images_that_they_do_not_share(house):
    table = halves(house)
    assert set(table["draw"]) == {0, 1, 2, 3}
    assert set(table["kind"]) == {"split"}
    assert set(table["layer"]) == {"blocks.1"}  # above half of the depth
    assert set(table["params"]) == {"c=1 debiased"}
    assert set(table["n"]) == {15}
    assert len(table) == 4 * 2 * 2 * 2
    layer = arrays.Container(house / "features/planted/vision-01.safetensors", "features")["blocks.1"]
    subject = Subject(house / "brain/subj05/patterns.safetensors", settings().choice())
    expected = resample([layer.select(subject.images)], subject.targets(), [CKA()], kind="split", draws=4, seed=1)
    found = table[(table["source"] == "planted:vision-01") & (table["subject"] == "subj05")]
    assert found["value"].tolist() == expected["value"].tolist()


def test_checkpoints_have_no_halves_and_a_new_model_is_the_only_one_that_is_halved(house, monkeypatch):
    first = halves(house)
    path = features(house / "features", "step", 9)
    made = arrays.Container(path, "features")
    facts = {"model": "planted:step", "modality": "vision", "run": "glyphs"}
    arrays.write(path, "features", [made[name] for name in made.names()], facts)
    features(house / "features", "vision-02", 5)
    seen = []
    plain = _halves.resampling.stream
    monkeypatch.setattr(
        _halves.resampling,
        "stream",
        lambda made, of, *rest: plain(made, (seen.append(one) or one for one in of), *rest),
    )
    second = halves(house)
    assert {one.address for one in seen} == {"planted:vision-02"}
    assert set(second["source"]) == {f"planted:vision-0{place}" for place in range(3)}
    old = second[second["source"] != "planted:vision-02"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, first, check_exact=True)


def test_too_few_images_to_halve(house):
    brain(house / "brain", "subj01", 1, shared=7)
    with pytest.raises(BadRequest, match=r"cka.halves is 2, and subj01 has 7 images of the kind 'shared'; each half"):
        halves(house, images="shared")


BAD = {
    "cka.kernel_sizes.0' is -8": {"kernel_sizes": [-8]},
    "cka.kernel_sizes' is 36; expected a list of .*each above 0": {"kernel_sizes": 36},
    "cka.relative_sizes.1' is 0": {"relative_sizes": [1, 0]},
    "cka.kernel_unit' is 0": {"kernel_unit": 0},
    "cka.estimators' is .*one or both of biased, debiased": {"estimators": []},
    "cka.estimators.0' is 'unbiased'": {"estimators": ["unbiased"]},
    "cka.images' is 'some'; expected one of 'own', 'shared', 'all'": {"images": "some"},
    "cka.hemispheres' is 'left'; expected one of 'pooled', 'split', 'both'": {"hemispheres": "left"},
    "cka.standardise' is 'none'": {"standardise": "none"},
    "cka.epsilon' is -1": {"epsilon": -1},
    "cka.precision' is 'float16'; expected one of 'float32', 'float64'": {"precision": "float16"},
    "cka.linear' is 'yes'; expected true or false": {"linear": "yes"},
    "cka.neighbours.0' is 0; .*each 1 or more": {"neighbours": [0]},
    "cka.metric' is 'euclid'; expected one of 'cosine', 'inner'": {"metric": "euclid"},
    "cka.halves' is -1; .*0 or more": {"halves": -1},
    "cka.halves_depths.1' is 2": {"halves_depths": [0, 2]},
    "cka.halves_size' is 0": {"halves_size": 0},
    "cka.seed' is -1": {"seed": -1},
    "Nearest: 'kernel_sizes'": {"kernel_size": [8]},
}


@pytest.mark.parametrize(("sentence", "changed"), BAD.items())
def test_a_bad_setting_is_one_sentence(sentence, changed):
    with pytest.raises(BadRequest, match=sentence):
        settings(**changed)


def test_settings_that_do_not_go_together():
    with pytest.raises(BadRequest, match="cka has no kernel: set cka.linear to true"):
        settings(linear=False, kernel_sizes=[], relative_sizes=[]).choice()
    with pytest.raises(BadRequest, match="names the same width twice"):
        settings(kernel_sizes=[8, 8]).choice()
    with pytest.raises(BadRequest, match="cka.estimators names 'biased' twice"):
        settings(estimators=["biased", "biased"]).choice()


def test_too_few_images_of_a_kind(tmp_path):
    ids = np.arange(20)
    facts = {"left": 2, "reason_left": "", "reason_right": ""}
    region = Representation(np.ones((20, 3), np.float32), ids, "V1", facts=facts)
    arrays.write(tmp_path / "subj01/patterns.safetensors", "patterns", [region], {"shared": [1, 2]})
    subject = Subject(tmp_path / "subj01/patterns.safetensors", Choice("shared", "pooled", [CKA()], "float32"))
    with pytest.raises(BadRequest, match="cka.images is 'shared', and subj01 has 2 such images"):
        _ = subject.images


def stage(house, dataset, shard=None):
    """Run the stage as dvc does, on the presets of this repository."""
    raw = house / "raw"
    raw.mkdir(exist_ok=True)
    if dataset != "published":
        (raw / "MANIFEST.json").write_text('{"format": 1, "dataset": "pocket", "request": {}, "files": {}}')
    conf = {"worlds/pocket.yaml": {"kernel_unit": 0.25}, "presets/small.yaml": {**SMALL}}
    del conf["presets/small.yaml"]["kernel_unit"]
    for name, values in conf.items():
        path = house / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"cka": values}))
    (house / "params.yaml").write_text("world: pocket\npreset: small\ncka:\n  kernel_sizes: [36]\n  images:\n")
    cka.main(
        params=house / "params.yaml",
        raw=raw,
        brain=house / "brain",
        features=house / "features",
        scores=house / "scores",
        record=house / "settings/cka.yaml",
        shard=shard,
    )
    if shard:
        return None
    return frames.read(house / "scores/scores.parquet", SCORES)


def test_the_stage_writes_scores_and_the_settings_in_force(house, capsys):
    (house / "scores").mkdir()
    (house / "scores/stray.parquet").touch()
    table = stage(house, "pocket")
    assert set(table["params"]) == {f"{k} {e}" for k in ("linear", "sigma=9", "c=1") for e in SMALL["estimators"]}
    assert sorted(path.name for path in (house / "scores").iterdir()) == ["halves.parquet", "scores.parquet"]
    assert len(frames.read(house / "scores/halves.parquet", DRAWS)) == 0
    recorded = yaml.safe_load((house / "settings/cka.yaml").read_text())["cka"]
    assert recorded["kernel_sizes"] == [36.0]
    assert recorded["images"] == "own"
    said = capsys.readouterr().err
    assert "cka: 2 models against 2 subjects; 6 scores for each layer and region." in said
    assert "cka: 96 scores of 2 models." in said


def test_the_key_of_the_store_covers_the_code_that_makes_the_numbers():
    behind = closure.graph().find_upstream_modules("homoplasy.measures.cka") | {"homoplasy.measures.cka"}
    numbers = {name for name in behind if name.startswith(("homoplasy.maths.", "homoplasy.measures."))}
    assert {module.__name__ for module in _pairs.behind(CKA())} == numbers


def test_shards_fill_the_store_and_the_stage_finds_everything_there(house, monkeypatch, capsys):
    for number in (1, 2):
        stage(house, "pocket", Shard(number, 2))
        assert not (house / "scores").exists()
        assert "cka: 1 models against 2 subjects" in capsys.readouterr().err
    calls = counted(monkeypatch)
    table = stage(house, "pocket")
    assert calls == []
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "other"))
    pd.testing.assert_frame_equal(stage(house, "pocket"), table, check_exact=True)


def test_long_work_says_first_what_it_takes(house, monkeypatch, capsys):
    run(house)
    assert "values in" not in capsys.readouterr().err
    slow = cost.Speed(*[1.0] * 5)
    monkeypatch.setattr(cost, "NOMINAL", slow)
    monkeypatch.setattr(cost, "trial", lambda means: slow)
    run(house)
    assert "values in" not in capsys.readouterr().err  # all is stored
    features(house / "features", "vision-02", 5)
    run(house)
    assert re.search(r"cka: 64 values in 2 sweeps, about \d+ h on this machine", capsys.readouterr().err)


def test_what_is_planned_is_what_is_missing(house):
    choice = settings(hemispheres="split", relative_sizes=[]).choice()
    patterns, models = _pairs.patterns(house / "brain"), _pairs.models(house / "features")
    work = _plan.missing(patterns, models, choice)
    assert [(one.n, one.sources, one.targets, one.kernels) for one in work] == [(30, (8,) * 4, (12, 9) * 2, 3)] * 2
    assert not work[0].relative
    for _ in _pairs.scored(patterns[:1], models[:1], choice):
        pass
    assert [len(one.sources) for one in _plan.missing(patterns, models, choice)] == [2, 4]


def test_the_same_run_gives_the_same_bytes_on_any_number_of_cores(house, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    stage(house, "pocket")
    first = (house / "scores/scores.parquet").read_bytes()
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "other"))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    stage(house, "pocket")
    assert (house / "scores/scores.parquet").read_bytes() == first


def test_the_memory_that_is_allowed_comes_from_the_environment(house, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_MEMORY", "0.01MB")
    with pytest.raises(BadRequest, match="HOMOPLASY_MEMORY"):
        run(house)


def test_no_model_is_an_empty_table(house):
    for path in (house / "features").rglob("*.safetensors"):
        path.unlink()
    assert len(stage(house, "pocket")) == 0


def test_a_published_world_brings_its_own_scores(house, monkeypatch):
    printed = score(
        [Representation(np.eye(5), np.arange(5), "timm:x")], [Representation(np.eye(5), np.arange(5), "mean")], [CKA()]
    )
    monkeypatch.setattr(_manifest, "read", lambda raw: _manifest.Manifest("published", {}, {}))
    monkeypatch.setattr(cka.published, "scores", lambda raw: printed)
    pd.testing.assert_frame_equal(stage(house, "published"), printed)
