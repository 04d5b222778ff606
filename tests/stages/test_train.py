"""train, as a stage: its files, the store behind it, a kill in the middle, and every refusal."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml

from homoplasy.datasets.pocket import formats, latents, pictures, training_set
from homoplasy.errors import BadData, BadRequest
from homoplasy.stages import train
from homoplasy.store import files, frames, weights
from homoplasy.tables import HISTORY

SMALL = {"steps": 3, "batch_size": 8}


@pytest.fixture
def raw(tmp_path):
    """A world with a training set of a hundred pictures."""
    drawn = latents.draw(1, "training", 100)
    values = {"pictures": pictures.render(drawn), "glyphs": pictures.levels(drawn.semantic)}
    formats.hdf5(formats.place(tmp_path / "raw", training_set.KEY), values)
    return tmp_path / "raw"


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """A store of its own, and the number of threads given back."""
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "store"))
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


def test_it_writes_runs_checkpoints_and_history(choices, raw):
    choose(choices, **SMALL)
    found = run(choices, raw)
    steps = [f"glyphs/step-{step:06d}.safetensors" for step in (0, 1, 2, 3)]
    assert set(found) == {"runs.json", "glyphs/config.json", "glyphs/history.parquet", *steps}
    assert files.read_json(choices.parent / "models/runs.json") == ["glyphs"]
    history = frames.read(choices.parent / "models/glyphs/history.parquet", HISTORY)
    assert history["step"].tolist() == [0, 1, 2, 3]
    config, state = weights.read(choices.parent / "models" / steps[-1])
    assert config["size"] == 48
    assert "trunk.conv1.0.weight" in state
    assert yaml.safe_load((choices.parent / "settings.yaml").read_text())["train"]["runs"] == ["glyphs"]


def test_what_is_stored_is_not_trained_again(choices, raw, monkeypatch):
    choose(choices, **SMALL)
    first = run(choices, raw)
    monkeypatch.setattr(train.vision, "build", None)  # so that training would fail
    assert run(choices, raw) == first


def test_a_kill_in_the_middle_leaves_nothing_half_and_a_rerun_gives_the_same_bytes(choices, raw, monkeypatch, tmp_path):
    choose(choices, **SMALL | {"steps": 40})
    paths = {"params": choices, "raw": raw, "models": tmp_path / "models", "record": tmp_path / "settings.yaml"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    process = subprocess.Popen([sys.executable, "-m", "homoplasy.stages.train", *words], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list((tmp_path / "models").glob("glyphs/step-000002*")) and time.monotonic() < end:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert 0 < len(stored) < 8
    resumed = run(choices, raw)
    monkeypatch.setitem(os.environ, "HOMOPLASY_STORE", str(tmp_path / "other"))
    assert resumed == run(choices, raw, "again")


def test_a_world_without_runs_says_so(choices, raw, capsys):
    for world in ("nsd", "published"):
        choose(choices, world)
        assert set(run(choices, raw)) == {"runs.json"}
        assert files.read_json(choices.parent / "models/runs.json") == []
        assert capsys.readouterr().err == "train: no runs.\n"


def test_a_world_without_training_pictures_is_one_sentence(choices, tmp_path):
    with pytest.raises(BadData, match=r"pictures.hdf5 is missing"):
        run(choices, tmp_path / "empty")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 0}, "'train.steps' is 0; expected a whole number, above 0"),
        ({"batch_size": 1}, "'train.batch_size' is 1"),
        ({"learning_rate": -1.0}, "'train.learning_rate' is -1.0; expected a number, above 0"),
        ({"learning_rate": "fast"}, "'train.learning_rate' is 'fast'"),
        ({"seed": -1}, "'train.seed' is -1"),
        ({"runs": ["words"]}, "train.runs.0' is 'words'"),
        ({"step": 5}, "unknown parameter 'train.step'.* Nearest: 'steps'"),
        ({"architecture": "test_resne"}, "no network 'test_resne' to train. Nearest: 'test_resnet'"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(choices, raw, values, words):
    choose(choices, **values)
    with pytest.raises(BadRequest, match=words):
        run(choices, raw)
