"""Every reader against damaged files: one sentence or success. `make hostile` does the same for an hour."""

import os
import subprocess
import sys
import time

import pytest

from homoplasy.errors import HomoplasyError
from tests.conftest import ROOT
from tests.hostile import attack
from tests.hostile.doors import Door


@pytest.mark.slow
def test_no_damaged_file_is_more_than_a_sentence():
    words = [sys.executable, "-m", "tests.hostile.attack", "--cases", "12"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("; 0 kinds of findings\n")


def _text(folder):
    (folder / "a.txt").write_text("sound")


def _case(read, folder):
    _text(folder)
    return attack.case("a door of this test", Door(_text, read), folder, 0)


def test_a_traceback_is_found(tmp_path):
    found = _case(lambda folder, path: {}["absent"], tmp_path)
    assert found["wrong"] == "KeyError: 'absent'"
    assert (tmp_path / "a.txt").read_text() == "sound"


def test_a_sentence_is_no_finding(tmp_path):
    def read(folder, path):
        raise HomoplasyError("it is damaged; fetch it again.")

    assert _case(read, tmp_path) is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("how", "ends"), [("crash", lambda: os.kill(os.getpid(), 9)), ("hang", lambda: time.sleep(60))]
)
def test_a_crash_or_a_hang_costs_one_case(monkeypatch, tmp_path, how, ends):
    def read(folder, path):
        seen = len(list(tmp_path.iterdir()))
        (tmp_path / f"seen-{seen}").touch()
        if seen == 1:  # the first time it reads a sound file
            ends()

    monkeypatch.setattr(attack, "_PATIENCE", 5.0)
    monkeypatch.setitem(attack.DOORS, "ending", Door(_text, read))
    found = list(attack.attack("ending", [0, 1, 2]))
    assert [one and one["wrong"] for one in found] == [how, None, None]
