"""Dissimilarities of all pairs of many stimuli, tile by tile in float32: nothing of size n x n is ever held.

Every dissimilarity is an increasing function of the squared distances D of some points (`rdm.POINTS`). For ranks a
first pass counts D in 2^15 bins an octave (the bits of a positive float32, read as an integer, rise with the number, so
the bin is a shift of them); the counts give every bin its mean rank, a table. A second pass makes D again, looks the
ranks up, and multiplies the tiles of all sources with those of all targets. Values of one bin differ by less than 4e-5
of themselves and share their mean rank, which moves a correlation of ranks by less than 1e-6 (the tests measure it).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from homoplasy.maths.clouds import Clouds
from homoplasy.maths.compiled import compiled

_PILOT = 32  # stimuli whose distances to all others tell the range
_BEYOND = 1.5  # by how much distances may lie outside that range and have bins of their own; the rest shares the last
_TILE = {"cpu": 128, "cuda": 1024}
RUN = 2**12  # products summed in float32 before the sum is carried on in float64
_BITS = 8  # dropped of a float32: 2^15 bins an octave
_BINS = 2**20  # at most
_RUNS = 4  # neighbouring bins between empty ones: one value, parted by rounding
FLAT = 1e-5  # distances whose range is less than this share of their size are alike, as far as float32 can tell


@dataclass(frozen=True)
class Table:
    """The mean rank of every bin, about the middle of the ranks and as a share of their number."""

    low: int
    bits: int
    ranks: Float[Tensor, " bins"]

    def look(self, squared: Float[Tensor, "h w"], out: Float[Tensor, "h w"]) -> None:
        """The ranks of squared distances."""
        if squared.device.type == "cpu":
            _look(squared.view(torch.int32).numpy(), self.low, self.bits, self.ranks.numpy(), out.numpy())
        else:
            torch.take(self.ranks, _bins(squared, self.low, self.bits, len(self.ranks)).long(), out=out)


@dataclass(frozen=True)
class Side:
    """Some objects, and what becomes of their squared distances: a rank, or the distance or its root less a shift."""

    clouds: Clouds
    root: bool
    shift: Float[Tensor, " b"]
    tables: tuple[Table, ...]
    flat: Bool[Tensor, " b"]  # whether all distances are alike

    def __len__(self) -> int:
        """How many objects."""
        return len(self.clouds)

    def against(self, other: "Side") -> "Sums":
        """Products of every object with every one of the other side."""
        return sweep(self, other)

    def entries(self, place: int, squared: Float[Tensor, "h w"], out: Float[Tensor, "h w"]) -> None:
        """Entries of the pairs of a tile."""
        if self.tables:
            self.tables[place].look(squared, out)
        elif self.root:
            torch.sqrt(squared, out=out).sub_(self.shift[place])
        else:
            torch.sub(squared, self.shift[place], out=out)


@dataclass(frozen=True)
class Sums:
    """What one pass leaves: row sums and squares of each matrix, and products of every source with every target."""

    rows: tuple[Float[Tensor, "s n"], Float[Tensor, "t n"]]  # sum over j != i
    square: tuple[Float[Tensor, " s"], Float[Tensor, " t"]]  # sum over i < j
    cross: Float[Tensor, "s t"]


def side(points: Sequence[Float[Tensor, "n _"]], *, root: bool, ranked: bool) -> Side:
    """Make the points of some objects ready to be swept."""
    clouds = Clouds(points, torch.float32)
    low, high, middle = _ranges(clouds, root=root)
    flat = high - low <= FLAT * high
    if flat.any():  # to some stimuli; now to all
        low, high = (torch.where(flat, all_of, one) for all_of, one in zip(_whole(clouds), (low, high), strict=True))
        flat = high - low <= FLAT * high
    if ranked:
        return Side(clouds, root, torch.zeros_like(middle), _tables(clouds, low / _BEYOND, high * _BEYOND), flat)
    return Side(clouds, root, middle, (), flat)


def sweep(sources: Side, targets: Side) -> Sums:
    """Sum the entries of all objects, which have the same n stimuli, and the products of the sides."""
    sides, n, device = (sources, targets), sources.clouds.n, sources.clouds.device
    edge = _edge(sources.clouds)
    wide: dict[str, Any] = {"dtype": torch.float64, "device": device}
    rows = [torch.zeros(len(one), n, **wide) for one in sides]
    square = [torch.zeros(len(one), **wide) for one in sides]
    cross = torch.zeros(len(sources), len(targets), **wide)
    room = [(one.clouds.room(edge), torch.empty(len(one), edge**2, device=device)) for one in sides]
    for i, j in _tiles(n, edge):
        shape = (i.stop - i.start, j.stop - j.start)
        for at, one in enumerate(sides):
            squared, entries = room[at]
            one.clouds.tile(i, j, squared)
            for place in range(len(one)):
                tile = entries[place, : shape[0] * shape[1]].view(shape)
                one.entries(place, squared[place, : shape[0], : shape[1]], tile)
                if i == j:
                    tile.triu_(1)
                rows[at][place, i] += tile.sum(1)
                rows[at][place, j] += tile.sum(0)
                square[at][place] += torch.linalg.vector_norm(tile, dim=1).double().square().sum()
        left, right = (entries[:, : shape[0] * shape[1]].split(RUN, 1) for _, entries in room)
        for v, w in zip(left, right, strict=True):
            cross += v @ w.T
    return unshifted(rows, square, cross, [one.shift.double() for one in sides])


def unshifted(rows: Sequence[Tensor], square: Sequence[Tensor], cross: Tensor, shift: Sequence[Tensor]) -> Sums:
    """The sums of A = V + c off the diagonal from those of V, of either side."""
    n = rows[0].shape[1]
    m = n * (n - 1) / 2
    total = [one.sum(1) / 2 for one in rows]
    products = torch.outer(shift[0], total[1]) + torch.outer(total[0], shift[1]) + m * torch.outer(*shift)
    more = [one + c[:, None] * (n - 1) for one, c in zip(rows, shift, strict=True)]
    size = [one + 2 * c * t + m * c * c for one, t, c in zip(square, total, shift, strict=True)]
    return Sums((more[0], more[1]), (size[0], size[1]), cross + products)


def _edge(clouds: Clouds) -> int:
    return min(_TILE.get(clouds.device.type, _TILE["cpu"]), clouds.n)


def _tiles(n: int, edge: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the tiles that hold the pairs i < j."""
    for top in range(0, n, edge):
        for left in range(top, n, edge):
            yield slice(top, min(top + edge, n)), slice(left, min(left + edge, n))


