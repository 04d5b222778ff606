"""Dissimilarities of all pairs of stimuli: increasing functions of squared distances of points; exact ones, held."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy import stats
from torch import Tensor

from homoplasy.maths.gram import gram

_TWINS = 64 * torch.finfo(torch.float64).eps  # of |x_i|^2 + |x_j|^2: squared distances below it are rounding, so zero
_FLAT = 1e-10  # a row whose units spread by less than this share of its size has no direction
_TIED = 2.0**-40  # of the largest dissimilarity: two that differ by less differ by rounding


def centred(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows about their mean: their distances are those of the rows, and rounding takes fewer digits of them."""
    return x - x.mean(0)


def directions(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Unit rows, x_i / |x_i|: half their squared distance is 1 - cosine. NaN for a zero row."""
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


def contrasts(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Unit rows about the mean of their units: half their squared distance is 1 - r. NaN where a row's units agree."""
    rows = x - x.mean(1, keepdim=True)
    noise = torch.linalg.vector_norm(rows, dim=1) <= _FLAT * torch.linalg.vector_norm(x, dim=1)
    return directions(rows.masked_fill(noise[:, None], 0.0))


POINTS: dict[str, Callable[[Tensor], Tensor]] = {
    "euclidean": centred,
    "squared_euclidean": centred,
    "cosine": directions,
    "correlation": contrasts,
}


def squared_euclidean(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """|x_i - x_j|^2, exactly zero for twins."""
    inner = gram(centred(x))
    sizes = inner.diagonal().clone()
    squared = inner.mul_(-2).add_(sizes[:, None]).add_(sizes[None, :]).fill_diagonal_(torch.inf)
    if squared.min() <= 2 * _TWINS * sizes.max():  # seldom, and worth some more passes over the matrix
        squared.masked_fill_(squared <= _TWINS * (sizes[:, None] + sizes[None, :]), 0.0)
    return squared.fill_diagonal_(0.0)


def upper(square: Float[Tensor, "n n"]) -> Float[Tensor, " m"]:
    """Entries i < j, row after row (the order of scipy's pdist)."""
    return torch.cat([row[i + 1 :] for i, row in enumerate(square)])


def ranks(values: Float[ndarray, " m"]) -> Float[ndarray, " m"]:
    """Ranks 1 ... m of numbers that are not negative, ties and what only rounding parts sharing their mean rank.

    >>> ranks(np.array([0.3, 0.1 + 0.2, 0.0]))
    array([2.5, 2.5, 1. ])
    """
    step = values.max(initial=0.0) * _TIED
    return stats.rankdata(np.rint(values / step) if step > 0 else values)


def row_sums(upper_half: Float[ndarray, " m"], n: int) -> Float[ndarray, " n"]:
    """Row sums of the symmetric matrix with zero diagonal."""
    starts = np.append(0, np.cumsum(np.arange(n - 1, 0, -1)))
    total = np.append(np.add.reduceat(upper_half, starts[:-1]), 0.0)
    for i in range(n - 1):
        total[i + 1 :] += upper_half[starts[i] : starts[i + 1]]
    return total
