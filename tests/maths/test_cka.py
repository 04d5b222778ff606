import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import cka, kernels, standardise
from tests.maths import golden, naive

WIDTH = torch.tensor(2.0, dtype=torch.float64)


def gaussians(seed: int, n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(2, n, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return tuple(kernels.rbf(kernels.squared_distances(one), WIDTH) for one in x)


def test_hsic_of_the_golden_arrays():
    k, l = (kernels.rbf(kernels.squared_distances(standardise.drop_constant(x)), WIDTH) for x in golden.raw())
    assert cka.hsic_biased(k, l).item() == pytest.approx(3.6891321229, abs=1e-9)
    assert cka.hsic_debiased(k, l).item() == pytest.approx(0.00103799620, abs=1e-11)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(4, 20))
def test_both_estimators_agree_with_the_trace_formulas(seed, n):
    k, l = gaussians(seed, n)
    assert cka.hsic_biased(k, l).item() == pytest.approx(naive.hsic_biased(k.numpy(), l.numpy()), abs=1e-10)
    assert cka.hsic_debiased(k, l).item() == pytest.approx(naive.hsic_song(k.numpy(), l.numpy()), abs=1e-10)


@pytest.mark.parametrize("score", [cka.cka_biased, cka.cka_debiased])
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_likeness_to_itself_is_one_and_order_of_the_sides_is_nothing(score, seed):
    k, l = gaussians(seed)
    assert score(k, k).item() == pytest.approx(1, abs=1e-12)
    assert score(k, l).item() == pytest.approx(score(l, k).item(), abs=1e-14)
    assert score(k, l).item() <= 1


@pytest.mark.parametrize("score", [cka.cka_biased, cka.cka_debiased])
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_a_kernel_may_be_scaled_and_shifted(score, seed, scale, shift):
    k, l = gaussians(seed)
    assert score(scale * k + shift, l).item() == pytest.approx(score(k, l).item(), abs=1e-9)


@pytest.mark.parametrize("score", [cka.cka_biased, cka.cka_debiased])
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_same_row_order_on_both_sides_changes_nothing(score, seed):
    k, l = gaussians(seed)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(seed))
    assert score(k[order][:, order], l[order][:, order]).item() == pytest.approx(score(k, l).item(), abs=1e-12)


def test_debiased_scores_can_be_negative():
    assert min(cka.cka_debiased(*gaussians(seed)).item() for seed in range(10)) < 0


def test_the_gradient_is_that_of_finite_differences():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    l = gaussians(2, 6)[1]
    loss = lambda x: cka.cka_debiased(kernels.rbf(kernels.squared_distances(x), WIDTH), l)
    assert torch.autograd.gradcheck(loss, x)


def test_full_rank_pca_leaves_linear_cka_as_it_was():
    x, y = (standardise.drop_constant(one) for one in golden.raw())
    turned = torch.from_numpy(x.numpy() @ np.linalg.svd(x.numpy(), full_matrices=False)[2].T)
    k, turned_k, l = (kernels.linear(kernels.squared_distances(one)) for one in (x, turned, y))
    for score in (cka.cka_biased, cka.cka_debiased):
        assert score(turned_k, l).item() == pytest.approx(score(k, l).item(), abs=1e-10)
