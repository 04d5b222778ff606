"""Representational similarity analysis: whether the same pairs of stimuli are unlike (Kriegeskorte et al. 2008)."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from homoplasy.maths import held_pairs, likeness, pairs, rdm
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

Compare = Literal["pearson", "spearman", "cosine", "whitened_pearson", "whitened_cosine"]
Dissimilarity = Literal["euclidean", "squared_euclidean", "cosine", "correlation"]

_EXACT = 362  # stimuli, 65,341 pairs: up to it all is float64 and ranks are by sorting, above it tiles and bins
_FLAT = 1e-10  # a vector whose spread is less than this share of its size is constant
_ROOM = 2e6  # bytes an object that is swept: a tile and a table of ranks

_UNTOUCHED = {
    "euclidean": {"rotation", "shift", "scale"},
    "squared_euclidean": {"rotation", "shift", "scale"},
    "cosine": {"rotation", "scale"},
    "correlation": {"scale"},
}


@dataclass(frozen=True)
class _Points:
    """Points of every object whose distances give its dissimilarities; None where it has none."""

    points: tuple[Float[Tensor, "n _"] | None, ...]
    n: int
    units: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Held(WithoutKernel):
    """One vector of all pairs an object; zeros where it has none."""

    vectors: Float[Tensor, "b m"]
    parts: likeness.Parts

    def against(self, other: "_Held") -> tuple[Tensor, likeness.Parts, likeness.Parts]:
        """Products of all pairs, and the parts of either side."""
        return self.vectors @ other.vectors.T, self.parts, other.parts


@dataclass(frozen=True)
class _Swept(WithoutKernel):
    """What gives the dissimilarities in float32, of the objects that have any; where these stand."""

    side: Any  # of `maths.pairs`, or of `maths.held_pairs`; None where no object has any
    places: Int[Tensor, " a"]
    n: int

    def against(self, other: "_Swept") -> tuple[Tensor, likeness.Parts, likeness.Parts]:
        """Products of all pairs, and the parts of either side; zeros where there are none."""
        wide: dict[str, Any] = {"dtype": torch.float64, "device": self.places.device}
        counts = [len(one.reasons) for one in (self, other)]
        cross = torch.zeros(counts[0], counts[1], **wide)
        rows, square = ([torch.zeros((count, *size), **wide) for count in counts] for size in ((self.n,), ()))
        if self.side is not None and other.side is not None:
            found: pairs.Sums = self.side.against(other.side)
            cross[self.places[:, None], other.places] = found.cross
            for at, one in enumerate((self, other)):
                rows[at][one.places], square[at][one.places] = found.rows[at], found.square[at]
        a, b = (likeness.Parts.of(*one) for one in zip(rows, square, strict=True))
        return cross, a, b


@dataclass(frozen=True, init=False)
class RSA:
    """Correlation of the dissimilarities of all pairs of stimuli, with its exact moments under re-pairing; one value.

    `compare` is how the two lists of dissimilarities are compared: by Pearson's or Spearman's correlation, by their
    cosine, or by the first or last of them whitened, so that pairs which share a stimulus are not counted as if they
    were independent (Diedrichsen et al. 2021, with errors alike and independent); the whitened cosine of squared
    distances is linear CKA. `standardise` says what becomes of the units first: z-scored with constant ones dropped,
    z-scored with a small epsilon, or left as they are. Up to 362 stimuli are compared in float64, ranked by sorting;
    above, in float32 with binned ranks, which moves a value by less than 1e-6: held where `memory` has room for sixteen
    objects a side, tile by tile where it has not.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> round(RSA(compare="spearman")(x, 2 * x + 1).item(), 6)
    1.0
    """

    _make: ClassVar[Callable[..., Any]] = staticmethod(pairs.side)

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
        """The word for how they are compared, such as rsa.spearman."""
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

    def footprint(self, n: int) -> Footprint:
        """Vectors of half a matrix; above 362 stimuli, tiles and tables of ranks, whose size n does not change."""
        if n <= _EXACT:
            return Footprint(4, 1, 0.5)
        each = _ROOM / (8 * n**2)
        return Footprint(each, each, each, _Lavish(self.by, self.dissimilarity, self.standardise))

    @property
    def invariances(self) -> frozenset[str]:
        """Changes of one side that leave the value as it was; the law tests hold them."""
        return same_units(self.standardise, _UNTOUCHED[self.dissimilarity])

    def prepare(self, objects: Sequence[Float[Tensor, "n d"]]) -> _Points:
        """Standardise, once an object however it is compared."""
        n = len(objects[0])
        enough("RSA", n)
        units, reasons, points = zip(*(self._points(values) for values in objects), strict=True)
        return _Points(points, n, units, reasons)

    def geometry(self, of: _Points) -> Iterator[_Held | _Swept]:
        """Centre or rank once an object."""
        yield self._held(of) if of.n <= _EXACT else self._swept(of)

    def compare(self, g: Any, h: Any) -> Comparison:
        """All pairs by one matrix product, or by one for each tile."""
        cross, a, b = g.against(h)
        return Comparison(likeness.likeness(cross, a, b, self.by), *likeness.chance(a, b, self.by))

    def __call__(self, x: Float[Tensor, "n d"], y: Float[Tensor, "n k"]) -> Float[Tensor, " 1"]:
        """The value of one pair whose rows are the same stimuli; NaN where there is none."""
        return one_pair(self, x, y)

    def _points(self, values: Tensor) -> tuple[int, str, Tensor | None]:
        z, units, reason = ready(values, self.standardise)
        if z is None:
            return units, reason, None
        points = rdm.POINTS[self.dissimilarity](z)
        if not torch.isfinite(points.sum()):
            return points.shape[1], "undefined_dissimilarity", None
        return points.shape[1], "", points if len(points) <= _EXACT else points.float()

    @property
    def _contrast(self) -> bool:
        """Whether dissimilarities that are all alike say nothing."""
        return likeness.COMPARISONS[self.by](4)[0] == 0

    def _held(self, of: _Points) -> _Held:
        made = [None if points is None else self._vector(points) for points in of.points]
        nothing = torch.zeros(of.n * (of.n - 1) // 2, dtype=torch.float64)
        device = next((one.device for one in made if one is not None), None)
        vectors = torch.stack([nothing.to(device) if one is None else one for one in made])
        rows = torch.stack([torch.from_numpy(rdm.row_sums(one, of.n)) for one in vectors.numpy(force=True)])
        parts = likeness.Parts.of(rows.to(vectors), vectors.square().sum(1))
        return _Held(_reasons(of, made), vectors, parts)

    @property
    def _root(self) -> bool:
        return self.dissimilarity == "euclidean"

    def _vector(self, points: Float[Tensor, "n d"]) -> Float[Tensor, " m"] | None:
        """Dissimilarities, ranked or centred where that is meant, of length 1; None when they are all alike."""
        squared = rdm.upper(rdm.squared_euclidean(points))
        found = squared.sqrt() if self._root else squared
        if self.by == "spearman":
            found = torch.from_numpy(rdm.ranks(found.numpy(force=True))).to(found)
        vector = found - found.mean() if self._contrast else found
        size = torch.linalg.vector_norm(vector)
        return vector / size if size > _FLAT * torch.linalg.vector_norm(found) else None

    def _swept(self, of: _Points) -> _Swept:
        alive = [place for place, points in enumerate(of.points) if points is not None]
        given = [points for points in of.points if points is not None]
        side = self._make(given, root=self._root, ranked=self.by == "spearman") if given else None
        made = list(of.points)
        if side is not None and self._contrast:
            for place in torch.tensor(alive)[side.flat.cpu()].tolist():
                made[place] = None
        device = given[0].device if given else None
        return _Swept(_reasons(of, made), side, torch.tensor(alive, dtype=torch.int64, device=device), of.n)


class _Lavish(RSA):
    """Every dissimilarity is held, so that distances are taken once."""

    _make = staticmethod(held_pairs.hold)

    def footprint(self, n: int) -> Footprint:
        """A vector of half a matrix in float32, beside one that is made."""
        each = _ROOM / (8 * n**2)
        return Footprint(0.25 + each, 0.25, 0.25)


def _reasons(of: _Points, made: Sequence[object]) -> tuple[str, ...]:
    return tuple(
        reason or ("constant_dissimilarities" if one is None else "")
        for reason, one in zip(of.reasons, made, strict=True)
    )
