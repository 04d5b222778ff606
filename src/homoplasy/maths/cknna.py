"""CKNNA: kernel alignment restricted to pairs that are neighbours on both sides (Huh et al. 2024)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from homoplasy.maths.compiled import compiled, in_threads
from homoplasy.maths.neighbours import in_degrees

Side = tuple[ndarray, ndarray, ndarray]  # lists, similarities, whether returned
_FLAT = 1e-12  # of its parts: a self-alignment that is no larger is what rounding left of their difference


@dataclass(frozen=True)
class Neighbourhoods:
    """The k neighbours of every stimulus in some objects, how similar they are, and whether i is one of theirs."""

    lists: Integer[ndarray, "b n k"]
    similarity: Float[ndarray, "b n k"]
    returned: Bool[ndarray, "b n k"]

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.lists.shape[1]

    @property
    def k(self) -> int:
        """The number of neighbours."""
        return self.lists.shape[2]


class Parts(NamedTuple):
    """What Song's estimator is made of: tr PQ, 1'P1, 1'Q1 and 1'PQ1 of P = M o K and Q = M o L."""

    trace: Float[ndarray, "*b"]
    ours: Float[ndarray, "*b"]
    theirs: Float[ndarray, "*b"]
    path: Float[ndarray, "*b"]


def hsic(of: Parts, n: int) -> Float[ndarray, "*b"]:
    """[tr PQ + 1'P1 1'Q1 / ((n-1)(n-2)) - 2/(n-2) 1'PQ1] / (n(n-3))  (Song et al. 2012, eq. 5)."""
    return (of.trace + of.ours * of.theirs / ((n - 1) * (n - 2)) - 2 / (n - 2) * of.path) / (n * (n - 3))


def alignments(ours: Neighbourhoods, theirs: Neighbourhoods) -> Float[ndarray, "s t"]:
    """HSIC(M o K, M o L) of all pairs; M_ij = 1 where j is a neighbour of i on both sides.

    M is not symmetric, so that 1'PQ1 tells the sides apart: exchanged, they give a slightly different value.
    """
    pairs = [(s, t) for s in range(len(ours.lists)) for t in range(len(theirs.lists))]
    found = _parts(ours, theirs, np.array(pairs)).reshape(len(ours.lists), len(theirs.lists), 4)
    return hsic(Parts(*np.moveaxis(found, -1, 0)), ours.n)


def self_alignments(of: Neighbourhoods) -> Float[ndarray, " b"]:
    """HSIC(M o K, M o K) with each object's own neighbours as M; 0 where rounding is all there is."""
    pairs = np.repeat(np.arange(len(of.lists))[:, None], 2, axis=1)
    parts = Parts(*_parts(of, of, pairs).T)
    found, scale = hsic(parts, of.n), hsic(Parts(parts.trace, parts.ours, parts.theirs, np.zeros(len(pairs))), of.n)
    return np.where(found > _FLAT * scale, found, 0.0)


def _parts(ours: Neighbourhoods, theirs: Neighbourhoods, pairs: Integer[ndarray, "p 2"]) -> Float[ndarray, "p 4"]:
    out = np.empty((len(pairs), 4))
    a, b = ((side.lists, side.similarity, side.returned) for side in (ours, theirs))
    in_threads(lambda start, stop: _restricted(a, b, pairs[start:stop], out[start:stop]), len(pairs))
    return out


@compiled
def _restricted(ours: Side, theirs: Side, pairs: ndarray, out: ndarray) -> None:
    n = ours[0].shape[1]
    at, column, row = np.full(n, -1, np.int32), np.empty(n), np.empty(n)
    for pair in range(len(pairs)):
        s, t = pairs[pair]
        out[pair], column[:] = 0.0, 0.0
        for i in range(n):
            a, b = (ours[0][s, i], ours[1][s, i], ours[2][s, i]), (theirs[0][t, i], theirs[1][t, i], theirs[2][t, i])
            trace, both, row[i] = _around(a, b, at, column)
            out[pair, 0] += trace
            out[pair, 1] += both
            out[pair, 2] += row[i]
        for i in range(n):
            out[pair, 3] += column[i] * row[i]


@compiled
def _around(ours: Side, theirs: Side, at: ndarray, column: ndarray) -> tuple[float, float, float]:
    """What one stimulus adds; `at` holds -1 everywhere before and after."""
    trace, both, total, k = 0.0, 0.0, 0.0, len(ours[0])
    for q in range(k):
        at[theirs[0][q]] = q
    for p in range(k):
        q = at[ours[0][p]]
        if q >= 0:
            x, y = ours[1][p], theirs[1][q]
            both, total = both + x, total + y
            column[ours[0][p]] += x
            if ours[2][p] and theirs[2][q]:
                trace += x * y
    for q in range(k):
        at[theirs[0][q]] = -1
    return trace, both, total


@dataclass(frozen=True)
class Sums:
    """What the mean under re-pairing needs of each object; P = A o K, d the in-degrees of A."""

    total: Float[ndarray, " b"]  # 1'P1
    mutual: Float[ndarray, " b"]  # <P, A'>
    to_seekers: Float[ndarray, " b"]  # d'P1
    from_seekers: Float[ndarray, " b"]  # 1'Pd


def sums(of: Neighbourhoods) -> Sums:
    """Sums over the neighbours of each object."""
    each = list(zip((in_degrees(one, (of.k,))[0] for one in of.lists), of.lists, of.similarity, strict=True))
    return Sums(
        of.similarity.sum((1, 2)),
        np.where(of.returned, of.similarity, 0.0).sum((1, 2)),
        np.array([degrees @ near.sum(1) for degrees, _, near in each]),
        np.array([(degrees[lists] * near).sum() for degrees, lists, near in each]),
    )


def mean_alignments(a: Sums, b: Sums, n: int, k: int) -> Float[ndarray, "s t"]:
    """Exact mean of HSIC(M o K, M o L) when the stimuli of one side are re-paired at random.

    Each part is a sum, over pairs of places (i, j), (g, h), of products of a number of one side and one of the other.
    Re-paired, the places with a given pattern of equal indices meet each other equally often: a part's mean adds up,
    over patterns, sum of ours x sum of theirs / number of such places.
    """
    cross = np.multiply.outer
    swapped = cross(a.mutual, b.mutual) / (n * (n - 1))
    three = n * (n - 1) * (n - 2)
    path = cross(k * a.total - a.mutual, b.to_seekers - b.mutual) / three  # (i, m), (m, j)
    ours, theirs = (_patterns(side, n, k) for side in (a, b))
    counts = np.array([n * (n - 1), n * (n - 1), three, three, three, three, three * (n - 3)])
    product = (ours / counts[:, None]).T @ theirs[
        [0, 1, 2, 3, 5, 4, 6]
    ]  # theirs weighs the second place, ours the first
    return (swapped + product / ((n - 1) * (n - 2)) - 2 / (n - 2) * (swapped + path)) / (n * (n - 3))


def _patterns(of: Sums, n: int, k: int) -> Float[ndarray, "7 b"]:
    """Sums of P_ij A_gh where (i, j) = (g, h); = (h, g); i = g; j = h; i = h; j = g; and where no two are equal."""
    equal = [
        of.total,
        of.mutual,
        (k - 1) * of.total,
        of.from_seekers - of.total,
        of.to_seekers - of.mutual,
        k * of.total - of.mutual,
    ]
    return np.stack([*equal, n * k * of.total - np.sum(equal, axis=0)])
