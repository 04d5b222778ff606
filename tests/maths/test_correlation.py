"""Correlation against scipy and residuals, and its known intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from homoplasy.maths.correlation import correlation, fisher_interval, formula_interval, p_value, spearman_p

SEEDS = st.integers(0, 2**31)


def sample(seed, n=20):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    return rng.normal(size=n) + z, rng.normal(size=n) - 0.5 * z, z


@given(SEEDS)
def test_it_equals_scipy(seed):
    x, y, _ = sample(seed)
    assert correlation(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    assert correlation(x, y, method="spearman") == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert p_value(correlation(x, y), 20) == pytest.approx(stats.pearsonr(x, y)[1], rel=1e-9)


@given(SEEDS)
def test_a_partial_correlation_is_that_of_three_plain_ones(seed):
    x, y, z = sample(seed)
    for method in ("pearson", "spearman"):
        a, b, c = (correlation(*two, method=method) for two in ((x, y), (x, z), (y, z)))
        expected = (a - b * c) / np.sqrt((1 - b * b) * (1 - c * c))
        assert correlation(x, y, z, method) == pytest.approx(expected, abs=1e-10)


@given(SEEDS, st.floats(0.1, 50), st.floats(-100, 100))
def test_scale_and_shift_change_nothing(seed, scale, shift):
    x, y, z = sample(seed)
    assert correlation(scale * x + shift, y, z) == pytest.approx(correlation(x, y, z), abs=1e-9)
    assert correlation(np.exp(x), y, method="spearman") == pytest.approx(correlation(x, y, method="spearman"))


def test_the_p_of_a_partial_correlation_loses_a_degree_of_freedom():
    t = 0.4 * np.sqrt(17 / (1 - 0.16))
    assert p_value(0.4, 20, 1) == pytest.approx(2 * stats.t.sf(t, 17))


@pytest.mark.parametrize(
    ("x", "y"),
    [([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]), ([1.0, 2.0], [2.0, 1.0]), ([], [])],
)
def test_what_is_not_defined_is_nan(x, y):
    assert np.isnan(correlation(np.array(x), np.array(y)))
    assert np.isnan(p_value(correlation(np.array(x), np.array(y)), len(x)))


def test_nothing_is_left_of_a_copy_of_what_is_held_fixed():
    x, y, _ = sample(1)
    assert np.isnan(correlation(x, y, 3 * x + 1))


def test_a_small_rank_correlation_is_counted_over_all_re_pairings():
    x, y = np.arange(5.0), np.array([0.0, 1, 2, 4, 3])
    pairings = stats.permutation_test(
        (x,), lambda a: stats.spearmanr(a, y)[0], permutation_type="pairings", alternative="two-sided"
    )
    assert spearman_p(x, y) == pytest.approx(pairings.pvalue)
    assert spearman_p(x, x) == pytest.approx(2 / 120)
    assert p_value(1.0, 20) == 0.0


def test_fishers_interval_of_the_published_correlation():
    assert fisher_interval(0.8853, 36) == pytest.approx((0.785, 0.940), abs=5e-4)
    assert p_value(0.885307, 36) == pytest.approx(7.52e-13, rel=1e-3)


@given(st.floats(-0.999, 0.999), st.integers(5, 500))
def test_bounds_lie_inside_the_range_and_around_r(r, n):
    for method in ("pearson", "spearman"):
        low, high = fisher_interval(r, n, 1, method)
        assert -1 <= low <= r <= high <= 1


def test_too_few_points_have_no_interval():
    assert np.isnan(fisher_interval(0.5, 4, 1)).all()
    assert fisher_interval(1.0, 10) == (1.0, 1.0)


def test_several_columns_can_be_held_fixed():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(30, 2))
    x, y = z.sum(axis=1) + rng.normal(size=30), z[:, 0] + rng.normal(size=30)
    a, b = (column - np.column_stack([np.ones(30), z]) @ np.linalg.lstsq(np.column_stack([np.ones(30), z]), column)[0]
            for column in (x, y))  # fmt: skip
    assert correlation(x, y, z) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert correlation(x, y, z[:, :1]) == pytest.approx(correlation(x, y, z[:, 0]))


def test_the_printed_interval_can_leave_the_range():
    assert formula_interval(0.88, 36) == pytest.approx((0.67, 1.09), abs=0.005)
    assert np.isnan(formula_interval(0.5, 1)).all()
