"""Orthonormal polynomials in u = exp(-D / 2 r^2), by which the kernels of a range of widths are written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths.clouds import Clouds

_STIMULI = 32  # whose distances fit the polynomials; as many others measure what they leave
_PAIRS = 1024  # of each kind, about
_MOST = 12  # polynomials
_WIDTHS = 5  # of the range, at which the rest is measured
_WITHIN = torch.tensor([0.5, 0.65, 0.8], dtype=torch.float64)  # where r is tried: powers from bound to bound


@dataclass(frozen=True)
class Basis:
    """Polynomials of b objects, P_q = ((u - a_q) P_(q-1) - b_(q-1) P_(q-2)) / b_q, b_0 = 0."""

    low: Float[Tensor, " b"]
    high: Float[Tensor, " b"]
    width: Float[Tensor, " b"]  # r
    squared: Float[Tensor, "b k"]  # of the pairs over which they are orthonormal
    centre: Float[Tensor, "m b"]  # a_q
    norm: Float[Tensor, "m b"]  # b_q
    rest: Float[Tensor, " b"]  # the largest over the range

    def coefficients(self, sigma: Float[Tensor, "w b"]) -> Float[Tensor, "w b m1"]:
        """c_q = <K, P_q>, of kernels of these widths."""
        outside = (sigma < self.low * (1 - 1e-12)) | (sigma > self.high * (1 + 1e-12))
        if outside.any():
            w, place = outside.nonzero()[0].tolist()
            raise ValueError(
                f"widths of object {place} lie from {float(self.low[place]):g} to {float(self.high[place]):g}, "
                f"found {float(sigma[w, place]):g}; sweep a wider range."
            )
        kernel = torch.exp(self.squared / (-2 * sigma[..., None] ** 2))
        return torch.cat([_project(kernel, values) for values in self.values(self.squared)], 2)

    def values(self, squared: Float[Tensor, "b k"]) -> Iterator[Float[Tensor, "b k"]]:
        """P_0, ..., P_m at some squared distances."""
        u = torch.exp(squared / (-2 * self.width**2)[:, None])
        this, before, last = torch.ones_like(u), torch.zeros_like(u), torch.zeros_like(self.width)
        yield this
        for a, b in zip(self.centre, self.norm, strict=True):
            this, before = ((u - a[:, None]) * this - last[:, None] * before) / b[:, None], this
            last = b
            yield this

    def cut(self, m: int) -> "Basis":
        """The first m polynomials."""
        return replace(self, centre=self.centre[:m], norm=self.norm[:m])

    def steps(self, by: Float[Tensor, " b"]) -> "Steps":
        """The recurrence for squared distances that are to be multiplied by a number an object."""
        last = torch.cat([torch.zeros_like(self.norm[:1]), self.norm[:-1]])
        parts = (-by / (2 * self.width**2), 1 / self.norm, -self.centre / self.norm, -last / self.norm)
        return Steps(*(part.float()[..., None, None] for part in parts))


@dataclass(frozen=True)
class Steps:
    """u = exp(rate D), P_q = (up_q u + on_q) P_(q-1) + back_q P_(q-2), in float32."""

    rate: Float[Tensor, "b 1 1"]
    up: Float[Tensor, "m b 1 1"]
    on: Float[Tensor, "m b 1 1"]
    back: Float[Tensor, "m b 1 1"]

    def fill(self, squared: Float[Tensor, "b h w"], out: Float[Tensor, "b m h w"]) -> None:
        """P_1, ..., P_m."""
        u = torch.mul(squared, self.rate).exp_()
        for q, (up, on, back) in enumerate(zip(self.up, self.on, self.back, strict=True)):
            factor = torch.addcmul(on, u, up)
            if q == 0:
                out[:, 0] = factor
                continue
            torch.mul(factor, out[:, q - 1], out=factor)
            out[:, q] = factor.add_(back) if q == 1 else factor.addcmul_(back, out[:, q - 2])


def fitted(objects: Clouds, side: slice, bounds: tuple[Tensor, Tensor], tolerance: float) -> Basis:
    """The fewest polynomials whose rest is below a tolerance for all objects of a side, or twelve, with the best r."""
    low, high = (bound.to(objects.device, torch.float64) for bound in bounds)
    fit, check = _pilot(objects, side)
    sigma = low * (high / low) ** torch.linspace(0, 1, _WIDTHS, device=low.device, dtype=torch.float64)[:, None]
    kernels = [torch.exp(squared / (-2 * sigma[..., None] ** 2)) for squared in (fit, check)]
    tried = [_orthonormal(fit, low, high, low * (high / low) ** power) for power in _WITHIN.to(low.device)]
    rests = torch.stack([_rests(one, check, *kernels) for one in tried])  # of every r, number and object
    good = rests.amin(0).amax(1) <= tolerance
    m = int(good.double().argmax()) + 1 if bool(good.any()) else _MOST
    rest, best = rests[:, m - 1].min(0)
    every = torch.arange(len(best), device=best.device)
    centre, norm = (
        torch.stack([getattr(one, name) for one in tried])[best, :m, every].T for name in ("centre", "norm")
    )
    width = torch.stack([one.width for one in tried])[best, every]
    return Basis(low, high, width, fit, centre, norm, rest)


def _pilot(objects: Clouds, side: slice) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b k"]]:
    """Squared distances of pairs that fit and of pairs that check, the same for all objects."""
    n = objects.n
    count = min(2 * _STIMULI, n)
    some = torch.arange(count, device=objects.device) * n // count
    rows = torch.arange(0, n, max(1, n * _STIMULI // _PAIRS), device=objects.device)
    pairs = rows[:, None] != some
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    for place in range(len(objects))[side]:
        squared = objects.some(place, some)[rows].double() * objects.size[place] ** 2
        for half, into in enumerate(found):
            into.append(squared[:, half::2][pairs[:, half::2]])
    return torch.stack(found[0]), torch.stack(found[1])


def _orthonormal(squared: Tensor, low: Tensor, high: Tensor, width: Tensor) -> Basis:
    """Stieltjes' procedure: a_q = <u P_(q-1), P_(q-1)>, b_q = |(u - a_q) P_(q-1) - b_(q-1) P_(q-2)|."""
    u = torch.exp(squared / (-2 * width**2)[:, None])
    this, before, last = torch.ones_like(u), torch.zeros_like(u), torch.zeros_like(width)
    centre, norm = [], []
    for _ in range(_MOST):
        a = (u * this.square()).mean(1)
        following = (u - a[:, None]) * this - last[:, None] * before
        last = following.square().mean(1).sqrt()
        this, before = following / last[:, None], this
        centre.append(a)
        norm.append(last)
    return Basis(low, high, width, squared, torch.stack(centre), torch.stack(norm), torch.full_like(low, torch.nan))


def _rests(basis: Basis, squared: Tensor, fitted: Tensor, checked: Tensor) -> Float[Tensor, "m b"]:
    """|K - sum_q c_q P_q| / |K - mean K| over the pairs that check, the largest of some widths, for every number."""
    size = checked.std(2, correction=0)
    found, left = [], checked.clone()
    for over, values in zip(basis.values(basis.squared), basis.values(squared), strict=True):
        left -= _project(fitted, over) * values
        found.append((torch.linalg.vector_norm(left, dim=2) / (size * left.shape[2] ** 0.5)).amax(0))
    return torch.stack(found[1:])


def _project(kernel: Float[Tensor, "w b k"], values: Float[Tensor, "b k"]) -> Float[Tensor, "w b 1"]:
    """Means of K P_q over the pairs on which P_q is orthonormal to the others."""
    return (kernel[..., None, :] @ values[..., None])[..., 0] / values.shape[1]
