"""A sweep by DVC's queue: what did not change is not run, a model is read once, a failure is its own affair."""

import pytest

from homoplasy.stages import _journal
from tests.e2e import checkout as checkouts

pytestmark = [pytest.mark.e2e, pytest.mark.acceptance]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A small checkout whose pipeline has run once."""
    made = checkouts.make_tiny(tmp_path_factory.mktemp("sweep"))
    made.dvc("repro")
    made.commit("base")
    return made


SWEEP = {
    "wide": ["cka.relative_sizes=[2]"],
    "cut": ["extract.pca_variance=0.9", "extract.pca_above=8"],
    "wrong": ["cka.relative_sizes=[-1]"],
}


def stored(checkout):
    """When each file of the store was written."""
    files = (path for path in (checkout.root / ".store").rglob("*.*") if path.is_file())
    return {path.name: path.stat().st_mtime_ns for path in files}


@pytest.fixture(scope="module")
def swept(base):
    """Three experiments, of which one cannot work, two at a time; what the store held before."""
    before = stored(base)
    for name, knobs in SWEEP.items():
        base.dvc("exp", "run", "--queue", "--name", name, *(word for knob in knobs for word in ("-S", knob)))
    base.run("dvc", "exp", "run", "--run-all", "--jobs", "2")
    return before


def test_only_what_changed_runs_and_a_failure_is_its_own_affair(base, swept):
    ran = {name: {} for name in ("", *SWEEP)}
    for one in _journal.read(base.root):
        ran[one.experiment][one.stage] = one.state
    assert list(ran[""]) == list(checkouts.FIRST)
    assert ran["wide"] == {"cka": "done"}
    assert ran["cut"] == {"extract": "done", "cka": "done"}
    assert ran["wrong"] == {"cka": "failed"}


def test_models_are_read_once(base, swept):
    after = stored(base)
    assert {name: after.get(name) for name in swept} == swept, "what is stored is never written again"
    assert len(after) > len(swept), "the experiments share the store of the checkout"


def test_status_says_which_experiment_failed_and_why(base, swept):
    said = base.run("homoplasy", "status")
    assert "Everything is up to date." in said
    assert "cka of experiment wrong failed: " in said
    assert "relative_sizes" in said


def test_the_table_of_experiments_has_few_columns(base, swept):
    shown = base.run("make", "--no-print-directory", "--old-file=.venv/.installed", "table")
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.strip().splitlines()]
    knobs = {knob.partition("=")[0] for knobs in SWEEP.values() for knob in knobs}
    assert set(head) == {"Experiment", "State", *(f"params.yaml:{knob}" for knob in knobs)}
    state = {row[0].partition("[")[2].rstrip("]"): row[1] for row in rows if "[" in row[0]}
    assert state == {"wide": "Success", "cut": "Success", "wrong": "Failed"}
