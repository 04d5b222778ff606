"""The published points: every printed number that they allow comes out, and every recomputed one beside it."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.datasets import published
from homoplasy.datasets.performance import curves
from homoplasy.maths.correlation import correlation, p_value
from homoplasy.studies.convergence.reanalysis import MAIN, analyse_again
from tests.conftest import ROOT

TABLES = ROOT / "data/published"


@pytest.fixture(scope="module")
def points():
    return published.points(TABLES)


@pytest.fixture(scope="module")
def again(points):
    return analyse_again(points, published.printed(TABLES), curves.mixnet(TABLES / "mixnet.csv"), 400, 1)


def found(again, modality, x, y, given="", method="pearson", reading=MAIN):
    named = {"reading": reading, "modality": modality, "x": x, "y": y, "given": given, "method": method}
    rows = again.associations[(again.associations[list(named)] == pd.Series(named)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_printed_number_comes_out_to_its_precision(again):
    checks = again.printed_checks
    assert len(checks) >= 190
    assert checks["agrees"].all(), checks[~checks["agrees"]]
    kinds = checks.groupby("table")["quantity"].agg(set)
    assert {"pearson", "spearman", "pearson_p", "spearman_low", "pearson_high", "pearson_q"} <= kinds["table1"]
    assert kinds["regression"] == {"r2", "aic", "bic"}


def test_a_number_that_does_not_agree_is_said_not_to(points, again):
    printed = published.printed(TABLES)
    wrong = (printed["item"] == "lang.leaderboard2") & (printed["quantity"] == "pearson")
    printed.loc[wrong, "value"] = 0.80
    small = points[(points["reading"] == MAIN) & (points["modality"] == "language")]
    other = analyse_again(small, printed, curves.mixnet(TABLES / "mixnet.csv"), 100, 1).printed_checks
    row = other[(other["item"] == "lang.leaderboard2") & (other["quantity"] == "pearson")].iloc[0]
    assert not row["agrees"]
    assert row["ours"] == pytest.approx(0.8853, abs=5e-5)


@pytest.mark.parametrize(
    ("x", "y", "given", "method", "r"),
    [
        ("score", "width", "", "pearson", 0.969),
        ("score", "width", "", "spearman", 0.962),
        ("score", "performance", "", "pearson", 0.885),
        ("score", "performance", "", "spearman", 0.876),
        ("performance", "width", "", "pearson", 0.856),
        ("performance", "width", "", "spearman", 0.802),
        ("score", "performance", "width", "pearson", 0.435),
        ("score", "performance", "width+width^2", "pearson", 0.567),
        ("score", "performance", "log_width", "pearson", 0.603),
        ("score", "performance", "width+log_parameters", "pearson", 0.530),
        ("score", "performance", "width", "spearman", 0.638),
        ("score", "width", "performance", "spearman", 0.900),
        ("score", "parameters", "", "pearson", 0.906),
        ("score", "parameters", "", "spearman", 0.918),
    ],
)
def test_language_at_width_36(again, x, y, given, method, r):
    assert found(again, "language", x, y, given, method)["r"] == pytest.approx(r, abs=6e-4)


def test_what_is_left_at_equal_width_is_moderate_and_not_nothing(again):
    row = found(again, "language", "score", "performance", "width")
    assert row["p"] == pytest.approx(0.009, abs=5e-4)
    assert (row["leave_low"], row["leave_high"]) == pytest.approx((0.34, 0.48), abs=0.006)
    assert (row["family_low"], row["family_high"]) == pytest.approx((0.12, 0.54), abs=0.06)
    assert "too few" in row["interval"]
    ranked = found(again, "language", "score", "performance", "width", "spearman")
    assert ranked["p"] == pytest.approx(4e-5, abs=5e-6)


def test_without_the_four_points_far_above_their_peers(points):
    far = ("Qwen2-7B-", "Qwen2.5-7B-", "gemma-2-9b-it$", "gemma-2-27b-")
    language = points[(points["reading"] == MAIN) & (points["modality"] == "language")]
    kept = language[~language["model"].str.contains("|".join(far))]
    assert len(kept) == 32
    r = correlation(*(kept[name].to_numpy(np.float64) for name in ("score", "performance", "width")))
    assert r == pytest.approx(0.33, abs=0.005)
    assert p_value(r, 32, 1) > 0.05


@pytest.mark.parametrize(
    ("sigma", "width", "performance"),
    [(20, 0.79, 0.79), (28, 0.98, 0.87), (36, 0.97, 0.89), (44, 0.95, 0.90), (52, 0.92, 0.91), (60, 0.86, 0.90),
     (68, 0.80, 0.88), (76, 0.73, 0.84), (84, 0.65, 0.79), (92, 0.58, 0.74), (100, 0.51, 0.70)],
)  # fmt: skip
def test_language_at_every_kernel_width(again, sigma, width, performance):
    reading = f"sigma={sigma}"
    assert found(again, "language", "score", "width", reading=reading)["r"] == pytest.approx(width, abs=0.0051)
    own = found(again, "language", "score", "performance", reading=reading)
    assert own["r"] == pytest.approx(performance, abs=0.0051)


@pytest.mark.parametrize(
    ("sigma", "r"), [(20, 0.354), (28, 0.510), (36, 0.530), (44, 0.523), (52, 0.537), (68, 0.541), (100, 0.547)]
)
def test_vision_at_every_kernel_width(again, sigma, r):
    assert found(again, "vision", "score", "performance", reading=f"sigma={sigma}")["r"] == pytest.approx(r, abs=6e-4)


def test_plain_transformers_follow_their_width_and_not_their_accuracy(again):
    group = "plain transformers"
    assert 110 <= found(again, group, "score", "width")["n"] <= 124
    assert 0.85 <= found(again, group, "score", "width")["r"] <= 0.88
    assert -0.02 <= found(again, group, "score", "performance", "width")["r"] <= 0.10
    assert 0.73 <= found(again, group, "score", "width", "performance")["r"] <= 0.81


def test_the_fits_are_those_of_the_specification(again):
    fits = again.regressions.set_index(["modality", "form"])
    line, curve = fits.loc[("language", "linear")], fits.loc[("language", "log")]
    assert (line["intercept"], line["slope"]) == pytest.approx((5.335, 218.21), abs=5e-3)
    assert (curve["intercept"], curve["slope"]) == pytest.approx((73.433, 19.058), abs=2e-3)
    for row, numbers in (
        (line, (0.7838, 120.733, 123.900)),
        (curve, (0.8017, 117.621, 120.788)),
        (fits.loc[("vision", "linear")], (0.2814, -3772.075, -3763.301)),
        (fits.loc[("vision", "log")], (0.3261, -3810.191, -3801.417)),
    ):
        assert tuple(row[["r2", "aic", "bic"]]) == pytest.approx(numbers, abs=2e-3)
    assert (line["loo_r2"], curve["loo_r2"]) == pytest.approx((0.760, 0.781), abs=6e-4)
    assert fits.loc[("vision", "log"), "log_wins"] > 0.95
    assert 0.5 < curve["log_wins"] < 0.95


def test_architecture_classes_differ_by_little(again, points):
    sd = points.loc[(points["reading"] == MAIN) & (points["modality"] == "vision"), "score"].std()
    rows = again.effects[(again.effects["covariates"] == "performance+class") & (again.effects["model"] == "clustered")]
    by_class = rows.set_index("term")["estimate"] * sd
    assert sd == pytest.approx(0.012, abs=5e-4)
    assert by_class["class:Transformer"] == pytest.approx(0.002, abs=5e-4)
    assert by_class["class:Hybrid"] == pytest.approx(-0.005, abs=5e-4)


def test_language_lies_above_vision_only_at_narrow_kernels(again):
    gaps = again.facts[again.facts["fact"] == "language_minus_vision"].set_index("reading")["value"]
    assert (gaps[[f"sigma={width}" for width in (20, 28, 36, 44)]] > 0).all()
    assert (gaps[[f"sigma={width}" for width in (52, 60, 68, 76, 84, 92, 100)]] < 0).all()


def test_averaged_weights_learn_later(again):
    delays = again.facts[again.facts["fact"] == "averaging_delay"]["value"]
    assert len(delays) == 8
    assert (delays > 1).all()


def test_the_tuned_models_lie_as_the_article_says(again):
    gaps = again.facts.set_index(["fact", "item"])["value"]
    for what in ("score", "performance"):
        assert gaps[f"tuned_minus_own_{what}", "Tulu-3-8B"] > 0
        assert gaps[f"tuned_minus_own_{what}", "gemma-2-9b-SimPO"] < 0
