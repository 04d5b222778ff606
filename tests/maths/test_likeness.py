"""Comparisons of dissimilarities against their definitions, rsatoolbox, linear CKA and all re-pairings."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from homoplasy.maths import cka, likeness

WHITENED = {"whitened_cosine": "cosine_cov", "whitened_pearson": "corr_cov"}


def sample(seed, n, d=4):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parts(vectors):
    square = np.stack([squareform(one) for one in vectors])
    return likeness.Parts.of(torch.from_numpy(square.sum(1)), torch.from_numpy((vectors**2).sum(1)))


def compared(a, b, how):
    return likeness.likeness(torch.from_numpy(a @ b.T), parts(a), parts(b), how).numpy()


def pairs_covariance(n):
    """Covariance of squared distances when errors are alike and independent: (C C')^2, C the contrasts of all pairs."""
    i, j = np.triu_indices(n, 1)
    contrasts = np.eye(n)[i] - np.eye(n)[j]
    return (contrasts @ contrasts.T) ** 2


def by_definition(a, b, how):
    if how.endswith("pearson"):
        a, b = a - a.mean(), b - b.mean()
    metric = np.eye(len(a))
    if how.startswith("whitened"):
        metric = np.linalg.inv(pairs_covariance(round((1 + (1 + 8 * len(a)) ** 0.5) / 2)))
    return a @ metric @ b / np.sqrt((a @ metric @ a) * (b @ metric @ b))


@pytest.mark.parametrize("how", likeness.COMPARISONS)
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 12))
def test_a_comparison_is_its_definition(how, seed, n):
    a, b = (pdist(sample(seed + side, n).numpy(), "sqeuclidean") for side in (0, 1))
    name = "pearson" if how == "spearman" else how  # what is given has been ranked
    assert compared(a[None], b[None], how)[0, 0] == pytest.approx(by_definition(a, b, name), abs=1e-10)


@pytest.mark.parametrize("how", WHITENED)
def test_whitening_is_that_of_rsatoolbox(how):
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox is in the extra named oracles")
    a, b = (np.stack([pdist(sample(seed, 15).numpy(), "sqeuclidean") for seed in side]) for side in ((1, 2), (3, 4, 5)))
    oracle = rsatoolbox.rdm.compare(rsatoolbox.rdm.RDMs(a), rsatoolbox.rdm.RDMs(b), method=WHITENED[how])
    np.testing.assert_allclose(compared(a, b, how), oracle, atol=1e-7)  # it solves by iteration, to 1e-8 or so


def test_the_whitened_cosine_of_squared_distances_is_linear_cka():
    x, y = sample(1, 20), sample(2, 20, 7)
    a, b = (pdist(one.numpy(), "sqeuclidean") for one in (x, y))
    found = compared(a[None], b[None], "whitened_cosine")[0, 0]
    assert found == pytest.approx(cka.cka_biased(x @ x.T, y @ y.T).item(), abs=1e-12)


@pytest.mark.parametrize("how", likeness.COMPARISONS)
def test_moments_are_those_of_all_re_pairings(how):
    n = 6
    a, b = (pdist(sample(seed, n).numpy()) for seed in (3, 4))
    again = squareform(b)
    values = [
        compared(a[None], squareform(again[np.ix_(order, order)])[None], how)[0, 0]
        for order in map(list, permutations(range(n)))
    ]
    mean, sd = likeness.chance(parts(a[None]), parts(b[None]), how)
    assert np.mean(values) == pytest.approx(mean[0, 0].item(), abs=1e-12)
    assert np.std(values) == pytest.approx(sd[0, 0].item(), abs=1e-12)
