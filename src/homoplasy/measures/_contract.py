"""What a measure gives and takes: a dear part once an object, a cheap part once a pair."""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.errors import BadRequest, listing, nearest
from homoplasy.maths import standardise

Standardise = Literal["drop_constant", "epsilon", "none"]

_LEAST = 4


class Prepared(Protocol):
    """What the dear part of a measure makes of some objects over the same stimuli."""

    @property
    def units(self) -> tuple[int, ...]:
        """The units of each object that entered."""


def hopeless(values: Float[Tensor, "n d"]) -> tuple[int, str]:
    """The units to report and the reason of an object that no measure can use; no reason for any other."""
    if not _finite(values):
        return values.shape[1], "non_finite"
    if not standardise.varying(values).any():
        return 0, "constant_features"
    return values.shape[1], ""


def ready(
    values: Float[Tensor, "n d"], rule: str, untouched: Callable[[Tensor], Tensor] = Tensor.double
) -> tuple[Float[Tensor, "n k"] | None, int, str]:
    """Units z-scored by a rule, `untouched` for `none`; the units to report; why there are none, where there are none.

    Units that no kernel centres are left as they are by `none`: their means count.
    """
    if not _finite(values):
        return None, values.shape[1], "non_finite"
    z = untouched(values) if rule == "none" else standardise.RULES[rule](values)
    if not (z.shape[1] if rule == "drop_constant" else standardise.varying(values).any()):
        return None, 0, "constant_features"
    return z, z.shape[1], ""


def _finite(values: Float[Tensor, "n d"]) -> bool:
    """Whether no number is NaN or infinite; a sum is ten times as fast, but may overflow."""
    return bool(values.sum().isfinite() or values.isfinite().all())


def same_units(rule: str, untouched: Set[str]) -> frozenset[str]:
    """Invariances that standardising gives; `untouched` are those of the measure when units are left as they are."""
    zscored = {"drop_constant": {"shift", "scale", "unit_scale"}, "epsilon": {"shift"}}
    return frozenset({"unit_order"} | zscored.get(rule, untouched))


def known(measure: str, name: str, given: str, choices: Sequence[str]) -> None:
    """Refuse a word that is not one of the choices."""
    if given not in choices:
        raise BadRequest(f"{measure}: {name} is {given!r}; it can be {listing(choices)}.{nearest(str(given), choices)}")


def enough(measure: str, n: int) -> None:
    """Refuse less than the four stimuli whose re-pairings have moments."""
    if n < _LEAST:
        raise BadRequest(f"{measure} needs at least {_LEAST} stimuli, found {n}.")


def one_pair(measure: "ByGeometry", x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " p"]:
    """The values of one pair, one a parameter; NaN where there is none."""
    sides = (measure.geometry(measure.prepare([one])) for one in (x, y))
    found = [
        math.nan if g.reasons[0] or h.reasons[0] else measure.compare(g, h).value[0, 0].item()
        for g, h in zip(*sides, strict=True)
    ]
    return torch.tensor(found, dtype=torch.float64)


@dataclass(frozen=True)
class WithoutKernel:
    """Some objects of a measure that has no kernel, and why one of them has no value."""

    reasons: tuple[str, ...]

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return torch.full((len(self.reasons),), math.nan, dtype=torch.float64)

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return self.off_diagonal


@dataclass(frozen=True)
class Comparison:
    """Every object of one side against every one of the other, with the exact moments under re-pairing.

    A moment that no closed form gives is NaN; no standard error where the measure has none.
    """

    value: Float[Tensor, "s t"]
    null_mean: Float[Tensor, "s t"]
    null_sd: Float[Tensor, "s t"]
    se: Float[Tensor, "s t"] | None = None


@dataclass(frozen=True)
class Footprint:
    """Memory in matrices of n x n float64: once in passing, an object while it is worked on, an object when kept."""

    passing: float
    working: float
    held: float
    lavish: "ByGeometry | None" = None  # the same measure in a form that holds more and computes less; on a processor


class Geometry(Protocol):
    """What one parameter of a measure makes of some objects; the rest is the measure's own affair."""

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """Mean off-diagonal entry of the kernel; NaN where there is none."""

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """Dimensions that the centred kernel fills; NaN where there is none."""

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
        """Biased or debiased; empty where there is no such choice."""

    @property
    def params(self) -> tuple[str, ...]:
        """One label a parameter, such as c=1 debiased."""

    @property
    def invariances(self) -> frozenset[str]:
        """The changes of one side that leave every value as it was."""


class ByGeometry(Measure, Protocol):
    """A measure that makes something of every object, and compares what it made."""

    @property
    def preparation(self) -> Hashable:
        """Measures of equal preparation share what they prepare."""

    def footprint(self, n: int) -> Footprint:
        """What n stimuli cost in memory."""

    def prepare(self, objects: Sequence[Tensor]) -> Any:
        """What measures of equal preparation share, a `Prepared`."""

    def geometry(self, of: Any) -> Iterator[Any]:
        """One geometry a parameter, in the order of `params`."""

    def compare(self, g: Any, h: Any) -> Comparison:
        """All pairs of two geometries of the same parameter."""
