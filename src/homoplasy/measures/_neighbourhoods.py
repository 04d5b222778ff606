"""What the measures of neighbourhoods share: one search an object, from which every number of neighbours is read."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Integer
from numpy import ndarray
from torch import Tensor

from homoplasy.errors import BadRequest
from homoplasy.maths import neighbours
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

Metric = Literal["cosine", "inner"]


@dataclass(frozen=True)
class Lists:
    """The nearest neighbours of every stimulus in some objects; zeros where an object has none."""

    lists: Integer[ndarray, "b n k"]
    similarity: Float[ndarray, "b n _"]  # empty unless it counts how near they are
    units: tuple[int, ...]
    reasons: tuple[str, ...]

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.lists.shape[1]


@dataclass(frozen=True)
class Neighbourhoods(WithoutKernel):
    """Some objects at one k, and what a measure has seen of them; nothing where k is too large."""

    lists: Integer[ndarray, "b n _"]
    k: int
    seen: Any

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.lists.shape[1]


@dataclass(frozen=True)
class OfNeighbours(ABC):
    """A measure of one value a k. `metric`: cosine or inner product of the standardised stimuli.

    Of equally near stimuli the one that comes first in the order of ids is taken. Objects on a GPU are brought to the
    processor.
    """

    _weighs: ClassVar[bool] = False  # whether it counts how near a neighbour is
    _bytes: ClassVar[int] = 2  # an entry of the lists, with what is made of it

    k: int | tuple[int, ...]
    metric: Metric = "cosine"
    standardise: Standardise = "drop_constant"

    def __post_init__(self) -> None:
        """Take a single k for a tuple of one; refuse what has no meaning."""
        owner = type(self).__name__
        known(owner, "metric", self.metric, get_args(Metric))
        known(owner, "standardise", self.standardise, get_args(Standardise))
        object.__setattr__(self, "k", (self.k,) if isinstance(self.k, int) else tuple(self.k))
        for one in self._every:
            if not (isinstance(one, int) and one >= 1):
                raise BadRequest(f"{owner}: k holds {one!r}; expected numbers of neighbours, 1 or more.")
        if len(set(self._every)) < len(self._every) or not self._every:
            raise BadRequest(f"{owner}: k is {self._every}; expected one number of neighbours or several different.")

    @property
    def estimator(self) -> str:
        """There is but one."""
        return ""

    @property
    def params(self) -> tuple[str, ...]:
        """One label a k."""
        return tuple(f"k={one} {self.metric}" for one in self._every)

    @property
    def preparation(self) -> Hashable:
        """Measures that share their lists: in these only the first k of every k that was asked for are the nearest."""
        return ("neighbours", self.metric, self.standardise, tuple(sorted(self._every)), self._weighs)

    def footprint(self, n: int) -> Footprint:
        """Similarities of some rows in passing; lists that serve every k, and what a measure makes of them."""
        return Footprint(neighbours.panel(n) / n, self._bytes / 8 * min(1.0, max(self._every) / n), 0)

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave every value as it was; the law tests hold them."""
        return same_units(self.standardise, {"rotation", "scale"})

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> Lists:
        """Standardise and search, once an object whatever the numbers of neighbours."""
        n = len(objects[0])
        enough(type(self).__name__, n)
        asked = sorted({min(k, n - 1) for k in self._every})
        k = asked[-1]
        ks = range(1, k + 1) if self._weighs else asked  # in the same order, sums of similarities have the same bits
        lists = np.zeros((len(objects), n, k), neighbours.index_type(n))
        similarity = np.zeros((len(objects), n, k if self._weighs else 0))
        within, units, reasons = neighbours.room(n), list[int](), list[str]()
        for place, values in enumerate(objects):
            z, entered, reason = self._standardised(values)
            units.append(entered)
            reasons.append(reason)
            if not reason:
                neighbours.search(z, self.metric, ks, neighbours.Near(lists[place], similarity[place]), within)
        return Lists(lists, similarity, tuple(units), tuple(reasons))

    def geometry(self, of: Lists) -> Iterator[Neighbourhoods]:
        """One geometry a k; with n - 1 neighbours or more there is nothing to tell apart."""
        wanted = [k for k in self._every if k < of.n - 1]
        seen = dict(zip(wanted, self._seen(of, wanted), strict=True))
        for k in self._every:
            reasons = tuple(reason or ("" if k in seen else "too_few_stimuli") for reason in of.reasons)
            yield Neighbourhoods(reasons, of.lists, k, seen.get(k))

    def compare(self, g: Neighbourhoods, h: Neighbourhoods) -> Comparison:
        """All pairs together; NaN where one side has no value."""
        spoiled = np.logical_or.outer(np.array(g.reasons) != "", np.array(h.reasons) != "")
        found = self._compared(g, h) if g.seen is not None else (np.full(spoiled.shape, np.nan),) * 3
        return Comparison(*(torch.from_numpy(np.where(spoiled, np.nan, one)) for one in found))

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " w"]:
        """The values of one pair whose rows are the same stimuli, one a k; NaN where there is none."""
        return one_pair(self, x, y)

    @property
    @abstractmethod
    def name(self) -> str:
        """The word in the tables."""

    @abstractmethod
    def _seen(self, of: Lists, wanted: list[int]) -> Sequence[Any]:
        """What a comparison needs of the objects beside their lists, one a k."""

    @abstractmethod
    def _compared(self, g: Neighbourhoods, h: Neighbourhoods) -> tuple[ndarray, ndarray, ndarray]:
        """Values, and their mean and sd under re-pairing, of all pairs."""

    @property
    def _every(self) -> tuple[int, ...]:
        return self.k  # type: ignore[return-value] # a tuple since __post_init__

    def _standardised(self, values: Tensor) -> tuple[Tensor, int, str]:
        z, units, reason = ready(values, self.standardise)
        if z is None:
            return values, units, reason
        directionless = self.metric == "cosine" and bool((z == 0).all(1).any())
        return z, units, "zero_stimulus" if directionless else ""
