"""Weighted resamples against copies of the data; draws of stimuli and subjects against a known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from homoplasy.maths.correlation import correlation
from homoplasy.maths.resampling import (
    draws,
    dual_draws,
    dual_interval,
    group_weights,
    half_sample,
    percentile_interval,
    permutation,
    weighted_correlation,
    weighted_ranks,
)


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


@given(n=st.integers(2, 50), seed=st.integers(0, 2**32), draw=st.integers(0, 99))
def test_a_draw_is_its_seed_and_number_and_nothing_else(n, seed, draw):
    order, half = permutation(n, seed, draw), half_sample(n, seed, draw)
    assert sorted(order) == list(range(n))
    assert len(half) == n // 2
    assert (np.diff(half) > 0).all()
    np.testing.assert_array_equal(permutation(n, seed, draw), order)
    np.testing.assert_array_equal(draws("half", n, draw + 2, seed)[draw], half)


def test_draws_differ_by_number_seed_and_kind():
    found = [permutation(40, seed, draw) for seed in (1, 2) for draw in (0, 1)]
    found.append(draws("permutation", 40, 3, 1)[2])
    assert len({tuple(one) for one in found}) == 5
    assert set(half_sample(40, 1, 0)) != set(permutation(40, 1, 0)[:20])


def test_half_samples_of_a_mean_spread_by_its_standard_error():
    x = np.random.default_rng(1).standard_normal(50)
    means = [x[half].mean() for half in draws("half", 50, 4000, 3)]
    assert np.std(means) == pytest.approx(x.std(ddof=1) / np.sqrt(50), rel=0.04)  # 4,000 draws: sd of 1.1 %
    assert np.mean(means) == pytest.approx(x.mean(), abs=0.01)


def test_dual_draws_spread_by_the_variances_of_subjects_and_stimuli():
    rng = np.random.default_rng(2)
    subjects, stimuli = rng.standard_normal(6), rng.standard_normal(5000)
    shared = np.repeat(stimuli[:, None], 6, axis=1)
    # of subjects alone s^2 / S with ddof 1, of stimuli alone that of their draws; independent, so they add
    alone = subjects.var(ddof=1) / 6
    assert dual_draws(np.repeat(subjects[None], 5000, axis=0), 1).var() == pytest.approx(alone, rel=0.08)
    assert dual_draws(shared, 1).var() == pytest.approx(stimuli.var(), rel=1e-9)
    assert dual_draws(shared + subjects, 1).var() == pytest.approx(alone + stimuli.var(), rel=0.08)
    assert dual_draws(shared + subjects, 1, reach=2.0).var() == pytest.approx(4 * alone + stimuli.var(), rel=0.08)


@pytest.mark.parametrize(
    ("subjects", "between", "shared", "own"), [(4, 1.0, 0.5, 0.0), (8, 0.3, 1.0, 0.3), (4, 0, 0, 1)]
)
def test_the_dual_interval_holds_the_truth_at_least_as_often_as_it_says(subjects, between, shared, own):
    """Means over 40 stimuli: effects of subjects, of stimuli that all share, and of stimuli for a subject alone."""
    rng, n, held = np.random.default_rng(4), 40, 0
    halves = draws("half", n, 100, 5)
    for _ in range(100):
        x = between * rng.standard_normal((subjects, 1)) + shared * 4 * rng.standard_normal(n)
        x = x + own * 4 * rng.standard_normal((subjects, n))
        values = np.stack([x[:, half].mean(1) for half in halves])
        low, high = dual_interval(values, x.mean(), 6)
        held += bool(low <= 0 <= high)
    assert held >= 88  # 95 expected or more; sd 2.2


def test_an_interval_is_taken_for_each_of_what_follows_and_nan_stays():
    values = np.random.default_rng(7).standard_normal((60, 3, 2, 4))
    values[5, 1, 0, 0] = np.nan
    low, high = dual_interval(values, values.mean((0, 1)), 1)
    assert np.isnan([low[0, 0], high[0, 0]]).all()
    one = dual_interval(values[:, :, 1, 3], values[:, :, 1, 3].mean(), 1)
    np.testing.assert_allclose([low[1, 3], high[1, 3]], one)


def test_one_subject_says_nothing_of_others():
    with pytest.raises(ValueError, match="two or more, found 1"):
        dual_draws(np.zeros((5, 1)), 0)
