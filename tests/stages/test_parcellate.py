import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import brain as planted_brain
from homoplasy.datasets.pocket import regions as planted_regions
from homoplasy.datasets.pocket import sizes
from homoplasy.errors import BadData, BadRequest
from homoplasy.maths import ceilings
from homoplasy.stages import parcellate
from homoplasy.store import frames
from homoplasy.store.arrays import Container
from homoplasy.tables import REGIONS, STIMULI, VOXELS
from tests.datasets.nsd import miniature

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = {"min_voxels": 5, "pairing_sd": 5.0}


def workspace(folder, raw, world, preset="calibrated", **changes):
    """Settings of a world with some changes, and a raw folder that was made before."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(REPOSITORY / "conf", folder / "conf", dirs_exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump({"world": world, "preset": preset, "parcellate": changes}))
    if not (folder / "raw").exists():
        (folder / "raw").symlink_to(raw)
    return folder


def run(folder):
    parcellate.main(*(folder / name for name in ("params.yaml", "raw", "brain", "record.yaml")))
    return folder / "brain"


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return miniature.write(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def made(small, tmp_path_factory):
    folder = workspace(tmp_path_factory.mktemp("made"), small.root, "nsd", **SMALL)
    stale = folder / "brain/voxels/subj09/patterns.safetensors"
    stale.parent.mkdir(parents=True)
    stale.touch()
    return run(folder)


def test_the_files_are_those_of_the_contract(made):
    each = [
        "patterns.safetensors",
        "repeat1.safetensors",
        "repeat2.safetensors",
        "repeat3.safetensors",
        "voxels.parquet",
    ]
    expected = {f"voxels/{subject}/{name}" for subject in ("subj01", "subj02") for name in each}
    assert set(digests(made)) == expected | {"regions.parquet", "stimuli.parquet"}


def test_the_containers_hold_what_they_say(made, small):
    found = Container(made / "voxels/subj02/patterns.safetensors", "patterns")
    assert found.names() == ["V1", "MST", "4"]
    assert found.stimulus_ids.tolist() == sorted(small.pictures[1])
    assert found.facts == {"subject": "subj02", "shared": sorted(small.pictures[1, :10]), "repeats": [3] * 30}
    repeats = [Container(made / f"voxels/subj02/repeat{k}.safetensors", "repeats") for k in (1, 2, 3)]
    for name in found.names():
        one = found[name]
        assert one.values.dtype == np.float32
        assert [each[name].values.dtype for each in repeats] == [np.float16] * 3
        average = np.mean([each[name].values.astype(float) for each in repeats], axis=0)
        np.testing.assert_allclose(one.values, average, atol=2e-3)
        np.testing.assert_array_equal(one.unit_ids, repeats[0][name].unit_ids)
        assert one.facts["region"] == name


def test_the_tables_agree_with_the_containers(made):
    regions = frames.read(made / "regions.parquet", REGIONS)
    stimuli = frames.read(made / "stimuli.parquet", STIMULI)
    for subject in ("subj01", "subj02"):
        found = Container(made / "voxels" / subject / "patterns.safetensors", "patterns")
        voxels = frames.read(made / "voxels" / subject / "voxels.parquet", VOXELS)
        rows = regions[(regions["subject"] == subject) & (regions["hemisphere"] == "both") & (regions["reason"] == "")]
        assert rows["region"].tolist() == found.names()
        assert rows["voxels"].tolist() == [found[name].n_units for name in found.names()]
        for name in found.names():
            assert voxels.loc[voxels["region"] == name, "voxel"].tolist() == found[name].unit_ids.tolist()
        assert set(found.stimulus_ids) <= set(stimuli["stimulus_id"])


def test_the_settings_in_force_are_recorded(made):
    record = yaml.safe_load((made.parent / "record.yaml").read_text())
    assert set(record["parcellate"]) == set(parcellate.Settings.model_fields)
    assert record["parcellate"]["min_voxels"] == 5


def test_two_runs_give_the_same_bytes(made, small, tmp_path):
    again = run(workspace(tmp_path / "again", small.root, "nsd", **SMALL))
    assert digests(again) == digests(made)


CHANGES = {
    "sessions": 3,
    "first_release": True,
    "session_zscore": False,
    "min_voxels": 9,
    "ncsnr_min": 1.0,
    "dropout_max": 2.0,
    "networks": "study",
    "caption_pick": "file_order",
    "repeats": "float32",
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changes_something(name, made, small, tmp_path):
    changed = run(workspace(tmp_path / "changed", small.root, "nsd", **SMALL | {name: CHANGES[name]}))
    assert digests(changed) != digests(made)


def test_the_unit_and_the_scale_of_the_world_change_something(made, small, tmp_path):
    raw = {"session_zscore": False, **SMALL}
    percent, stored = (
        run(workspace(tmp_path / unit, small.root, "nsd", unit=unit, **raw)) / "voxels/subj01/patterns.safetensors"
        for unit in ("percent", "int16")
    )
    ratio = Container(stored, "patterns")["V1"].values / Container(percent, "patterns")["V1"].values
    np.testing.assert_allclose(ratio, 300, rtol=1e-3)
    double = run(workspace(tmp_path / "double", small.root, "nsd", voxel_unit=2.0, **SMALL))
    assert Container(double / "voxels/subj01/patterns.safetensors", "patterns").names() == ["V1", "MST"]


def test_the_guard_is_a_setting(small, tmp_path):
    strict = workspace(tmp_path / "strict", small.root, "nsd", **SMALL | {"pairing_sd": 1e6})
    with pytest.raises(BadData, match="pairing broken"):
        run(strict)
    assert not list((strict / "brain").rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sesions": 3}, "unknown parameter 'parcellate.sesions'.*Nearest: 'sessions'"),
        ({"sessions": -1}, "parcellate.sessions' is -1; expected a whole number, 0 for all"),
        ({"sessions": 9}, "parcellate.sessions is 9, but 5 were fetched"),
        ({"unit": "per cent"}, "expected one of 'percent', 'int16'"),
        ({"networks": "yeo"}, "expected one of 'xcpd', 'study'"),
        ({"min_voxels": 0}, "parcellate.min_voxels' is 0"),
        ({"ncsnr_min": -0.1}, "parcellate.ncsnr_min' is -0.1"),
        ({"dropout_max": 0.0}, "parcellate.dropout_max' is 0.0"),
        ({"pairing_sd": float("nan")}, "parcellate.pairing_sd' is nan"),
        ({"session_zscore": "yes"}, "expected true or false"),
        ({"repeats": "float64"}, "expected one of 'float16', 'float32'"),
    ],
)
def test_settings_that_cannot_be_honoured_are_one_sentence(change, sentence, small, tmp_path):
    with pytest.raises(BadRequest, match=sentence):
        run(workspace(tmp_path / "bad", small.root, "nsd", **change))


def test_the_published_world_has_empty_tables(tmp_path, capsys):
    root = tmp_path / "published"
    root.mkdir()
    request = {"subjects": [], "sessions": 0, "beta_version": "betas_fithrf_GLMdenoise_RR", "beta_format": "hdf5"}
    about = {"format": 1, "dataset": "published", "request": request, "files": {}}
    (root / "MANIFEST.json").write_text(json.dumps(about))
    brain = run(workspace(tmp_path / "there", root, "published"))
    assert set(digests(brain)) == {"regions.parquet", "stimuli.parquet"}
    assert len(frames.read(brain / "regions.parquet", REGIONS)) == 0
    assert len(frames.read(brain / "stimuli.parquet", STIMULI)) == 0
    assert "no subjects" in capsys.readouterr().err


REQUEST = {"subjects": [1], "sessions": 10, "beta_version": "betas_fithrf_GLMdenoise_RR", "beta_format": "hdf5"}


def pocket_tree(root, truth):
    """A pocket world of one subject, with a manifest as fetch writes it, and hardly a picture to train on."""
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "TRAINING_PICTURES", 10)
        pocket.generate(root, truth=truth, seed=7, **REQUEST)
    files = {
        path.relative_to(root).as_posix(): {"size": path.stat().st_size, "etag": None, "sha256": "0" * 64}
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    about = {"format": 1, "dataset": "pocket", "request": REQUEST, "files": files}
    (root / "MANIFEST.json").write_text(json.dumps(about))
    return root


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return pocket_tree(tmp_path_factory.mktemp("pocket") / "planted", "planted")


@pytest.fixture(scope="module")
def calibrated(world, tmp_path_factory):
    return run(workspace(tmp_path_factory.mktemp("calibrated"), world, "pocket"))


def pooled(brain):
    table = frames.read(brain / "regions.parquet", REGIONS)
    return table[table["hemisphere"] == "both"].set_index("region")


def test_the_planted_reliability_is_found(calibrated, world, tmp_path):
    reliable = [one for one in planted_regions.REGIONS if one.ncsnr >= 0.3]
    table = pooled(calibrated)
    raw = pooled(run(workspace(tmp_path / "raw", world, "pocket", session_zscore=False)))
    for one in reliable:
        assert table.loc[one.name, "ncsnr"] == pytest.approx(one.ncsnr, rel=0.1), one.name
        assert raw.loc[one.name, "ncsnr"] < 0.9 * table.loc[one.name, "ncsnr"], one.name


def test_every_voxel_of_the_planted_truth_is_accounted_for(calibrated, world):
    truth = json.loads((world / "pocket/truth/truth.json").read_text())["subjects"]["subj01"]["regions"]
    table = pooled(calibrated)
    assert set(table.index) == set(truth)  # regions without a voxel are absent
    for name, planted in truth.items():
        constant, dropout = set(planted["constant"]), set(planted["dropout"])
        row = table.loc[name]
        assert row["voxels_labelled"] == planted["voxels"]
        assert row["voxels_constant"] == len(constant)
        assert row["voxels_dropout"] == len(dropout - constant)
    assert table.loc["RI", "reason"] == "too_few_voxels"


def test_the_corrected_cka_is_the_noise_free_one(calibrated):
    plan = pocket.World("planted", 7, (1,), 10, "betas_fithrf_GLMdenoise_RR", "hdf5")
    subject = planted_brain.Brain(plan, 1)
    order = np.argsort(plan.design.images(1))
    found = Container(calibrated / "voxels/subj01/patterns.safetensors", "patterns")
    for one in planted_regions.REGIONS:
        if one.ncsnr < 0.4 or one.kind == "none" or one.name not in found.names():
            continue
        patterns = found[one.name]
        places = np.searchsorted(subject.anatomy.voxels[one.name], patterns.unit_ids)
        signal = subject.signal(one)[order][:, places]
        latents = np.hstack([subject.latents.visual, subject.latents.semantic])[order]
        raw, free = (cka(latents, values) for values in (patterns.values, signal))
        assert raw < free
        assert ceilings.corrected(raw, patterns.facts["ceiling"]) == pytest.approx(free, abs=0.05), one.name


def cka(x, y):
    x, y = (torch.from_numpy(np.asarray(each, dtype=np.float64)) for each in (x, y))
    h = ceilings.linear_hsic
    return float(h(x, y) / torch.sqrt(h(x, x) * h(y, y)))


def test_regions_without_signal_rarely_have_a_ceiling(calibrated):
    silent = [one.name for one in planted_regions.REGIONS if one.kind == "none"]
    assert pooled(calibrated).loc[silent, "ceiling"].isna().sum() >= 3


def test_nine_sessions_show_648_trials(tmp_path):
    raw = pocket_tree(tmp_path / "short", "short")
    brain = run(workspace(tmp_path / "there", raw, "pocket"))
    found = Container(brain / "voxels/subj01/patterns.safetensors", "patterns")
    times = found.facts["repeats"]
    assert sum(times) == 648
    assert set(times) == {1, 2, 3}
    names = [f"repeat{k}.safetensors" for k in (1, 2, 3)]
    counts = [len(Container(brain / "voxels/subj01" / name, "repeats").stimulus_ids) for name in names]
    assert counts == [sum(each >= k for each in times) for k in (1, 2, 3)]
    voxels = frames.read(brain / "voxels/subj01/voxels.parquet", VOXELS)
    left = (times.count(3) / 3 + times.count(2) / 2 + times.count(1)) / len(times)
    np.testing.assert_allclose(
        voxels["variance_ceiling"], 100 * voxels["ncsnr"] ** 2 / (voxels["ncsnr"] ** 2 + left), rtol=1e-9
    )


def test_the_first_release_reads_as_many(world, tmp_path):
    brain = run(workspace(tmp_path / "there", world, "pocket", preset="as_written"))
    assert sum(Container(brain / "voxels/subj01/patterns.safetensors", "patterns").facts["repeats"]) == 648


def test_sessions_in_a_wrong_order_stop_the_stage(tmp_path):
    raw = pocket_tree(tmp_path / "scrambled", "scrambled")
    with pytest.raises(BadData, match="pairing broken: repeats of a picture in V1"):
        run(workspace(tmp_path / "there", raw, "pocket"))


def test_two_swapped_sessions_pass_the_guard(world, tmp_path):
    raw = tmp_path / "swapped"
    shutil.copytree(world, raw)
    first, second = sorted(raw.rglob("betas_session0[12].hdf5"))
    os.replace(first, raw / "aside"), os.replace(second, first), os.replace(raw / "aside", second)
    run(workspace(tmp_path / "there", raw, "pocket"))


def test_a_misread_response_stops_the_stage(tmp_path):
    raw = pocket_tree(tmp_path / "bad", "bad_responses")
    trial = json.loads((raw / "pocket/truth/truth.json").read_text())["bad"]["misread_trial"]["trial"]
    with pytest.raises(BadData, match=f"subj01, trial {trial} "):
        run(workspace(tmp_path / "there", raw, "pocket"))
