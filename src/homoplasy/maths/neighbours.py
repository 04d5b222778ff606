"""Nearest neighbours of stimuli: found once an object, for every number of them that is asked for."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from numpy import ndarray
from torch import Tensor

from homoplasy.maths.compiled import compiled, in_threads
from homoplasy.maths.selection import BUCKETS, passing, smallest

_ROOM = 2**27  # similarities held at a time, in passing
_SAMPLE = 128  # similarities of a row from which the threshold of its candidates is guessed
_SPARSE = 2  # a sample of every key would be no sample
_SAFETY = 3.0  # standard errors that the guess lies on the safe side
_GRAINS = 2.0**39  # similarities that differ by less than 2e-12 |x_i| max |x_j| count as equal
_MANTISSA = 2.0**52  # added to a number, leaves it rounded to a whole one in the last bits
_INDEX = 22  # bits that hold the index of a stimulus, below those of its similarity
_POSITIVE, _LAST = (1 << 63) - 1, (1 << _INDEX) - 1


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """x_i / |x_i|: inner products become cosines."""
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


def unit_largest(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """X / max |x_i|: inner products keep their order and lie in [-1, 1]."""
    return x / torch.linalg.vector_norm(x, dim=1).max()


METRICS = {"cosine": unit_rows, "inner": unit_largest}


class Near(NamedTuple):
    """The k nearest others of every stimulus, and their similarities."""

    lists: Integer[ndarray, "n k"]
    similarity: Float[ndarray, "n k"]


def panel(n: int) -> int:
    """How many rows of similarities are held at a time: all of them where they fit."""
    return min(n, max(1, _ROOM // n))


def room(n: int) -> Float[ndarray, "h n"]:
    """Place for the rows of a panel."""
    return np.empty((panel(n), n))


def index_type(n: int) -> type[np.uint16] | type[np.int32]:
    """What holds the index of a stimulus: two bytes where they can, since lists are most of the memory."""
    return np.uint16 if n <= 2**16 else np.int32


def nearest(x: Float[Tensor, "n d"], k: int, metric: str) -> Near:
    """The k nearest others of every row, nearest first; of equally near ones the earlier row comes first."""
    near = Near(np.empty((len(x), k), index_type(len(x))), np.empty((len(x), k)))
    search(x, metric, range(1, k + 1), near, room(len(x)))
    return near


def search(x: Float[Tensor, "n d"], metric: str, ks: Sequence[int], near: Near, within: Float[ndarray, "h n"]) -> None:
    """Fill `near`, whose similarities may have no columns, in a `room` that serves many objects of as many rows.

    The first k of a list are the k nearest for each of `ks`, which rise up to the length of the lists; between them
    there is no order. Objects on a GPU are brought to the processor. The result does not depend on the number of
    threads.
    """
    z = METRICS[metric](x).numpy(force=True).astype(np.float64, copy=False)
    guess, wanted = _guess(len(z) - 1, near.lists.shape[1]), np.array(ks)
    for start in range(0, len(z), len(within)):
        rows = slice(start, start + len(within))
        similar = np.matmul(z[rows], z.T, out=within[: len(z[rows])])

        def order(first: int, last: int, start: int = start, similar: ndarray = similar) -> None:
            _order(similar, (start, first, last), (guess, wanted), near.lists[start:], near.similarity[start:])

        in_threads(order, len(similar))


def _guess(others: int, k: int) -> tuple[int, int]:
    """Every which key a sample takes, and at which of its places the threshold lies; (0, 0) where it would not pay."""
    step = others // _SAMPLE
    if step < _SPARSE:
        return 0, 0
    size, share = -(-others // step), k / others
    rank = math.ceil(size * share + _SAFETY * math.sqrt(size * share * (1 - share)))
    return (step, rank) if rank < size else (0, 0)


@compiled
def _order(
    similar: ndarray, at: tuple[int, int, int], how: tuple[Any, ...], lists: ndarray, similarity: ndarray
) -> None:
    """Order rows first ... last of the panel that starts at `start`."""
    (start, first, last), ((step, rank), ks) = at, how
    n, k = similar.shape[1], lists.shape[1]
    shifted, keys, some, out = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    heads, threshold = np.empty(BUCKETS, np.int64), np.full(1, rank + 1)
    for i in range(first, last):
        _keys(similar[i], similar[i, start + i], shifted, keys)
        keys[start + i] = keys[n - 1]  # a stimulus is none of its own neighbours
        count = 0
        if step > 0:
            sample = keys[: n - 1 : step]
            some[: len(sample)] = sample
            smallest(some, len(sample), threshold, heads, out)
            count = passing(keys, n - 1, out[rank], some)
        if count < k:
            count = passing(keys, n - 1, _POSITIVE, some)
        smallest(some, count, ks, heads, out)
        for place in range(k):
            lists[i, place] = out[place] & _LAST
        for place in range(similarity.shape[1]):
            similarity[i, place] = similar[i, lists[i, place]]


@compiled
def _keys(row: ndarray, square: float, shifted: ndarray, keys: ndarray) -> None:
    """The grains that s_ij / |x_i| lacks to 1, then j: distinct, in the order of similarity, then of index."""
    scale = _GRAINS / math.sqrt(square) if square > 0 else 0.0
    for j in range(len(row)):
        shifted[j] = (_GRAINS - row[j] * scale) + _MANTISSA
    bits = shifted.view(np.int64)
    for j in range(len(row)):
        keys[j] = ((bits[j] << _INDEX) & _POSITIVE) + j


def in_degrees(lists: Integer[ndarray, "n k"], ks: Sequence[int]) -> Integer[ndarray, "w n"]:
    """How many have i among their first k neighbours, one row a k: hubs are sought by many."""
    order = np.argsort(ks)
    added = np.zeros((len(ks), len(lists)), dtype=np.int64)
    _degrees(lists, np.array(ks)[order], added)
    out = np.empty_like(added)
    out[order] = added.cumsum(0)
    return out


@compiled
def _degrees(lists: ndarray, ks: ndarray, added: ndarray) -> None:
    for i in range(lists.shape[0]):
        done = 0
        for w in range(len(ks)):
            for place in range(done, ks[w]):
                added[w, lists[i, place]] += 1
            done = ks[w]


def seekers(lists: Integer[ndarray, "n k"]) -> tuple[Integer[ndarray, " m"], Integer[ndarray, " n1"]]:
    """Who has each stimulus among its neighbours, in order; those of i stand at starts[i] ... starts[i + 1]."""
    starts = np.concatenate([[0], np.cumsum(in_degrees(lists, lists.shape[1:])[0])])
    members = np.empty(lists.size, lists.dtype)
    _turn(lists, starts.copy(), members)
    return members, starts


@compiled
def _turn(lists: ndarray, heads: ndarray, members: ndarray) -> None:
    for i in range(lists.shape[0]):
        for place in range(lists.shape[1]):
            j = lists[i, place]
            members[heads[j]] = i
            heads[j] += 1
