"""Principal components against scikit-learn, and what they leave alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from homoplasy.errors import BadData
from homoplasy.maths import pca

SHAPES = [(12, 40), (40, 12), (20, 20), (30, 29)]


def draw(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) @ np.diag(np.arange(1, shape[1] + 1) ** -0.7) + 3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_it_agrees_with_scikit_learn(shape, share):
    x = draw(shape)
    oracle = PCA(n_components=share, svd_solver="full").fit_transform(x)
    found = pca.scores(torch.from_numpy(x), share).numpy()
    assert found.shape == oracle.shape
    np.testing.assert_allclose(abs(found), abs(oracle), atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_full_rank_leaves_linear_cka_as_it_is(shape):
    x = draw(shape)
    y = draw((shape[0], 7), seed=1)
    found = pca.scores(torch.from_numpy(x), 1.0).numpy()
    assert found.shape[1] <= shape[0] - 1
    assert abs(cka(x, y) - cka(found, y)) < 1e-10


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    norm = [np.linalg.norm(one.T @ one) for one in (x, y)]
    return np.linalg.norm(x.T @ y) ** 2 / np.prod(norm)


@given(seed=st.integers(0, 2**31), n=st.integers(3, 12), d=st.integers(2, 20), share=st.floats(0.05, 1))
def test_the_components_are_the_fewest_that_hold_the_share(seed, n, d, share):
    x = np.random.default_rng(seed).standard_normal((n, d))
    found = pca.scores(torch.from_numpy(x), share).numpy()
    total = ((x - x.mean(0)) ** 2).sum()
    held = (found**2).sum(0).cumsum() / total
    assert 1 <= found.shape[1] <= min(n - 1, d)
    assert held[-1] >= share - 1e-9
    assert found.shape[1] == 1 or held[-2] < share + 1e-9
    np.testing.assert_allclose(found.T @ found, np.diag((found**2).sum(0)), atol=1e-7 * total)


def test_the_sign_does_not_hang_on_the_solver():
    x = torch.from_numpy(draw((15, 6)))
    turned = pca.scores(-x, 0.99)
    for column in (*pca.scores(x, 0.99).T, *turned.T):
        assert column[column.abs().argmax()] > 0


def test_the_type_stays():
    assert pca.scores(torch.from_numpy(draw((15, 6))).float(), 0.9).dtype == torch.float32


def test_what_has_no_components_is_refused():
    with pytest.raises(BadData, match="finite"):
        pca.scores(torch.tensor([[1.0, float("inf")], [0.0, 1.0]]), 0.9)
    with pytest.raises(BadData, match="rows that differ"):
        pca.scores(torch.ones(4, 3), 0.9)
    with pytest.raises(ValueError, match=r"in \(0, 1\], found 0"):
        pca.scores(torch.eye(3), 0.0)
