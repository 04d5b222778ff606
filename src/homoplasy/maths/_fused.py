"""The entries of a tile, their sums and their products in one go over memory that stays in the cache of a core.

Compiled by numba for float32 on a CPU; `maths.entries` is the same in plain torch. Each number is summed in an order
that depends on the tile alone: not on threads, nor on which other objects are there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped] # it has no types
from numba.extending import intrinsic
from numpy.typing import NDArray

from homoplasy.maths.compiled import Loop, compiled

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

LANES = 16  # float32 in the widest register: rows are padded to it, for a loop's tail is slow
_RUN = 512  # products summed in float32 before the sum is carried on in float64; objects x run stay in the cache
_HIGH, _WIDE = 4, 3  # rows of the two sides multiplied together: their sums fill the registers

# 2^f - 1 = f P(f) on [-1/2, 1/2] to 1.3e-8: P interpolates (2^f - 1) / f at six Chebyshev nodes
_P0, _P1, _P2, _P3, _P4, _P5 = (
    np.float32(c) for c in (0.6931472, 0.2402265, 0.05550357, 0.009618083, 0.0013390863, 0.00015453163)
)
_ZERO, _HALF, _ONE, _TWO, _LEAST = (np.float32(c) for c in (0, 0.5, 1, 2, -126))


class Kernels(NamedTuple):
    """What makes entries of squared distances D: V_ij = 2^(factor D) - less - a_i - a_j, or factor D - a_i - a_j."""

    factor: F32  # width, object
    less: F32
    linear: NDArray[np.bool_]
    shift: F32  # width, object, stimulus, padded by LANES


class Part(NamedTuple):
    """The sums of one rectangle of pairs, to which a call adds."""

    cross: F64  # width, source, target
    square: F64  # width, object
    rows: F32  # width, object, row
    columns: F32


def ordered(loop: Loop) -> Loop:
    """Compile a loop whose order of operations keeps digits: a product and a sum may be rounded together, no more."""
    return compiled(loop, frozenset({"contract"}))


def reordered(loop: Loop) -> Loop:
    """Compile a loop that is nothing but a sum, which may be taken by lanes."""
    return compiled(loop, frozenset({"contract", "reassoc", "nsz"}))


def _exponent(_context: Any, _whole: Any) -> Any:
    """2^r of a whole float32 r in [-126, 127], by its exponent bits."""

    def bits(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        biased = builder.add(builder.fptosi(arguments[0], word), ir.Constant(word, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(word, 23)), ir.FloatType())

    return numba.float32(numba.float32), bits


_power = cast("Callable[[np.float32], np.float32]", intrinsic(_exponent))


@ordered
def _gaussian(v: F32, d: F32, c: np.float32, less: np.float32, a: F32) -> None:
    """V = 2^r (2^f - 1) + ((2^r - less) - a) with r + f = c d: no digit is lost where K is near 1 or near 0."""
    for k in range(v.shape[0]):
        y = max(c * d[k], _LEAST)
        r = np.floor(y + _HALF)
        f = y - r
        s = _power(r)
        g = f * (_P0 + f * (_P1 + f * (_P2 + f * (_P3 + f * (_P4 + f * _P5)))))
        v[k] = s * g + ((s - less) - a[k])


@ordered
def _linear(v: F32, d: F32, c: np.float32, a: F32) -> None:
    for k in range(v.shape[0]):
        v[k] = c * d[k] - a[k]


@reordered
def _total(e: F32, registers: int) -> np.float32:
    total = _ZERO
    for j in range(registers * LANES):
        total += e[j]
    return total


@reordered
def _square(e: F32) -> np.float32:
    total = _ZERO
    for j in range(e.shape[0]):
        total += e[j] * e[j]
    return total


@reordered
def _dots(v: F32, w: F32, length: int) -> tuple[np.float32, ...]:
    """Products of four rows with three: twelve sums at a time keep the multipliers of a core busy."""
    a = b = c = d = e = f = g = h = i = j = k = l = _ZERO
    v0, v1, v2, v3, w0, w1, w2 = v[0], v[1], v[2], v[3], w[0], w[1], w[2]
    for at in range(length):
        p, q, r, s, x, y, z = v0[at], v1[at], v2[at], v3[at], w0[at], w1[at], w2[at]
        a += p * x
        b += p * y
        c += p * z
        d += q * x
        e += q * y
        f += q * z
        g += r * x
        h += r * y
        i += r * z
        j += s * x
        k += s * y
        l += s * z
    return a, b, c, d, e, f, g, h, i, j, k, l


@ordered
def pilot(squared: F32, factor: F32, linear: NDArray[np.bool_]) -> F64:
    """Sums over the columns of K - 1, or of a linear kernel, one a width and row."""
    n, wide = squared.shape
    sums = np.empty((factor.shape[0], n))
    entries, nothing = np.empty(wide, np.float32), np.zeros(wide, np.float32)
    for w in range(factor.shape[0]):
        for i in range(n):
            if linear[w]:
                _linear(entries, squared[i], factor[w], nothing)
            else:
                _gaussian(entries, squared[i], factor[w], _ONE, nothing)
            sums[w, i] = _total(entries, wide // LANES)
    return sums


def padded(rows: int, columns: int) -> tuple[int, int]:
    """Up to whole groups of the rows that are multiplied together."""
    return -(-rows // _HIGH) * _HIGH, -(-columns // _WIDE) * _WIDE


@ordered
def products(v: F32, w: F32, length: int, cross: F64) -> None:
    """cross_st += sum_k v_sk w_tk, k < length; rows beyond those of `cross` make counts multiples of four and three."""
    rows, columns = cross.shape
    for s in range(0, rows, _HIGH):
        for t in range(0, columns, _WIDE):
            dots = _dots(v[s : s + _HIGH], w[t : t + _WIDE], length)
            for x in range(min(_HIGH, rows - s)):
                for y in range(min(_WIDE, columns - t)):
                    cross[s + x, t + y] += dots[x * _WIDE + y]


def room(sources: int, targets: int) -> F32:
    """Where `add` keeps the entries of a run of pairs."""
    return np.zeros((sum(padded(sources, targets)), _RUN), np.float32)


@ordered
def distances(
    gram: F32, norms_i: F32, norms_j: F32, size: tuple[int, int], diagonal: int, least: np.float32
) -> NDArray[np.int64]:
    """|x_i|^2 + |x_j|^2 - 2 x_i'x_j in place, 0 in `diagonal` first rows; how many an object are below `least`."""
    height, width = size
    below = np.zeros(gram.shape[0], np.int64)
    for p in range(gram.shape[0]):
        to = norms_j[p, :width]
        for i in range(height):
            row, own, count = gram[p, i, :width], norms_i[p, i], np.int32(0)
            for j in range(width):
                row[j] = own + (to[j] - _TWO * row[j])
            if i < diagonal:
                row[i] = 0
            for j in range(width):
                count += np.int32(row[j] < least)
            below[p] += count
    return below


