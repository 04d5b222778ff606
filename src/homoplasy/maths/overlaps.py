"""What neighbourhoods share, counted on neighbours that are held as bits.

Many objects meet stimulus by stimulus: of one stimulus there is a row of n bits an object, all sources meet all targets
there, and nothing of size n x n is held. Counts are whole numbers: they do not depend on the number of threads.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Integer
from numpy import ndarray

from homoplasy.maths.compiled import bit_count, compiled, in_threads
from homoplasy.maths.neighbours import seekers


def shared(ours: Integer[ndarray, "s n _"], theirs: Integer[ndarray, "t n _"], k: int) -> Integer[ndarray, "s t"]:
    """sum_i |A_i and B_i| of the first k neighbours."""
    return _summed(lambda rows, counts: _shared(ours, theirs, k, rows, counts), ours, theirs)


def met(ours: Integer[ndarray, "s n _"], theirs: Integer[ndarray, "t n _"], k: int) -> Integer[ndarray, "s t"]:
    """The number of i that are among our first k neighbours of any of their first k neighbours of i.

    That is where one of those that seek i here is sought by it there.
    """
    back = [seekers(np.ascontiguousarray(one[:, :k])) for one in ours]
    members, starts = (np.stack(part) for part in zip(*back, strict=True))
    return _summed(lambda rows, counts: _met(members, starts, theirs, k, rows, counts), ours, theirs)


def _summed(
    work: Callable[[tuple[int, int], ndarray], None], ours: Integer[ndarray, "s n _"], theirs: Integer[ndarray, "t n _"]
) -> Integer[ndarray, "s t"]:
    """Add up what parts of the stimuli give."""
    parts: list[ndarray] = []

    def part(start: int, stop: int) -> None:
        counts = np.zeros((len(ours), len(theirs)), dtype=np.int64)
        work((start, stop), counts)
        parts.append(counts)

    in_threads(part, ours.shape[1])
    return np.sum(parts, axis=0)


@compiled
def _shared(ours: ndarray, theirs: ndarray, k: int, rows: tuple[int, int], counts: ndarray) -> None:
    words = (ours.shape[1] + 63) // 64
    a, b = np.zeros((len(ours), words), np.uint64), np.zeros((len(theirs), words), np.uint64)
    for i in range(rows[0], rows[1]):
        for s in range(len(ours)):
            _mark(a[s], ours[s, i], k)
        for t in range(len(theirs)):
            _mark(b[t], theirs[t, i], k)
        for s in range(len(ours)):
            for t in range(len(theirs)):
                both = np.uint64(0)
                for word in range(words):
                    both += bit_count(a[s, word] & b[t, word])
                counts[s, t] += both


@compiled
def _met(members: ndarray, starts: ndarray, theirs: ndarray, k: int, rows: tuple[int, int], counts: ndarray) -> None:
    words = (theirs.shape[1] + 63) // 64
    a, b = np.zeros((len(starts), words), np.uint64), np.zeros((len(theirs), words), np.uint64)
    for i in range(rows[0], rows[1]):
        for s in range(len(starts)):
            _mark(a[s], members[s, starts[s, i] :], starts[s, i + 1] - starts[s, i])
        for t in range(len(theirs)):
            _mark(b[t], theirs[t, i], k)
        for s in range(len(starts)):
            for t in range(len(theirs)):
                for word in range(words):
                    if a[s, word] & b[t, word]:
                        counts[s, t] += 1
                        break


def mutual_pairs(lists: Integer[ndarray, "n _"], ks: Sequence[int]) -> Integer[ndarray, " w"]:
    """Ordered pairs that are among the first k neighbours of each other."""
    order = np.argsort(ks)
    out = np.empty(len(ks), dtype=np.int64)
    out[order] = _mutual(lists, np.array(ks)[order])
    return out


@compiled
def _mutual(lists: ndarray, ks: ndarray) -> ndarray:
    n = lists.shape[0]
    held, counts = np.zeros(((n + 63) // 64, n), np.uint64), np.zeros(len(ks), np.int64)
    done = 0
    for w in range(len(ks)):
        _hold(held, lists, done, ks[w])
        done = ks[w]
        for i in range(n):
            found = np.uint64(0)
            for place in range(done):
                found += (held[i >> 6, lists[i, place]] >> np.uint64(i & 63)) & np.uint64(1)
            counts[w] += found
    return counts


def returned(lists: Integer[ndarray, "n _"], k: int) -> Bool[ndarray, "n k"]:
    """Whether i is among the first k neighbours of its own p-th neighbour."""
    out = np.empty((len(lists), k), dtype=bool)
    _returned(lists, out)
    return out


@compiled
def _returned(lists: ndarray, out: ndarray) -> None:
    n, k = out.shape
    held = np.zeros(((n + 63) // 64, n), np.uint64)
    _hold(held, lists, 0, k)
    for i in range(n):
        for place in range(k):
            out[i, place] = (held[i >> 6, lists[i, place]] >> np.uint64(i & 63)) & np.uint64(1)


@compiled
def _hold(held: ndarray, lists: ndarray, first: int, last: int) -> None:
    """Bit j & 63 of [j >> 6, i]: j is a neighbour of i; all that may hold one stimulus stand together."""
    for i in range(lists.shape[0]):
        for place in range(first, last):
            j = lists[i, place]
            held[j >> 6, i] |= np.uint64(1) << np.uint64(j & 63)


@compiled
def _mark(row: ndarray, stimuli: ndarray, count: int) -> None:
    """Hold the first `count` stimuli, and no others."""
    row[:] = 0
    for place in range(count):
        j = stimuli[place]
        row[j >> 6] |= np.uint64(1) << np.uint64(j & 63)
