"""Representational similarity analysis: whether the same pairs of stimuli are unlike (Kriegeskorte et al. 2008)."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import rdm
from homoplasy.measures._contract import (
    Comparison,
    Footprint,
    Standardise,
    as_told,
    enough,
    hopeless,
    known,
    no_kernel,
    one_pair,
    same_units,
)

Compare = Literal["pearson", "spearman", "cosine"]
Dissimilarity = Literal["euclidean", "squared_euclidean", "cosine", "correlation"]

_UNTOUCHED = {
    "euclidean": {"rotation", "shift", "scale"},
    "squared_euclidean": {"rotation", "shift", "scale"},
    "cosine": {"rotation", "scale"},
    "correlation": {"scale"},
}


@dataclass(frozen=True)
class _Dissimilarities:
    """One vector of all pairs an object; None where it has none."""

    vectors: tuple[Float[Tensor, " m"] | None, ...]
    n: int
    units: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Profiles:
    """Vectors made ready to be compared by one matrix product."""

    unit: Float[Tensor, "b m"]
    shares: list[rdm.Shares]
    n: int
    reasons: tuple[str, ...]

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return no_kernel(len(self.reasons))

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return no_kernel(len(self.reasons))


@dataclass(frozen=True, init=False)
class RSA:
    """Correlation of the dissimilarities of all pairs of stimuli, with its exact moments under re-pairing; one value.

    `compare` is how the two lists of dissimilarities are compared: by Pearson's or Spearman's correlation, or by their
    cosine. `standardise` says what becomes of the units first: z-scored with constant ones dropped, z-scored with a
    small epsilon, or left as they are.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> round(RSA(compare="spearman")(x, 2 * x + 1).item(), 6)
    1.0
    """

    by: Compare  # `compare` when it is made; as a method, compare is what every measure does to two sides
    dissimilarity: Dissimilarity
    standardise: Standardise

    def __init__(
        self,
        compare: Compare = "spearman",
        dissimilarity: Dissimilarity = "euclidean",
        standardise: Standardise = "drop_constant",
    ) -> None:
        known("RSA", "compare", compare, get_args(Compare))
        known("RSA", "dissimilarity", dissimilarity, get_args(Dissimilarity))
        known("RSA", "standardise", standardise, get_args(Standardise))
        object.__setattr__(self, "by", compare)
        object.__setattr__(self, "dissimilarity", dissimilarity)
        object.__setattr__(self, "standardise", standardise)

    @property
    def name(self) -> str:
        """rsa.pearson, rsa.spearman or rsa.cosine."""
        return f"rsa.{self.by}"

    @property
    def estimator(self) -> str:
        """There is but one."""
        return ""

    @property
    def params(self) -> tuple[str, ...]:
        """The dissimilarity."""
        return (self.dissimilarity,)

    @property
    def preparation(self) -> Hashable:
        """Comparisons of the same dissimilarities share them."""
        return ("dissimilarities", self.dissimilarity, self.standardise)

    def footprint(self, n: int) -> Footprint:  # noqa: ARG002 # the contract has it
        """Vectors of half a matrix: dissimilarities, and profiles side by side."""
        return Footprint(4, 1, 0.5)

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave the value as it was; the law tests hold them."""
        return same_units(self.standardise, _UNTOUCHED[self.dissimilarity])

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> _Dissimilarities:
        """Standardise and take dissimilarities, once an object however they are compared."""
        n = len(objects[0])
        enough("RSA", n)
        units, reasons, vectors = zip(*(self._vector(values) for values in objects), strict=True)
        return _Dissimilarities(vectors, n, units, reasons)

    def geometry(self, of: _Dissimilarities) -> Iterator[_Profiles]:
        """Centre or rank once an object."""
        device = next((one.device for one in of.vectors if one is not None), None)
        unit = torch.zeros(len(of.vectors), of.n * (of.n - 1) // 2, dtype=torch.float64, device=device)
        shares, reasons = [rdm.Shares(0.0, 0.0)] * len(of.vectors), list(of.reasons)
        for i, vector in enumerate(of.vectors):
            made = None if vector is None else rdm.profile(vector, self.by, of.n)
            if made:
                unit[i], shares[i] = made
            else:
                reasons[i] = reasons[i] or "constant_dissimilarities"
        yield _Profiles(unit, shares, of.n, tuple(reasons))

    def compare(self, g: _Profiles, h: _Profiles) -> Comparison:
        """All pairs by one matrix product."""
        mean, sd = rdm.chance(g.shares, h.shares, g.n)
        return Comparison(g.unit @ h.unit.T, torch.from_numpy(mean), torch.from_numpy(sd))

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " 1"]:
        """The value of one pair whose rows are the same stimuli; NaN where there is none."""
        return one_pair(self, x, y)

    def _vector(self, values: Tensor) -> tuple[int, str, Tensor | None]:
        units, reason = hopeless(values)
        if reason:
            return units, reason, None
        z = as_told(values, self.standardise)
        found = rdm.upper(rdm.DISSIMILARITIES[self.dissimilarity](z))
        if not torch.isfinite(found).all():
            return z.shape[1], "undefined_dissimilarity", None
        return z.shape[1], "", found
