"""Shards over processes: every piece once, a killed shard again, a failed one reported with its log."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.execution import Place, Shard, spread

# what a stage does with its shard: here it leaves a file for each piece of its share
WORKER = """
import os, pathlib, signal, sys
from homoplasy.execution import Shard
folder, trouble, _, shard = pathlib.Path(sys.argv[1]), sys.argv[2], *sys.argv[3:]
shard = Shard.parse(shard)
died = folder / f"died-{shard.number}"
if trouble == "killed" and shard.number == 2 and not died.exists():
    died.touch()
    os.kill(os.getpid(), signal.SIGKILL)
if trouble == "always" and shard.number == 2:
    os.kill(os.getpid(), signal.SIGKILL)
if trouble == "refuses" and shard.number == 2:
    died.open("a").write("tried")
    sys.exit("the data are not there")
for piece in shard.of([f"piece-{i}" for i in range(7)]):
    (folder / piece).write_text(piece)
"""


def command(folder, trouble="none"):
    return [sys.executable, "-c", WORKER, str(folder), trouble]


def place(tmp_path, kind="local"):
    return Place(kind, shards=3, at_once=2, logs=tmp_path / "logs")


def pieces(folder):
    return sorted(path.name for path in folder.glob("piece-*"))


EVERY = [f"piece-{i}" for i in range(7)]


@given(st.lists(st.integers()), st.integers(1, 9))
def test_shards_share_out_every_item_once(items, count):
    shares = [Shard(number, count).of(items) for number in range(1, count + 1)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_local_processes_do_every_piece(tmp_path):
    spread(command(tmp_path), place(tmp_path))
    assert pieces(tmp_path) == EVERY


def test_serial_leaves_the_work_to_the_stage(tmp_path):
    spread(command(tmp_path), place(tmp_path, "serial"))
    assert pieces(tmp_path) == []


def test_a_killed_shard_runs_once_more(tmp_path, capsys):
    spread(command(tmp_path, "killed"), place(tmp_path))
    assert pieces(tmp_path) == EVERY
    assert "1 of 3 shards were killed, the first 2/3" in capsys.readouterr().err


def test_a_shard_that_is_killed_twice_fails_the_work_and_keeps_the_rest(tmp_path):
    with pytest.raises(WorkFailed, match=r"1 of 3 shards failed; the first, 2/3, was killed by signal 9"):
        spread(command(tmp_path, "always"), place(tmp_path))
    assert pieces(tmp_path) == sorted(set(EVERY) - {"piece-1", "piece-4"})


def test_a_shard_that_says_no_is_not_asked_again_and_its_words_are_kept(tmp_path):
    with pytest.raises(WorkFailed, match=r"2/3, ended with code 1; it says why in .*shard-2-of-3\.log"):
        spread(command(tmp_path, "refuses"), place(tmp_path))
    assert (tmp_path / "died-2").read_text() == "tried"
    assert "the data are not there" in (tmp_path / "logs" / "shard-2-of-3.log").read_text()


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b", "1/0", "-1/3"])
def test_a_wrong_shard_is_one_sentence(text):
    with pytest.raises(BadRequest, match=r"expected i/n with i from 1 to n"):
        Shard.parse(text)


REFUSALS = {
    "gres": (
        {"gpus_per_node": 1},
        r"SLURM does not take the tasks \(Invalid generic resource \(gres\)\); mend the options",
    ),
    "name": ({"slurm_partion": "x"}, r"options of the tasks \(Unknown argument 'partion' .* 'slurm_partion'\); mend"),
    "prefix": ({"walltime": "x"}, r"options of the tasks \(Parameter 'walltime' need to be prefixed"),
    "type": ({"mem_gb": "much"}, r"options of the tasks \(Parameter .mem_gb. expected type"),
}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A machine with the commands of a scheduler that refuses everything."""
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'homoplasy[slurm]'")
    for name in ("srun", "sbatch", "scancel", "sacct"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'sbatch: error: Invalid generic resource (gres)' >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.parametrize("name", REFUSALS)
def test_options_that_are_not_taken_are_one_sentence(cluster, tmp_path, capfd, name):
    options, said = REFUSALS[name]
    with pytest.raises(BadRequest, match=said):
        spread(command(tmp_path), replace(place(tmp_path, "slurm"), options=options))
    assert "sbatch" not in "".join(capfd.readouterr())


def test_a_machine_without_a_scheduler_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'homoplasy[slurm]'")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadRequest, match="the executor is 'slurm', and there is none .*; write executor: local"):
        spread(command(tmp_path), place(tmp_path, "slurm"))
