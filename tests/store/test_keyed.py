import os
import signal
import subprocess
import sys

import pytest

from homoplasy.store import files, keyed


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def test_a_key_is_filled_once():
    calls = []

    def fill(path):
        calls.append(path)
        path.write_text("x")

    name = keyed.key({"a": 1})
    first, second = keyed.keep(name, fill), keyed.keep(name, fill)
    assert keyed.path(name) == first
    assert first == second
    assert first.read_text() == "x"
    assert len(calls) == 1


def test_the_order_of_the_parts_does_not_matter_and_every_part_does():
    assert keyed.key({"a": 1, "b": [1, 2]}) == keyed.key({"b": [1, 2], "a": 1})
    assert len({keyed.key({"a": 1}), keyed.key({"a": 2}), keyed.key({"b": 1}), keyed.key({"a": "1"})}) == 4


def test_a_fill_that_fails_leaves_nothing(store):
    def fill(path):
        path.write_text("half")
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the error is the test's own, raised bare above
        keyed.keep("ab" * 32, fill)
    assert not [file for file in store.rglob("*") if file.is_file()]


def test_a_killed_fill_is_never_taken_for_a_whole_one(store):
    code = (
        "import time; from homoplasy.store import keyed\n"
        "def fill(path):\n    path.write_text('half'); print('half', flush=True); time.sleep(60)\n"
        "keyed.keep('cd' * 32, fill)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert child.stdout.readline() == "half\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    stored = keyed.keep("cd" * 32, lambda path: path.write_text("whole"))
    assert stored.read_text() == "whole"


def test_placing_replaces_and_never_writes_through(tmp_path):
    stored = keyed.keep("ef" * 32, lambda path: path.write_text("stored"))
    at = tmp_path / "out" / "file"
    keyed.place(stored, at)
    keyed.place(stored, at)
    files.write_text(at, "other")
    assert stored.read_text() == "stored"


def test_the_store_of_a_pipeline_run_is_that_of_the_main_checkout(monkeypatch, tmp_path):
    monkeypatch.delenv("HOMOPLASY_STORE")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert keyed.root() == tmp_path / ".store"


def test_the_name_of_a_file_is_its_key_if_it_is_stored_and_else_the_hash_of_its_bytes(tmp_path):
    stored = keyed.keep("ab" * 32, lambda path: path.write_text("x"))
    assert keyed.name_of(stored) == "ab" * 32
    for name, text in (("one", "x"), ("two", "x"), ("three", "y")):
        files.write_text(tmp_path / name, text)
    one, two, three = (keyed.name_of(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # SHA-256 of the letter x
    assert three != one


def test_a_file_that_is_not_what_was_stored_is_made_again(capsys):
    one, two = "ab" * 32, "cd" * 32
    first = keyed.keep(one, lambda path: path.write_text("one"))
    other = keyed.keep(two, lambda path: path.write_text("stale"))
    first.unlink()
    other.rename(first)  # a whole file of this project, under the name of another
    assert not keyed.holds(one)
    assert "held another file" in capsys.readouterr().err
    assert keyed.keep(one, lambda path: path.write_text("one")).read_text() == "one"
    assert keyed.holds(one)


def test_a_file_without_its_digest_is_not_taken(store):
    keyed.path("ab" * 32).parent.mkdir(parents=True)
    keyed.path("ab" * 32).write_text("planted")
    assert keyed.keep("ab" * 32, lambda path: path.write_text("made")).read_text() == "made"
