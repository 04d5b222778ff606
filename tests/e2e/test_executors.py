"""extract and cka in worker processes, one of which is killed: the same bytes as one process alone makes."""

import os
import shlex
import shutil
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from homoplasy.datasets._manifest import digest
from homoplasy.stages import _entry
from tests.conftest import ROOT
from tests.e2e.checkout import SMALL, TINY, with_knob

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SPREAD = {"extract": "data/features", "cka": "data/scores", "audit": "data/tables/convergence/audit"}
KNOBS = SMALL | TINY | {"audit.permutations": "5", "audit.voxel_draws": "1"}
ROSTER = """
- {model: timm:test_resnet.random-1, size: 48}
- {model: timm:test_vit.random-1, size: 48}
- model: pixels:cosine
- model: words:bag
"""


@pytest.fixture(scope="module")
def commands():
    """The arguments of every stage, as dvc.yaml gives them."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    here = {"data/published": str(ROOT / "data" / "published")}
    words = {name: shlex.split(stage["cmd"].replace("${world}", "pocket"))[3:] for name, stage in stages.items()}
    return {name: [here.get(word, word) for word in given] for name, given in words.items()}


def run(commands, stage):
    """A stage in this process, as if it had been started from dvc.yaml; its shards are processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [stage, *commands[stage]])
        _entry.enter(import_module(f"homoplasy.stages.{stage}").main)


@pytest.fixture(scope="module")
def world(tmp_path_factory, commands):
    """A small world up to its patterns."""
    root = tmp_path_factory.mktemp("world")
    params = (ROOT / "params.yaml").read_text()
    for key, value in KNOBS.items():
        params = with_knob(params, key, value)
    (root / "params.yaml").write_text(params)
    shutil.copytree(ROOT / "conf", root / "conf")
    (root / "rosters").mkdir()
    (root / "rosters" / "tiny.yaml").write_text(ROSTER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("OMP_NUM_THREADS", "1")
        for name in ("DVC_ROOT", "HOMOPLASY_EXECUTOR", "HOMOPLASY_DEVICE"):
            patch.delenv(name, raising=False)
        for stage in ("fetch", "parcellate", "train"):
            run(commands, stage)
        yield root


def carried(world, commands, executor):
    """Extract and score with an empty store; the digest of every file that was made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMOPLASY_STORE", str(world / f"store-{executor}"))
        patch.setenv("HOMOPLASY_EXECUTOR", executor)
        for stage in SPREAD:
            run(commands, stage)
    files = [path for folder in SPREAD.values() for path in (world / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(world)): digest(path) for path in files}


def kill_first(stage, killed):
    """Kill one worker of a stage as soon as it is there."""
    while not killed:
        time.sleep(0.05)
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = line.read_bytes().split(b"\0")
            except OSError:  # it has ended
                continue
            if f"homoplasy.stages.{stage}".encode() in words and b"2/2" in words:
                killed.append(int(line.parent.name))
                os.kill(killed[0], signal.SIGKILL)
                break


def test_workers_one_of_them_killed_make_the_same_bytes_as_one_process(world, commands, capfd):
    alone = carried(world, commands, "serial")
    assert any(path.endswith(".safetensors") for path in alone)
    killed = []
    killer = threading.Thread(target=kill_first, args=("extract", killed), daemon=True)
    killer.start()
    capfd.readouterr()
    assert carried(world, commands, "local") == alone
    killer.join()
    assert "1 of 2 shards were killed, the first 2/2; they run once more." in capfd.readouterr().err
    for stage in SPREAD:
        assert len(list((world / "logs" / stage).glob("shard-*-of-2.log"))) == 2


def test_workers_make_what_is_stored_and_the_stage_only_puts_it_in_place(world, commands, capfd):
    run_again = {"HOMOPLASY_STORE": str(world / "store-local"), "HOMOPLASY_EXECUTOR": "serial"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in run_again.items():
            patch.setenv(name, value)
        before = {path for path in (world / "store-local").rglob("*") if path.is_file()}
        for stage in SPREAD:
            run(commands, stage)
    assert {path for path in (world / "store-local").rglob("*") if path.is_file()} == before
