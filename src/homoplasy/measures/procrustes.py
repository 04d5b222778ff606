"""Procrustes likeness of two shapes (Kendall 1984; Ding et al. 2021; Williams et al. 2021)."""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import procrustes
from homoplasy.measures._contract import (
    Comparison,
    Footprint,
    Standardise,
    WithoutKernel,
    enough,
    known,
    one_pair,
    ready,
    same_units,
)

Form = Literal["likeness", "angle", "distance"]

_FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "likeness": lambda likeness: likeness,
    "angle": procrustes.angle,
    "distance": procrustes.distance,
}


@dataclass(frozen=True)
class _Shapes(WithoutKernel):
    """Centred clouds of length 1; None where an object has none."""

    shapes: tuple[Float[Tensor, "n k"] | None, ...]
    units: tuple[int, ...]


@dataclass(frozen=True)
class Procrustes:
    """How well one cloud of stimuli can be turned onto another; one value.

    Both clouds are centred and scaled to |X| = 1; likeness = max_Q <X, YQ> = |X'Y|_*, `angle` is its arccos and
    `distance` the root of 2 - 2 likeness: both are metrics, and small means alike. No closed form of its chance
    level is known: null_mean and null_sd are NaN.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1)).double()
    >>> turned = 5 * x @ torch.linalg.qr(torch.randn(3, 3).double()).Q + 1
    >>> round(Procrustes(standardise="none")(x, turned).item(), 6)
    1.0
    """

    form: Form = "likeness"
    standardise: Standardise = "drop_constant"

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        known("Procrustes", "form", self.form, get_args(Form))
        known("Procrustes", "standardise", self.standardise, get_args(Standardise))

    @property
    def name(self) -> str:
        """The word in the tables."""
        return "procrustes"

    @property
    def estimator(self) -> str:
        """There is but one."""
        return ""

    @property
    def params(self) -> tuple[str, ...]:
        """The form."""
        return (self.form,)

    @property
    def preparation(self) -> Hashable:
        """Forms share their shapes."""
        return ("shape", self.standardise)

    def footprint(self, n: int) -> Footprint:  # noqa: ARG002 # the contract has it
        """A shape has no more columns than rows."""
        return Footprint(2, 1, 1)

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave the value as it was; the law tests hold them."""
        return same_units(self.standardise, {"rotation", "shift", "scale"})

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> _Shapes:
        """Standardise, centre and scale, once an object."""
        enough("Procrustes", len(objects[0]))
        made, units, reasons = zip(*(ready(values, self.standardise) for values in objects), strict=True)
        return _Shapes(reasons, tuple(None if z is None else procrustes.shape(z) for z in made), units)

    def geometry(self, of: _Shapes) -> Iterator[_Shapes]:
        """The shapes themselves."""
        yield of

    def compare(self, g: _Shapes, h: _Shapes) -> Comparison:
        """Singular values of X'Y, pair by pair."""
        likeness = torch.tensor(
            [
                [math.nan if x is None or y is None else procrustes.likeness(x, y).item() for y in h.shapes]
                for x in g.shapes
            ],
            dtype=torch.float64,
        )
        unknown = torch.full_like(likeness, math.nan)
        return Comparison(_FORMS[self.form](likeness), unknown, unknown)

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " 1"]:
        """The value of one pair whose rows are the same stimuli; NaN where there is none."""
        return one_pair(self, x, y)
