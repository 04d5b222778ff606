"""train, as a stage: its files, the store behind it, a kill in the middle, and every refusal."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from homoplasy.datasets.pocket import training_set
from homoplasy.datasets.pocket.formats import hdf5, place, to_json
from homoplasy.errors import BadData, BadRequest
from homoplasy.execution import Shard
from homoplasy.stages import _runs, train
from homoplasy.store import files, frames, weights
from homoplasy.tables import HISTORY
from homoplasy.training import loop
from tests.training import lessons

VISION = {
    "name": "vit",
    "kind": "vision",
    "architecture": "test_vit",
    "options": {"img_size": 48, "depth": 2, "drop_path_rate": 0.5},
}
LANGUAGE = {"name": "neox", "kind": "language", "architecture": "gpt_neox", "options": lessons.NEOX}
SMALL = {"steps": 4, "checkpoints": 4, "batch_size": 8, "judged": 8, "save_every": 2, "runs": [VISION, LANGUAGE]}


@pytest.fixture
def raw(tmp_path):
    """A world with a training set of sixty pictures and their captions."""
    pictures, glyphs = lessons.drawn(60)
    hdf5(place(tmp_path / "raw", training_set.KEY), {"pictures": pictures, "glyphs": glyphs})
    to_json(place(tmp_path / "raw", training_set.CAPTIONS), training_set.captions.of_training(glyphs))
    return tmp_path / "raw"


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """A store of its own, one process, and the number of threads given back."""
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def choose(params, world="pocket", **values):
    given = yaml.safe_load(params.read_text()) | {"world": world}
    given["train"] |= values
    params.write_text(yaml.safe_dump(given))


def run(params, raw, name="models"):
    folder = params.parent / name
    train.main(params, raw, folder, params.parent / "settings.yaml")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_weights_and_averages_at_every_checkpoint_and_a_tidy_history(choices, raw, tmp_path):
    choose(choices, **SMALL)
    found = run(choices, raw)
    steps = [f"step-{step:06d}{kind}.safetensors" for step in (0, 1, 2, 4) for kind in ("", "-ema")]
    whole = {f"{name}/{file}" for name in ("vit", "neox") for file in ("config.json", "history.parquet", *steps)}
    assert set(found) == {"runs.json", *whole}
    assert files.read_json(tmp_path / "models/runs.json") == ["vit", "neox"]
    for name, metrics, seen in (("vit", {"loss", "accuracy"}, 32), ("neox", {"loss", "accuracy", "perplexity"}, None)):
        history = frames.read(tmp_path / f"models/{name}/history.parquet", HISTORY)
        assert history.groupby(["step", "weights", "split"])["metric"].agg(set).tolist() == [metrics] * 16
        assert sorted(history["step"].unique()) == [0, 1, 2, 4]
        last = history.loc[history["step"] == 4, "seen"]
        assert (last == (seen or last.iloc[0])).all()
        assert history.loc[history["step"] == 0, "seen"].max() == 0
    assert not list((tmp_path / "store/training").glob("*")), "what a run was saved in is deleted when it is done"


def test_a_checkpoint_has_what_rebuilds_its_network(choices, raw, tmp_path):
    choose(choices, **SMALL)
    run(choices, raw)
    config, raw_weights = weights.read(tmp_path / "models/vit/step-000004.safetensors")
    average = weights.read(tmp_path / "models/vit/step-000004-ema.safetensors")[1]
    assert (config["kind"], config["size"], config["targets"], config["seen"]) == ("vision", 48, 12, 32)
    assert raw_weights.keys() == average.keys()
    assert not np.array_equal(raw_weights["head.weight"], average["head.weight"])
    assert files.read_json(tmp_path / "models/vit/config.json")["plan"]["steps"] == 4
    recorded = yaml.safe_load((tmp_path / "settings.yaml").read_text())["train"]
    assert [one["name"] for one in recorded["runs"]] == ["vit", "neox"]


def test_what_is_stored_is_not_trained_again(choices, raw, monkeypatch):
    choose(choices, **SMALL)
    first = run(choices, raw)
    monkeypatch.setattr(loop.Training, "advance", None)  # so that training would fail
    assert run(choices, raw) == first


def test_shards_fill_the_store_alone_and_the_stage_puts_everything_in_place(choices, raw, tmp_path, monkeypatch):
    choose(choices, **SMALL)
    alone = run(choices, raw, "alone")
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "another"))
    for number in (1, 2):
        train.main(choices, raw, tmp_path / "models", tmp_path / "settings.yaml", Shard(number, 2))
    assert not (tmp_path / "models").exists()
    monkeypatch.setattr(loop.Training, "advance", None)  # so that training would fail
    assert run(choices, raw) == alone


def test_a_run_of_its_own_values_and_a_new_run_leave_the_others_alone(choices, raw, monkeypatch):
    choose(choices, **SMALL | {"runs": [VISION]})
    first = run(choices, raw)
    own = VISION | {"name": "longer", "steps": 5, "learning_rate": 0.1}
    choose(choices, **SMALL | {"runs": [VISION, own]})
    names = []
    begun = _runs.Work._begun
    monkeypatch.setattr(_runs.Work, "_begun", lambda self, step: names.append(self.run.name) or begun(self, step))
    again = run(choices, raw)
    assert names == ["longer"]
    assert {name: one for name, one in again.items() if name.startswith("vit/")} == {
        name: one for name, one in first.items() if name.startswith("vit/")
    }
    assert "longer/step-000005.safetensors" in again


def test_a_run_goes_on_from_where_it_was_saved(choices, raw, monkeypatch, tmp_path):
    choose(choices, **SMALL | {"steps": 9, "save_every": 3, "runs": [VISION]})
    advance = loop.Training.advance

    def dies(self):
        if self.step == 8:
            raise KeyboardInterrupt
        advance(self)

    monkeypatch.setattr(loop.Training, "advance", dies)
    with pytest.raises(KeyboardInterrupt):
        run(choices, raw)
    saved = list((tmp_path / "store/training").iterdir())
    assert [weights.read(path)[0]["step"] for path in saved] == [6]
    steps = []
    monkeypatch.setattr(loop.Training, "advance", lambda self: steps.append(self.step) or advance(self))
    resumed = run(choices, raw)
    assert steps == [6, 7, 8]
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "other"))
    assert resumed == run(choices, raw, "again")


def test_a_run_whose_early_checkpoints_were_lost_starts_again(choices, raw, monkeypatch, tmp_path):
    choose(choices, **SMALL | {"runs": [VISION]})
    first = run(choices, raw)
    lost = tmp_path / "models/vit/step-000001.safetensors"
    stored = next(path for path in (tmp_path / "store").rglob("*") if path.is_file() and path.samefile(lost))
    stored.unlink()
    assert run(choices, raw) == first


@pytest.mark.slow
def test_a_kill_in_the_middle_of_two_processes_and_a_rerun_in_one_give_the_same_bytes(choices, raw, tmp_path):
    choose(choices, **SMALL | {"steps": 40})
    paths = {"params": choices, "raw": raw, "models": tmp_path / "models", "record": tmp_path / "settings.yaml"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "homoplasy.stages.train", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
    store, end = tmp_path / "store", time.monotonic() + 300
    while not list((store / "training").glob("*")) and time.monotonic() < end:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()  # ends when the last process of the stage has ended
    stored = [path for path in store.rglob("*.safetensors") if path.is_file()]
    assert 0 < len(stored) < 18
    resumed = run(choices, raw)
    os.environ["HOMOPLASY_STORE"] = str(tmp_path / "other")
    assert resumed == run(choices, raw, "again")


def test_photographs_in_a_folder(choices, tmp_path):
    rng = np.random.default_rng(0)
    for name in "abcdefg":
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for place_ in range(4):
            picture = Image.fromarray(rng.integers(0, 255, (20, 30, 3), dtype=np.uint8))
            picture.save(tmp_path / f"photographs/{name}/{place_}.png")
    folder = {"folder": str(tmp_path / "photographs"), "side": 32}
    own = {"name": "resnet", "kind": "vision", "architecture": "test_resnet", "options": {"channels": [8, 8, 8, 8]}}
    choose(choices, "nsd", **SMALL | folder | {"runs": [own]})
    run(choices, tmp_path / "raw")
    config = files.read_json(tmp_path / "models/resnet/config.json")
    assert (config["task"], config["size"], config["levels"]) == ("classes", 32, 7)
    history = frames.read(tmp_path / "models/resnet/history.parquet", HISTORY)
    assert set(history["metric"]) == {"loss", "accuracy", "top5"}


def test_a_world_without_runs_says_so(choices, raw, capsys):
    for world in ("nsd", "published"):
        choose(choices, world)
        assert set(run(choices, raw)) == {"runs.json"}
        assert files.read_json(choices.parent / "models/runs.json") == []
        assert capsys.readouterr().err == "train: no runs.\n"


def test_the_runs_of_the_pocket_world_are_two_sizes_a_transformer_and_two_language_models(choices):
    settings = train._settings.read(choices, "train", train.Settings)
    found = {run.name: run for run in _runs.runs(settings.runs, settings)}
    assert {(run.kind, run.architecture) for run in found.values()} == {
        ("language", "gpt_neox"),
        ("vision", "test_resnet"),
        ("vision", "test_vit"),
    }
    assert len(found) == 5
    assert found["vit"].learning_rate != settings.learning_rate == found["resnet-large"].learning_rate


def test_a_world_without_training_pictures_or_captions_is_one_sentence(choices, tmp_path):
    choose(choices, **SMALL)
    with pytest.raises(BadData, match=r"pictures.hdf5 is missing"):
        run(choices, tmp_path / "empty")
    choose(choices, **SMALL | {"runs": [LANGUAGE]})
    with pytest.raises(BadData, match=r"captions.json is missing"):
        run(choices, tmp_path / "empty")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 0}, "'train.steps' is 0; expected a whole number, above 0"),
        ({"checkpoints": 2}, "'train.checkpoints' is 2; expected a whole number, 3 or more"),
        ({"batch_size": 1}, "'train.batch_size' is 1"),
        ({"learning_rate": -1.0}, "'train.learning_rate' is -1.0; expected a number, above 0"),
        ({"learning_rate": "fast"}, "'train.learning_rate' is 'fast'"),
        ({"ema_decay": 1.0}, "'train.ema_decay' is 1.0"),
        ({"warm_up": 1.0}, "'train.warm_up' is 1.0"),
        ({"judged": 0}, "'train.judged' is 0"),
        ({"save_every": 0}, "'train.save_every' is 0"),
        ({"side": 0}, "'train.side' is 0"),
        ({"seed": -1}, "'train.seed' is -1"),
        ({"step": 5}, "unknown parameter 'train.step'.* Nearest: 'steps'"),
        ({"optimiser": "adamv"}, "timm has no optimiser 'adamv'"),
        ({"schedule": "plateau"}, "'plateau' is no schedule"),
        ({"folder": "nowhere"}, "train.folder is 'nowhere', and there is no such folder"),
        ({"runs": [VISION, VISION]}, "train.runs has two runs called 'vit'"),
        ({"runs": [VISION | {"name": "V/1"}]}, "'train.runs.0.name' is 'V/1'; expected a word, of small letters"),
        (
            {"runs": [VISION | {"kind": "sound"}]},
            "'train.runs.0.kind' is 'sound'; expected one of 'vision', 'language'",
        ),
        ({"runs": [VISION | {"stepz": 5}]}, "unknown parameter 'train.runs.0.stepz'.* Nearest: 'steps'"),
        ({"runs": [{"name": "vit", "kind": "vision"}]}, "'train.runs.0.architecture' has no value"),
        ({"runs": [VISION | {"architecture": "test_vitt"}]}, "no network 'test_vitt' to train. Nearest: 'test_vit"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(choices, raw, values, words):
    choose(choices, **SMALL | values)
    with pytest.raises(BadRequest, match=words):
        run(choices, raw)
