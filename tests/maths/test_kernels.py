import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from homoplasy.maths import kernels, standardise
from tests.maths import golden, naive


def sample(seed: int, n: int = 11, d: int = 4) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), d=st.integers(1, 40))
def test_squared_distances_are_those_of_scipy(seed, d):
    x = sample(seed, d=d)
    assert np.allclose(kernels.squared_distances(x), squareform(pdist(x.numpy(), "sqeuclidean")), atol=1e-12)


def test_twins_are_at_distance_zero_and_never_below():
    x = sample(1).repeat(2, 1) + 1e3
    squared = kernels.squared_distances(x)
    assert (squared >= 0).all()
    assert (squared.diagonal() == 0).all()


@pytest.mark.parametrize("n", [4, 5, 12])
def test_the_median_leaves_the_diagonal_out(n):
    x = sample(2, n=n)
    assert kernels.median_distance(kernels.squared_distances(x)).item() == pytest.approx(np.median(pdist(x.numpy())))


def test_the_medians_of_the_golden_arrays():
    medians = [
        kernels.median_distance(kernels.squared_distances(standardise.drop_constant(x))).item() for x in golden.raw()
    ]
    assert medians == pytest.approx([3.0785365889, 2.5316742855], abs=1e-9)


def test_above_2000_rows_the_median_is_that_of_2000_fixed_rows():
    x = sample(3, n=2100, d=3)
    rows = torch.arange(2000) * 2100 // 2000
    expected = kernels.median_distance(kernels.squared_distances(x[rows]))
    assert kernels.median_distance(kernels.squared_distances(x)) == pytest.approx(expected.item(), abs=1e-12)


def test_the_linear_kernel_is_the_gram_matrix_of_the_centred_points():
    x = sample(4)
    centred = x - x.mean(0)
    assert torch.allclose(kernels.linear(kernels.squared_distances(x)), centred @ centred.T, atol=1e-13)


def test_the_gaussian_kernel_takes_a_width_for_each_object():
    squared = torch.stack([kernels.squared_distances(sample(5)), kernels.squared_distances(sample(6))])
    both = kernels.rbf(squared, torch.tensor([1.0, 3.0], dtype=torch.float64))
    assert np.allclose(both[0], naive.rbf(sample(5).numpy(), 1.0))
    assert np.allclose(both[1], naive.rbf(sample(6).numpy(), 3.0))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_centring_twice_is_centring_once_and_leaves_no_row_sum(seed):
    k = kernels.rbf(kernels.squared_distances(sample(seed)), torch.tensor(2.0).double())
    centred = kernels.centre(k)
    assert centred.sum(0).abs().max() < 1e-13
    assert torch.allclose(kernels.centre(centred), centred, atol=1e-14)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_u_centring_leaves_no_row_sum_and_does_not_feel_centring(seed):
    k = kernels.rbf(kernels.squared_distances(sample(seed)), torch.tensor(2.0).double())
    tilde = kernels.u_centre(k)
    assert tilde.sum(0).abs().max() < 1e-13
    assert (tilde.diagonal() == 0).all()
    assert torch.allclose(kernels.u_centre(kernels.centre(k)), tilde, atol=1e-13)


def test_the_mean_off_diagonal_is_one_for_ones_and_zero_for_the_identity():
    assert kernels.mean_off_diagonal(torch.ones(5, 5)).item() == 1
    assert kernels.mean_off_diagonal(torch.eye(5)).item() == 0
