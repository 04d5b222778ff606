"""Likeness of neighbourhoods: whether two representations find the same stimuli near each other (Huh et al. 2024)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from homoplasy.maths import neighbour_chance, neighbours, overlaps
from homoplasy.measures._neighbourhoods import Lists, Neighbourhoods, OfNeighbours


@dataclass(frozen=True)
class MutualKNN(OfNeighbours):
    """Share of the k nearest neighbours that both sides agree on; one value a k, with its exact mean and sd by chance.

    value = mean_i |A_i and B_i| / k, raw: by chance it is k/(n-1), and (value - null_mean) / (1 - null_mean) is 0 for
    unrelated sides and 1 for the same neighbours. `metric`: cosine or inner product of the standardised stimuli. Of
    equally near stimuli the one that comes first in the order of ids is taken.

    >>> import torch
    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> MutualKNN(k=(2, 4))(x, 2 * x).tolist()
    [1.0, 1.0]
    """

    k: int | tuple[int, ...] = (20, 80, 400)

    @property
    def name(self) -> str:
        """mutual_knn."""
        return "mutual_knn"

    def _seen(self, of: Lists, wanted: list[int]) -> list[list[neighbour_chance.Spread]]:
        """One spread a k and object."""
        of_objects = [self._spreads(lists, wanted) for lists in of.lists]
        return [list(one) for one in zip(*of_objects, strict=True)]

    def _spreads(self, lists: ndarray, wanted: list[int]) -> list[neighbour_chance.Spread]:
        degrees, mutual = neighbours.in_degrees(lists, wanted), overlaps.mutual_pairs(lists, wanted)
        return [neighbour_chance.spread(d, k, int(m)) for d, k, m in zip(degrees, wanted, mutual, strict=True)]

    def _compared(self, g: Neighbourhoods, h: Neighbourhoods) -> tuple[ndarray, ndarray, ndarray]:
        value = overlaps.shared(g.lists, h.lists, g.k) / (g.n * g.k)
        sd = neighbour_chance.overlap_sd(g.seen, h.seen, g.n, g.k)
        return value, np.full_like(value, g.k / (g.n - 1)), sd


@dataclass(frozen=True)
class CycleKNN(OfNeighbours):
    """Share of stimuli found again one step there and one step back; one value a k, with its exact mean by chance.

    value = share of i that are among the source's k nearest neighbours of any of the target's k nearest neighbours of
    i: the two sides are not exchangeable. It saturates: by chance it nears 1 as k nears the root of n. No closed form
    of its sd is known: null_sd is NaN.

    >>> import torch
    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    >>> CycleKNN(k=8)(x, 2 * x).tolist()
    [1.0]
    """

    _bytes = 6  # its lists, and for the while of a comparison the first k and those turned round

    k: int | tuple[int, ...] = (20, 80, 400)

    @property
    def name(self) -> str:
        """cycle_knn."""
        return "cycle_knn"

    def _seen(self, of: Lists, wanted: list[int]) -> list[Float[ndarray, " b"]]:
        """One mean a k and object."""
        degrees = [neighbours.in_degrees(lists, wanted) for lists in of.lists]
        return [
            np.array([neighbour_chance.cycle_chance(one[place], k) for one in degrees])
            for place, k in enumerate(wanted)
        ]

    def _compared(self, g: Neighbourhoods, h: Neighbourhoods) -> tuple[ndarray, ndarray, ndarray]:
        value = overlaps.met(g.lists, h.lists, g.k) / g.n
        return value, np.broadcast_to(g.seen[:, None], value.shape), np.full_like(value, np.nan)
