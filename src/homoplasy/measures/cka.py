"""Centred kernel alignment (Kornblith et al. 2019), biased or debiased (Song et al. 2012), linear or Gaussian."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.errors import BadRequest, listing
from homoplasy.measures._contract import Standardise
from homoplasy.measures._pass import Sweeping, Width, cloud, compared

Kernel = Literal["linear", "rbf"]


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
        return tuple(
            f"{kind} {self.estimator}" if kind == "linear" else f"{kind}={width:g} {self.estimator}"
            for kind, width in self.kernels
        )

    @property
    def kernels(self) -> tuple[Width, ...]:
        """The kind and the width of every kernel."""
        if self.kernel == "linear":
            return (("linear", math.inf),)
        return tuple(("sigma" if self.sigma else "c", width) for width in self._all_widths)

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave every value as it was; the law tests hold them."""
        held = {"shift", "unit_order"}
        if self.standardise == "none":
            sized = bool(self.sigma) or (self.kernel == "linear" and self.epsilon > 0 and not self.debiased)
            return frozenset(held | {"rotation"} | (set() if sized else {"scale"}))
        return frozenset(held | ({"scale", "unit_scale"} if self.standardise == "drop_constant" else set()))

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " w"]:
        """The values of one pair whose rows are the same stimuli, one a width, in float64; NaN where there is none."""
        ours, theirs = ([cloud(one, [self], "float64")] for one in (x, y))
        results = compared([self], ours, theirs, Sweeping("float64"))
        found = [math.nan if g.reasons[0] or h.reasons[0] else made.value.item() for made, g, h in results]
        return torch.tensor(found, dtype=torch.float64)

    @property
    def _all_widths(self) -> tuple[float, ...]:
        return self.sigma or self.sigma_relative  # type: ignore[return-value] # tuples since __post_init__


def _widths(name: str, given: float | Sequence[float]) -> tuple[float, ...]:
    widths = (float(given),) if isinstance(given, int | float) else tuple(float(one) for one in given)
    for width in widths:
        if not 0 < width < math.inf:
            raise BadRequest(f"CKA: {name} holds {width:g}; a width is a number above zero.")
    if len({f"{width:g}" for width in widths}) < len(widths):
        raise BadRequest(f"CKA: {name} names the same width twice (to six digits): {listing(map(str, widths), 20)}.")
    return widths
