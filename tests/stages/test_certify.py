"""A few tiny worlds through certify: what is kept and resumed, and that presets share a tree without mixing it up."""

from pathlib import Path

import pytest
import yaml

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import roster, sizes
from homoplasy.errors import BadData, BadRequest
from homoplasy.execution import Shard
from homoplasy.stages import _certify, certify
from homoplasy.store import frames
from homoplasy.tables import ANNOUNCEMENTS, CERTIFICATES
from tests.conftest import ROOT

# Two subjects and nine models of each modality; the sizes of the world itself stay.
TINY = {
    "worlds/pocket": {"fetch": {"subjects": [1, 2]}},
    "presets/as_released": {"stats": {"draws": 100}, "taxonomy": {"draws": 20}},
    "presets/calibrated": {"stats": {"draws": 100}, "taxonomy": {"draws": 20}, "cka": {"halves": 1}},
}
MODELS = 9
WORLDS = {"seeds": 1, "truths": ["width"], "presets": ["as_released", "calibrated"]}


def tiny(root, **worlds):
    """Parameters and configuration of a tiny certification; the paths of `certify.main`."""
    for name in TINY:
        conf = yaml.safe_load((ROOT / f"conf/{name}.yaml").read_text())
        for section, values in TINY[name].items():
            conf[section] |= values
        (root / f"conf/{name}.yaml").parent.mkdir(parents=True, exist_ok=True)
        (root / f"conf/{name}.yaml").write_text(yaml.safe_dump(conf))
    (root / "params.yaml").write_text(
        yaml.safe_dump({"world": "pocket", "preset": "calibrated", "certify": WORLDS | worlds})
    )
    return {
        "params": root / "params.yaml",
        "claims_file": ROOT / "claims/convergence.yaml",
        "scope": ROOT / "certificates/claims.yaml",
        "conf": root / "conf",
        "certificates": root / "certificates",
        "record": root / "settings.yaml",
    }


@pytest.fixture
def announced(monkeypatch):
    """The worlds that were really run, in order."""
    done, own = [], _certify.Tree.announce

    def noted(tree, item):
        found = own(tree, item)
        done.append((item.truth, item.preset))
        return found

    monkeypatch.setattr(roster, "MODELS", MODELS)
    monkeypatch.setattr(sizes, "TRAINING_PICTURES", 10)
    monkeypatch.setattr(_certify.Tree, "announce", noted)
    return done


@pytest.mark.slow
def test_worlds_are_announced_once_even_if_the_work_is_killed_half_way(tmp_path, monkeypatch, announced):
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "store"))
    paths = tiny(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(_certify.cka, "main", _dies_at(2, _certify.cka.main))
        with pytest.raises(KeyboardInterrupt):
            certify.main(**paths, shard=Shard(1, 1))
    assert announced == [("width", "as_released")]
    assert not (tmp_path / "certificates").exists()
    certify.main(**paths)
    assert announced[1:] == [("width", "calibrated")]
    found = frames.read(tmp_path / "certificates/announcements.parquet", ANNOUNCEMENTS)
    first = [path.read_bytes() for path in sorted((tmp_path / "certificates").iterdir())]
    certify.main(**paths)
    assert len(announced) == 2
    assert [path.read_bytes() for path in sorted((tmp_path / "certificates").iterdir())] == first

    said = found.set_index(["claim", "truth", "preset"])
    assert said.loc[("lang.leaderboard2", "width", "as_released"), "positive"]
    assert not said.loc[("lang.leaderboard2", "width", "calibrated"), "positive"]
    assert said.loc[("table2_language", "width", "as_released"), "value"] > 0.9
    assert said.loc[("vis.imagenet", "width", "calibrated"), "answered"]
    table = frames.read(tmp_path / "certificates/certificates.parquet", CERTIFICATES)
    assert (table.loc[table["role"] != "none", "seeds"] == 1).all()
    assert set(table["claim"]) == {claim["id"] for claim in yaml.safe_load(paths["claims_file"].read_text())["claims"]}
    assert len(list((tmp_path / "store").rglob("*.parquet"))) == 2  # nothing of the worlds but what they announced
    assert "| lang.leaderboard2 |" in (tmp_path / "certificates/certificates.md").read_text()


def _dies_at(call, own):
    """A stage that is killed at its n-th call."""
    calls = iter(range(1, 100))

    def main(*args, **keywords):
        if next(calls) == call:
            raise KeyboardInterrupt
        own(*args, **keywords)

    return main


def test_what_a_killed_run_left_is_removed_and_what_another_works_in_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path))
    left = tmp_path / "certify" / "seed-3-left"
    (left / "raw").mkdir(parents=True)
    with _certify._folder(1) as first:
        assert not left.exists()
        with _certify._folder(1) as second:
            assert first != second
            assert first.is_dir()
    assert list((tmp_path / "certify").iterdir()) == []


def test_a_folder_that_its_owner_is_removing_is_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path))
    remove, removed = _certify.shutil.rmtree, []

    def slowly(folder):
        removed.append(folder)
        if len(removed) == 1:
            with _certify._folder(2):
                assert folder.is_dir()
        remove(folder)

    monkeypatch.setattr(_certify.shutil, "rmtree", slowly)
    with _certify._folder(1) as first:
        pass
    assert removed[0] == first
    assert len(removed) == 2
    assert list((tmp_path / "certify").iterdir()) == []


def test_the_models_of_another_truth_are_those_that_its_own_tree_has():
    world = pocket.World("null", 7, (1,), 1, "betas_fithrf", "hdf5")
    own = {spec.name: spec for spec in roster.roster(world)}
    cast = {spec.name: spec for spec in roster.line_up(world)}
    assert {name: cast[name] for name in own} == own
    assert {spec.modality for spec in cast.values()} == {"vision", "language"}
    known = roster.performance(world, tuple(cast.values())).set_index("model")["performance"]
    assert known[f"planted:{next(iter(own))}"] == roster.performance(world)["performance"].iloc[0]


def test_the_key_of_an_item_hangs_on_its_preset_its_settings_and_its_world(tmp_path):
    tiny(tmp_path)
    inputs = _certify.Inputs(
        certify.claims.parse(yaml.safe_load((ROOT / "claims/convergence.yaml").read_text()), "claims", 0.25),
        certify.study.Scope(certified={}, not_certifiable=()),
        tmp_path / "conf",
        ("as_released", "calibrated"),
        ("null",),
    )
    keys = {_certify.Item("null", seed, preset).key(inputs) for seed in (1, 2) for preset in inputs.presets}
    keys.add(_certify.Item("width", 1, "calibrated").key(inputs))
    assert len(keys) == 5
    conf = tmp_path / "conf/presets/calibrated.yaml"
    conf.write_text(conf.read_text().replace("draws: 100", "draws: 101"))
    assert _certify.Item("null", 1, "calibrated").key(inputs) not in keys
    assert _certify.Item("null", 1, "as_released").key(inputs) in keys


@pytest.mark.parametrize(
    ("worlds", "sentence"),
    [({"seeds": 0}, "certify.seeds"), ({"truths": ["mixed"]}, "certify.truths"), ({"presets": []}, "certify.presets")],
)
def test_worlds_that_cannot_be_made_are_refused(tmp_path, worlds, sentence):
    with pytest.raises(BadRequest, match=sentence):
        certify.main(**tiny(tmp_path, **worlds))


def test_a_scope_that_cannot_be_read_says_where_it_comes_from(tmp_path):
    paths = tiny(tmp_path) | {"scope": Path(tmp_path / "nowhere.yaml")}
    with pytest.raises(BadData, match="restore it with git checkout"):
        certify.main(**paths)
