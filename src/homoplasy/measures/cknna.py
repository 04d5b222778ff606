"""Kernel alignment of pairs that are neighbours on both sides (Huh et al. 2024)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from homoplasy.maths import cknna, overlaps
from homoplasy.measures._neighbourhoods import Lists, Neighbourhoods, OfNeighbours


@dataclass(frozen=True)
class _Seen:
    """The objects at one k: their neighbours, alignment to themselves, and what the chance level needs."""

    around: cknna.Neighbourhoods
    own: Float[ndarray, " b"]
    sums: cknna.Sums


@dataclass(frozen=True)
class CKNNA(OfNeighbours):
    """Centred kernel nearest-neighbour alignment; one value a k, with its exact mean by chance.

    value = HSIC(M o K, M o L) / sqrt(HSIC(A o K, A o K) HSIC(B o L, B o L)), HSIC unbiased (Song et al. 2012, eq. 5);
    K and L hold the similarities by which neighbours are sought, A_ij = 1 where j is one of the k nearest of i on our
    side, B on theirs, M = A o B. M is not symmetric and HSIC not a norm of such a matrix: exchanged sides differ a
    little, and a value may exceed 1. No closed form of its sd under re-pairing is known: null_sd is NaN.

    >>> import torch
    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> [round(one, 9) for one in CKNNA(k=(3, 5))(x, 2 * x).tolist()]
    [1.0, 1.0]
    """

    _weighs = True
    _bytes = 28  # lists, similarities, both again for each k, returns, and what sums pass through

    k: int | tuple[int, ...] = (10, 12, 50)

    @property
    def name(self) -> str:
        """The word in the tables, cknna."""
        return "cknna"

    def geometry(self, of: Lists) -> Iterator[Neighbourhoods]:
        """One geometry a k; an object that does not align with itself has no value."""
        for at_k in super().geometry(of):
            own = at_k.seen.own if at_k.seen else np.ones(len(of.lists))
            flat = ("" if one > 0 else "no_self_alignment" for one in own)
            yield replace(at_k, reasons=tuple(a or b for a, b in zip(at_k.reasons, flat, strict=True)))

    def _seen(self, of: Lists, wanted: list[int]) -> list[_Seen]:
        return [self._at(of, k) for k in wanted]

    def _at(self, of: Lists, k: int) -> _Seen:
        lists, similarity = (np.ascontiguousarray(one[..., :k]) for one in (of.lists, of.similarity))
        around = cknna.Neighbourhoods(lists, similarity, np.stack([overlaps.returned(one, k) for one in lists]))
        return _Seen(around, cknna.self_alignments(around), cknna.sums(around))

    def _compared(self, g: Neighbourhoods, h: Neighbourhoods) -> tuple[ndarray, ndarray, ndarray]:
        with np.errstate(divide="ignore", invalid="ignore"):  # of objects that do not align with themselves
            scale = 1 / np.sqrt(np.outer(g.seen.own, h.seen.own))
            value = cknna.alignments(g.seen.around, h.seen.around) * scale
            mean = cknna.mean_alignments(g.seen.sums, h.seen.sums, g.n, g.k) * scale
        return value, mean, np.full_like(value, np.nan)
