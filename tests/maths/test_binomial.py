"""Exact binomial intervals: known answers, and their coverage by enumeration."""

import numpy as np
import pytest
from scipy import stats

from homoplasy.maths.binomial import clopper_pearson


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (1, 20), (10, 20), (19, 20), (20, 20), (3, 7)])
def test_the_interval_is_that_of_scipy(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_success_in_n_bounds_the_rate_by_the_rule_of_the_tail():
    assert clopper_pearson(0, 20) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5, 0.81])
def test_it_covers_every_rate_at_least_as_often_as_it_says(rate):
    n = 15
    inside = [clopper_pearson(x, n)[0] <= rate <= clopper_pearson(x, n)[1] for x in range(n + 1)]
    assert stats.binom.pmf(np.arange(n + 1), n, rate)[inside].sum() >= 0.95


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        clopper_pearson(3, 2)
