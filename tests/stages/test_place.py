"""Where shards run is the machine's affair: local.yaml and the environment, never params.yaml."""

import subprocess
import sys
import textwrap

import pytest

from homoplasy.errors import BadRequest
from homoplasy.stages import _entry, _place


@pytest.fixture
def params(tmp_path, monkeypatch):
    for name in ("DVC_ROOT", "HOMOPLASY_EXECUTOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "params.yaml"


def write(params, text):
    (params.parent / "local.yaml").write_text(text)


def test_where_nothing_is_said_work_is_serial(params):
    assert _place.read(params, "extract").kind == "serial"


def test_the_file_says_how_many_shards_and_what_the_scheduler_is_told(params):
    write(params, "execution: {executor: slurm, shards: 40, at_once: 20, options: {slurm_partition: gpu}}")
    place = _place.read(params, "extract")
    assert (place.kind, place.shards, place.at_once) == ("slurm", 40, 20)
    assert place.options == {"slurm_partition": "gpu"}
    assert place.logs == params.parent / "logs" / "extract"


def test_the_environment_wins(params, monkeypatch):
    write(params, "execution: {executor: slurm, shards: 3}")
    monkeypatch.setenv("HOMOPLASY_EXECUTOR", "local")
    place = _place.read(params, "cka")
    assert (place.kind, place.shards) == ("local", 3)


def test_an_experiment_in_a_copy_obeys_the_main_checkout(params, tmp_path, monkeypatch):
    write(params, "execution: {executor: local}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert _place.read(tmp_path / "elsewhere" / "params.yaml", "cka").kind == "local"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "execution: {executor: cloud}",
            r"'execution.executor' is 'cloud'; expected one of 'serial', 'local', 'slurm'",
        ),
        ("execution: {shard: 3}", r"unknown parameter 'execution.shard'.*Nearest: 'shards'"),
        ("execution: {shards: 0}", r"'execution.shards' is 0"),
        ("execution: fast", r"execution is 'fast'; expected a line such as"),
        ("execution: [", r"is not valid YAML"),
    ],
)
def test_a_wrong_place_is_one_sentence(params, text, said):
    write(params, text)
    with pytest.raises(BadRequest, match=said):
        _place.read(params, "cka")


STAGE = """
from pathlib import Path
from homoplasy.execution import Shard
from homoplasy.stages._entry import enter

def main(params: Path, out: Path, shard: Shard | None = None) -> None:
    for piece in shard.of(range(5)) if shard else range(5):
        at = out / f"piece-{piece}"
        if not at.exists():
            at.write_text("shard" if shard else "stage")
    if not shard:
        (out / "whole").touch()

if __name__ == "__main__":
    enter(main)
"""


def test_a_stage_runs_its_shards_first_and_then_assembles(params, tmp_path, monkeypatch):
    (tmp_path / "some_stage.py").write_text(textwrap.dedent(STAGE))
    write(params, "execution: {executor: local, shards: 3, at_once: 2}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    subprocess.run([sys.executable, "-m", "some_stage", "--params", params, "--out", tmp_path], check=True)
    assert [(tmp_path / f"piece-{i}").read_text() for i in range(5)] == ["shard"] * 5
    assert (tmp_path / "whole").exists()
    assert len(list((tmp_path / "logs" / "some_stage").glob("shard-*-of-3.log"))) == 3


def test_a_device_that_is_not_here_is_one_sentence(monkeypatch):
    monkeypatch.setenv("HOMOPLASY_DEVICE", "abacus")
    with pytest.raises(BadRequest, match="HOMOPLASY_DEVICE is 'abacus', which is not here; 'cpu' always is"):
        _entry.device()
