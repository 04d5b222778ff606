"""The entries V_ij = f_ij - a_i - a_j of all kernels: their kinds and shifts, and their sums over a rectangle of pairs.

A kernel of width sigma is an entrywise function of squared distances; a linear one is its limit, sigma = inf, with
entries -D / 2. The vector `a` guesses the row means from a few columns: centring (maths.cka) takes any such vector away
exactly, and what is left is small enough to be summed in float32.
"""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from homoplasy.maths import _fused
from homoplasy.maths._lanes import LANES
from homoplasy.maths.cka import dots
from homoplasy.maths.clouds import Clouds
from homoplasy.maths.workers import in_order

_PILOT = 32  # columns from which the row means are guessed
_NEAR = -0.5  # of K - 1: a kernel of a higher mean is held less 1, which keeps the digits that tell its entries apart
_RUN = {"cpu": 2**10, "cuda": 2**16}  # products summed in float32 before the sum is carried on in float64
_DROPPED = 13  # bits of a float32 that TF32 has not


def tf32(v: Float[Tensor, "*a"]) -> Float[Tensor, "*a"]:
    """The nearest numbers of ten bits behind the point, in place: what the multipliers of a GPU make of a float32."""
    v.view(torch.int32).add_(1 << _DROPPED - 1).bitwise_and_(-1 << _DROPPED)
    return v


ROUNDED: dict[str, Callable[[Tensor], Tensor]] = {"bfloat16": lambda v: v.bfloat16().to(v.dtype), "tf32": tf32}


@contextmanager
def tensor_cores() -> Iterator[None]:
    """Let products of float32 take ten bits of each factor, on CUDA: a flag of the whole process, given back after."""
    flags = torch.backends.cuda.matmul
    before, flags.allow_tf32 = flags.allow_tf32, True
    try:
        yield
    finally:
        flags.allow_tf32 = before


class Part(NamedTuple):
    """Sums over a rectangle of pairs."""

    cross: Float[Tensor, "w s t"]
    square: Float[Tensor, "w b"]
    rows: Float[Tensor, "w b h"]
    columns: Float[Tensor, "w b v"]


class _Rooms(threading.local):
    """Where a thread keeps entries while it works: made once, for memory that is new costs more than to fill it."""

    def __init__(self, sources: int, widths: int) -> None:
        self.entries = _fused.room(sources, widths)


