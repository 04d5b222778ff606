"""Every kernel of every object in one pass over tiles of stimulus pairs; nothing of size n x n is ever held.

A kernel of width sigma is an entrywise function of squared distances; a linear one is its limit, sigma = inf, with
entries -D / 2. In a tile the distances are taken once, the entries once a width, and all sources meet all targets in
one matrix product. Entries are V_ij = f_ij - a_i - a_j, where `a` guesses the row means from a few columns: centring
(maths.cka) takes any such vector away exactly, and what is left is small enough to be summed in float32.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import kernels
from homoplasy.maths.cka import Sums

Precision = Literal["float32", "float64", "bfloat16"]

_PILOT = 32  # columns from which the row means are guessed
_NEAR = 0.99  # a kernel of a higher mean is held less 1, which keeps the digits that tell its entries apart
_CLOSE = 1e-3  # of the mean squared norm: smaller distances are taken anew, the matrix product has lost their digits
_ANEW = 2**22  # numbers held at a time while that is done
_RUN = {"cpu": 2**10, "cuda": 2**16}  # products summed in float32 before the sum is carried on in float64
_TILE = {"cpu": 96, "cuda": 1024}  # stimuli along a side of a tile, where memory allows
_CHUNK = {"cpu": 2**17, "cuda": 2**31}  # entries worked on at a time: on a CPU they stay in the cache of the core

_ENTRIES: dict[str, Callable[[Tensor], Tensor]] = {
    "far": torch.Tensor.exp2_,  # three times as fast as exp
    "near": torch.Tensor.expm1_,
    "linear": lambda scaled: scaled,
}
_FACTOR = {"far": -0.5 / math.log(2), "near": -0.5, "linear": -0.5}


@dataclass(frozen=True)
class Pass:
    """What one pass leaves: sums over each kernel, and over the products of every source with every target."""

    sources: Sums
    targets: Sums
    cross: Float[Tensor, "w s t"]  # sum of V_ij W_ij over i != j


def median_distances(objects: Sequence[Float[Tensor, "n _"]]) -> Float[Tensor, " b"]:
    """Median of |x_i - x_j| over i < j for each object: what relative widths are multiples of."""
    rows = kernels.median_rows(len(objects[0]), objects[0].device)
    return torch.stack([kernels.median_distance(kernels.squared_distances(x[rows].double())) for x in objects])


def sweep(
    sources: Sequence[Float[Tensor, "n _"]],
    targets: Sequence[Float[Tensor, "n _"]],
    sigma: tuple[Float[Tensor, "w s"], Float[Tensor, "w t"]],
    *,
    memory: float = 1e9,
    threads: int = 1,
    precision: Precision = "float32",
) -> Pass:
    """Sum the kernels of all objects, which have the same n stimuli, on the device where they are.

    `sigma` holds a width for every object of either side, inf for a linear kernel. `memory` bounds, in bytes, the
    tiles of all threads together; features in the precision of the sums and n numbers a kernel and thread come on top.
    The result is the same to the last bit for any `threads` that leave the tile its size, at most 96 on a CPU; on that
    size it depends by rounding. float32 keeps 1e-6 in the score while D / 2 sigma^2 is some tens at most (1e-5 was seen
    in a debiased score at 57: entries of 1e-25); bfloat16 rounds the entries before they are multiplied, for the speed
    of a GPU, and keeps 1e-4.
    """
    objects = _Objects([*sources, *targets], torch.cat(sigma, 1), precision)
    panels = _Panels(objects, len(sources), memory / threads)
    cross, square, rows = panels.nothing(0)
    for start, (more_cross, more_square, more_rows) in _in_order(panels.sums, panels.starts, threads):
        cross += more_cross
        square += more_square
        rows[..., start:] += more_rows
    return objects.passed(len(sources), cross, square, rows)


class _Objects:
    """The objects of a pass, centred and of unit size, with the kind, factor and shift of every kernel."""

    def __init__(self, values: Sequence[Tensor], sigma: Tensor, precision: Precision) -> None:
        self.precision = precision
        self.dtype = torch.float64 if precision == "float64" else torch.float32
        self.n, self.device = len(values[0]), values[0].device
        self.points, self.norms, sizes = zip(*(_points(one, self.dtype) for one in values), strict=True)
        self.size = torch.stack(sizes)
        self.sigma = sigma.to(self.device, torch.float64)
        self.kinds: list[list[str]] = [["far"] * len(values) for _ in sigma]  # by width, then object
        self.factor = torch.empty(self.sigma.shape, dtype=self.dtype, device=self.device)
        self.shift = torch.empty(*self.sigma.shape, self.n, dtype=self.dtype, device=self.device)
        for place in range(len(values)):
            self._guess(place)

    def distances(self, place: int, i: slice, j: slice | Tensor, out: Tensor) -> None:
        """|x_i - x_j|^2 = |x_i|^2 + |x_j|^2 - 2 x_i'x_j of stimuli and others; the smallest by differences."""
        x, y, norms = self.points[place][i], self.points[place][j], self.norms[place]
        torch.addmm(norms[j], x, y.T, alpha=-2, out=out).add_(norms[i, None])
        if out.min() >= _CLOSE:
            return
        close, to = (out < _CLOSE).nonzero(as_tuple=True)
        at_once = max(1, _ANEW // x.shape[1])
        for some, others in zip(close.split(at_once), to.split(at_once), strict=True):
            out[some, others] = (x[some] - y[others]).square().sum(1)

    def _guess(self, place: int) -> None:
        """Kind, factor and shift of every width of one object, from its distances to a few stimuli."""
        count = min(_PILOT, self.n)
        some = torch.arange(count, device=self.device) * self.n // count
        squared = torch.empty(self.n, count, dtype=self.dtype, device=self.device)
        self.distances(place, slice(None), some, squared)
        squared[some, torch.arange(count, device=self.device)] = math.nan  # a stimulus says nothing about its own row
        for w, sigma in enumerate((self.sigma[:, place] / self.size[place]).tolist()):
            entries = self._pilot(squared, w, place, "linear" if math.isinf(sigma) else "far", sigma)
            if self.kinds[w][place] == "far" and entries.nanmean() > _NEAR:
                entries = self._pilot(squared, w, place, "near", sigma)
            means = entries.nanmean(1)
            self.shift[w, place] = means - means.mean() / 2

    def _pilot(self, squared: Tensor, w: int, place: int, kind: str, sigma: float) -> Tensor:
        """Settle for a kind of kernel and give its entries."""
        self.kinds[w][place] = kind
        self.factor[w, place] = factor = _FACTOR[kind] / (1 if kind == "linear" else sigma**2)
        return _ENTRIES[kind](squared * factor)

    def passed(self, sources: int, cross: Tensor, square: Tensor, rows: Tensor) -> Pass:
        """Give linear kernels their size back and part the sides."""
        by = torch.where(self.sigma.isinf(), self.size**2, 1.0)
        peak = torch.tensor([[float(kind == "far") for kind in row] for row in self.kinds]).to(by)
        shift, rows, square = self.shift * by[..., None], rows * by[..., None], square * by**2
        rounding = torch.finfo(self.dtype).eps
        of, to = (
            Sums(self.sigma[:, side], peak[:, side], shift[:, side], rows[:, side], square[:, side], rounding)
            for side in (slice(sources), slice(sources, None))
        )
        return Pass(of, to, cross * by[:, :sources, None] * by[:, None, sources:])


def _points(values: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Points centred and divided by their size, the root mean square of |x|; |x|^2 of each; the size."""
    x = values.detach().double()
    x = x - x.mean(0)
    size = x.square().sum(1).mean().sqrt()
    size = torch.where(size > 0, size, 1.0)
    x = (x / size).to(dtype)
    return x, x.double().square().sum(1).to(dtype), size


class _Panels:
    """The upper triangle of stimulus pairs, cut into panels of rows and those into tiles."""

    def __init__(self, objects: _Objects, sources: int, memory: float) -> None:
        self.objects, self.sources, self.count = objects, sources, len(objects.points)
        kind = objects.device.type if objects.device.type in _TILE else "cpu"
        bytes_a_pair = 2 * self.count * objects.dtype.itemsize  # a distance and an entry
        self.tile = max(1, min(_TILE[kind], objects.n, int(math.sqrt(memory / bytes_a_pair))))
        self.chunk = max(1, _CHUNK[kind] // self.tile**2)
        self.run = _RUN[kind]
        self.starts = range(0, objects.n, self.tile)

    def nothing(self, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Zeros for the sums of a panel: of cross products, of squares, of rows from its first stimulus on."""
        w, b = self.objects.sigma.shape
        shapes = (w, self.sources, b - self.sources), (w, b), (w, b, self.objects.n - start)
        cross, square, rows = (torch.zeros(shape, dtype=torch.float64, device=self.objects.device) for shape in shapes)
        return cross, square, rows

    def sums(self, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """The sums of one panel; a tile off the diagonal stands for its mirror image too."""
        objects, tile = self.objects, self.tile
        sums = self.nothing(start)
        i = slice(start, min(start + tile, objects.n))
        room = torch.empty(2, self.count * tile**2, dtype=objects.dtype, device=objects.device)
        for first in range(start, objects.n, tile):
            j = slice(first, min(first + tile, objects.n))
            shape = (self.count, i.stop - start, j.stop - first)
            squared, entries = (half[: math.prod(shape)].view(shape) for half in room)
            for place in range(self.count):
                objects.distances(place, i, j, squared[place])
            self._add(squared, entries, (i, j), sums)
        return sums

    def _add(self, squared: Tensor, entries: Tensor, at: tuple[slice, slice], sums: tuple[Tensor, ...]) -> None:
        """Add the sums of one tile."""
        (i, j), (cross, square, rows) = at, sums
        first, height, width = j.start - i.start, *squared.shape[1:]
        times = 2 if first else 1
        for w in range(len(self.objects.kinds)):
            for some in range(0, self.count, self.chunk):
                own = slice(some, some + self.chunk)
                chunk = entries[own]
                self._fill(chunk, squared[own], w, own, at)
                square[w, own] += times * _squares(chunk)
                rows[w, own, :height] += chunk.sum(2)
                if first:
                    rows[w, own, first : first + width] += chunk.sum(1)
            for run in entries.flatten(1).split(self.run, -1):
                cross[w] += times * self._products(run)

    def _fill(self, entries: Tensor, squared: Tensor, w: int, own: slice, at: tuple[slice, slice]) -> None:
        """V_ij = f(D_ij) - a_i - a_j, and 0 on the diagonal."""
        objects, (i, j) = self.objects, at
        torch.mul(squared, objects.factor[w, own, None, None], out=entries)
        done = 0
        for kind, same in groupby(objects.kinds[w][own]):
            count = len(list(same))
            _ENTRIES[kind](entries[done : done + count])
            done += count
        a = objects.shift[w, own]
        left, right = a[:, i, None], a[:, None, j]
        ones = torch.ones_like  # the shift is a product of rank two, which goes over the entries once
        entries.baddbmm_(torch.cat([left, ones(left)], 2), torch.cat([ones(right), right], 1), alpha=-1)
        if i == j:
            entries.diagonal(dim1=1, dim2=2).zero_()
        if objects.precision == "bfloat16":  # before the sums, which must be those of the numbers that are multiplied
            entries.copy_(entries.bfloat16())

    def _products(self, entries: Tensor) -> Tensor:
        """<V, W> of every source and every target over some pairs of stimuli."""
        v, w = entries[: self.sources], entries[self.sources :]
        if self.objects.precision == "bfloat16" and entries.is_cuda:
            return torch.mm(v.bfloat16(), w.bfloat16().T, out_dtype=torch.float32)
        return v @ w.T


def _squares(entries: Tensor) -> Tensor:
    """|V|^2 of each, by rows, so that float32 adds few numbers at a time."""
    return torch.linalg.vector_norm(entries, dim=2).double().square().sum(1)


def _in_order(
    work: Callable[[int], tuple[Tensor, ...]], starts: range, threads: int
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Do the work in threads and give it back in order, with no more of it waiting than there are threads."""
    before = torch.get_num_threads()
    waiting: deque[tuple[int, Future[tuple[Tensor, ...]]]] = deque()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for start in starts:
                waiting.append((start, pool.submit(work, start)))
                if len(waiting) > threads:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
    finally:
        torch.set_num_threads(before)
