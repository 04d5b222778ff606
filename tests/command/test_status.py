"""homoplasy status, in a small project of its own with two stages and the journal of its runs."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import chdir
from dataclasses import asdict

import pandas as pd
import pytest
from dvc.lock import LockError
from dvc.repo import Repo

from homoplasy.command import _pipeline
from homoplasy.stages import _placing
from homoplasy.stages._journal import Record
from homoplasy.store import frames
from homoplasy.tables import MODELS
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's own, of a package it uses

YAML = """
stages:
  fetch: {cmd: cp words raw, deps: [words, src/code.py], outs: [raw]}
  cka:
    cmd: cp raw scores
    deps: [raw]
    params: [cka, "conf/worlds/${world}.yaml": [cka]]
    outs: [scores]
  report: {cmd: cp scores page, deps: [scores], outs: [page]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project that has run once."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "params.yaml", root)
    shutil.copytree(ROOT / "conf", root / "conf")
    (root / "src").mkdir()
    for name, text in {"dvc.yaml": YAML, "words": "here", "src/code.py": "x = 1"}.items():
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", root], check=True)
    with chdir(root), Repo.init() as repo:
        repo.reproduce()
    return root


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of the project, to be changed by a test."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    root = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(root)
    return root


def noted(project, stage, seconds=None, reason="", **more):
    """Write a run into the journal."""
    given = {"world": "pocket", "experiment": "", "pid": 1, "began": time.time()} | more
    (project / "logs").mkdir(exist_ok=True)
    with (project / "logs" / "stages.jsonl").open("a") as log:
        log.write(json.dumps(asdict(Record(stage, seconds=seconds, reason=reason, **given))) + "\n")


def test_a_project_that_is_up_to_date(project, call):
    code, out, err = call("status")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "world pocket, preset calibrated",
        "stage",
        "fetch       up to date",
        "cka         up to date",
        "report      up to date",
        "Everything is up to date.",
    ]


def test_what_would_run_and_why_and_for_how_long(project, call):
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("  linear: ", "  linear: false #", 1))
    noted(project, "cka", 130.0)
    code, out, _ = call("status", "--json")
    found = json.loads(out)
    assert code == 0
    assert [(one["stage"], one["state"], one["seconds"]) for one in found["stages"]] == [
        ("fetch", "up to date", None),
        ("cka", "would run", 130.0),
        ("report", "would follow", None),
    ]
    assert found["stages"][1]["why"] == ["params.yaml: cka.linear unset -> False"]
    _, out, _ = call("status")
    assert "cka         would run     2 min        params.yaml: cka.linear unset -> False\n" in out
    assert "report      would follow  unknown\n" in out
    assert "dvc repro would run 2 of 3 stages. At most about 2 min, as their latest runs here took, without 1 " in out


def test_code_in_one_word_inputs_and_outputs_by_name(project, call):
    (project / "src" / "code.py").write_text("x = 2")
    (project / "words").write_text("there")
    (project / "page").unlink()
    _, out, _ = call("status", "--json")
    why = {one["stage"]: one["why"] for one in json.loads(out)["stages"]}
    assert why == {"fetch": ["code changed", "words changed"], "cka": [], "report": ["what it makes is not there"]}
    _, out, _ = call("status")
    assert "How long is unknown: none of them has run here in this world." in out
    assert "dvc pull --run-cache --allow-missing" in out


def test_a_clone_says_no_more_than_that_nothing_is_there(project, call):
    for name in ("raw", "scores", "page"):
        (project / name).unlink()
    stages = json.loads(call("status", "--json")[1])["stages"]
    assert [one["why"] for one in stages] == [["what it makes is not there"]] * 3
    assert "dvc pull --run-cache --allow-missing" in call("status")[1]


def test_a_folder_that_cannot_be_written_is_one_sentence(project, call, monkeypatch):
    def refuse(_):
        raise OSError(errno.EROFS, "Read-only file system", ".dvc/tmp/lock")

    monkeypatch.setattr(Repo, "status", refuse)
    code, out, err = call("status")
    assert (code, out) == (1, "")
    assert err.startswith("homoplasy: DVC cannot work here ([Errno 30] Read-only file system: '.dvc/tmp/lock'); ")


def test_a_stage_that_has_never_run_says_no_more(project, call):
    (project / "dvc.lock").unlink()
    stages = json.loads(call("status", "--json")[1])["stages"]
    assert [one["why"] for one in stages] == [["it has never run"]] * 3


def test_what_failed_last_and_why(project, call):
    noted(project, "fetch", 3.0, "the disk is full.")
    noted(project, "cka", 3.0, "a width is above 0.")
    noted(project, "cka", 4.0)
    noted(project, "cka", 5.0, "no memory.", experiment="sunny-day")
    noted(project, "report", pid=2**22 + 1)
    _, out, _ = call("status")
    lines = out.splitlines()
    assert lines[-3:] == [
        "fetch failed: the disk is full.",
        "cka of experiment sunny-day failed: no memory.",
        "report was cut off",
    ]


def test_what_runs_now(project, call):
    noted(project, "python", pid=os.getpid(), began=time.time() - 200)  # this process, whose command line says so
    found = json.loads(call("status", "--json")[1])
    assert [one["stage"] for one in found["running"]] == ["python"]
    assert "python has been running for 3 min" in call("status")[1]


def test_while_dvc_is_at_work_it_says_so(project, call, monkeypatch):
    def refuse(_):
        raise LockError("held")

    monkeypatch.setattr(Repo, "status", refuse)
    assert "Another dvc command is at work here" in call("status")[1]
    assert json.loads(call("status", "--json")[1])["busy"]


def test_models_that_could_not_be_read_are_named(project, call):
    rows = [_placing.row("timm:good", {}, 3), _placing.row("timm:bad", {}, 0, "WorkFailed: no such weights")]
    frames.write(project / "data" / "features" / "models.parquet", pd.DataFrame(rows), MODELS)
    _, out, _ = call("status")
    assert out.endswith("1 models could not be read:\n  timm:bad: WorkFailed: no such weights\n")
    (project / "data" / "features" / "models.parquet").write_bytes(b"PAR1")
    code, out, _ = call("status")
    assert code == 0
    assert "models.parquet" in out


@pytest.mark.parametrize(
    ("file", "text", "said", "code"),
    [
        ("dvc.lock", "{", "dvc.lock is damaged (unable to read: 'dvc.lock'", 1),
        ("dvc.lock", "- 1\n", "restore it with git checkout dvc.lock, or delete it and run dvc repro", 1),
        ("dvc.yaml", "stages: 3\n", "DVC cannot read this project ('./dvc.yaml' validation failed)", 1),
        ("params.yaml", "[", "params.yaml is not valid YAML", 2),
        ("params.yaml", "world: moon\npreset: calibrated\n", "world is 'moon'; it can be", 2),
    ],
)
def test_a_damaged_project_is_one_sentence(project, call, file, text, said, code):
    (project / file).write_text(text)
    found, out, err = call("status")
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_without_a_project_is_one_sentence(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    assert call("status") == (
        2,
        "",
        "homoplasy: there is no project in this folder; go into a checkout of homoplasy.\n",
    )


def test_stages_that_wait_for_each_other_in_order(project):
    assert [one.name for one in _pipeline.stages()] == ["fetch", "cka", "report"]


def test_status_does_not_wait_for_torch(project):
    code = "import sys\nfrom homoplasy.command import status\nstatus.run()\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
