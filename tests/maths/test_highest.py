"""Which of several means may be the highest."""

import numpy as np
import pytest

from homoplasy.maths.highest import highest


def sampled(means, spread, seed, count=600):
    """Means as they were measured, and draws about them."""
    rng = np.random.default_rng(seed)
    found = rng.normal(means, spread)
    return found, rng.normal(found, spread, (count, len(means)))


@pytest.mark.parametrize("means", [[0, 0, 0, 0], [0, 1, 1, 1], [0, 0.5, 1, 1.5]])
def test_the_highest_is_left_out_in_one_of_twenty_at_most_also_among_equals(means):
    top = np.flatnonzero(np.array(means) == max(means))
    found = np.array([highest(*sampled(means, 1.0, seed)) for seed in range(400)])
    lost = 1 - found[:, top].mean(axis=0)
    assert lost.max() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_what_is_clearly_lower_leaves_and_nan_is_never_in_it():
    means, draws = sampled([0.0, 5.0, np.nan, 4.9], 0.3, 1)
    assert highest(means, draws).tolist() == [False, True, False, True]


def test_without_spread_only_the_highest_stays():
    means = np.array([1.0, 3.0, 2.0, 3.0])
    assert highest(means, np.tile(means, (50, 1))).tolist() == [False, True, False, True]


def test_one_place_or_no_draws_leave_all():
    assert highest(np.array([1.0]), np.ones((5, 1))).tolist() == [True]
    assert highest(np.array([1.0, 2.0]), np.full((5, 2), np.nan)).tolist() == [True, True]
