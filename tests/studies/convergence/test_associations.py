"""Correlations with covariates, benchmarks and the false discovery rate, on made-up models."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.maths.correlation import correlation
from homoplasy.maths.multiplicity import benjamini_hochberg
from homoplasy.studies.convergence.associations import Question, ask, per_benchmark
from homoplasy.studies.convergence.effects import effects
from homoplasy.studies.convergence.regressions import regressions


def table(n=40, seed=0, families=10):
    """Models whose score is their quality and ln width; performance is quality."""
    rng = np.random.default_rng(seed)
    quality, width = rng.normal(size=n), np.geomspace(64, 4096, n)
    about = {"modality": "vision", "reading": "calibrated", "params": "c=1 debiased", "counted": True}
    return pd.DataFrame(
        {
            "model": [f"m{i:02d}" for i in range(n)],
            "family": [f"f{i % families}" for i in range(n)],
            "architecture": ["CNN", "Transformer"] * (n // 2),
            "score": 5 + quality + np.log(width) + 0.1 * rng.normal(size=n),
            "null_score": 0.0,
            "width": width,
            "parameters": width**2 * rng.lognormal(size=n),
            "benchmark": "b",
            "performance": 40 + quality + 0.1 * rng.normal(size=n),
            **about,
        }
    )


def pick(found, **named):
    rows = found[(found[list(named)] == pd.Series(named)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_holding_width_fixed_uncovers_the_planted_relation():
    models = table()
    found = ask(models, [Question("score", "performance"), Question("score", "performance", ("log_width",))], 200, 1)
    plain = pick(found, given="", method="pearson")
    held = pick(found, given="log_width", method="pearson")
    assert plain["r"] < 0.8 < 0.95 < held["r"]
    own = correlation(*(models[name].to_numpy() for name in ("score", "performance")))
    assert plain["r"] == pytest.approx(own)
    for row in (plain, held):
        assert row["family_low"] < row["r"] < row["family_high"]
        assert row["leave_low"] <= row["r"] <= row["leave_high"]


def test_p_values_are_adjusted_over_the_benchmarks_of_one_question():
    models = table()
    rng = np.random.default_rng(1)
    performance = pd.concat(
        [
            models[["model"]].assign(benchmark=name, performance=models["performance"] + noise * rng.normal(size=40))
            for name, noise in (("a", 0.1), ("b", 2.0), ("c", 9.0))
        ]
    )
    found = ask(per_benchmark(models, performance), [Question("score", "performance")], 100, 1)
    for _, group in found.groupby("method"):
        assert list(group["benchmark"]) == ["a", "b", "c"]
        np.testing.assert_allclose(group["q"], benjamini_hochberg(group["p"].to_numpy()))
        assert group["tests"].nunique() == 1
    assert set(per_benchmark(models, performance, ["a"])["benchmark"]) == {"a"}


def test_only_models_of_which_all_is_known_are_asked():
    models = table()
    models.loc[:9, "width"] = np.nan
    found = ask(models, [Question("score", "performance"), Question("score", "performance", ("width",))], 100, 1)
    assert set(found.groupby("given")["n"].first()) == {40, 30}
    models["width"] = np.nan
    assert set(ask(models, [Question("score", "width")], 100, 1)["n"]) == set()


def test_one_family_has_no_interval():
    found = ask(table(families=1), [Question("score", "performance")], 100, 1)
    assert found["interval"].eq("none: one family only").all()
    assert found["leave_low"].isna().all()


def test_effects_separate_performance_from_width():
    found = effects(table(), {f"m{i:02d}": 12 + i for i in range(40)})
    together = found[(found["covariates"] == "performance+log_width") & (found["term"] == "performance")]
    assert set(together["model"]) == {"clustered", "mixed"}
    assert (together["low"] > 0).all()
    assert "log_layers" in set(found["term"])
    assert "class:Transformer" in set(found["term"])


def test_effects_that_cannot_be_told_apart_are_left_out():
    models = table()
    models["parameters"] = models["width"] ** 2
    found = effects(models, {})
    assert not found["covariates"].str.contains("log_parameters").any()
    models["architecture"] = "CNN"
    assert not effects(models, {})["covariates"].str.contains("class").any()
    assert effects(models[:3], {}).empty


def test_the_better_fit_is_the_one_that_was_planted():
    models = table()
    models["score"] = np.geomspace(0.01, 1, 40)
    models["performance"] = 50 + 9 * np.log(models["score"]) + np.random.default_rng(3).normal(size=40)
    curve = pick(regressions(models, 200, 1), form="log")
    assert curve["slope"] == pytest.approx(9, abs=0.5)
    assert curve["log_wins"] > 0.99
    assert 0 < curve["log_gain_low"] <= curve["log_gain"] <= curve["log_gain_high"]


def test_there_is_no_logarithm_of_a_negative_score():
    models = table()
    models.loc[3, "score"] = -0.1
    found = regressions(models, 100, 1)
    assert list(found["form"]) == ["linear"]
    assert found["note"].iloc[0] == "1 scores are not above 0: no logarithm"
    assert regressions(models[:4], 100, 1).empty
    assert regressions(models.assign(performance=0.0), 100, 1).empty
