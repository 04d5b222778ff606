"""Partial correlation in resamples: the same as copying the rows out and fitting."""

import numpy as np
import pytest

from homoplasy.maths.correlation import correlation
from homoplasy.maths.partial import weighted_partial
from homoplasy.maths.resampling import group_weights


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_resample_with_multiplicities_is_the_copied_sample(method):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40, 2))
    x, y = z @ [1.0, 2.0] + rng.normal(size=40), z @ [2.0, -1.0] + rng.normal(size=40)
    weights = group_weights(np.arange(40) // 4, 6, rng)
    found = weighted_partial(weights, x, y, z, method)
    for weight, r in zip(weights.astype(int), found, strict=True):
        rows = np.repeat(np.arange(40), weight)
        assert r == pytest.approx(correlation(x[rows], y[rows], z[rows], method), abs=1e-9)


def test_a_covariate_given_twice_changes_nothing():
    rng = np.random.default_rng(1)
    x, y, z = rng.normal(size=(3, 30))
    once = weighted_partial(np.ones((1, 30)), x, y, z[:, None])
    twice = weighted_partial(np.ones((1, 30)), x, y, np.column_stack([z, 3 * z + 1]))
    np.testing.assert_allclose(once, twice, atol=1e-9)


def test_a_copy_of_the_covariate_has_no_partial_correlation():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 30))
    assert np.isnan(weighted_partial(np.ones((1, 30)), x, y, x[:, None]))[0]
    assert np.isnan(weighted_partial(np.ones((1, 30)), np.ones(30), y, x[:, None]))[0]
