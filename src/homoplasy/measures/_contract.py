"""What a measure gives and takes: a dear part once an object, a cheap part once a pair."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import kernels, standardise


@dataclass(frozen=True)
class Points:
    """The squared distances of some objects over the same stimuli: what all measures of one call share."""

    squared: Float[Tensor, "b n n"]
    median: Float[Tensor, " b"]
    units: tuple[int, ...]  # that entered the distances
    reasons: tuple[str, ...]  # why an object has no points; empty when it has

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.squared.shape[-1]


def points(objects: Sequence[Float[Tensor, "n d"]], rule: str) -> Points:
    """Standardise each object and take its distances; a hopeless one gets zeros and a reason."""
    made = [_one(values, rule) for values in objects]
    squared, median, units, reasons = zip(*made, strict=True)
    return Points(torch.stack(squared), torch.stack(median), units, reasons)


def _one(values: Tensor, rule: str) -> tuple[Tensor, Tensor, int, str]:
    n, d = values.shape
    if not torch.isfinite(values).all():
        return _nothing(n, values.device, d, "non_finite")
    if not standardise.varying(values).any():
        return _nothing(n, values.device, 0, "constant_features")
    z = standardise.RULES[rule](values)
    squared = kernels.squared_distances(z)
    return squared, kernels.median_distance(squared), z.shape[1], ""


def _nothing(n: int, device: torch.device, units: int, reason: str) -> tuple[Tensor, Tensor, int, str]:
    zeros = torch.zeros(n, n, dtype=torch.float64, device=device)
    return zeros, zeros[0, 0], units, reason


@dataclass(frozen=True)
class Comparison:
    """Every object of one side against every one of the other, with the exact moments under re-pairing."""

    value: Float[Tensor, "s t"]
    null_mean: Float[Tensor, "s t"]
    null_sd: Float[Tensor, "s t"]


class Geometry(Protocol):
    """What one parameter of a measure makes of some objects; the rest is the measure's own affair."""

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """Mean off-diagonal entry of the kernel."""

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """Dimensions that the centred kernel fills."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why an object has no value; empty when it has."""


class Measure(Protocol):
    """A frozen dataclass of parameters; it keeps no state."""

    @property
    def name(self) -> str:
        """The word in the tables, such as cka.rbf."""

    @property
    def estimator(self) -> str:
        """Biased or debiased."""

    @property
    def params(self) -> tuple[str, ...]:
        """One label a parameter, such as c=1 debiased."""

    @property
    def preparation(self) -> Hashable:
        """Measures of equal preparation share their points."""

    @property
    def invariances(self) -> frozenset[str]:
        """The changes of one side that leave every value as it was."""

    def prepare(self, objects: Sequence[Tensor]) -> Points:
        """Points of the objects."""

    def geometry(self, of: Points) -> Iterator[Any]:
        """One geometry a parameter, in the order of `params`."""

    def compare(self, g: Any, h: Any) -> Comparison:
        """All pairs of two geometries of the same parameter."""
