"""Means over models and their spread over families and subjects."""

import numpy as np
import pytest
from scipy import stats

from homoplasy.studies.convergence.families import mean_of_families

MODELS, SUBJECTS = 24, 4
FAMILIES = np.array([f"family {i % 8}" for i in range(MODELS)])


def world(seed, shared):
    """Models x subjects: chance of a subject's images that all models share, beside noise of each pair."""
    rng = np.random.default_rng(seed)
    return shared * rng.standard_normal(SUBJECTS) + rng.standard_normal((MODELS, SUBJECTS))


def bounds(table, people=True):
    models, subjects = table.mean(axis=1, keepdims=True), table.mean(axis=0)[:, None]
    return mean_of_families(models, FAMILIES, 500, 1, "a", subjects if people else None).interval(0)


@pytest.mark.parametrize("shared", [0.0, 3.0])
def test_nothing_is_found_where_models_share_what_chance_makes_of_the_images(shared):
    found = np.array([bounds(world(seed, shared)) for seed in range(300)])
    wrong = ((found[:, 0] > 0) | (found[:, 1] < 0)).mean()
    assert wrong < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_models_alone_would_find_it():
    found = np.array([bounds(world(seed, 3.0), people=False) for seed in range(100)])
    assert ((found[:, 0] > 0) | (found[:, 1] < 0)).mean() > 0.5


def test_the_spread_over_equal_families_is_that_of_student():
    values = np.repeat(np.random.default_rng(1).standard_normal(8), 3)[:, None]
    families = np.repeat(np.arange(8).astype(str), 3)
    drawn = mean_of_families(values, families, 40_000, 1, "a")
    exact = stats.t.interval(0.95, 7, values.mean(), values[::3].std(ddof=1) / np.sqrt(8))
    assert np.ptp(drawn.interval(0)) == pytest.approx(np.ptp(exact), rel=0.03)
    assert drawn.note.startswith("percentile of 40000 draws over 8 families")


def test_one_family_gives_no_interval_and_one_subject_none_of_its_own():
    values = np.array([[1.0], [2.0]])
    assert np.isnan(mean_of_families(values, np.array(["a", "a"]), 100, 1, "a").interval(0)).all()
    two = np.array(["a", "b"])
    alone = mean_of_families(values, two, 100, 1, "a", np.array([[5.0]]))
    assert alone.interval(0) == mean_of_families(values, two, 100, 1, "a").interval(0)
    assert alone.subjects == 0
    assert "and 3 subjects" in mean_of_families(values, two, 100, 1, "a", np.array([[5.0], [4.0], [np.nan]])).note
