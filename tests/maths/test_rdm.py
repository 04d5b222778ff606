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
    squared = rdm.upper(rdm.squared_euclidean(rdm.POINTS[name](x)))
    return {"euclidean": squared.sqrt(), "squared_euclidean": squared}.get(name, squared / 2)


@pytest.mark.parametrize("name", SCIPY)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), d=st.integers(3, 40))
def test_dissimilarities_are_those_of_scipy(name, seed, d):
    x = sample(seed, d=d)
    assert np.allclose(vector(x, name), pdist(x.numpy(), SCIPY[name]), atol=1e-9)


def test_twins_are_exactly_alike():
    x = sample(1).repeat(2, 1) + 1e3
    twins = rdm.squared_euclidean(x)[torch.arange(11), torch.arange(11, 22)]
    assert (twins == 0).all()


def test_a_row_without_direction_has_no_dissimilarity():
    x = sample(2)
    x[3] = 0.7
    assert torch.isnan(vector(x, "correlation").view(-1)[2])
    x[3] = 0
    assert torch.isnan(vector(x, "cosine").view(-1)[2])


@given(values=st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_ranks_are_those_of_scipy(values):
    assert np.array_equal(rdm.ranks(np.array(values, dtype=float)), stats.rankdata(values))


def test_what_only_rounding_parts_is_a_tie():
    x = torch.randint(0, 3, (30, 4), generator=torch.Generator().manual_seed(1)).double() / 3
    exact = pdist(3 * x.numpy(), "sqeuclidean")  # whole numbers
    assert np.array_equal(rdm.ranks(vector(x, "squared_euclidean").numpy()), stats.rankdata(exact))


def test_row_sums_are_those_of_the_square():
    x = sample(3)
    assert np.allclose(rdm.row_sums(vector(x).numpy(), 11), squareform(pdist(x.numpy())).sum(0))
