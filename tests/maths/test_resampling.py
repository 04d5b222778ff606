"""Weighted resamples against copies of the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from homoplasy.maths.correlation import correlation
from homoplasy.maths.resampling import group_weights, percentile_interval, weighted_correlation, weighted_ranks


@given(st.integers(0, 2**31))
def test_weights_equal_copies(seed):
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(3, 12)).round(1)
    weights = rng.integers(0, 4, size=(3, 12)).astype(float)
    for method in ("pearson", "spearman"):
        plain = weighted_correlation(weights, x, y, method=method)
        held = weighted_correlation(weights, x, y, z, method)
        for row, r, partial in zip(weights.astype(int), plain, held, strict=True):
            copies = [np.repeat(values, row) for values in (x, y, z)]
            np.testing.assert_allclose(r, correlation(*copies[:2], method=method), atol=1e-9)
            if row.astype(bool).sum() > 4:  # with fewer distinct points a residual can be zero up to rounding
                np.testing.assert_allclose(partial, correlation(*copies, method=method), atol=1e-7)


def test_ranks_of_ties_are_shared():
    weights, x = np.array([[1.0, 2, 0, 1]]), np.array([5.0, 5, 9, 1])
    np.testing.assert_allclose(weighted_ranks(weights, x)[0, [0, 1, 3]], [3, 3, 1])
    np.testing.assert_allclose(weighted_ranks(np.ones((1, 4)), x)[0], stats.rankdata(x))


def test_members_of_a_family_are_drawn_together():
    families = np.array(["a", "b", "a", "c", "c", "b"])
    weights = group_weights(families, 500, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    again = group_weights(families, 500, np.random.default_rng(0))
    np.testing.assert_array_equal(weights, again)


def test_the_interval_covers_as_often_as_it_says():
    """Independent families of one: 95 % intervals of r = 0 should hold 0 in about 95 of 100 samples."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        x, y = rng.normal(size=(2, 60))
        low, high = percentile_interval(weighted_correlation(group_weights(np.arange(60), 400, rng), x, y))
        held += low <= 0 <= high
    assert 178 <= held <= 199  # 190 expected; sd 3.1, and the percentile interval is known to be a little short


def test_a_draw_of_one_family_only_may_have_no_correlation():
    weights = np.array([[3.0, 0, 0], [1, 1, 1]])
    r = weighted_correlation(weights, np.array([1.0, 2, 3]), np.array([1.0, 3, 2]))
    assert np.isnan(r[0])
    assert r[1] == pytest.approx(0.5)
    assert np.isnan(percentile_interval(r[:1])).all()
