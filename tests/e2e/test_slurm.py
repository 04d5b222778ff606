"""Shards as a job array of a real SLURM: killed, out of memory, cancelled; the work is done all the same."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.execution import Place, spread
from tests.conftest import ROOT
from tests.test_execution import EVERY, command, pieces

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
SCRIPT = ROOT / "scripts" / "slurm_here.sh"
MEMORY = {"mem_gb": 0.25, "timeout_min": 5, "slurm_setup": [f"export PYTHONPATH={ROOT}/src"]}


@pytest.fixture(scope="module")
def slurm():
    """A SLURM of one node, started for these tests."""
    submitit = pytest.importorskip("submitit", reason="submitit is not installed: pip install 'homoplasy[slurm]'")
    if os.getuid() != 0 or not shutil.which("slurmctld") or not shutil.which("slurmdbd"):
        pytest.skip("no SLURM to start here: as root, run scripts/slurm_here.sh install")
    root = Path(tempfile.mkdtemp(prefix="slurm-"))  # SLURM's own user has no way into a folder of pytest's
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(root / "slurm.conf")
    subprocess.run([SCRIPT, "start", root], check=True, timeout=120)
    with pytest.MonkeyPatch.context() as patch:
        # seconds that a result may take to show on a shared disk after its task is gone; here the disk is local
        patch.setattr(submitit.SlurmJob, "_results_timeout_s", 1)
        yield
    subprocess.run([SCRIPT, "stop", root], check=True, timeout=60)
    time.sleep(3)  # they write their state while they end
    shutil.rmtree(root, ignore_errors=True)
    del os.environ["SLURM_CONF"]
    if before:
        os.environ["SLURM_CONF"] = before


def place(tmp_path, **options):
    return Place("slurm", shards=3, at_once=2, logs=tmp_path / "logs", options=MEMORY | options)


def test_a_job_array_does_every_piece(slurm, tmp_path):
    spread(command(tmp_path), place(tmp_path))
    assert pieces(tmp_path) == EVERY


def test_a_worker_that_is_killed_runs_once_more(slurm, tmp_path, capsys):
    spread(command(tmp_path, "killed"), place(tmp_path))
    assert pieces(tmp_path) == EVERY
    assert "were killed" in capsys.readouterr().err


def test_what_the_scheduler_has_not_is_one_sentence(slurm, tmp_path, capfd):
    with pytest.raises(
        BadRequest, match=r"SLURM does not take the tasks \(.*gres.*\); mend the options under execution"
    ):
        spread(command(tmp_path), place(tmp_path, gpus_per_node=1))
    with pytest.raises(BadRequest, match=r"SLURM does not take the tasks \(.*partition.*\); mend"):
        spread(command(tmp_path), place(tmp_path, slurm_partition="YOUR-PARTITION"))
    assert "sbatch" not in "".join(capfd.readouterr())
    assert pieces(tmp_path) == []


GREEDY = """
import pathlib, sys, time
folder, _, shard = pathlib.Path(sys.argv[1]), *sys.argv[2:]
once = folder / f"greedy-{shard.partition('/')[0]}"
if shard == "1/3" and not once.exists():
    once.touch()
    held = b"x" * 600_000_000
    time.sleep(60)
(folder / f"piece-{shard.partition('/')[0]}").touch()
"""


def test_a_task_out_of_memory_is_killed_by_the_scheduler_and_run_again(slurm, tmp_path):
    spread([sys.executable, "-c", GREEDY, str(tmp_path)], place(tmp_path))
    assert pieces(tmp_path) == ["piece-1", "piece-2", "piece-3"]


SLEEPY = """
import os, pathlib, sys, time
(pathlib.Path(sys.argv[1]) / f"array-{os.environ['SLURM_ARRAY_JOB_ID']}").touch()
time.sleep(300)
"""


def test_tasks_that_are_cancelled_twice_fail_the_work_with_one_sentence(slurm, tmp_path):
    def cancel():
        cancelled = set()
        while len(cancelled) < 2:
            time.sleep(0.5)
            for array in {path.name.partition("-")[2] for path in tmp_path.glob("array-*")} - cancelled:
                subprocess.run(["scancel", array], check=True)
                cancelled.add(array)

    canceller = threading.Thread(target=cancel, daemon=True)
    canceller.start()
    with pytest.raises(WorkFailed, match=r"3 of 3 shards failed; the first, 1/3, was killed by"):
        spread([sys.executable, "-c", SLEEPY, str(tmp_path)], place(tmp_path))


def test_a_killed_task_leaves_the_rest_alone(slurm, tmp_path):
    with pytest.raises(WorkFailed, match=f"2/3, was killed by signal {signal.SIGKILL:d}"):
        spread(command(tmp_path, "always"), place(tmp_path))
    assert pieces(tmp_path) == sorted(set(EVERY) - {"piece-1", "piece-4"})
