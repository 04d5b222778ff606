import numpy as np
import pytest
import torch

from homoplasy.maths import kernels, standardise
from tests.maths import golden


def test_z_scores_have_mean_zero_and_sd_one_with_ddof_one():
    z = standardise.drop_constant(golden.raw()[0])
    assert np.allclose(z.mean(0), 0, atol=1e-15)
    assert np.allclose(z.numpy().std(0, ddof=1), 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_squared_distance_of_z_scores_is_twice_the_units(seed):
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).exp()
    squared = kernels.squared_distances(standardise.drop_constant(x))
    assert kernels.mean_off_diagonal(squared).item() == pytest.approx(10.0, abs=1e-12)


def test_units_that_do_not_vary_are_dropped():
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))
    x[:, 1] = 0.1
    x[:, 3] = 0
    assert standardise.varying(x).tolist() == [True, False, True, False]
    assert standardise.drop_constant(x).shape == (20, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_one_rounding_step_is_no_variation(dtype):
    x = torch.full((20, 1), 0.1, dtype=dtype)
    x[::2] = torch.nextafter(x[0], torch.tensor([1.0], dtype=dtype))
    assert not standardise.varying(x).any()


def test_a_faint_unit_is_dropped_beside_loud_ones_and_kept_alone():
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x[:, 0] *= 1e-7
    assert standardise.varying(x).tolist() == [False, True, True]
    assert standardise.varying(x[:, :1]).all()


def test_dead_units_in_the_majority_do_not_move_the_threshold():
    x = torch.zeros(30, 9)
    x[:, 0] = torch.randn(30, generator=torch.Generator().manual_seed(1))
    assert standardise.varying(x).tolist() == [True] + [False] * 8


def test_epsilon_keeps_every_unit_and_makes_a_constant_one_zero():
    x = golden.raw()[0]
    x[:, 2] = 4.0
    z = standardise.add_epsilon(x)
    assert z.shape == x.shape
    assert (z[:, 2] == 0).all()
    assert torch.allclose(z[:, :2], standardise.drop_constant(x)[:, :2], atol=1e-7)