def _ranges(clouds: Clouds, *, root: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Least and largest squared distance of each object to some stimuli, twins left out, and the mean entry."""
    count = min(_PILOT, clouds.n)
    some = torch.arange(count, device=clouds.device) * clouds.n // count
    found = []
    for place in range(len(clouds)):
        squared = clouds.some(place, some)
        apart = torch.where(squared > 0, squared, torch.nan)
        least, most = torch.where(squared > 0, squared, torch.inf).min(), squared.max()
        found.append(torch.stack([least.clamp(max=most), most, (apart.sqrt() if root else apart).nanmean()]))
    low, high, middle = torch.stack(found, 1).nan_to_num(0.0)
    return low, high, middle


def _whole(clouds: Clouds) -> tuple[Tensor, Tensor]:
    """Least and largest squared distance of each object."""
    edge = _edge(clouds)
    low = torch.full((len(clouds),), torch.inf, device=clouds.device)
    high, squared = torch.zeros_like(low), clouds.room(edge)
    for i, j in _tiles(clouds.n, edge):
        clouds.tile(i, j, squared)
        tile = squared[:, : i.stop - i.start, : j.stop - j.start]
        if i == j:
            own = torch.eye(tile.shape[1], dtype=torch.bool, device=tile.device)
            low = torch.minimum(low, tile.masked_fill(own, torch.inf).amin((1, 2)))
        else:
            low = torch.minimum(low, tile.amin((1, 2)))
        high = torch.maximum(high, tile.amax((1, 2)))
    return low, high


def _tables(clouds: Clouds, low: Float[Tensor, " b"], high: Float[Tensor, " b"]) -> tuple[Table, ...]:
    """Count squared distances between two bounds and rank the bins; what lies outside goes to the outermost."""
    edge = _edge(clouds)
    squared = clouds.room(edge)
    first, bits, counts = _bounded(low, high)
    for i, j in _tiles(clouds.n, edge):
        clouds.tile(i, j, squared)
        tile = squared[:, : i.stop - i.start, : j.stop - j.start]
        for own, a, drop, into in zip(tile, first, bits, counts, strict=True):
            _count(own, i == j, a, drop, into)
    return tuple(Table(a, drop, _ranked(into)) for a, drop, into in zip(first, bits, counts, strict=True))


def rank_table(squared: Float[Tensor, "h w"], low: Float[Tensor, ""], high: Float[Tensor, ""]) -> Table:
    """The same of all squared distances of one object."""
    (first,), (bits,), (counts,) = _bounded(low[None], high[None])
    _count(squared, False, first, bits, counts)  # noqa: FBT003 # as the compiled form
    return Table(first, bits, _ranked(counts))


def _bounded(low: Float[Tensor, " b"], high: Float[Tensor, " b"]) -> tuple[list[int], list[int], list[Tensor]]:
    """Where the bins of each object begin, the bits they drop, and a count of zero in each."""
    first, last = (bound.float().cpu().view(torch.int32).tolist() for bound in (low, high))
    bits = [max(_BITS, ((b - a) // _BINS).bit_length()) for a, b in zip(first, last, strict=True)]
    counts = [
        torch.zeros(((b - a) >> drop) + 1, dtype=torch.int32, device=low.device)
        for a, b, drop in zip(first, last, bits, strict=True)
    ]
    return first, bits, counts


def _count(squared: Tensor, diagonal: bool, low: int, bits: int, counts: Int[Tensor, " bins"]) -> None:  # noqa: FBT001 # as the compiled form
    if squared.device.type == "cpu":
        _tally(squared.view(torch.int32).numpy(), diagonal, low, bits, counts.numpy())
        return
    pairs = torch.ones_like(squared, dtype=torch.bool).triu(1) if diagonal else slice(None)
    counts += torch.bincount(_bins(squared[pairs].flatten(), low, bits, len(counts)), minlength=len(counts))


def _bins(squared: Tensor, low: int, bits: int, count: int) -> Int[Tensor, "..."]:
    return ((squared.view(torch.int32) - low) >> bits).clamp(0, count - 1)


def _ranked(counts: Int[Tensor, " bins"]) -> Float[Tensor, " bins"]:
    table = np.empty(len(counts), dtype=np.float32)
    _rank(counts.cpu().numpy(), _RUNS, table)
    return torch.from_numpy(table).to(counts.device)


@compiled
def _tally(values: Any, diagonal: bool, low: int, bits: int, counts: Any) -> None:  # noqa: FBT001 # compiled
    top = counts.size - 1
    for i in range(values.shape[0]):
        for j in range(i + 1 if diagonal else 0, values.shape[1]):
            counts[min(max((values[i, j] - low) >> bits, 0), top)] += 1


@compiled
def _look(values: Any, low: int, bits: int, table: Any, out: Any) -> None:
    top = table.size - 1
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            out[i, j] = table[min(max((values[i, j] - low) >> bits, 0), top)]


@compiled
def _rank(counts: Any, runs: int, table: Any) -> None:
    """(rank - middle) / m of every bin; a short run of filled bins between empty ones shares one rank."""
    below, held, start, each = 0.0, 0.0, 0, 1 / counts.sum()
    for at in range(counts.size + 1):
        count = counts[at] if at < counts.size else 0
        if count > 0:
            table[at] = (below + held + count / 2) * each - 0.5
            held += count
            continue
        if 1 < at - start <= runs:
            for one in range(start, at):
                table[one] = (below + held / 2) * each - 0.5
        below, held, start = below + held, 0.0, at + 1
        if at < counts.size:
            table[at] = below * each - 0.5
