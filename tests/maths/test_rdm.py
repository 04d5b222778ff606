from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from homoplasy.maths import rdm

SCIPY = {
    "euclidean": "euclidean",
    "squared_euclidean": "sqeuclidean",
    "cosine": "cosine",
    "correlation": "correlation",
}


def sample(seed, n=11, d=4):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vector(x, name="euclidean"):
    return rdm.upper(rdm.DISSIMILARITIES[name](x))


@pytest.mark.parametrize("name", SCIPY)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), d=st.integers(3, 40))
def test_dissimilarities_are_those_of_scipy(name, seed, d):
    x = sample(seed, d=d)
    assert np.allclose(vector(x, name), pdist(x.numpy(), SCIPY[name]), atol=1e-9)


def test_twins_are_exactly_alike():
    x = sample(1).repeat(2, 1) + 1e3
    twins = rdm.euclidean(x)[torch.arange(11), torch.arange(11, 22)]
    assert (twins == 0).all()


def test_a_row_without_direction_has_no_dissimilarity():
    x = sample(2)
    x[3] = 0.7
    assert torch.isnan(rdm.correlation(x)[3, 4])
    x[3] = 0
    assert torch.isnan(rdm.cosine(x)[3, 4])


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=60))
def test_ranks_are_those_of_scipy(values):
    assert np.array_equal(rdm.ranks(np.array(values, dtype=float)), stats.rankdata(values))


@pytest.mark.parametrize("shape", ["normal", "heavy", "tied", "outlier"])
def test_many_ranks_are_those_of_scipy_up_to_what_bins_may_hide(shape):
    rng = np.random.default_rng(1)
    values = rng.standard_normal(200_000)
    made = {"normal": values, "heavy": np.exp(4 * values), "tied": values.round(2), "outlier": np.append(values, 1e9)}
    ours, scipy = rdm.ranks(made[shape]), stats.rankdata(made[shape])
    assert ours.mean() == pytest.approx(scipy.mean(), rel=1e-12)
    # what bins hide is a squared share, so the ranks themselves are off by at most its root, on the average
    assert np.std(ours - scipy) / np.std(scipy) <= 3.2e-5
    assert 1 - np.corrcoef(ours, scipy)[0, 1] <= 1e-9


def test_bins_that_would_hide_much_are_not_used():
    values = np.append(np.random.default_rng(2).standard_normal(200_000), 1e12)
    assert np.array_equal(rdm.ranks(values), stats.rankdata(values))


@pytest.mark.parametrize("compare", ["pearson", "spearman", "cosine"])
def test_moments_are_those_of_all_re_pairings(compare):
    n = 6
    square = [rdm.euclidean(sample(seed, n=n)) for seed in (3, 4)]
    (a, ours), (b, theirs) = (rdm.profile(rdm.upper(one), compare, n) for one in square)
    again = torch.from_numpy(squareform(b.numpy()))
    values = [float(a @ rdm.upper(again[list(order)][:, list(order)])) for order in permutations(range(n))]
    mean, sd = rdm.chance([ours], [theirs], n)
    assert np.mean(values) == pytest.approx(mean[0, 0], abs=1e-12)
    assert np.std(values) == pytest.approx(sd[0, 0], abs=1e-12)
    if compare != "cosine":
        assert mean[0, 0] == pytest.approx(0, abs=1e-12)


def test_dissimilarities_that_are_all_alike_have_no_profile():
    assert rdm.profile(torch.ones(15).double(), "pearson", 6) is None
    assert rdm.profile(torch.ones(15).double(), "spearman", 6) is None
    assert rdm.profile(torch.zeros(15).double(), "cosine", 6) is None
