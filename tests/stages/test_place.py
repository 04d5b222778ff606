"""Where shards run is the machine's affair: local.yaml and the environment, never params.yaml."""

import errno
import inspect
import subprocess
import sys
import textwrap
from importlib import import_module

import pytest

from homoplasy.errors import BadRequest
from homoplasy.stages import _entry, _place
from homoplasy.stages._settings import SECTIONS


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


def test_a_stage_may_have_of_its_own_what_is_laid_over_that_of_all(params):
    own = "{extract: {shards: 120, options: {slurm_partition: gpu, gpus_per_node: 1}}}"
    write(
        params,
        f"execution: {{executor: slurm, shards: 9, options: {{slurm_partition: cpu, mem_gb: 8}}, stages: {own}}}",
    )
    extract, cka = (_place.read(params, stage) for stage in ("extract", "cka"))
    assert (extract.shards, extract.at_once) == (120, 2)
    assert extract.options == {"slurm_partition": "gpu", "mem_gb": 8, "gpus_per_node": 1}
    assert (cka.shards, cka.options) == (9, {"slurm_partition": "cpu", "mem_gb": 8})


def test_the_stages_that_can_be_named_are_those_that_take_shards():
    mains = {stage: import_module(f"homoplasy.stages.{stage}").main for stage in SECTIONS if stage != "pocket"}
    assert {stage for stage, main in mains.items() if "shard" in inspect.signature(main).parameters} == set(
        _place.SPREAD
    )


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
        ("execution: {stages: {stats: {shards: 2}}}", r"names 'stats'; it can be train, extract, cka, audit, certify"),
        ("execution: {stages: {cka: {shards: 0}}}", r"'execution.stages.cka.shards' is 0"),
        ("execution: {stages: {cka: {executor: local}}}", r"unknown parameter 'execution.stages.cka.executor'"),
        ("execution: {stages: {cka: 3}}", r"'execution.stages.cka' is 3; expected .* such as {extract: {shards: 9}}"),
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


def test_a_disk_that_is_full_ends_a_stage_with_one_sentence(params, monkeypatch, capsys):
    faults = {errno.ENOSPC: "No space left on device", errno.EROFS: "Read-only file system"}

    def main(params):
        raise OSError(number, said, "data/scores/scores.parquet")

    monkeypatch.setattr(sys, "argv", ["stage", "--params", str(params)])
    for number, said in faults.items():  # noqa: B007 - main raises it
        with pytest.raises(SystemExit) as end:
            _entry.enter(main)
        assert end.value.code == 1
        written = f"homoplasy: cannot write data/scores/scores.parquet ({said}); make room, then run the same again: "
        assert capsys.readouterr().err == f"{written}what is stored is kept.\n"
    number = errno.EBADF
    with pytest.raises(OSError, match="Bad|Read-only"):
        _entry.enter(main)
