"""The smallest of many whole numbers, for several sizes: what a search for neighbours spends its time on."""

import numpy as np
from numpy import ndarray

from homoplasy.maths.compiled import compiled

BUCKETS = 1024
_CROWD = 32  # numbers in one bucket, above which insertion alone is slow
_WIDE = 3280  # first gap of Shell's sort, 3280, 1093 ... 4, 1, which ends with insertion


@compiled
def smallest(keys: ndarray, count: int, ks: ndarray, heads: ndarray, out: ndarray) -> None:
    """Write the first `count` keys such that out[:k] are the smallest k, the largest of them last, for all k of `ks`.

    These rise. Only buckets in which one of them ends are put in order; `heads` holds BUCKETS whole numbers.
    """
    start, at = 0, 0
    for bucket in range(_bucketed(keys, count, heads, out)):
        end = heads[bucket]
        if ks[at] <= end:
            _ordered(out, start, end)
            at = np.searchsorted(ks, end, side="right")
            if at == len(ks):
                return
        start = end


@compiled
def passing(keys: ndarray, count: int, threshold: int, out: ndarray) -> int:
    """Write those of the first `count` keys that are no larger than the threshold to `out`; how many they are."""
    found = 0
    for p in range(count):
        out[found] = keys[p]
        found += keys[p] <= threshold
    return found


@compiled
def _bucketed(keys: ndarray, count: int, heads: ndarray, out: ndarray) -> int:
    """Order keys by buckets of equal width, about one a key; how many there are, and in `heads` where each ends."""
    low, high = keys[0], keys[0]
    for p in range(count):
        low, high = min(low, keys[p]), max(high, keys[p])
    shift, most = 0, min(count, BUCKETS)
    while (high - low) >> shift >= most:
        shift += 1
    buckets = ((high - low) >> shift) + 1
    heads[:buckets] = 0
    for p in range(count):
        heads[(keys[p] - low) >> shift] += 1
    at = 0
    for bucket in range(buckets):
        heads[bucket], at = at, at + heads[bucket]
    for p in range(count):
        bucket = (keys[p] - low) >> shift
        out[heads[bucket]] = keys[p]
        heads[bucket] += 1
    return buckets


@compiled
def _ordered(out: ndarray, start: int, end: int) -> None:
    gap = _WIDE if end - start > _CROWD else 1
    while gap:
        for p in range(start + gap, end):
            key, q = out[p], p - gap
            while q >= start and out[q] > key:
                out[q + gap] = out[q]
                q -= gap
            out[q + gap] = key
        gap //= 3
