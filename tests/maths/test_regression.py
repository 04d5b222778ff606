"""Fits and their standard errors against statsmodels, leaving out against leaving out."""

import numpy as np
import pytest
import statsmodels.api as sm

from homoplasy.maths import regression


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(9), 5)
    x = rng.normal(size=(45, 2))
    y = 1 + x @ [0.5, -0.2] + rng.normal(size=9)[groups] + rng.normal(size=45)
    return y, regression.with_intercept(*x.T), groups


def test_the_fit_is_that_of_statsmodels(sample):
    y, design, _ = sample
    found, oracle = regression.fit(y, design), sm.OLS(y, design).fit()
    np.testing.assert_allclose(found.coefficients, oracle.params)
    assert found.r2 == pytest.approx(oracle.rsquared)
    constant = len(y) * (np.log(2 * np.pi) + 1)  # which the article drops
    assert found.aic == pytest.approx(oracle.aic - constant)
    assert found.bic == pytest.approx(oracle.bic - constant)
    p = design.shape[1] + 1
    assert found.aicc == pytest.approx(found.aic + 2 + 2 * p * (p + 1) / (len(y) - p - 1))


def test_leaving_one_out_is_leaving_one_out(sample):
    y, design, _ = sample
    errors = []
    for place in range(len(y)):
        kept = np.arange(len(y)) != place
        errors.append(y[place] - design[place] @ np.linalg.lstsq(design[kept], y[kept], rcond=None)[0])
    assert regression.fit(y, design).loo_r2 == pytest.approx(
        1 - np.square(errors).sum() / np.square(y - y.mean()).sum()
    )


def test_clustered_errors_are_those_of_statsmodels(sample):
    y, design, groups = sample
    found = regression.clustered(y, design, groups)
    oracle = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    bounds = oracle.conf_int()
    np.testing.assert_allclose(found.low, bounds[:, 0])
    np.testing.assert_allclose(found.high, bounds[:, 1])
    np.testing.assert_allclose(found.p, oracle.pvalues)


def test_one_group_or_too_few_points_have_no_errors(sample):
    y, design, groups = sample
    assert np.isnan(regression.clustered(y, design, np.zeros(45)).low).all()
    assert np.isnan(regression.clustered(y[:3], design[:3], groups[:3]).p).all()
