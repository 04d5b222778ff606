"""What stages did here: a line when one begins, one when it ends; never a reason for a stage to fail."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from homoplasy.errors import BadData
from homoplasy.stages import _entry, _journal, fetch
from homoplasy.stages._journal import Record
from tests.conftest import ROOT


@pytest.fixture
def params(choices, monkeypatch):
    for name in ("DVC_ROOT", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    return choices


def test_a_stage_that_ends_well_leaves_its_duration(params):
    with _journal.kept("cka", params):
        (during,) = _journal.read(params.parent)
    (after,) = _journal.read(params.parent)
    assert during.seconds is None
    assert (after.stage, after.world, after.state) == ("cka", "pocket", "done")
    assert 0 <= after.seconds < 5


def test_what_a_stage_imported_counts(params):
    with _journal.kept("cka", params, 40.0):
        pass
    (one,) = _journal.read(params.parent)
    assert 40 <= one.seconds < 45
    assert time.time() - one.began > 40
    assert 0 < _journal.age() < 24 * 3600


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (BadData("the file is cut short."), "the file is cut short."),
        (ZeroDivisionError("by 0"), "ZeroDivisionError: by 0"),
    ],
)
def test_a_stage_that_fails_leaves_its_reason(params, fault, reason):
    with pytest.raises(type(fault)), _journal.kept("stats", params):
        raise fault
    (one,) = _journal.read(params.parent)
    assert (one.state, one.reason) == ("failed", reason)


def test_an_experiment_writes_into_the_main_checkout(params, tmp_path_factory, monkeypatch):
    main = tmp_path_factory.mktemp("main")
    monkeypatch.setenv("DVC_ROOT", str(main))
    monkeypatch.setenv("DVC_EXP_NAME", "sunny-day")
    with _journal.kept("cka", params):
        pass
    assert [one.experiment for one in _journal.read(main)] == ["sunny-day"]
    assert not (params.parent / "logs").exists()


def test_wrong_params_and_a_folder_that_cannot_be_written_stop_nothing(params):
    params.write_text("[")
    (params.parent / "logs").write_text("a file where the folder would be")
    with _journal.kept("cka", params):
        pass
    assert _journal.read(params.parent) == []


def test_lines_that_were_cut_short_are_left_out(params):
    with _journal.kept("cka", params):
        pass
    with (params.parent / "logs" / "stages.jsonl").open("a") as log:
        log.write('{"stage": "ext\n[1]\n{"other": 1}\n')
    assert [one.stage for one in _journal.read(params.parent)] == ["cka"]


def test_the_longest_of_the_latest_five_runs_of_this_world_is_expected():
    def took(seconds, world="pocket", reason=""):
        return Record("cka", world, "", 1, 0.0, seconds, reason)

    runs = [took(90.0), *map(took, (10.0, 40.0, 20.0, 5.0, 6.0)), took(70.0, "nsd"), took(80.0, reason="no")]
    assert _journal.expected(runs, "cka", "pocket") == 40.0
    assert _journal.expected(runs, "cka", "nsd") == 70.0
    assert _journal.expected(runs, "stats", "pocket") is None


def choose_published(params):
    params.write_text(params.read_text().replace("world: pocket", "world: published"))


STAGE = """
import sys, time
from pathlib import Path
from homoplasy.stages._entry import enter

def main(params: Path, record: Path) -> None:
    time.sleep(60)

if __name__ == "__main__":
    enter(main)
"""


def test_a_stage_that_is_running_and_one_that_was_killed_are_told_apart(params, tmp_path, monkeypatch):
    (tmp_path / "some_stage.py").write_text(textwrap.dedent(STAGE))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = subprocess.Popen([sys.executable, "-m", "some_stage", "--params", params, "--record", tmp_path / "r"])
    while not (tmp_path / "logs" / "stages.jsonl").exists():
        time.sleep(0.05)
    (one,) = _journal.read(tmp_path)
    assert (one.state, one.pid) == ("running", child.pid)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert _journal.read(tmp_path)[0].state == "cut off"


def test_a_dry_run_is_no_run(params, monkeypatch):
    raw = params.parent / "raw"
    monkeypatch.setattr(sys, "argv", ["fetch", "--params", str(params), "--raw", str(raw)])
    _entry.enter(fetch.dry_run)
    assert _journal.read(params.parent) == []
    record = params.parent / "settings" / "fetch.yaml"
    choose_published(params)
    sys.argv += ["--printed", str(ROOT / "data" / "published"), "--record", str(record)]
    sys.argv += ["--open-data", str(params.parent / "open")]
    _entry.enter(fetch.main)
    assert [one.state for one in _journal.read(params.parent)] == ["done"]


def test_the_file_is_lines_of_json(params):
    with _journal.kept("cka", params):
        pass
    lines = (params.parent / "logs" / "stages.jsonl").read_text().splitlines()
    assert [json.loads(line)["stage"] for line in lines] == ["cka", "cka"]
