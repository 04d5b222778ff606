"""Lags of planted curves: their differences, what flat and averaged curves are told, and what a transform does."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.studies.convergence.trajectories import TRANSFORMS, leads, measure_lags, of_history
from homoplasy.tables import CURVES, HISTORY

STEPS = np.array([0, *(2**power for power in range(10)), 1000, *range(3000, 143001, 10000)])
X = np.log2(STEPS + 1.0)
UNITS = [f"subj0{s}/{region}" for s in (1, 2) for region in ("V1", "V4", "PFm")]


def rise(middle):
    return 0.8 / (1 + np.exp(-(X - middle) / 0.8))


def rows(run, quantity, values, unit="", weights="raw"):
    about = {"run": run, "weights": weights, "quantity": quantity, "unit": unit}
    return pd.DataFrame({"step": STEPS, "value": values}).assign(**about)


def world(cases, seed=0):
    rng = np.random.default_rng(seed)
    parts = []
    for run, score, performance in cases:
        parts += [rows(run, "score", score + 0.005 * rng.normal(size=len(X)), unit) for unit in UNITS]
        parts.append(rows(run, "acc", performance))
    return CURVES.check(pd.concat(parts, ignore_index=True))


@pytest.fixture(scope="module")
def planted():
    cases = [(name, rise(10), rise(10 + lag)) for name, lag in (("leads", 2), ("together", 0), ("follows", -2))]
    flat = ("flat", np.full(len(X), 0.3), rise(10))
    return measure_lags(world([*cases, flat]), {"leads": "language"}, 200, 1)


def lag(found, run, transform="plain"):
    return found[(found["run"] == run) & (found["transform"] == transform)].iloc[0]


def test_planted_lags_differ_by_what_was_planted(planted):
    for transform in ("plain", "logit", "log_loss"):
        values = [lag(planted, run, transform)["lag"] for run in ("leads", "together", "follows")]
        assert np.diff(values) == pytest.approx([-2, -2], abs=0.5)
    assert lag(planted, "together")["lag"] == pytest.approx(0, abs=0.2)
    row = lag(planted, "leads")
    assert 0 < row["low"] <= row["lag"] <= row["high"]
    assert row["modality"] == "language"


def test_what_does_not_rise_has_no_lag(planted):
    row = lag(planted, "flat")
    assert np.isnan([row["score_half"], row["lag"], row["low"]]).all()
    assert row["performance_half"] == pytest.approx(10, abs=0.2)


def test_curves_that_rise_together_change_together(planted):
    assert lag(planted, "together")["r_changes"] > 0.9
    assert lag(planted, "together")["p_shift"] <= 0.05
    assert lag(planted, "leads")["r"] > 0.8
    assert lag(planted, "leads")["r_changes"] < lag(planted, "leads")["r"]
    assert lag(planted, "leads")["r_changes"] < lag(planted, "together")["r_changes"]


def test_a_lead_needs_every_transform_and_every_interval():
    ahead = [(f"run{i}", rise(7), rise(13)) for i in range(5)]
    shown = leads(measure_lags(world(ahead), {}, 100, 1), 200, 1)
    assert shown.loc[shown["fact"] == "lead", "value"].tolist() == [1.0]
    assert set(shown["item"]) == {"acc", *(f"acc {name}" for name in TRANSFORMS)}
    mixed = [("a", rise(9), rise(11)), ("b", rise(11), rise(9))]
    none = leads(measure_lags(world(mixed), {}, 100, 1), 200, 1)
    assert none.loc[none["fact"] == "lead", "value"].tolist() == [0.0]
    assert none.loc[none["fact"] == "lead", "note"].iloc[0] == "transforms or their intervals disagree"


def test_averaged_weights_beside_the_score_of_raw_ones_are_flagged():
    curves = world([("r", rise(10), rise(12))])
    curves["weights"] = np.where(curves["quantity"] == "acc", "ema", "raw")
    found = measure_lags(curves, {}, 100, 1)
    assert found["note"].str.startswith("confounded: performance of ema weights beside the score of raw ones").all()
    both = pd.concat([curves, curves[curves["quantity"] == "score"].assign(weights="ema")])
    assert not measure_lags(both, {}, 100, 1)["note"].str.contains("confounded").any()


def test_only_steps_that_both_have_count_and_percent_is_a_share():
    curves = world([("r", rise(10), 100 * rise(11))])
    late = curves[(curves["quantity"] == "score") | (curves["step"] >= 8)]
    found = measure_lags(late, {}, 100, 1)
    assert set(found["points"]) == {int((STEPS >= 8).sum())}
    whole = measure_lags(curves, {}, 100, 1)
    shares = measure_lags(world([("r", rise(10), rise(11))]), {}, 100, 1)
    assert lag(whole, "r", "logit")["lag"] == pytest.approx(lag(shares, "r", "logit")["lag"])


def test_what_is_no_share_has_no_logit():
    found = measure_lags(world([("r", rise(10), rise(11) - 5)]), {}, 100, 1)
    assert np.isnan(lag(found, "r", "logit")["lag"])
    assert lag(found, "r")["lag"] == pytest.approx(1, abs=0.2)
    assert leads(found, 100, 1).set_index("fact").loc["lead", "note"] == "no lag for log_loss, logit"


def test_without_scores_there_is_nothing_to_compare():
    curves = world([("r", rise(10), rise(11))])
    assert measure_lags(curves[curves["quantity"] != "score"], {}, 100, 1).empty
    assert leads(measure_lags(CURVES.empty(), {}, 100, 1), 100, 1).empty


def test_a_history_becomes_curves_and_perplexity_turns_round():
    steps = [0, 1, 2]
    about = {"weights": "raw", "seen": 0}
    told = pd.concat(
        [
            pd.DataFrame({"step": steps, "value": [0.1, 0.5, 0.9]}).assign(
                split="held_out", metric="accuracy", **about
            ),
            pd.DataFrame({"step": steps, "value": [20.0, 5.0, 2.0]}).assign(
                split="held_out", metric="perplexity", **about
            ),
            pd.DataFrame({"step": steps, "value": [3.0, 2.0, 1.0]}).assign(split="train", metric="loss", **about),
        ]
    )
    found = of_history("mine", HISTORY.check(told))
    assert set(found["quantity"]) == {"held_out_accuracy", "held_out_log_likelihood"}
    likely = found[found["quantity"] == "held_out_log_likelihood"].sort_values("step")["value"]
    np.testing.assert_allclose(likely, -np.log([20.0, 5.0, 2.0]))
    assert of_history("mine", HISTORY.empty()).empty