@ordered
def _gather(to: F32, squared: F32, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    """Copy a rectangle of each object's tile to where it is in one piece."""
    wide = columns[1] - columns[0]
    for p in range(squared.shape[0]):
        for i in range(rows[1] - rows[0]):
            own, of = to[p, i * wide : (i + 1) * wide], squared[p, rows[0] + i, columns[0] : columns[1]]
            for j in range(wide):
                own[j] = of[j]


@ordered
def _shifts(to: F32, left: F32, right: F32) -> None:
    """a_i + a_j."""
    wide = right.shape[0]
    for i in range(left.shape[0]):
        own, a = to[i * wide : (i + 1) * wide], left[i]
        for j in range(wide):
            own[j] = a + right[j]


@ordered
def _tally(v: F32, wide: int, blank: tuple[int, int], rows: F32, columns: F32) -> None:
    """Sums of rows and columns, after 0 was put beyond the width blank[0] and, from blank[1] on, on the diagonal."""
    for i in range(rows.shape[0]):
        e = v[i * wide : (i + 1) * wide]
        for j in range(blank[0], wide):
            e[j] = 0
        if blank[1] >= 0:
            e[blank[1] + i] = 0
        for j in range(columns.shape[0]):
            columns[j] += e[j]
        rows[i] += _total(e, wide // LANES)


@ordered
def add(squared: F32, kernels: Kernels, bounds: tuple[int, ...], at: tuple[int, int], room: F32, part: Part) -> None:
    """Add the sums over the pairs of some rows and columns, whose distances are in a tile that begins with `at`."""
    own, bottom, to, last = bounds
    top, first, width = own - at[0], to - at[1], last - to
    count, sources = squared.shape[0], part.cross.shape[1]
    gap, wide = -sources % _HIGH, width + -width % LANES
    near, shifts = np.zeros((count, _RUN), np.float32), np.zeros(_RUN, np.float32)
    for start in range(0, bottom - own, _RUN // wide):
        stop = min(start + _RUN // wide, bottom - own)
        length = (stop - start) * wide
        a, blank = shifts[:length], (width, start if own == to else -1)
        _gather(near, squared, (top + start, top + stop), (first, first + wide))
        for w in range(part.cross.shape[0]):
            for p in range(count):
                d, v = near[p, :length], room[p if p < sources else p + gap, :length]
                shift, c = kernels.shift[w, p], kernels.factor[w, p]
                _shifts(a, shift[own + start : own + stop], shift[to : to + wide])
                if kernels.linear[w, p]:
                    _linear(v, d, c, a)
                else:
                    _gaussian(v, d, c, kernels.less[w, p], a)
                _tally(v, wide, blank, part.rows[w, p, start:stop], part.columns[w, p])
                part.square[w, p] += _square(v)
            products(room[: sources + gap], room[sources + gap :], length, part.cross[w])
