"""Half-rise times on curves whose answer is known, and nulls that reject as often as they say."""

import numpy as np
import pytest

from homoplasy.maths import lags

X = np.log2(np.array([0, *(2**k for k in range(10)), 1000, *range(3000, 143001, 10000)]) + 1.0)


def logistic(middle, x=X):
    return 0.8 / (1 + np.exp(-(x - middle) / 0.8))


@pytest.mark.parametrize("middle", [8.0, 10.0, 12.0])
def test_half_rise_finds_the_middle_of_a_logistic(middle):
    assert lags.half_rise(X, logistic(middle)) == pytest.approx(middle, abs=0.15)


def test_half_rise_does_not_move_with_scale_or_offset():
    y = logistic(10)
    assert lags.half_rise(X, 7 + 3 * y) == pytest.approx(lags.half_rise(X, y))


def test_without_a_rise_there_is_no_time():
    rng = np.random.default_rng(0)
    flat = [lags.half_rise(X, 0.4 + 0.01 * rng.normal(size=len(X))) for _ in range(200)]
    assert np.isnan(flat).mean() > 0.95
    assert np.isnan(lags.half_rise(X, -logistic(10)))
    assert np.isnan(lags.half_rise(X, np.full(len(X), 0.3)))
    assert np.isnan(lags.half_rise(X[:6], X[:6]))
    assert np.isnan(lags.half_rise(X, np.where(X > 9, np.nan, X)))


def test_two_rises_correlate_but_their_changes_need_not():
    a, b = logistic(6), logistic(12)
    assert np.corrcoef(a, b)[0, 1] > 0.5
    assert abs(lags.difference_correlation(a, b)) < 0.3
    assert lags.difference_correlation(a, 2 * a + 1) == pytest.approx(1.0)


def test_shifts_and_blocks_reject_nothing_too_often():
    rng = np.random.default_rng(1)
    pairs = [np.cumsum(rng.normal(size=(2, 27)), axis=1) for _ in range(200)]
    shifted = np.array([lags.circular_shift_p(a, b) for a, b in pairs])
    blocked = np.array([lags.block_permutation_p(a, b, 3, 99, rng) for a, b in pairs])
    for p in (shifted, blocked):
        assert (p <= 0.1).mean() == pytest.approx(0.1, abs=3 * np.sqrt(0.09 / 200))


def test_what_moves_together_is_rare_under_both():
    rng = np.random.default_rng(2)
    a = np.cumsum(rng.normal(size=27))
    assert lags.circular_shift_p(a, a) == pytest.approx(1 / 26)
    assert lags.block_permutation_p(a, a, 3, 199, rng) <= 0.01
    assert np.isnan(lags.circular_shift_p(a, np.zeros(27)))
