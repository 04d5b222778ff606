"""Likeness of neighbourhoods: whether two representations find the same stimuli near each other (Huh et al. 2024)."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from homoplasy.errors import BadRequest
from homoplasy.maths import neighbours
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

Metric = Literal["cosine", "inner"]


@dataclass(frozen=True)
class _Lists:
    """The nearest neighbours of every stimulus, nearest first; None where an object has none."""

    lists: tuple[Int[ndarray, "n k"] | None, ...]
    n: int
    units: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """One object at one k: its neighbours as bits, for a cycle also backwards, and what its chance level needs."""

    k: int
    bits: tuple[ndarray, ...]
    chance: Any


@dataclass(frozen=True)
class _Neighbourhoods:
    """Some objects at one k."""

    seen: tuple[_Seen | None, ...]
    k: int
    n: int
    reasons: tuple[str, ...]

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return no_kernel(len(self.seen))

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """NaN: there is no kernel."""
        return no_kernel(len(self.seen))


@dataclass(frozen=True)
class _Neighbours(ABC):
    """What the measures of neighbourhoods share: one ranking an object, from which every k is read."""

    _directions: ClassVar[int] = 1

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
        """Measures that share their lists."""
        return ("neighbours", self.metric, self.standardise, max(self._every))

    def footprint(self, n: int) -> Footprint:
        """Similarities and their order in passing; lists of 4 bytes an entry; bits for each k, for a cycle twice."""
        return Footprint(4, min(1.0, max(self._every) / (2 * n)), self._directions * len(self._every) / 64)

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave every value as it was; the law tests hold them."""
        return same_units(self.standardise, {"rotation", "scale"})

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> _Lists:
        """Standardise and rank, once an object whatever the numbers of neighbours."""
        n = len(objects[0])
        enough(type(self).__name__, n)
        units, reasons, lists = zip(*(self._list(values) for values in objects), strict=True)
        return _Lists(lists, n, units, reasons)

    def geometry(self, of: _Lists) -> Iterator[_Neighbourhoods]:
        """Bits and chance, one geometry a k; with n - 1 neighbours or more there is nothing to tell apart."""
        wanted = [k for k in self._every if k < of.n - 1]
        each = [{} if lists is None else self._seen(lists, wanted) for lists in of.lists]
        for k in self._every:
            reasons = tuple(reason or ("" if k in wanted else "too_few_stimuli") for reason in of.reasons)
            yield _Neighbourhoods(tuple(seen.get(k) for seen in each), k, of.n, reasons)

    def compare(self, g: _Neighbourhoods, h: _Neighbourhoods) -> Comparison:
        """All pairs, one after the other."""
        values = [[self._value(a, b) if a and b else np.nan for b in h.seen] for a in g.seen]
        value = torch.tensor(values, dtype=torch.float64)
        mean, sd = (torch.from_numpy(one) for one in self._chance(g, h))
        return Comparison(value, mean, sd)

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " w"]:
        """The values of one pair whose rows are the same stimuli, one a k; NaN where there is none."""
        return one_pair(self, x, y)

    @property
    @abstractmethod
    def name(self) -> str:
        """The word in the tables."""

    @property
    def _every(self) -> tuple[int, ...]:
        return self.k  # type: ignore[return-value] # a tuple since __post_init__

    def _list(self, values: Tensor) -> tuple[int, str, ndarray | None]:
        units, reason = hopeless(values)
        if reason:
            return units, reason, None
        z = as_told(values, self.standardise)
        if self.metric == "cosine" and (z == 0).all(1).any():
            return z.shape[1], "zero_stimulus", None
        return z.shape[1], "", neighbours.nearest(z, min(max(self._every), len(z) - 1), self.metric)

    @abstractmethod
    def _seen(self, lists: ndarray, wanted: list[int]) -> dict[int, _Seen]:
        """One object at every k."""

    @abstractmethod
    def _value(self, a: _Seen, b: _Seen) -> float:
        """One pair."""

    @abstractmethod
    def _chance(self, g: _Neighbourhoods, h: _Neighbourhoods) -> tuple[ndarray, ndarray]:
        """Mean and sd under re-pairing, of all pairs."""


@dataclass(frozen=True)
class MutualKNN(_Neighbours):
    """Share of the k nearest neighbours that both sides agree on; one value a k, with its exact mean and sd by chance.

    value = mean_i |A_i and B_i| / k, raw: by chance it is k/(n-1), and (value - null_mean) / (1 - null_mean) is 0 for
    unrelated sides. `metric`: cosine or inner product of the standardised stimuli. Of equally near stimuli the one
    that comes first in the order of ids is taken.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> MutualKNN(k=(2, 4))(x, 2 * x).tolist()
    [1.0, 1.0]
    """

    k: int | tuple[int, ...] = (20, 80, 400)

    @property
    def name(self) -> str:
        """mutual_knn."""
        return "mutual_knn"

    def _seen(self, lists: ndarray, wanted: list[int]) -> dict[int, _Seen]:
        table = neighbours.rank_table(lists)
        mutual = neighbours.mutual_pairs(lists, table)
        spreads = {k: neighbours.spread(neighbours.in_degrees(lists, k), k, int(mutual[k - 1])) for k in wanted}
        return {k: _Seen(k, (neighbours.bits(table, k),), spread) for k, spread in spreads.items()}

    def _value(self, a: _Seen, b: _Seen) -> float:
        return neighbours.shared(a.bits[0], b.bits[0]) / (len(a.bits[0]) * a.k)

    def _chance(self, g: _Neighbourhoods, h: _Neighbourhoods) -> tuple[ndarray, ndarray]:
        none = neighbours.Spread(0.0, 0.0, 0.0)
        ours, theirs = ([one.chance if one else none for one in side.seen] for side in (g, h))
        sd = neighbours.overlap_sd(ours, theirs, g.n, g.k)
        return np.full_like(sd, g.k / (g.n - 1)), sd


@dataclass(frozen=True)
class CycleKNN(_Neighbours):
    """Share of stimuli found again one step there and one step back; one value a k, with its exact mean by chance.

    value = share of i that are among the source's k nearest neighbours of any of the target's k nearest neighbours of
    i: the two sides are not exchangeable. It saturates: by chance it nears 1 as k nears the root of n. No closed form
    of its sd is known: null_sd is NaN.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> CycleKNN(k=8)(x, 2 * x).tolist()
    [1.0]
    """

    _directions: ClassVar[int] = 2

    k: int | tuple[int, ...] = (20, 80, 400)

    @property
    def name(self) -> str:
        """cycle_knn."""
        return "cycle_knn"

    def _seen(self, lists: ndarray, wanted: list[int]) -> dict[int, _Seen]:
        table = neighbours.rank_table(lists)
        return {
            k: _Seen(
                k,
                (neighbours.bits(table, k), neighbours.reverse_bits(table, k)),
                neighbours.cycle_chance(neighbours.in_degrees(lists, k), k),
            )
            for k in wanted
        }

    def _value(self, a: _Seen, b: _Seen) -> float:
        return float(neighbours.met(a.bits[1], b.bits[0]).mean())

    def _chance(self, g: _Neighbourhoods, h: _Neighbourhoods) -> tuple[ndarray, ndarray]:
        mean = np.array([one.chance if one else np.nan for one in g.seen])
        shape = len(g.seen), len(h.seen)
        return np.broadcast_to(mean[:, None], shape).copy(), np.full(shape, np.nan)
