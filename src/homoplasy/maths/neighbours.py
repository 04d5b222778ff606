"""Nearest neighbours of stimuli: found once, held as bits, and counted where two representations share them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt16, UInt64
from numpy import ndarray
from scipy import special
from torch import Tensor

from homoplasy.maths.gram import gram

_SAMPLE = 512  # similarities of a row from which the threshold of its candidates is guessed
_SAFETY = 2.5  # standard errors that the guess lies on the safe side
_SLACK = 1e-9  # so that what counts as equal to the threshold passes too
_FAR = np.uint16(65535)
_CHUNK = 8192  # words that are compared at a time: they stay near the processor


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """x_i / |x_i|: inner products become cosines."""
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


def unit_largest(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """X / max |x_i|: inner products keep their order and lie in [-1, 1]."""
    return x / torch.linalg.vector_norm(x, dim=1).max()


METRICS = {"cosine": unit_rows, "inner": unit_largest}


def nearest(x: Float[Tensor, "n d"], k: int, metric: str) -> Int[ndarray, "n k"]:
    """The k nearest others of every row, nearest first; of equally near ones the earlier row comes first.

    Similarities lie in [-1, 1]; those that agree to some n 4e-16 count as equal: the last bits of 3 - s hold the
    index, so that one order of whole numbers is that of similarity, then of index.
    """
    similarity = gram(METRICS[metric](x)).fill_diagonal_(-torch.inf)
    on_processor = similarity.device.type == "cpu"
    lists = _selected(similarity.numpy(), k) if on_processor else _top(similarity, k).numpy(force=True)
    return lists.astype(np.int32)


def _top(similarity: Float[Tensor, "n n"], k: int) -> Int[Tensor, "n k"]:
    n = len(similarity)
    keys = (3.0 - similarity).view(torch.int64) & _front(n) | torch.arange(n, device=similarity.device)
    return keys.topk(k, dim=1, largest=False, sorted=True).values & ~_front(n)


def _selected(similarity: Float[ndarray, "n n"], k: int) -> Int[ndarray, "n k"]:
    """Guess a threshold of each row from a sample, order what passes; where the guess was too high, order all."""
    n = len(similarity)
    sample = similarity[:, :: max(2, n // _SAMPLE)]
    width, share = sample.shape[1], k / n
    guess = math.ceil(width * share + _SAFETY * math.sqrt(width * share * (1 - share)))
    if guess >= width:
        return _smallest(_keys(similarity, np.arange(n), n), k, n)
    threshold = np.partition(sample, width - guess, axis=1)[:, width - guess]
    near = similarity >= (threshold - _SLACK)[:, None]
    counts = np.count_nonzero(near, axis=1)
    found = np.flatnonzero(near)
    keys = np.full((n, max(k, counts.max())), np.iinfo(np.int64).max)
    column = found - np.repeat(np.arange(n) * n, counts)
    keys[np.arange(keys.shape[1]) < counts[:, None]] = _keys(similarity.ravel()[found], column, n)
    keys.partition(k - 1, axis=1)
    short = keys[:, k - 1] > _keys(threshold, np.zeros(n, np.int64), n)
    out = _smallest(keys, k, n)
    if short.any():
        out[short] = _smallest(_keys(similarity[short], np.arange(n), n), k, n)
    return out


def _keys(similarity: ndarray, index: ndarray, n: int) -> ndarray:
    return (3.0 - similarity).view(np.int64) & _front(n) | index


def _smallest(keys: ndarray, k: int, n: int) -> ndarray:
    return np.sort(np.partition(keys, k - 1, axis=1)[:, :k], axis=1) & ~_front(n)


def _front(n: int) -> int:
    """The bits that do not hold the index."""
    return -1 << (n - 1).bit_length()


def rank_table(lists: Int[ndarray, "n k"]) -> UInt16[ndarray, "n w"]:
    """The place of j among the neighbours of i, from 0; very large where it is none. Columns fill whole words."""
    n, k = lists.shape
    table = np.full((n, -(-n // 64) * 64), _FAR)
    table[np.arange(n)[:, None], lists] = np.arange(k, dtype=np.uint16)
    return table


def bits(table: UInt16[ndarray, "n w"], k: int) -> UInt64[ndarray, "n q"]:
    """One bit for each of the first k neighbours."""
    return np.packbits(table < k, axis=1).view(np.uint64)


def reverse_bits(table: UInt16[ndarray, "n w"], k: int) -> UInt64[ndarray, "n q"]:
    """Bit j of row i: i is one of the first k neighbours of j."""
    n, w = table.shape
    turned = np.zeros((n, w), dtype=bool)
    turned[:, :n] = (table[:, :n] < k).T
    return np.packbits(turned, axis=1).view(np.uint64)


def in_degrees(lists: Int[ndarray, "n k"], k: int) -> Int[ndarray, " n"]:
    """How many have i among their first k neighbours: hubs are sought by many."""
    return np.bincount(lists[:, :k].ravel(), minlength=len(lists))


def shared(a: UInt64[ndarray, "n q"], b: UInt64[ndarray, "n q"]) -> int:
    """sum_i |A_i and B_i|."""
    left, right = a.ravel(), b.ravel()
    parts = range(0, left.size, _CHUNK)
    return sum(int(np.bitwise_count(left[i : i + _CHUNK] & right[i : i + _CHUNK]).sum(dtype=np.int64)) for i in parts)


def met(a: UInt64[ndarray, "n q"], b: UInt64[ndarray, "n q"]) -> Bool[ndarray, " n"]:
    """Whether A_i and B_i have an element in common."""
    return (a & b).any(axis=1)


def mutual_pairs(lists: Int[ndarray, "n k"], table: UInt16[ndarray, "n w"]) -> Int[ndarray, " k"]:
    """Ordered pairs that are neighbours of each other among the first 1 ... k."""
    n, k = lists.shape
    back = np.maximum(table[lists, np.arange(n)[:, None]], np.arange(k, dtype=np.uint16))
    return np.cumsum(np.bincount(back[back < k], minlength=k))


@dataclass(frozen=True)
class Spread:
    """Squared lengths of the parts of a neighbour matrix that re-pairing of stimuli does not mix."""

    hubs: float
    symmetric: float
    skew: float


def spread(degrees: Int[ndarray, " n"], k: int, mutual: int) -> Spread:
    """Split A, A_ij = 1 where j is one of the k neighbours of i, less its mean k/(n-1).

    With d = degrees - k, A = r_i + c_j + S + T, S symmetric and T skew with rows and columns that sum to zero;
    |r + c|^2 = |d|^2 (n-1)/(n(n-2)), and |S|^2 - |T|^2 follows from the mutual pairs <A, A'>.
    """
    n = degrees.size
    hubs = float(((degrees - k) ** 2).sum()) * (n - 1) / (n * (n - 2))
    level = n * k * k / (n - 1)
    both, difference = n * k - level - hubs, mutual - level - hubs / (n - 1)
    return Spread(hubs, max(0.0, (both + difference) / 2), max(0.0, (both - difference) / 2))


def overlap_sd(ours: list[Spread], theirs: list[Spread], n: int, k: int) -> Float[ndarray, "s t"]:
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


def cycle_chance(degrees: Int[ndarray, " n"], k: int) -> float:
    """Exact mean share of stimuli that come back: 1 - mean_i C(n-1-degree_i, k) / C(n-1, k).

    Re-paired, the k neighbours on the other side are any k of the n - 1 others; degree_i of these lead back to i.
    """
    n = degrees.size
    left = n - 1 - degrees
    miss = np.exp(_log_choose(np.maximum(left, k), k) - _log_choose(n - 1, k))
    return float(1 - np.where(left >= k, miss, 0.0).mean())


def _log_choose(n: Any, k: int) -> Any:
    return special.gammaln(np.add(n, 1)) - special.gammaln(k + 1) - special.gammaln(np.add(n, 1 - k))
