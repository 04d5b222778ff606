"""CKA at any width from one pass, against float64 kernels of just that width."""

import pytest
import torch

from homoplasy.errors import BadRequest
from homoplasy.maths import cka, kernels, polynomials, tiles, widths
from homoplasy.maths.clouds import Clouds

N = 300  # three tiles a side, the last one not whole
LOW, HIGH = 20.0, 100.0


def zscored(x):
    return (x - x.mean(0)) / x.std(0)


def cloud(kind, seed):
    own, latent = torch.Generator().manual_seed(seed), torch.randn(N, 20, generator=torch.Generator().manual_seed(0))
    d = {"wide": 2048, "narrow": 60}.get(kind, 512)
    x = latent @ torch.randn(20, d, generator=own) + 2 * torch.randn(N, d, generator=own)
    if kind == "heavy":
        x = x / torch.rand(N, d, generator=own).sqrt()
    if kind == "twins":
        x[N // 2 :] = x[: N // 2]
    return zscored(x.double())


def bounds(objects, low=LOW, high=HIGH):
    return [torch.full((len(objects),), bound, dtype=torch.float64) for bound in (low, high)]


def swept(x, y, **options):
    (low, high), (below, above) = bounds(x), bounds(y)
    return widths.sweep(x, y, (low, below), (high, above), **options)


def values(found, sigma, count):
    """Biased and debiased values of all pairs for (width of the sources, width of the targets)."""
    there = found.at(
        tuple(torch.tensor(one).double()[:, None].expand(-1, c) for one, c in zip(sigma, count, strict=True))
    )
    return [cka.from_sums(there.cross, there.sources, there.targets, debiased=debiased) for debiased in (False, True)]


def exact(x, y, sigma, tau):
    k, l = (torch.expm1(kernels.squared_distances(one) * (-0.5 / w**2)) for one, w in ((x, sigma), (y, tau)))
    return cka.cka_biased(k, l).item(), cka.cka_debiased(k, l).item()


@pytest.mark.parametrize("kind", ["plain", "wide", "heavy", "twins"])
def test_any_pair_of_widths_is_right_to_a_millionth(kind):
    x, y = [cloud(kind, 1)], [cloud("narrow", 2), cloud(kind, 3)]
    sigma, tau = zip((20, 20), (23.7, 61), (36.5, 36.5), (55.1, 24.4), (77, 99.9), (100, 100), strict=True)
    found = values(swept(x, y), (sigma, tau), (1, 2))
    for w, pair in enumerate(zip(sigma, tau, strict=True)):
        for t, one in enumerate(y):
            assert [both[w, 0, t].item() for both in found] == pytest.approx(exact(x[0], one, *pair), abs=1e-6)


def test_a_grid_is_every_width_with_every_other():
    x, y = [cloud("plain", 1), cloud("narrow", 4)], [cloud("narrow", 2), cloud("plain", 5), cloud("narrow", 3)]
    found, sigma, tau = swept(x, y), [25.0, 60.0], [30.0, 45.0, 90.0]
    sides = (torch.tensor(one).double()[:, None].expand(-1, count) for one, count in ((sigma, 2), (tau, 3)))
    there = found.grid(tuple(sides))
    for debiased in (False, True):
        grid = cka.from_sums(there.cross, there.sources, there.targets, debiased=debiased)[0].view(2, 2, 3, 3)
        for w, one in enumerate(sigma):
            for v, other in enumerate(tau):
                alone = values(found, ([one], [other]), (2, 3))[debiased][0]
                torch.testing.assert_close(grid[w, :, v], alone, rtol=0, atol=1e-12)


def test_bounds_may_differ_by_object():
    x, y = [cloud("plain", 1)], [cloud("narrow", 2)]
    one = torch.ones(1, dtype=torch.float64)
    found = widths.sweep(x, y, (40 * one, 10 * one), (60 * one, 20 * one))
    there = found.at((50 * one[None], 14 * one[None]))
    both = [cka.from_sums(there.cross, there.sources, there.targets, debiased=d).item() for d in (False, True)]
    assert both == pytest.approx(exact(x[0], y[0], 50, 14), abs=1e-6)


def test_the_sums_are_those_of_a_pass_at_these_widths():
    x, y = [cloud("plain", 1), cloud("narrow", 4)], [cloud("narrow", 2)]
    sigma = tuple(torch.tensor([[33.0], [71.0]], dtype=torch.float64).expand(-1, count) for count in (2, 1))
    ours, direct = swept(x, y).at(sigma), tiles.sweep(x, y, sigma)
    torch.testing.assert_close(ours.sources.off_diagonal, direct.sources.off_diagonal, rtol=0, atol=1e-6)
    for one, other in zip(ours.targets.invariants(), direct.targets.invariants(), strict=True):
        torch.testing.assert_close(one.participation_ratio, other.participation_ratio, rtol=1e-5, atol=0)


def test_the_rest_bounds_the_error_and_a_finer_tolerance_takes_more_polynomials():
    x, y = [cloud("plain", 1)], [cloud("narrow", 2)]
    coarse, fine = (swept(x, y, tolerance=tolerance) for tolerance in (1e-2, 1e-6))
    assert len(coarse.sources.basis.centre) < len(fine.sources.basis.centre)
    for found in (coarse, fine):
        bound = sum(rest.item() for rest in found.rests) + 3e-7  # of the bound itself, and of float32
        both = values(found, ([20.0], [100.0]), (1, 1))
        for value, truth in zip(both, exact(x[0], y[0], 20, 100), strict=True):
            assert abs(value.item() - truth) <= bound


def test_the_rest_is_that_of_a_kernel_and_its_polynomials_over_all_pairs():
    x = cloud("plain", 1)
    basis = polynomials.fitted(Clouds([x], torch.float32), slice(1), tuple(bounds([x])), 1e-4)
    squared = kernels.squared_distances(x)[torch.ones(N, N).triu(1) > 0][None]
    worst = []
    for sigma in (20.0, 33.0, 100.0):
        kernel = torch.exp(squared / (-2 * sigma**2))
        c = basis.coefficients(torch.full((1, 1), sigma, dtype=torch.float64))[0, 0]
        stands = sum(one * p for one, p in zip(c, basis.values(squared), strict=True))
        worst.append(((kernel - stands).norm() / (kernel - kernel.mean()).norm()).item())
    assert max(worst) == pytest.approx(basis.rest.item(), rel=0.5)
    values = torch.stack([p[0] for p in basis.values(basis.squared)])
    torch.testing.assert_close(values @ values.T / values.shape[1], torch.eye(len(values)).double(), atol=1e-8, rtol=0)


def test_a_width_outside_the_range_is_refused():
    found = swept([cloud("narrow", 1)], [cloud("narrow", 2)])
    with pytest.raises(ValueError, match="widths of object 0 lie from 20 to 100, found 19; sweep a wider range"):
        values(found, ([19.0], [50.0]), (1, 1))


def test_a_range_that_no_dozen_polynomials_serve_is_refused():
    loud = cloud("plain", 1) * torch.randn(N, 1, generator=torch.Generator().manual_seed(5)).exp()
    with pytest.raises(BadRequest, match="of object 0 between widths 20 and 100, more than 5e-07; narrow the range"):
        swept([loud], [cloud("narrow", 2)])


def test_the_compiled_form_is_that_of_plain_operations(monkeypatch):
    x, y = [cloud("plain", 1)], [cloud("narrow", 2), cloud("twins", 3)]
    fused = swept(x, y)
    monkeypatch.setattr(widths._Pass, "_fused", widths._Pass._plain)
    plain = swept(x, y)
    torch.testing.assert_close(fused.cross, plain.cross, rtol=1e-5, atol=1e-2)  # of sums of 90,000 products of size 1
    for one, other in zip((fused.sources, fused.targets), (plain.sources, plain.targets), strict=True):
        torch.testing.assert_close(one.square, other.square, rtol=1e-5, atol=1e-2)
        torch.testing.assert_close(one.rows, other.rows, rtol=1e-4, atol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_finds_what_the_processor_finds():
    x, y = [cloud("plain", 1)], [cloud("narrow", 2)]
    here, there = (values(swept([x[0].to(on)], [y[0].to(on)]), ([30.0], [80.0]), (1, 1)) for on in ("cpu", "cuda"))
    for one, other in zip(here, there, strict=True):
        assert other.item() == pytest.approx(one.item(), abs=1e-6)
