"""The closed forms against every re-pairing there is."""

from itertools import permutations

import numpy as np
import pytest
import torch

from homoplasy.maths import cka, kernels, moments, standardise
from tests.maths import golden


def every_repairing(k, l):
    """Both scores under all re-pairings of l."""
    orders = [list(order) for order in permutations(range(len(k)))]
    scores = [(cka.cka_biased(k, l[o][:, o]).item(), cka.cka_debiased(k, l[o][:, o]).item()) for o in orders]
    return np.array(scores).T


def golden_six():
    width = torch.tensor(2.0, dtype=torch.float64)
    return [kernels.rbf(kernels.squared_distances(standardise.drop_constant(x)[:6]), width) for x in golden.raw()]


def closed(k, l):
    a, b = (moments.invariants(kernels.centre(one)[None]) for one in (k, l))
    return moments.mean_biased(a, b, len(k)).item(), moments.sd_biased(a, b, len(k)).item() ** 2


def test_all_720_repairings_of_the_golden_arrays():
    k, l = golden_six()
    biased, debiased = every_repairing(k, l)
    assert len(biased) == 720
    assert biased.mean() == pytest.approx(0.6717654706, abs=1e-9)
    assert biased.var() == pytest.approx(0.0029931565, abs=1e-9)
    assert closed(k, l) == pytest.approx((biased.mean(), biased.var()), abs=1e-13)
    assert debiased.mean() == pytest.approx(0, abs=1e-14)
    assert debiased.var() == pytest.approx(1 / 9, abs=1e-13)


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_other_kernels_and_sizes_agree_with_enumeration(n, seed):
    x = torch.randn(2, n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    k = kernels.linear(kernels.squared_distances(x[0]))
    l = kernels.rbf(kernels.squared_distances(x[1]), torch.tensor(1.0).double())
    biased, debiased = every_repairing(k, l)
    assert closed(k, l) == pytest.approx((biased.mean(), biased.var()), abs=1e-12)
    assert debiased.std() == pytest.approx(moments.sd_debiased(n), abs=1e-12)


@pytest.mark.parametrize(("n", "sd"), [(240, 0.00593), (1000, 0.00142), (8859, 0.000160)])
def test_the_sd_of_debiased_scores_depends_on_n_alone(n, sd):
    assert moments.sd_debiased(n) == pytest.approx(sd, rel=5e-3)


def test_the_participation_ratio_counts_dimensions():
    n = 10
    identity = kernels.centre(torch.eye(n, dtype=torch.float64))
    line = kernels.linear(kernels.squared_distances(torch.arange(n, dtype=torch.float64)[:, None]))
    found = moments.invariants(torch.stack([identity, line])).participation_ratio
    assert found.tolist() == pytest.approx([n - 1, 1])
