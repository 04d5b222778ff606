"""What neighbourhoods share when the stimuli of one side are re-paired at random: exact means and spreads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray
from scipy import special


@dataclass(frozen=True)
class Spread:
    """Squared lengths of the parts of a neighbour matrix that re-pairing of stimuli does not mix."""

    hubs: float
    symmetric: float
    skew: float


def spread(degrees: Integer[ndarray, " n"], k: int, mutual: int) -> Spread:
    """Split A, A_ij = 1 where j is one of the k neighbours of i, less its mean k/(n-1).

    With d = degrees - k, A = r_i + c_j + S + T, S symmetric and T skew with rows and columns that sum to zero;
    |r + c|^2 = |d|^2 (n-1)/(n(n-2)), and |S|^2 - |T|^2 follows from the mutual pairs <A, A'>.
    """
    n = degrees.size
    hubs = float(((degrees - k) ** 2).sum()) * (n - 1) / (n * (n - 2))
    level = n * k * k / (n - 1)
    both, difference = n * k - level - hubs, mutual - level - hubs / (n - 1)
    return Spread(hubs, max(0.0, (both + difference) / 2), max(0.0, (both - difference) / 2))


def overlap_sd(ours: Sequence[Spread], theirs: Sequence[Spread], n: int, k: int) -> Float[ndarray, "s t"]:
    """Exact sd of sum_i |A_i and B_i| / (n k) when the stimuli of one side are re-paired at random, n >= 4.

    Each part keeps its length and is spread over the dimensions it lives in:
    Var<A, B> = hubs hubs' / (n-1) + 2 symmetric symmetric' / (n(n-3)) + 2 skew skew' / ((n-1)(n-2)).
    """
    hubs, symmetric, skew = (
        np.outer([getattr(one, part) for one in ours], [getattr(one, part) for one in theirs])
        for part in ("hubs", "symmetric", "skew")
    )
    variance = hubs / (n - 1) + 2 * symmetric / (n * (n - 3)) + 2 * skew / ((n - 1) * (n - 2))
    return np.sqrt(variance) / (n * k)


def cycle_chance(degrees: Integer[ndarray, " n"], k: int) -> float:
    """Exact mean share of stimuli that come back: 1 - mean_i C(n-1-degree_i, k) / C(n-1, k).

    Re-paired, the k neighbours on the other side are any k of the n - 1 others; degree_i of these lead back to i.
    """
    n = degrees.size
    left = n - 1 - degrees
    miss = np.exp(_log_choose(np.maximum(left, k), k) - _log_choose(n - 1, k))
    return float(1 - np.where(left >= k, miss, 0.0).mean())


def _log_choose(n: Any, k: int) -> Any:
    return special.gammaln(np.add(n, 1)) - special.gammaln(k + 1) - special.gammaln(np.add(n, 1 - k))
