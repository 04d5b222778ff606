"""Dissimilarities of all pairs of stimuli as one vector, what they are compared by, and its moments by chance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy import stats
from torch import Tensor

from homoplasy.maths.gram import gram

_TWINS = 64 * torch.finfo(torch.float64).eps  # of |x_i|^2 + |x_j|^2: squared distances below it are rounding, so zero
_FLAT = 1e-10  # a vector whose spread is less than this share of its size is constant
_BINS = 2**18
_FEW = 2**16  # pairs up to which every rank is exact
_TIED = 1e-9  # share of the variance of ranks that bins may hide


def squared_euclidean(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """|x_i - x_j|^2, exactly zero for twins."""
    inner = gram(x - x.mean(0))
    sizes = inner.diagonal().clone()
    squared = inner.mul_(-2).add_(sizes[:, None]).add_(sizes[None, :]).fill_diagonal_(torch.inf)
    if squared.min() <= 2 * _TWINS * sizes.max():  # seldom, and worth some more passes over the matrix
        squared.masked_fill_(squared <= _TWINS * (sizes[:, None] + sizes[None, :]), 0.0)
    return squared.fill_diagonal_(0.0)


def euclidean(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """|x_i - x_j|."""
    return squared_euclidean(x).sqrt_()


def cosine(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """1 - <x_i, x_j> / (|x_i| |x_j|), as half the squared distance of the unit vectors; NaN for a zero row."""
    return squared_euclidean(x / torch.linalg.vector_norm(x, dim=1, keepdim=True)).div_(2)


def correlation(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """1 - r(x_i, x_j) over units; NaN for a row whose units all agree."""
    rows = x - x.mean(1, keepdim=True)
    noise = torch.linalg.vector_norm(rows, dim=1) <= _FLAT * torch.linalg.vector_norm(x, dim=1)
    return cosine(rows.masked_fill(noise[:, None], 0.0))


DISSIMILARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "euclidean": euclidean,
    "squared_euclidean": squared_euclidean,
    "cosine": cosine,
    "correlation": correlation,
}


def upper(square: Float[Tensor, "n n"]) -> Float[Tensor, " m"]:
    """Entries i < j, row after row (the order of scipy's pdist)."""
    return torch.cat([row[i + 1 :] for i, row in enumerate(square)])


def ranks(values: Float[ndarray, " m"]) -> Float[ndarray, " m"]:
    """Ranks 1 ... m, ties sharing their mean rank.

    Of many values the rank is that of their bin among 2^18 equal ones. Values c_b to a bin hide a share
    h = sum_b (c_b^3 - c_b) / m^3 of the variance of the ranks, and a correlation of ranks is off by some sqrt(2 h / m);
    where h is above 1e-9, which keeps that below 1.8e-7, the values are sorted instead.
    """
    low, high, m = values.min(), values.max(), values.size
    if m > _FEW and high > low:
        place = ((values - low) * ((_BINS - 1) / (high - low))).astype(np.int32)
        counts = np.bincount(place, minlength=_BINS).astype(np.float64)
        if (counts * (counts * counts - 1)).sum() <= _TIED * float(m) ** 3:
            return (np.cumsum(counts) - (counts - 1) / 2)[place]
    return stats.rankdata(values)


def _ranked(values: Tensor) -> Tensor:
    found = torch.from_numpy(ranks(values.numpy(force=True))).to(values.device)
    return found.sub_((found.numel() + 1) / 2)


COMPARISONS: dict[str, Callable[[Tensor], Tensor]] = {
    "pearson": lambda values: values - values.mean(),
    "spearman": _ranked,
    "cosine": lambda values: values,
}


@dataclass(frozen=True)
class Shares:
    """How the square of a vector of length 1 splits: the same for all pairs, of single stimuli, and of pairs alone.

    `level` is the signed root of the first share; `single` belongs to stimuli that are far from, or near, all others.
    """

    level: float
    single: float

    @property
    def rest(self) -> float:
        """The share of pairs alone."""
        return max(0.0, 1.0 - self.level**2 - self.single)


def profile(values: Float[Tensor, " m"], compare: str, n: int) -> tuple[Float[Tensor, " m"], Shares] | None:
    """Centre or rank the dissimilarities of n stimuli and scale them to length 1; None when they are all alike.

    The inner product of two profiles is the likeness.
    """
    made = COMPARISONS[compare](values)
    size = torch.linalg.vector_norm(made)
    if size <= _FLAT * torch.linalg.vector_norm(values):
        return None
    unit = made / size
    mean = float(unit.mean())
    effects = (_row_sums(unit.numpy(force=True), n) - (n - 1) * mean) / (n - 2)
    return unit, Shares(mean * (n * (n - 1) / 2) ** 0.5, float((n - 2) * (effects @ effects)))


def chance(ours: list[Shares], theirs: list[Shares], n: int) -> tuple[Float[ndarray, "s t"], Float[ndarray, "s t"]]:
    """Exact mean and sd of <a, b> when the n stimuli of one side are re-paired at random, n >= 4.

    A symmetric matrix without its diagonal is a constant, plus a_i + a_j with sum a = 0, plus a matrix whose rows sum
    to zero; re-pairing mixes none of them, and each keeps its length, spread over 1, n - 1 and n(n-3)/2 dimensions:
    E = level_a level_b, Var = single_a single_b / (n-1) + 2 rest_a rest_b / (n(n-3))  (Mantel 1967 gives the variance
    by sums over the matrices).
    """
    level, single, rest = (
        np.outer([getattr(one, part) for one in ours], [getattr(one, part) for one in theirs])
        for part in ("level", "single", "rest")
    )
    return level, np.sqrt(single / (n - 1) + 2 * rest / (n * (n - 3)))


def _row_sums(upper_half: Float[ndarray, " m"], n: int) -> Float[ndarray, " n"]:
    """Row sums of the symmetric matrix with zero diagonal."""
    starts = np.append(0, np.cumsum(np.arange(n - 1, 0, -1)))
    total = np.append(np.add.reduceat(upper_half, starts[:-1]), 0.0)
    for i in range(n - 1):
        total[i + 1 :] += upper_half[starts[i] : starts[i + 1]]
    return total
