"""homoplasy plan: of sizes that are named, of a project, for a cluster."""

import json
from types import SimpleNamespace

import pytest

from homoplasy.models import _effort
from homoplasy.scoring import cost
from homoplasy.stages import _plan

SIZES = ("--n", "300", "--layers", "3", "--regions", "4", "--widths", "2", "--subjects", "2", "--memory", "1GB")


def test_a_plan_of_sizes(call):
    code, out, _ = call("plan", *SIZES, "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["values"] == 3 * 4 * 2 * 2 * 2
    assert (facts["tables"], facts["stimuli"], facts["sweeps"]) == (2, 300, 2)
    assert 0 < facts["seconds"] < 60
    assert 1e6 < facts["memory_bytes"] < facts["memory_allowed_bytes"] == 1e9
    code, out, _ = call("plan", *SIZES)
    assert "2 tables of up to 300 stimuli: 6 layers against 8 regions, 2 kernels" in out
    assert "96 values in 2 sweeps, about " in out


def test_a_plan_of_nothing_is_a_wrong_request(monkeypatch, call, choices):
    monkeypatch.chdir(choices.parent)
    code, _, err = call("plan")
    assert code == 2
    assert "found 0 subjects and 0 models under data; run dvc repro extract parcellate first" in err
    code, _, err = call("plan", "--n", "0")
    assert (code, err) == (2, "homoplasy: --n is 0; expected one or more.\n")


@pytest.fixture
def checkout(choices, monkeypatch):
    """A checkout of the world nsd with one model of known size, before anything is fetched."""
    for name in ("DVC_ROOT", "HOMOPLASY_EXECUTOR", "HOMOPLASY_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    root = choices.parent
    choices.write_text(choices.read_text().replace("world: pocket", "world: nsd"))
    (root / "rosters").mkdir()
    (root / "rosters" / "starter.yaml").write_text(
        "- {model: transformers:a/b, width: 8, depth: 3, parameters: 7000}\n"
    )
    monkeypatch.chdir(root)
    monkeypatch.setattr(_effort, "trial", lambda device: 1e12)
    monkeypatch.setattr(cost, "trial", lambda means: cost.NOMINAL)
    return root


def test_a_plan_for_a_cluster_ends_with_the_line_to_write(checkout, call):
    code, out, err = call("plan", "--slurm")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "roster starter: 1 models, 14 GB of weights to download; 37,000 stimuli, 4 subjects"
    assert "In local.yaml:\n  execution:\n    executor: slurm\n    shards: 1\n" in out
    assert json.loads(call("plan", "--slurm", "--json")[1])["stages"][0]["tasks"] == 1


def test_a_plan_for_a_cluster_of_no_hours_is_a_wrong_request(checkout, call):
    code, _, err = call("plan", "--slurm", "--hours", "0")
    assert (code, err) == (2, "homoplasy: --hours is 0 and --at-once 20; expected more than 0 and 1 or more.\n")
    assert "there is no roster 'study'" in call("plan", "--slurm", "--roster", "study")[2]


def test_a_plan_of_a_project_says_what_extract_has_to_read(checkout, call, monkeypatch):
    nothing = SimpleNamespace(facts=lambda: {"values": 0})
    monkeypatch.setattr(_plan, "of_project", lambda root, choice, memory: nothing)
    _, out, _ = call("plan")
    assert out.splitlines()[0] == "extract  1 models to read, about 7 h by their sizes."
    assert json.loads(call("plan", "--json")[1])["extract"]["models"] == 1
