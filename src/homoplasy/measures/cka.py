"""Centred kernel alignment (Kornblith et al. 2019), biased or debiased (Song et al. 2012), linear or Gaussian."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.errors import BadRequest, listing
from homoplasy.maths import kernels, moments
from homoplasy.measures._contract import Comparison, Footprint, Points, points

Kernel = Literal["linear", "rbf"]
Standardise = Literal["drop_constant", "epsilon", "none"]

_FLAT = 1e-10  # a centred kernel of less than this share of the kernel's norm is rounding noise
_LEAST = 4  # stimuli: debiasing divides by n - 3


@dataclass(frozen=True)
class _Geometry:
    """Centred kernels with what their values need: norms, invariants under re-pairing, health."""

    centred: Float[Tensor, "b n n"]
    norm: Float[Tensor, " b"]
    invariants: moments.Invariants
    off_diagonal: Float[Tensor, " b"]
    reasons: tuple[str, ...]

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """PR = tr(K_c)^2 / |K_c|^2."""
        return self.invariants.participation_ratio


@dataclass(frozen=True)
class CKA:
    """Centred kernel alignment; one value a width.

    `sigma` are absolute widths, `sigma_relative` multiples of the median distance (1 when neither is given).
    `standardise` says what becomes of the units first: z-scored with constant ones dropped, z-scored with a small
    epsilon, or centred only. `epsilon` is added to the denominator of the biased score, as some published code does.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> round(CKA(kernel="linear")(x, 2 * x).item(), 6)
    1.0
    """

    kernel: Kernel = "rbf"
    sigma: float | tuple[float, ...] = ()
    sigma_relative: float | tuple[float, ...] = ()
    debiased: bool = True
    standardise: Standardise = "drop_constant"
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        """Take a single width for a tuple of one; refuse what has no meaning."""
        for name, known in (("kernel", Kernel), ("standardise", Standardise)):
            if getattr(self, name) not in get_args(known):
                raise BadRequest(f"CKA: {name} is {getattr(self, name)!r}; it can be {listing(get_args(known))}.")
        for name in ("sigma", "sigma_relative"):
            object.__setattr__(self, name, _widths(name, getattr(self, name)))
        if self.kernel == "linear" and (self.sigma or self.sigma_relative):
            raise BadRequest("CKA: a linear kernel has no width; leave sigma and sigma_relative out.")
        if self.sigma and self.sigma_relative:
            raise BadRequest("CKA: give sigma or sigma_relative; for both kinds of width give two measures.")
        if self.kernel == "rbf" and not self.sigma:
            object.__setattr__(self, "sigma_relative", self.sigma_relative or (1.0,))
        if not 0 <= self.epsilon < math.inf:
            raise BadRequest(f"CKA: epsilon is {self.epsilon}; expected a number that is not negative.")

    @property
    def name(self) -> str:
        """cka.linear or cka.rbf."""
        return f"cka.{self.kernel}"

    @property
    def estimator(self) -> str:
        """Biased or debiased."""
        return "debiased" if self.debiased else "biased"

    @property
    def params(self) -> tuple[str, ...]:
        """One label a width."""
        if self.kernel == "linear":
            return (f"linear {self.estimator}",)
        letter = "sigma" if self.sigma else "c"
        return tuple(f"{letter}={width:g} {self.estimator}" for width in self._all_widths)

    @property
    def preparation(self) -> str:
        """The rule of standardising: measures that share it share their distances."""
        return self.standardise

    def footprint(self, n: int) -> Footprint:  # noqa: ARG002 # the contract has it
        """Distances, a kernel, centred ones and two in passing; one centred kernel a width is kept."""
        return Footprint(0, 6, len(self.params))

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave every value as it was; the law tests hold them."""
        held = {"shift", "unit_order"}
        if self.standardise == "none":
            sized = bool(self.sigma) or (self.kernel == "linear" and self.epsilon > 0 and not self.debiased)
            return frozenset(held | {"rotation"} | (set() if sized else {"scale"}))
        return frozenset(held | ({"scale", "unit_scale"} if self.standardise == "drop_constant" else set()))

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> Points:
        """Standardise and take distances, once an object whatever the kernels and widths."""
        return points(objects, self.standardise)

    def geometry(self, of: Points) -> Iterator[_Geometry]:
        """Centred kernels, one geometry a width."""
        if of.n < _LEAST:
            raise BadRequest(f"CKA needs at least {_LEAST} stimuli, found {of.n}.")
        if self.kernel == "linear":
            yield self._centred(kernels.linear(of.squared), of.reasons)
            return
        for width in self._all_widths:
            sigma = torch.full_like(of.median, width) if self.sigma else width * of.median
            reasons = tuple(
                reason or ("" if wide else "zero_median_distance")
                for reason, wide in zip(of.reasons, (sigma > 0).tolist(), strict=True)
            )
            yield self._centred(kernels.rbf(of.squared, torch.where(sigma > 0, sigma, 1.0)), reasons)

    def compare(self, g: _Geometry, h: _Geometry) -> Comparison:
        """CKA = <K, L> / (|K| |L|) of the centred kernels, all pairs by one matrix product."""
        n = g.centred.shape[-1]
        norms = torch.outer(g.norm, h.norm)
        cosine = g.centred.flatten(1) @ h.centred.flatten(1).T / norms
        if self.debiased:
            return Comparison(cosine, torch.zeros_like(cosine), torch.full_like(cosine, moments.sd_debiased(n)))
        damp = norms / (norms + self.epsilon)
        mean, sd = moments.mean_biased(g.invariants, h.invariants, n), moments.sd_biased(g.invariants, h.invariants, n)
        return Comparison(cosine * damp, mean * damp, sd * damp)

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " w"]:
        """The values of one pair whose rows are the same stimuli, one a width; NaN where there is none."""
        sides = (self.geometry(self.prepare([x])), self.geometry(self.prepare([y])))
        return torch.stack(
            [
                self.compare(g, h).value[0, 0]
                if not (g.reasons[0] or h.reasons[0])
                else torch.tensor(math.nan).double()
                for g, h in zip(*sides, strict=True)
            ]
        )

    @property
    def _all_widths(self) -> tuple[float, ...]:
        return self.sigma or self.sigma_relative  # type: ignore[return-value] # tuples since __post_init__

    def _centred(self, kernel: Tensor, reasons: tuple[str, ...]) -> _Geometry:
        """Centre the kernels; the U-centred ones come from the centred ones, which lose nothing when K is near 1."""
        centred = kernels.centre(kernel)
        health = moments.invariants(centred)
        kept = kernels.u_centre(centred) if self.debiased else centred
        norm = torch.linalg.vector_norm(kept, dim=(-2, -1))
        flat = norm <= _FLAT * torch.linalg.vector_norm(kernel, dim=(-2, -1))
        spoiled = torch.tensor([bool(reason) for reason in reasons], device=kernel.device)
        off_diagonal = kernels.mean_off_diagonal(kernel).masked_fill(spoiled, math.nan)
        found = tuple(
            reason or ("constant_kernel" if is_flat else "")
            for reason, is_flat in zip(reasons, flat.tolist(), strict=True)
        )
        return _Geometry(kept, norm, health, off_diagonal, found)


def _widths(name: str, given: float | Sequence[float]) -> tuple[float, ...]:
    widths = (float(given),) if isinstance(given, int | float) else tuple(float(one) for one in given)
    for width in widths:
        if not 0 < width < math.inf:
            raise BadRequest(f"CKA: {name} holds {width:g}; a width is a number above zero.")
    if len({f"{width:g}" for width in widths}) < len(widths):
        raise BadRequest(f"CKA: {name} names the same width twice (to six digits): {listing(map(str, widths), 20)}.")
    return widths
