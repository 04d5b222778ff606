"""The headline claim in made-up worlds: planted, null, and one in which only feature width differs."""

import numpy as np
import pytest
import yaml

from homoplasy.studies.convergence import claims, ledger
from homoplasy.studies.convergence.analysis import Choices, analyse
from homoplasy.studies.convergence.further import nothing
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import PERFORMANCE, PRINTED_CHECKS, TREE
from tests.conftest import ROOT
from tests.studies.convergence import made

CHOICES = Choices(Reading("relative", 1.0, "debiased", 0.05), 0.25, 8, "block", 6, 400, 1)


def verdicts(models, scores, performance):
    stated = yaml.safe_load((ROOT / "claims/convergence.yaml").read_text())
    found = analyse(CHOICES, scores, models, performance).tables | {"tree": TREE.empty()}
    points = nothing() | {"printed_checks": PRINTED_CHECKS.empty()}
    here = ledger.Here({"points": points, "world": found}, generated=True, biased="released")
    table = ledger.verdicts(claims.parse(stated, "claims.yaml", 0.25), here)
    return table[table["item"] == ""].set_index(["claim", "evidence", "reading"])


@pytest.fixture(scope="module")
def models():
    table = made.models(12)
    table = table.assign(parameters=96 * table["model"].map(made.facts(table).set_index("model")["width"]) ** 2.0)
    return table.assign(family=[f"{name[8:11]}-{place // 2}" for place, name in enumerate(table["model"])])


def test_a_planted_relation_survives(models):
    truth = made.facts(models)
    found = verdicts(models, made.scores(models, truth), made.performance(truth))
    for claim in ("lang.leaderboard2", "vis.imagenet"):
        row = found.loc[(claim, "world", "calibrated")]
        assert row["verdict"] == "survives"
        assert "at equal ln width: pearson 0.9" in row["reason"]
        assert row["reason"].endswith("; 6 families only, so intervals over them are rough.")


def test_where_only_width_differs_the_score_looks_right_and_the_verdict_says_why(models):
    truth = made.facts(models)
    told = 8 * np.log(truth["width"] / 40) + np.random.default_rng(4).normal(0, 2, len(truth))
    performance = PERFORMANCE.check(truth[["model"]].assign(benchmark="planted", performance=told))
    found = verdicts(models, made.scores(models, truth, strength=0.0), performance)
    for claim in ("lang.leaderboard2", "vis.imagenet"):
        released = found.loc[(claim, "world", "released")]["reason"]
        r, chance = (float(released.split(word)[1].split()[0].rstrip(";.,")) for word in ("pearson ", "chance level "))
        assert r >= 0.8
        assert chance >= 0.99
        assert found.loc[(claim, "world", "calibrated")]["verdict"] in {"fails", "weakened"}


def test_in_null_worlds_little_survives(models):
    truth = made.facts(models)
    survived = 0
    for seed in range(2):
        scores = made.scores(models, truth, strength=0.0, seed=seed)
        found = verdicts(models, scores, made.performance(truth))
        survived += (found["verdict"] == "survives").sum()
    assert survived <= 1
