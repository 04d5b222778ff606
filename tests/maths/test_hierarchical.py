"""Random intercepts against the mixed model of statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from homoplasy.maths.hierarchical import random_intercept
from homoplasy.maths.regression import fit, with_intercept


def sample(between, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(12), rng.integers(2, 9, 12))
    x = rng.normal(size=len(groups)) + rng.normal(size=12)[groups]
    y = 2 + 0.7 * x + between * rng.normal(size=12)[groups] + rng.normal(size=len(groups))
    return y, with_intercept(x), groups


def test_it_is_the_mixed_model_of_statsmodels():
    y, design, groups = sample(1.0)
    found = random_intercept(y, design, groups)
    oracle = sm.MixedLM(y, design, groups).fit(reml=True)
    np.testing.assert_allclose(found.effects.coefficients, oracle.fe_params, rtol=1e-4)
    assert found.within == pytest.approx(oracle.scale, rel=1e-3)
    assert found.between == pytest.approx(oracle.cov_re[0, 0], rel=1e-3)
    same = groups[:, None] == groups[None, :]
    v = oracle.scale * np.eye(len(y)) + oracle.cov_re[0, 0] * same
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ np.linalg.solve(v, design))))
    half = (found.effects.high - found.effects.low) / 2
    np.testing.assert_allclose(half, errors * stats.t.ppf(0.975, len(y) - 2), rtol=1e-3)


def test_without_levels_it_is_least_squares():
    y, design, groups = sample(0.0, seed=3)
    y = y - np.array([y[groups == g].mean() for g in range(12)])[groups]  # less alike inside groups than by chance
    found = random_intercept(y, design, groups)
    assert found.between == 0.0
    np.testing.assert_allclose(found.effects.coefficients, fit(y, design).coefficients, rtol=1e-9)