class Entries:
    """What makes entries of the distances between the points of a cloud: f = 2^(factor D) - less, or factor D."""

    def __init__(
        self, clouds: Clouds, sources: int, sigma: Float[Tensor, "w b"], *, precision: str, threads: int
    ) -> None:
        self.clouds, self.sources, self.precision = clouds, sources, precision
        self.sigma = sigma.to(clouds.device, torch.float64)
        self.linear: Bool[Tensor, "w b"] = self.sigma.isinf()
        width = self.sigma / clouds.size
        factor = torch.where(self.linear, -0.5, -0.5 / math.log(2) / torch.where(self.linear, 1.0, width) ** 2)
        self.factor = factor.to(clouds.dtype)
        self.near: Bool[Tensor, "w b"] = torch.zeros_like(self.linear)
        self._shift = torch.zeros(*sigma.shape, clouds.n + LANES, dtype=clouds.dtype, device=clouds.device)
        deque(in_order(self._guess, range(len(clouds)), threads), 0)
        self.kinds = [
            ["linear" if linear else "near" if near else "far" for linear, near in zip(*row, strict=True)]
            for row in zip(self.linear.tolist(), self.near.tolist(), strict=True)
        ]
        self.fused = clouds.fused and precision not in ROUNDED
        self._rooms = _Rooms(sources, len(sigma))

    @property
    def shift(self) -> Float[Tensor, "w b n"]:
        """The vector a of each kernel."""
        return self._shift[..., : self.clouds.n]

    def _guess(self, place: int) -> None:
        """Kind and shift of every width of one object, from its distances to a few stimuli."""
        n, linear = self.clouds.n, self.linear[:, place]
        count = min(_PILOT, n)
        some = torch.arange(count, device=self.clouds.device) * n // count
        others = torch.full((n,), float(count), dtype=torch.float64, device=some.device)
        others[some] -= 1  # a stimulus says nothing about its own row: its K - 1 is nothing
        means = self._pilot(place, self.clouds.some(place, some)) / others
        self.near[:, place] = (means.mean(1) > _NEAR) & ~linear
        means += (~self.near[:, place] & ~linear)[:, None]
        self._shift[:, place, :n] = means - means.mean(1, keepdim=True) / 2

    def _pilot(self, place: int, squared: Tensor) -> Tensor:
        """Sums of K - 1, or of a linear kernel, over some columns."""
        factor, linear = self.factor[:, place], self.linear[:, place]
        if self.clouds.fused:
            wide = torch.nn.functional.pad(squared, (0, -squared.shape[1] % LANES))
            return torch.from_numpy(
                _fused.pilot(wide.numpy(), factor.contiguous().numpy(), linear.contiguous().numpy())
            )
        scaled = factor[:, None, None] * squared
        return torch.where(linear[:, None, None], scaled, torch.expm1(scaled * math.log(2))).double().sum(2)

    def blank(self, height: int, width: int) -> Part:
        """Zeros to which the sums over a rectangle of that size are added."""
        (w, b), s, wide, own = self.sigma.shape, self.sources, torch.float64, self.clouds.dtype
        shapes = ((w, s, b - s), wide), ((w, b), wide), ((w, b, height), own), ((w, b, width), own)
        return Part(*(torch.zeros(shape, dtype=dtype, device=self.sigma.device) for shape, dtype in shapes))

    def sums(self, squared: Float[Tensor, "b h v"], at: tuple[int, int], i: slice, j: slice) -> Part:
        """The sums over the pairs of `i` and `j`, whose distances are in a tile that begins with the pair `at`."""
        height, width = i.stop - i.start, j.stop - j.start
        more = (-height % LANES, -width % LANES) if self.fused else (0, 0)
        part = self.blank(height + more[0], width + more[1])
        (self._add_fused if self.fused else self._add)(squared, at, i, j, part)
        return Part(part.cross, part.square, part.rows[..., :height], part.columns[..., :width])

    def _add_fused(self, squared: Tensor, at: tuple[int, int], i: slice, j: slice, part: Part) -> None:
        """By the compiled form."""
        factor, linear, shift = self.factor.numpy(), self.linear.numpy(), self._shift.numpy()
        kernels = _fused.Kernels(factor, self.near.float().numpy(), linear, shift)
        bounds = (i.start, i.stop, j.start, j.stop)
        sums = _fused.Part(*(one.numpy() for one in part))
        _fused.add(squared.numpy(), kernels, bounds, at, self._rooms.entries, sums)

    def _add(self, squared: Tensor, at: tuple[int, int], i: slice, j: slice, part: Part) -> None:
        """By plain operations, a width at a time."""
        rectangle = squared[:, i.start - at[0] : i.stop - at[0], j.start - at[1] : j.stop - at[1]]
        for w in range(len(self.kinds)):
            v = self._values(rectangle, w, i, j)
            part.square[w] += torch.linalg.vector_norm(v, dim=2).double().square().sum(1)
            part.rows[w] += v.sum(2)
            part.columns[w] += v.sum(1)
            for run in v.flatten(1).split(_RUN[v.device.type], 1):
                part.cross[w] += self._products(run)

    def _values(self, squared: Tensor, w: int, i: slice, j: slice) -> Tensor:
        """V_ij = f(D_ij) - a_i - a_j, and 0 on the diagonal."""
        v = squared * self.factor[w, :, None, None]
        for kind, same in self._runs(w):
            if kind == "near":
                v[same].mul_(math.log(2)).expm1_()
            elif kind == "far":
                v[same].exp2_()  # on a CPU three times as fast as exp
        a = self._shift[w]
        left, right = a[:, i, None], a[:, None, j]
        ones = torch.ones_like  # the shift is a product of rank two, which goes over the entries once
        v.baddbmm_(torch.cat([left, ones(left)], 2), torch.cat([ones(right), right], 1), alpha=-1)
        if i == j:
            v.diagonal(dim1=1, dim2=2).zero_()
        # before the sums, which must be those of the numbers that are multiplied
        return ROUNDED[self.precision](v) if self.precision in ROUNDED else v

    def _runs(self, w: int) -> Iterator[tuple[str, slice]]:
        """Neighbours of the same kind; on a CPU single objects, for the last of a run are rounded in another way."""
        single = self.factor.device.type == "cpu"
        for (kind, _), same in groupby(enumerate(self.kinds[w]), lambda one: (one[1], single and one[0])):
            places = [place for place, _ in same]
            yield kind, slice(places[0], places[-1] + 1)

    def _products(self, v: Tensor) -> Tensor:
        """<V, W> of every source and every target over some pairs of stimuli."""
        of, to = v[: self.sources], v[self.sources :]
        if v.is_cuda and self.precision == "bfloat16":
            return torch.mm(of.bfloat16(), to.bfloat16().T, out_dtype=torch.float32)
        if v.is_cuda and self.precision == "tf32":
            with tensor_cores():
                return torch.mm(of, to.T)
        return dots(of, to)
