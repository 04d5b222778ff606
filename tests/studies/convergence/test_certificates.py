"""Announcements from made-up tables, rates with exact intervals, and the sentence of every fault in the scope."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from homoplasy import tables as schemas
from homoplasy.errors import BadData
from homoplasy.studies.convergence import certificates, claims
from homoplasy.studies.convergence.certificates import announcements, parse, stacked
from homoplasy.tables import ANNOUNCEMENTS, CORRELATIONS, FACTS
from tests.conftest import ROOT

LEDGER = claims.parse(yaml.safe_load((ROOT / "claims/convergence.yaml").read_text()), "claims", 0.25)
RAW = yaml.safe_load((ROOT / "certificates/claims.yaml").read_text())
SCOPE = parse(RAW, "scope", LEDGER)
HELD = ("log_width", "width", "log_width+log_parameters")
ESTIMATORS = {"as_released": "biased", "calibrated": "debiased"}


def correlations(reading, r, p, low, given=0.5):
    """The rows that the headline claim of language asks for, alike in both methods."""
    rows = [
        {"method": method, "given": held, "r": value, "p": p, "fisher_low": bound, "fisher_high": 0.99}
        for method in ("pearson", "spearman")
        for held, value, bound in (("", r, low), *((name, given, given - 0.1) for name in HELD))
    ]
    about = {"reading": reading, "modality": "language", "x": "score", "y": "performance", "n": 24, "families": 8}
    by_subject = [row | {"x": "score_by_subject"} for row in rows if not row["given"]]
    table = pd.DataFrame([about | row for row in rows + by_subject]).assign(interval="")
    return CORRELATIONS.check(table.assign(family_low=table["fisher_low"], family_high=table["fisher_high"]))


def facts(reading, fact, value, low, high, modality="both", item=""):
    row = {"reading": reading, "modality": modality, "fact": fact, "item": item, "value": value, "low": low}
    return FACTS.check(pd.DataFrame([row | {"high": high, "p": np.nan, "n": 9, "note": ""}]))


def said(claim, estimator, **tables):
    empty = {one.name: one.empty() for one in vars(schemas).values() if isinstance(one, schemas.Schema)}
    found = announcements(LEDGER, SCOPE, empty | tables, estimator)
    return next(row for row in found if row["claim"] == claim)


@pytest.mark.parametrize(("r", "p", "positive"), [(0.9, 0.001, True), (0.9, 0.06, False), (-0.9, 0.001, False)])
def test_a_biased_preset_announces_the_claimed_sign_where_p_is_below_five_percent(r, p, positive):
    found = said("lang.leaderboard2", "biased", correlations=correlations("released", r, p, low=-1.0))
    assert found["answered"]
    assert found["sign"] == (r > 0)
    assert found["positive"] == positive
    assert found["value"] == pytest.approx(r)


@pytest.mark.parametrize(("low", "given", "positive"), [(0.5, 0.5, True), (-0.1, 0.5, False), (0.5, 0.05, False)])
def test_the_calibrated_preset_announces_what_survives_its_interval_and_its_confounds(low, given, positive):
    table = correlations("calibrated", 0.9, 0.5, low=low, given=given)
    found = said("lang.leaderboard2", "debiased", correlations=table)
    assert found["sign"]
    assert found["positive"] == positive
    assert "at equal ln width" in found["reason"]


@pytest.mark.parametrize(("low", "positive"), [(0.01, True), (-0.01, False), (np.nan, True)])
def test_a_number_with_an_interval_is_tested_by_it_and_one_without_by_its_sign(low, positive):
    table = facts("sigma=9 biased", "language_minus_vision", 0.02, low, 0.03 if np.isfinite(low) else np.nan)
    assert said("q2.level", "biased", facts=table)["positive"] == positive


def test_a_claim_without_a_released_query_is_asked_of_the_released_reading_without_confounds():
    table = facts("released", "peak_depth", 0.75, 0.7, 0.8, "vision", "mean")
    assert said("q1", "biased", facts=table)["positive"]


def test_a_claim_that_no_table_answers_is_not_announced():
    found = said("lang.leaderboard2", "biased")
    assert not found["answered"]
    assert not found["positive"]
    assert np.isnan(found["value"])


def test_rates_have_exact_intervals_and_the_role_of_their_world():
    rng = np.random.default_rng(5)
    rates = {"planted": 0.9, "null": 0.05, "width": 0.6}
    rows = [
        {"truth": truth, "seed": seed, "preset": "as_released", "claim": claim, "answered": True, "sign": True}
        | {"positive": bool(rng.random() < rate), "value": 0.1, "reason": ""}
        for truth, rate in rates.items()
        for seed in range(60)
        for claim in ("vis.imagenet", "q9.modality", "q7")
    ]
    found = certificates.certificates(stacked([ANNOUNCEMENTS.check(pd.DataFrame(rows))]), SCOPE, ESTIMATORS)
    table = found.set_index(["claim", "truth"])
    for truth, rate in rates.items():
        row = table.loc[("vis.imagenet", truth)]
        expected = stats.binomtest(int(row["positives"]), 60).proportion_ci(method="exact")
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
        assert row["low"] <= rate <= row["high"]
    assert table.loc["vis.imagenet"]["role"].to_dict() == {
        "null": "false_positive", "planted": "power", "width": "false_positive",
    }  # fmt: skip
    assert table.loc[("q9.modality", "null"), "role"] == "rate"
    assert table.loc[("q7", "planted"), "role"] == "rate"
    assert table.loc[("lang.ifeval", ""), "role"] == "none"
    text = certificates.page(LEDGER, found)
    assert f"{table.loc[('vis.imagenet', 'null'), 'positives']}/60" in text
    assert "- lang.ifeval: the pocket world has one benchmark" in text


def test_a_planted_world_that_holds_the_opposite_counts_false_alarms():
    scope = SCOPE.model_copy(
        update={"certified": SCOPE.certified | {"q4": certificates.Known(true_in=(), false_in=("planted",))}}
    )
    row = {"truth": "planted", "seed": 1, "preset": "calibrated", "claim": "q4", "answered": True, "sign": True}
    table = ANNOUNCEMENTS.check(pd.DataFrame([row | {"positive": True, "value": 1.0, "reason": ""}]))
    found = certificates.certificates(table, scope, ESTIMATORS)
    assert found.set_index("claim").loc["q4", "role"] == "false_positive"
    assert "| q4 | 1/1 [0.03, 1.00] * |" in certificates.page(LEDGER, found)


def test_a_world_without_an_answer_has_counts_and_no_rate():
    row = {"truth": "null", "seed": 1, "preset": "calibrated", "claim": "q4", "answered": False, "sign": False}
    table = pd.DataFrame([row | {"positive": False, "value": np.nan, "reason": "Missing."}])
    found = certificates.certificates(ANNOUNCEMENTS.check(table), SCOPE, ESTIMATORS).set_index("claim").loc["q4"]
    assert (found["seeds"], found["answered"]) == (1, 0)
    assert np.isnan(found["rate"])
    assert "no answer" in found["note"]
    assert "no answer" in certificates.page(
        LEDGER, certificates.certificates(ANNOUNCEMENTS.check(table), SCOPE, ESTIMATORS)
    )


def test_nothing_announced_is_an_empty_table():
    assert stacked([]).empty


def changed(**sections):
    return {"certified": RAW["certified"], "not_certifiable": RAW["not_certifiable"]} | sections


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (changed(certified={**RAW["certified"], "q99": RAW["certified"]["q1"]}), "names 'q99', which is no claim"),
        (changed(certified={k: v for k, v in RAW["certified"].items() if k != "q1"}), "lacks the claim 'q1'"),
        (changed(not_certifiable=[{"why": "so", "claims": ["q1"]}]), "'q1' stands there twice"),
        (changed(certified={"q1": {"true_in": ["mars"], "false_in": []}}), "certified.q1.true_in.0"),
        ("words", "scope: "),
    ],
)
def test_a_scope_that_does_not_sort_the_ledger_is_refused(raw, sentence):
    with pytest.raises(BadData, match=sentence):
        parse(raw, "scope", LEDGER)
