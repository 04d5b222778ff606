"""Every kernel of every object in one pass over tiles of stimulus pairs; nothing of size n x n is ever held.

In a tile the distances are taken once (maths.clouds), the entries once a width, and all sources meet all targets in
one product (maths.entries). A tile off the diagonal stands for its mirror image too. Where stimuli are in groups, for
the jackknife, the sums of the pairs that touch a group are kept beside those of all.
"""

import math
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import kernels
from homoplasy.maths.cka import Sums
from homoplasy.maths.clouds import Clouds
from homoplasy.maths.entries import Entries, Part
from homoplasy.maths.jackknife import Groups, Touched
from homoplasy.maths.workers import in_order

Precision = Literal["float32", "float64", "tf32", "bfloat16"]

_TILE = {"cpu": 128, "cuda": 1024}  # stimuli along a side of a tile, where memory allows
_ROWS = 16  # of tiles, from which on threads share out rows: enough of them, and fewer sums to add
_UNIT = 16  # stimuli: tiles and groups begin at multiples of it, where groups are large enough for that


@dataclass(frozen=True)
class Pass:
    """What one pass leaves: sums over each kernel, and over the products of every source with every target."""

    sources: Sums
    targets: Sums
    cross: Float[Tensor, "w s t"]  # sum of V_ij W_ij over i != j
    jackknife: Groups | None  # the same over the pairs that touch each group of stimuli


def median_distances(objects: Sequence[Float[Tensor, "n _"]]) -> Float[Tensor, " b"]:
    """Median of |x_i - x_j| over i < j for each object: what relative widths are multiples of."""
    rows = kernels.median_rows(len(objects[0]), objects[0].device)
    return torch.stack([kernels.median_distance(kernels.squared_distances(x[rows].double())) for x in objects])


