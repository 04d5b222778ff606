"""homoplasy compare: what differs between two experiments, on a small repository with git and DVC."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from homoplasy.command import app, compare
from homoplasy.errors import BadRequest
from homoplasy.store.revisions import revisions
from tests.e2e.checkout import environment

CLAIMS = "data/tables/convergence/claims/claims.json"
SCORES = "data/tables/convergence/stats/model_scores.parquet"


def shell(root, *words):
    subprocess.run(words, cwd=root, env=environment(), check=True, capture_output=True)


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def ledger(verdict, r):
    items = {"pearson": {"published": 0.89, "ours": r, "low": None, "high": None}}
    cell = {"evidence": "world", "reading": "calibrated", "verdict": verdict, "ours": None, "items": items}
    return json.dumps({"claims": [{"id": "lang.leaderboard2", "says": "Better models score higher.", "cells": [cell]}]})


def results(root, sizes, verdict, r):
    """What a run would leave behind."""
    write(root, "settings/cka.yaml", yaml.safe_dump({"cka": {"kernel_sizes": sizes, "images": "own"}}))
    write(root, "metrics.json", json.dumps({"language": {"r": r, "models": 24}}))
    write(root, CLAIMS, ledger(verdict, r))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    shell(root, "git", "init", "-q", "-b", "main")
    shell(root, "git", "config", "user.email", "a@example.org")
    shell(root, "git", "config", "user.name", "A")
    shell(root, "dvc", "init", "-q")
    write(root, "params.yaml", "world: pocket\npreset: calibrated\n")

    results(root, [28.0, 68.0], "survives", 0.94)
    rows = {"model": ["a", "b"], "modality": "language", "reading": "calibrated", "params": "c=1 debiased"}
    table = pd.DataFrame(rows | {"score": [0.1, 0.2], "null_score": 0.0, "performance": [1.0, 2.0], "counted": True})
    (root / SCORES).parent.mkdir(parents=True)
    table.to_parquet(root / SCORES)
    shell(root, "dvc", "add", "-q", SCORES)
    shell(root, "git", "add", "-A")
    shell(root, "git", "commit", "-q", "-m", "first")
    results(root, [36.0], "weakened", 0.5)
    shell(root, "dvc", "exp", "save", "--name", "wider-kernels")
    shell(root, "git", "checkout", "-q", ".")
    return root


@pytest.fixture
def here(project, monkeypatch):
    monkeypatch.chdir(project)
    return project


def run(*words):
    done = CliRunner().invoke(app, ["compare", *words])
    assert done.exception is None, done.exception
    return done.stdout


def test_an_experiment_beside_the_branch_that_it_started_from(here):
    said = run("main", "wider-kernels")
    assert "cka.kernel_sizes  [28, 68] -> [36]" in said
    assert "settings: 1 differs" in said
    assert "claims: 1 differs of 1" in said
    assert "lang.leaderboard2, this world, calibrated: survives -> weakened" in said
    assert "pearson 0.94 -> 0.5" in said
    assert "language.r  0.94 -> 0.5" in said
    assert "not at hand" not in said


def test_a_run_beside_itself_differs_in_nothing(here):
    said = run("main")  # with the working copy
    assert [line.partition(":")[2] for line in said.splitlines() if " differ" in line] == [
        " none differs",
        " none differs of 1",
        " none differs",
    ]


def test_a_script_gets_json(here):
    told = json.loads(run("main", "wider-kernels", "--json"))
    assert told["settings"] == [{"name": "cka.kernel_sizes", "a": [28.0, 68.0], "b": [36.0]}]
    assert told["claims"][0]["verdicts"] == ["survives", "weakened"]
    assert told["claims_asked"] == 1
    assert told["metrics"] == [{"name": "language.r", "a": 0.94, "b": 0.5}]


def test_the_page_overlays_the_figures_of_both(here, tmp_path):
    page = tmp_path / "comparison.html"
    assert str(page) in run("main", "wider-kernels", "--page", str(page))
    text = page.read_text()
    assert text.count("<svg") == 2
    assert "Better models score higher." in text
    assert "http" not in text.replace("http://www.w3.org", "")
    again = tmp_path / "again.html"
    run("main", "wider-kernels", "--page", str(again))
    assert again.read_bytes() == page.read_bytes()


def test_what_the_cache_has_not_is_said_and_the_rest_is_compared(here, tmp_path):
    copy = tmp_path / "clone"
    shell(tmp_path, "git", "clone", "-q", str(here), str(copy))
    with revisions(["main"], copy) as (one,):
        found = compare.collected(one)
    assert found.metrics == {"language": {"r": 0.94, "models": 24}}
    assert found.scores is None
    assert found.lacking == [f"{SCORES} is not at hand (dvc repro makes it, dvc pull fetches it)"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wider-kernel", "no experiment or revision 'wider-kernel'; there are workspace, wider-kernels, main, and"),
        ("mian", "Nearest: 'main'"),
    ],
)
def test_a_wrong_name_gets_the_names_that_there_are(here, name, said):
    done = CliRunner().invoke(app, ["compare", name])
    assert isinstance(done.exception, BadRequest)
    assert said in str(done.exception)


def test_outside_of_a_project_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["compare", "main"])
    assert isinstance(done.exception, BadRequest)
    assert "no project in this folder" in str(done.exception)


def test_help_does_not_wait_for_dvc():
    asked = "import sys; from homoplasy.command import compare; print('dvc' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.split() == ["False", "False"]
