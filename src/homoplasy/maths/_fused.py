"""The entries of a tile, their sums and their products in one go over memory that stays in the cache of a core.

Compiled by numba for float32 on a CPU; `maths.entries` is the same in plain torch. Each number is summed in an order
that depends on the tile alone: not on threads, nor on which other objects are there.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from homoplasy.maths._lanes import HIGH, LANES, WIDE, blanked, larger, load, multiply, power, splat, store, total
from homoplasy.maths.compiled import Loop, compiled

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_RUN = 512  # products summed in float32 before the sum is carried on in float64
_HELD = 288  # runs held of the sources at a time: they stay in the cache of a core
TALL = 4  # rows of a tile made together: their columns are summed on the way

# 2^f - 1 = f P(f) on [-1/2, 1/2] to 1.3e-8: P interpolates (2^f - 1) / f at six Chebyshev nodes
_P0, _P1, _P2, _P3, _P4, _P5 = (
    np.float32(c) for c in (0.6931472, 0.2402265, 0.05550357, 0.009618083, 0.0013390863, 0.00015453163)
)
_ZERO, _ONE, _TWO, _LEAST = (np.float32(c) for c in (0, 1, 2, -126))
_WHOLE = np.float32(1.5 * 2**23)  # added to a number, leaves it rounded to a whole one in the last bits


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
    rows: F32  # width, object, row, padded to LANES
    columns: F32  # the same


def ordered(loop: Loop) -> Loop:
    """Compile a loop whose order of operations keeps digits: a product and a sum may be rounded together, no more."""
    return compiled(loop, frozenset({"contract"}))


def inside(loop: Loop) -> Loop:
    """The same, for a loop that stands inside others."""
    return compiled(loop, frozenset({"contract"}), inside=True)


@inside
def _entry(d: Any, c: Any, less: Any, a: Any, linear: bool) -> Any:  # noqa: FBT001 # compiled
    """V = 2^r (2^f - 1) + ((2^r - less) - a) with r + f = c d: no digit is lost where K is near 1 or near 0."""
    if linear:
        return c * d - a
    y = larger(c * d, splat(_LEAST))
    shifted = y + splat(_WHOLE)
    f = y - (shifted - splat(_WHOLE))
    s = power(shifted)
    g = splat(_P2) + f * (splat(_P3) + f * (splat(_P4) + f * splat(_P5)))
    return s * (f * (splat(_P0) + f * (splat(_P1) + f * g))) + ((s - less) - a)


@ordered
def pilot(squared: F32, factor: F32, linear: NDArray[np.bool_]) -> F64:
    """Sums over the columns of K - 1, or of a linear kernel, one a width and row."""
    n, wide = squared.shape
    sums = np.empty((factor.shape[0], n))
    for w in range(factor.shape[0]):
        for i in range(n):
            row, c = splat(_ZERO), splat(factor[w])
            for j in range(0, wide, LANES):
                row += _entry(load(squared[i], j), c, splat(_ONE), splat(_ZERO), linear[w])
            sums[w, i] = total(row)
    return sums


def padded(rows: int, columns: int) -> tuple[int, int]:
    """Up to whole groups of the rows that are multiplied together."""
    return -(-rows // HIGH) * HIGH, -(-columns // WIDE) * WIDE


@ordered
def products(v: F32, w: F32, length: int, cross: F64) -> None:
    """cross_st += sum_k v_sk w_tk, k < length; rows beyond those of `cross` make whole groups."""
    rows, columns = cross.shape
    for t in range(0, columns, WIDE):
        for s in range(0, rows, HIGH):
            multiply(v, w, s, t, length, cross)


def room(sources: int, widths: int) -> F32:
    """Where `add` keeps the entries of a run of pairs: of all sources for some widths, and of a few targets."""
    high = padded(sources, 0)[0]
    return np.zeros((high * max(1, min(widths, _HELD // high)) + WIDE, _RUN), np.float32)


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


class _Arrays(NamedTuple):
    """What `_rows` reads and writes, each as one line of numbers."""

    entries: F32
    squared: F32
    shift: F32
    rows: F32
    columns: F32


class _Places(NamedTuple):
    """Where its numbers begin in each; a row of the tile takes `stride`."""

    entries: int
    squared: int
    stride: int
    left: int
    right: int
    rows: int
    columns: int


@inside
def _rows(arrays: _Arrays, at: _Places, kernel: tuple[Any, ...], live: int, width: int, diagonal: int) -> np.float32:
    """Entries of four rows, of which so many are there, and their sums; the sum of squares is given back.

    Beyond the width and in the columns from `diagonal` on, one a row, are zeros.
    """
    entries, squared, shift, rows, columns = arrays
    c, less, linear, wide = splat(kernel[0]), splat(kernel[1]), kernel[2], width + -width % LANES
    d0, d1, d2, d3 = at.squared, at.squared + at.stride, at.squared + 2 * at.stride, at.squared + 3 * at.stride
    v0, v1, v2, v3 = at.entries, at.entries + wide, at.entries + 2 * wide, at.entries + 3 * wide
    a0, a1, a2, a3 = shift[at.left], shift[at.left + 1], shift[at.left + 2], shift[at.left + 3]
    r0 = r1 = r2 = r3 = square = splat(_ZERO)
    for j in range(0, wide, LANES):
        a = load(shift, at.right + j)
        e0 = _entry(load(squared, d0 + j), c, less, splat(a0) + a, linear)
        e1 = _entry(load(squared, d1 + j), c, less, splat(a1) + a, linear)
        e2 = _entry(load(squared, d2 + j), c, less, splat(a2) + a, linear)
        e3 = _entry(load(squared, d3 + j), c, less, splat(a3) + a, linear)
        here, there = diagonal - j, width - j
        if live < TALL or there < LANES or -TALL < here < LANES:
            e0 = blanked(e0, there, here)
            e1 = blanked(e1, there if live > 1 else 0, here + 1)
            e2 = blanked(e2, there if live > 2 else 0, here + 2)
            e3 = blanked(e3, there if live > 3 else 0, here + 3)
        store(entries, v0 + j, e0)
        store(entries, v1 + j, e1)
        store(entries, v2 + j, e2)
        store(entries, v3 + j, e3)
        store(columns, at.columns + j, load(columns, at.columns + j) + ((e0 + e1) + (e2 + e3)))
        r0, r1, r2, r3 = r0 + e0, r1 + e1, r2 + e2, r3 + e3
        square = square + e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3
    rows[at.rows] += total(r0)
    rows[at.rows + 1] += total(r1)
    rows[at.rows + 2] += total(r2)
    rows[at.rows + 3] += total(r3)
    return total(square)


class _Run(NamedTuple):
    """Some rows of a rectangle."""

    start: int  # among the rows of the rectangle
    stop: int
    width: int
    corner: tuple[int, int]  # the stimuli of the first pair of the rectangle
    tile: tuple[int, int, int]  # where it begins in a tile, what a row and what an object take there


@inside
def _fill(arrays: _Arrays, kernels: Kernels, part: Part, run: _Run, of: tuple[int, int], to: int) -> None:
    """Make the entries of a run for one width of one object, from `to` on."""
    (w, p), (own, right), (begin, stride, size) = of, run.corner, run.tile
    wide, line = run.width + -run.width % LANES, w * kernels.factor.shape[1] + p
    kernel = kernels.factor[w, p], kernels.less[w, p], kernels.linear[w, p]
    shift, rows, columns = line * kernels.shift.shape[2], line * part.rows.shape[2], line * part.columns.shape[2]
    square = np.float64(0)
    for i in range(run.start, run.stop, TALL):
        squared, entries = begin + p * size + i * stride, to + (i - run.start) * wide
        at = _Places(entries, squared, stride, shift + own + i, shift + right, rows + i, columns)
        diagonal = i if own == right else -LANES
        square += _rows(arrays, at, kernel, min(TALL, run.stop - i), run.width, diagonal)
    part.square[w, p] += square


@ordered
def add(squared: F32, kernels: Kernels, bounds: tuple[int, ...], at: tuple[int, int], room: F32, part: Part) -> None:
    """Add the sums over the pairs of some rows and columns, whose distances are in a tile that begins with `at`.

    The entries of all sources are held for some widths at a time, those of a few targets are made and multiplied.
    """
    own, bottom, to, last = bounds
    flat = room.reshape(-1), squared.reshape(-1), kernels.shift.reshape(-1)
    arrays = _Arrays(flat[0], flat[1], flat[2], part.rows.reshape(-1), part.columns.reshape(-1))
    widths, sources, targets = part.cross.shape
    high, width = sources + -sources % HIGH, last - to
    wide, held, stride = width + -width % LANES, len(room) - WIDE, squared.shape[2]
    tile = (own - at[0]) * stride + to - at[1], stride, squared.shape[1] * stride
    step = _RUN // wide // TALL * TALL
    for start in range(0, bottom - own, step):
        run = _Run(start, min(start + step, bottom - own), width, (own, to), tile)
        length = -(-(run.stop - start) // TALL) * TALL * wide
        for low in range(0, widths, held // high):
            some = range(low, min(low + held // high, widths))
            for s in range(sources):
                for w in some:
                    _fill(arrays, kernels, part, run, (w, s), ((w - low) * high + s) * _RUN)
            for t in range(0, targets, WIDE):
                few = min(WIDE, targets - t)
                for w in some:
                    for y in range(few):
                        _fill(arrays, kernels, part, run, (w, sources + t + y), (held + y) * _RUN)
                    v = room[(w - low) * high : (w - low + 1) * high]
                    products(v, room[held:], length, part.cross[w, :, t : t + few])