def group_bounds(n: int, groups: int) -> list[int]:
    """Where each group of stimuli begins, and n: contiguous runs, as even as multiples of sixteen let them be.

    >>> group_bounds(1000, 4)
    [0, 240, 496, 752, 1000]
    >>> group_bounds(10, 4)
    [0, 2, 5, 7, 10]
    """
    groups = min(groups, n)
    unit = _unit(n, groups)
    units = -(-n // unit)
    return [min(n, units * g // groups * unit) for g in range(groups + 1)]


def _unit(n: int, groups: int) -> int:
    return _UNIT if n >= 2 * _UNIT * groups else 1


def sweep(  # noqa: PLR0913 # two sides, and four choices that each have a default
    sources: Sequence[Float[Tensor, "n _"]],
    targets: Sequence[Float[Tensor, "n _"]],
    sigma: tuple[Float[Tensor, "w s"], Float[Tensor, "w t"]],
    *,
    memory: float = 1e9,
    threads: int = 1,
    precision: Precision = "float32",
    groups: int = 0,
) -> Pass:
    """Sum the kernels of all objects, which have the same n stimuli, on the device where they are.

    `sigma` holds a width for every object of either side, inf for a linear kernel. `memory` bounds, in bytes, the
    tiles of all threads together; features in the precision of the sums and n numbers a kernel and thread come on top,
    and with `groups` of stimuli n numbers a kernel and group. The result is the same to the last bit for any `threads`
    and `memory` that leave the tile its size, at most 128 on a CPU; on that size it depends by rounding. float32 keeps
    1e-6 in the score while D / 2 sigma^2 is some tens at most (1e-5 was seen in a debiased score at 57: entries of
    1e-25); tf32 and bfloat16 round the entries before they are multiplied, for the speed of a GPU, and keep 1e-5 and
    1e-4.
    """
    dtype = torch.float64 if precision == "float64" else torch.float32
    threads = 1 if precision == "tf32" else threads  # the products' flag would reach the distances of another thread
    clouds = Clouds([*sources, *targets], dtype, threads)
    entries = Entries(clouds, len(sources), torch.cat(sigma, 1), precision=precision, threads=threads)
    cut = _Cut(clouds, groups, memory / threads)
    total, rooms = _Total(entries, cut.groups), _Rooms(clouds, cut.side)
    for piece in in_order(lambda one: _piece(entries, cut, *one, rooms.squared), cut.pieces(), threads):
        total.add(piece)
    return total.passed(cut.bounds)


class _Cut:
    """How the stimuli are cut into groups and tiles, neither of which depends on the objects unless memory is short."""

    def __init__(self, clouds: Clouds, groups: int, memory: float) -> None:
        n, kind = clouds.n, clouds.device.type
        self.groups = min(groups, n)
        self.bounds = group_bounds(n, groups or 1)
        bytes_a_pair = 3 * len(clouds) * clouds.dtype.itemsize  # a distance, an entry, an entry being made
        self.side = max(1, min(_TILE.get(kind, _TILE["cpu"]), n, int(math.sqrt(memory / bytes_a_pair))))
        self.tiles = [slice(*ends) for ends in pairwise(self._edges(_unit(n, groups or 1)))]

    def _edges(self, unit: int) -> list[int]:
        """A tile holds several small groups, or an even part of a large one."""
        edges, unit = [0], unit if unit <= self.side else 1
        for start, stop in pairwise(self.bounds):
            if stop - edges[-1] > self.side and start > edges[-1]:
                edges.append(start)
            units = -(-(stop - start) // unit)
            pieces = -(-units // (self.side // unit))
            edges += [start + units * piece // pieces * unit for piece in range(1, pieces)]
        return [*edges, self.bounds[-1]]

    def pieces(self) -> Iterator[tuple[slice, list[slice]]]:
        """What threads share out: a row of tiles from the diagonal on; where there are few rows, tile by tile."""
        for first, rows in enumerate(self.tiles):
            columns = self.tiles[first:]
            step = 1 if len(self.tiles) < _ROWS else len(columns)
            yield from ((rows, columns[start : start + step]) for start in range(0, len(columns), step))

    def parts(self, side: slice) -> Iterator[tuple[int, slice]]:
        """The groups of some stimuli, and what of them is there."""
        for group, (start, stop) in enumerate(pairwise(self.bounds)):
            if start < side.stop and side.start < stop:
                yield group, slice(max(start, side.start), min(stop, side.stop))


class _Piece:
    """The sums over some tiles: of all pairs, and of those that touch each group."""

    def __init__(self, entries: Entries, groups: int) -> None:
        self.groups, self.sums = groups, entries.blank(0, 0)
        self.touched: defaultdict[int, Part] = defaultdict(lambda: entries.blank(0, 0))
        self.rows: list[tuple[int, slice, Tensor]] = []  # the group over which rows were summed, which, their sums

    def add(self, part: Part, of: tuple[int, slice], to: tuple[int, slice]) -> None:
        """Add the sums of a rectangle, pairs of one group and another; off the diagonal it is its mirror image too."""
        (g, i), (h, j) = of, to
        times = 1 if i == j else 2
        for sums in (self.sums, *(self.touched[one] for one in {g, h} if self.groups)):
            sums.cross.add_(part.cross, alpha=times)
            sums.square.add_(part.square, alpha=times)
        self.rows.append((h, i, part.rows))
        if times == 2:
            self.rows.append((g, j, part.columns))


class _Rooms(threading.local):
    """Where a thread keeps the distances of a tile."""

    def __init__(self, clouds: Clouds, side: int) -> None:
        self.squared = clouds.room(side)


def _piece(entries: Entries, cut: _Cut, rows: slice, columns: list[slice], squared: Tensor) -> _Piece:
    """The sums over the tiles of these rows and columns."""
    piece = _Piece(entries, cut.groups)
    for j in columns:
        entries.clouds.tile(rows, j, squared)
        for of, to in product(cut.parts(rows), cut.parts(j)):
            if of[1].start <= to[1].start:
                piece.add(entries.sums(squared, (rows.start, j.start), of[1], to[1]), of, to)
    return piece


class _Total:
    """The sums of all pieces."""

    def __init__(self, entries: Entries, groups: int) -> None:
        (w, b), n = entries.sigma.shape, entries.clouds.n
        self.entries, self.sums = entries, entries.blank(0, 0)
        self.touched = [entries.blank(0, 0) for _ in range(groups)]
        self.rows = torch.zeros(w, b, n, dtype=torch.float64, device=entries.sigma.device)
        self.by_group = torch.zeros(w, b, groups, n, dtype=entries.clouds.dtype, device=entries.sigma.device)

    def add(self, piece: _Piece) -> None:
        """Add a piece."""
        touched = ((self.touched[group], more) for group, more in piece.touched.items())
        for own, more in ((self.sums, piece.sums), *touched):
            own.cross.add_(more.cross)
            own.square.add_(more.square)
        for group, side, rows in piece.rows:
            self.rows[..., side] += rows
            if self.by_group.numel():
                self.by_group[:, :, group, side] += rows

    def passed(self, bounds: list[int]) -> Pass:
        """Give linear kernels their size back and part the sides."""
        entries, sums, touched = self.entries, self.sums, self.touched
        by = torch.where(entries.linear, entries.clouds.size**2, 1.0)
        peak, shift = (~entries.linear & ~entries.near).double(), entries.shift * by[..., None]
        rows, square = self.rows.mul_(by[..., None]), sums.square * by**2
        rounding = torch.finfo(entries.clouds.dtype).eps
        sides = slice(entries.sources), slice(entries.sources, None)
        of, to = (
            Sums(entries.sigma[:, side], peak[:, side], shift[:, side], rows[:, side], square[:, side], rounding)
            for side in sides
        )
        both = by[:, sides[0], None] * by[:, None, sides[1]]
        if not touched:
            return Pass(of, to, sums.cross * both, None)
        cross, square = (torch.stack([getattr(one, name) for one in touched]) for name in ("cross", "square"))
        for w in entries.linear.any(1).nonzero().flatten().tolist():
            self.by_group[w] *= by[w, :, None, None]
        left = [Touched(square[:, :, side] * by[:, side] ** 2, self.by_group[:, side]) for side in sides]
        return Pass(of, to, sums.cross * both, Groups(tuple(bounds), cross * both, *left))
