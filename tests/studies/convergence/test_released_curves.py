"""The recipe of the released code for training curves, by hand, and what it does to noise."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.studies.convergence.released_curves import RELEASED, released_curves
from homoplasy.studies.convergence.trajectories import measure_lags
from homoplasy.tables import CURVES


def scores(modality, values):
    """Rows of (run, step, layer, subject, region, value)."""
    table = pd.DataFrame(values, columns=["run", "step", "layer", "subject", "region", "value"])
    return table.assign(modality=modality, weights="raw")


LAYERS = [
    ("a", 1, "l1", "s1", "V1", 0.1), ("a", 1, "l1", "s1", "V2", 0.3), ("a", 1, "l2", "s1", "V1", 0.5),
    ("a", 1, "l1", "s2", "V1", 0.1), ("a", 1, "l2", "s2", "V1", 0.7),
]  # fmt: skip


def test_language_is_twice_the_best_region():
    found = released_curves(scores("language", LAYERS))
    assert found["value"].tolist() == pytest.approx([2 * (0.3 + 0.5 + 0.1 + 0.7) / 4])
    assert found["quantity"].tolist() == [RELEASED]


def test_vision_is_the_best_region_and_four_times_the_mean_of_all_runs():
    other = [("b", 1, "l1", "s1", "V1", 0.2), ("b", 2, "l1", "s1", "V1", 0.6)]
    found = released_curves(scores("vision", LAYERS + other)).set_index(["run", "step"])["value"]
    assert found["a", 1] == pytest.approx(0.4 + 4 * (0.4 + 0.2) / 2)
    assert found["b", 1] == pytest.approx(0.2 + 4 * (0.4 + 0.2) / 2)
    assert found["b", 2] == pytest.approx(0.6 + 4 * 0.6)


def test_there_is_no_curve_without_scores():
    assert released_curves(scores("vision", []).astype({"step": int, "value": float})).empty
    assert released_curves(scores("vision", [("a", 1, "l", "s", "V1", np.nan)])).empty


def test_it_is_correlated_with_performance_on_the_steps_that_both_have():
    steps = np.array([0, 1, 2, 4, 8])
    about = {"run": "a", "weights": "raw", "unit": ""}
    curve = pd.DataFrame({"step": steps, "value": [0.1, 0.3, 0.2, 0.5, 0.4], "quantity": RELEASED}).assign(**about)
    score = curve.assign(quantity="score", unit="s1/V1")
    told = pd.DataFrame({"step": [0, 2, 4, 8, 16], "value": [1.0, 2.0, 2.5, 4.0, 9.0], "quantity": "acc"}).assign(
        **about
    )
    found = measure_lags(CURVES.check(pd.concat([curve, score, told])[list(CURVES.columns)]), {}, 100, 1)
    assert set(found["benchmark"]) == {"acc"}
    by_transform = found.set_index("transform")["r_released"]
    assert by_transform["plain"] == pytest.approx(np.corrcoef([0.1, 0.2, 0.5, 0.4], [1.0, 2.0, 2.5, 4.0])[0, 1])
    assert by_transform.drop("plain").isna().all()
    alone = measure_lags(CURVES.check(pd.concat([score, told])[list(CURVES.columns)]), {}, 100, 1)
    assert alone["r_released"].isna().all()
