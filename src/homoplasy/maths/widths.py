"""CKA at any pair of kernel widths in a range, from one pass: every kernel of it is nearly a short polynomial.

With u = exp(-D / 2 r^2) for one width r, a kernel of width s is u^(r^2 / s^2). Polynomials P_0 = 1, P_1, ..., P_m in u,
orthonormal over the distances of an object, take it up to a small rest: K_s = sum_q c_q(s) P_q(u). One pass sums the
P_q, and the products of every P_q of a source with every P_r of a target; the sums of a kernel of any width
(`cka.Sums`) are combinations of those, m^2 terms for a pair. The rest, as a share of the centred kernel, is the sine of
the angle between the kernel and what stands for it, and a cosine moves by no more than the angles of its sides do:
|error of CKA| <= rest of the source + rest of the target, where the pairs that measured the rest stand for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.errors import BadRequest
from homoplasy.maths import _expansion, tiles
from homoplasy.maths.cka import Sums
from homoplasy.maths.clouds import Clouds
from homoplasy.maths.polynomials import Basis, fitted

_TILE = {"cpu": 128, "cuda": 1024}
_RUN = {"cpu": 2**12, "cuda": 2**16}  # products summed in float32 before the sum is carried on in float64
_LINE = 2**10  # squares summed in float32


@dataclass(frozen=True)
class _Side:
    """Sums over i != j of the polynomials of one side."""

    basis: Basis
    rows: Float[Tensor, "b m n"]
    square: Float[Tensor, "b m m"]

    def sums(self, sigma: Float[Tensor, "w b"], c: Float[Tensor, "w b m1"]) -> Sums:
        """The sums of kernels of these widths; the constant is the shift."""
        rows = torch.einsum("wbm,bmn->wbn", c[..., 1:], self.rows)
        square = torch.einsum("wbm,bmk,wbk->wb", c[..., 1:], self.square, c[..., 1:])
        shift = (c[..., :1] / 2).expand_as(rows)
        return Sums(sigma, torch.ones_like(sigma), shift, rows, square, torch.finfo(torch.float32).eps)


@dataclass(frozen=True)
class Continuum:
    """What one pass leaves: enough for the kernels of all widths between two bounds."""

    sources: _Side
    targets: _Side
    cross: Float[Tensor, "s ms t mt"]

    @property
    def rests(self) -> tuple[Float[Tensor, " s"], Float[Tensor, " t"]]:
        """The largest rest of each object over the range."""
        return self.sources.basis.rest, self.targets.basis.rest

    def at(self, sigma: tuple[Float[Tensor, "w s"], Float[Tensor, "w t"]]) -> tiles.Pass:
        """The sums for w widths of every source and of every target, as one pass for these widths would give them."""
        ours, theirs, c, e = self._both(sigma)
        cross = torch.einsum("wsm,smtk,wtk->wst", c[..., 1:], self.cross, e[..., 1:])
        return tiles.Pass(ours, theirs, cross, None)

    def grid(self, sigma: tuple[Float[Tensor, "w s"], Float[Tensor, "v t"]]) -> tiles.Pass:
        """Every width of the sources with every width of the targets, as w s and v t objects of one width each."""
        ours, theirs, c, e = self._both(sigma)
        cross = torch.einsum("wsm,smtk,vtk->wsvt", c[..., 1:], self.cross, e[..., 1:])
        return tiles.Pass(_as_objects(ours), _as_objects(theirs), cross.flatten(2).flatten(0, 1)[None], None)

    def _both(self, sigma: tuple[Tensor, Tensor]) -> tuple[Sums, Sums, Tensor, Tensor]:
        ours, theirs = (own.to(self.cross) for own in sigma)
        c, e = self.sources.basis.coefficients(ours), self.targets.basis.coefficients(theirs)
        return self.sources.sums(ours, c), self.targets.sums(theirs, e), c, e


def _as_objects(sums: Sums) -> Sums:
    """Widths as further objects: `w b` becomes `1 wb`."""
    parts = (sums.sigma, sums.peak, sums.shift, sums.rows, sums.square)
    sigma, peak, shift, rows, square = (one.flatten(0, 1)[None] for one in parts)
    return Sums(sigma, peak, shift, rows, square, sums.rounding)


def sweep(
    sources: Sequence[Float[Tensor, "n _"]],
    targets: Sequence[Float[Tensor, "n _"]],
    low: tuple[Float[Tensor, " s"], Float[Tensor, " t"]],
    high: tuple[Float[Tensor, " s"], Float[Tensor, " t"]],
    *,
    tolerance: float = 5e-7,
) -> Continuum:
    """Sum all objects, which have the same n stimuli, for kernel widths from `low` to `high`, bounds an object.

    There are as many polynomials, up to twelve a side, as bring every rest below `tolerance`; the error of a score is
    at most twice that, and of the order of its square where the rests of the sides have nothing in common.
    """
    objects, count = Clouds([*sources, *targets], torch.float32), len(sources)
    bases = [
        _enough(fitted(objects, side, (below, above), tolerance), tolerance)
        for side, below, above in zip((slice(count), slice(count, len(objects))), low, high, strict=True)
    ]
    return _Pass(objects, count, bases).run()


def _enough(basis: Basis, tolerance: float) -> Basis:
    worst = int(basis.rest.argmax())
    if not basis.rest[worst] <= tolerance:
        raise BadRequest(
            f"{len(basis.centre)} polynomials leave {float(basis.rest[worst]):.0e} of the kernels of object {worst} "
            f"between widths {float(basis.low[worst]):g} and {float(basis.high[worst]):g}, more than {tolerance:g}; "
            "narrow the range, or allow more."
        )
    return basis


class _Pass:
    """The tiles of the upper triangle; one off the diagonal stands for its mirror image too."""

    def __init__(self, objects: Clouds, sources: int, bases: list[Basis]) -> None:
        self.objects, self.bases = objects, bases
        self.sides = [slice(sources), slice(sources, len(objects))]
        n, b, device = objects.n, len(objects), objects.device
        kind = device.type if device.type in _TILE else "cpu"
        self.side, self.run_length = min(_TILE[kind], n), _RUN[kind]
        self.counts = [len(basis.centre) for basis in bases]
        wide: dict[str, Any] = {"dtype": torch.float64, "device": device}
        each = list(zip((sources, b - sources), self.counts, strict=True))
        self.rows = [torch.zeros(size, m, n, **wide) for size, m in each]
        self.square = [torch.zeros(size, m, m, **wide) for size, m in each]
        self.cross = torch.zeros(each[0][0] * each[0][1], each[1][0] * each[1][1], **wide)
        room = -(-(self.side**2) // _LINE) * _LINE
        self.entries = [torch.zeros(size, m, room, device=device) for size, m in each]
        self.steps = [basis.steps(objects.size[own] ** 2) for basis, own in zip(bases, self.sides, strict=True)]

    def run(self) -> Continuum:
        """Go over all tiles."""
        room = self.objects.room(self.side)
        ends = [slice(start, min(start + self.side, self.objects.n)) for start in range(0, self.objects.n, self.side)]
        for at, i in enumerate(ends):
            for j in ends[at:]:
                self.objects.tile(i, j, room)
                self._add(room[:, : i.stop - i.start, : j.stop - j.start], i, j)
        sides = [_Side(*one) for one in zip(self.bases, self.rows, self.square, strict=True)]
        (s, ms), (t, mt) = ((len(side.rows), count) for side, count in zip(sides, self.counts, strict=True))
        return Continuum(sides[0], sides[1], self.cross.view(s, ms, t, mt))

    def _add(self, squared: Float[Tensor, "b h w"], i: slice, j: slice) -> None:
        """Add the sums of one tile."""
        times, shape = 1 if i == j else 2, squared.shape[1:]
        pairs = shape[0] * shape[1]
        for side, own in enumerate(self.sides):
            self._fill(squared[own], side, i, j)
        left, right = (one[..., :pairs].flatten(0, 1) for one in self.entries)
        for v, w in zip(left.split(self.run_length, 1), right.split(self.run_length, 1), strict=True):
            self.cross.add_(v @ w.T, alpha=times)

    def _fill(self, squared: Float[Tensor, "b h w"], side: int, i: slice, j: slice) -> None:
        """Make the polynomials of one side, and add what is summed of each side alone."""
        times = 1 if i == j else 2
        make = self._fused if squared.device.type == "cpu" else self._plain
        rows, columns, square = make(squared, side, diagonal=i == j)
        self.rows[side][..., i] += rows
        if times == 2:
            self.rows[side][..., j] += columns
        self.square[side] += times * square

    def _fused(self, squared: Tensor, side: int, *, diagonal: bool) -> tuple[Tensor, Tensor, Tensor]:
        """By the compiled form."""
        (b, height, width), m, steps = squared.shape, self.counts[side], self.steps[side]
        u = torch.mul(squared, steps.rate).exp_().numpy()
        part = _expansion.Part(
            np.zeros((b, m, height), np.float32), np.zeros((b, m, width), np.float32), np.zeros((b, m, m))
        )
        recurrence = _expansion.Recurrence(*(one[..., 0, 0].numpy() for one in (steps.up, steps.on, steps.back)))
        _expansion.expand(u, recurrence, (height, width), diagonal, self.entries[side].numpy(), part)
        rows, columns, square = (torch.from_numpy(one) for one in part)
        return rows, columns, square + square.tril(-1).mT

    def _plain(self, squared: Tensor, side: int, *, diagonal: bool) -> tuple[Tensor, Tensor, Tensor]:
        """By plain operations."""
        height, width = squared.shape[1:]
        values = self.entries[side][..., : height * width].unflatten(2, (height, width))
        self.steps[side].fill(squared, values)
        if diagonal:
            values.diagonal(dim1=2, dim2=3).zero_()
        return values.sum(3), values.sum(2), _squares(self.entries[side], height * width)


def _squares(values: Float[Tensor, "b m r"], pairs: int) -> Float[Tensor, "b m m"]:
    """<P_q, P_r> over the first pairs, few at a time: float32 rounds long sums of squares to one side."""
    padded = -(-pairs // _LINE) * _LINE
    values[..., pairs:padded] = 0
    lines = values[..., :padded].unflatten(2, (-1, _LINE)).transpose(1, 2)
    return (lines @ lines.mT).sum(1, dtype=torch.float64)
