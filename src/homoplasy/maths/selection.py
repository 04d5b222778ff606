"""The smallest of many whole numbers, in order: what a search for neighbours spends its time on."""

from numpy import ndarray

from homoplasy.maths.compiled import compiled

BUCKETS = 256
_CROWD = 32  # numbers in one bucket, above which insertion alone is slow
_WIDE = 3280  # first gap of Shell's sort, 3280, 1093 ... 4, 1, which ends with insertion


@compiled
def smallest(keys: ndarray, count: int, k: int, heads: ndarray, out: ndarray) -> None:
    """Write the smallest k of the first `count` keys to out[:k] in order; `heads` holds BUCKETS whole numbers."""
    end, most = _bucketed(keys, count, k, heads, out)
    gap = _WIDE if most > _CROWD else 1
    while gap:
        _inserted(out, end, gap)
        gap //= 3


@compiled
def passing(keys: ndarray, count: int, threshold: int, out: ndarray) -> int:
    """Write those of the first `count` keys that are no larger than the threshold to `out`; how many they are."""
    found = 0
    for p in range(count):
        out[found] = keys[p]
        found += keys[p] <= threshold
    return found


@compiled
def _bucketed(keys: ndarray, count: int, k: int, heads: ndarray, out: ndarray) -> tuple[int, int]:
    """Order keys by buckets of equal width; where the bucket of the k-th ends, and the most in one up to there."""
    low, high = keys[0], keys[0]
    for p in range(count):
        low, high = min(low, keys[p]), max(high, keys[p])
    shift = 0
    while (high - low) >> shift >= BUCKETS:
        shift += 1
    heads[:] = 0
    for p in range(count):
        heads[(keys[p] - low) >> shift] += 1
    most, end, at = 0, 0, 0
    for bucket in range(BUCKETS):
        held, heads[bucket] = heads[bucket], at
        if at < k:
            most, end = max(most, held), at + held
        at += held
    for p in range(count):
        bucket = (keys[p] - low) >> shift
        out[heads[bucket]] = keys[p]
        heads[bucket] += 1
    return end, most


@compiled
def _inserted(out: ndarray, end: int, gap: int) -> None:
    for p in range(gap, end):
        key, q = out[p], p - gap
        while q >= 0 and out[q] > key:
            out[q + gap] = out[q]
            q -= gap
        out[q + gap] = key
