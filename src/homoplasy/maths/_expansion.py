"""Polynomials of a tile and the sums over each, row by row in the cache of a core; `polynomials.Steps` in plain torch.

Compiled by numba for float32 on a CPU.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from homoplasy.maths._fused import inside
from homoplasy.maths.compiled import Loop, compiled

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Step = tuple[np.float32, np.float32, np.float32]


class Recurrence(NamedTuple):
    """P_q = (up_q u + on_q) P_(q-1) + back_q P_(q-2), a row a polynomial, a column an object."""

    up: F32
    on: F32
    back: F32


class Part(NamedTuple):
    """The sums of one tile, by object and polynomial, to which a call adds."""

    rows: F32
    columns: F32
    square: F64


def reordered(loop: Loop) -> Loop:
    """Compile a loop that is nothing but a sum, which may be taken by lanes."""
    return compiled(loop, frozenset({"contract", "reassoc", "nsz"}), inside=True)


@inside
def _first(e: F32, u: F32, step: Step) -> None:
    up, on, _ = step
    for j in range(e.shape[0]):
        e[j] = up * u[j] + on


@inside
def _second(e: F32, u: F32, last: F32, step: Step) -> None:
    up, on, back = step
    for j in range(e.shape[0]):
        e[j] = (up * u[j] + on) * last[j] + back


@inside
def _next(e: F32, u: F32, last: F32, before: F32, step: Step) -> None:
    up, on, back = step
    for j in range(e.shape[0]):
        e[j] = (up * u[j] + on) * last[j] + back * before[j]


@inside
def _add(to: F32, e: F32) -> None:
    for j in range(e.shape[0]):
        to[j] += e[j]


@reordered
def _total(e: F32) -> np.float32:
    total = np.float32(0)
    for j in range(e.shape[0]):
        total += e[j]
    return total


@reordered
def _dot(e: F32, f: F32) -> np.float32:
    total = np.float32(0)
    for j in range(e.shape[0]):
        total += e[j] * f[j]
    return total


@compiled
def expand(u: F32, steps: Recurrence, shape: tuple[int, int], diagonal: bool, out: F32, part: Part) -> None:  # noqa: FBT001 # compiled
    """Write the polynomials of the first rows and columns of every u, and add their sums; pairs i = i are zeros."""
    height, width = shape
    for place in range(u.shape[0]):
        all_of, columns, square = out[place], part.columns[place], part.square[place]
        for i in range(height):
            start, stop, row = i * width, (i + 1) * width, u[place, i][:width]
            for q in range(all_of.shape[0]):
                own, step = all_of[q][start:stop], (steps.up[q, place], steps.on[q, place], steps.back[q, place])
                if q == 0:
                    _first(own, row, step)
                elif q == 1:
                    _second(own, row, all_of[0][start:stop], step)
                else:
                    _next(own, row, all_of[q - 1][start:stop], all_of[q - 2][start:stop], step)
                if diagonal:
                    own[i] = 0
                part.rows[place, q, i] += _total(own)
                _add(columns[q][:width], own)
                for r in range(q + 1):
                    square[q, r] += _dot(own, all_of[r][start:stop])
