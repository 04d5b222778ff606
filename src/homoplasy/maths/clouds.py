"""Objects as clouds of points, one a stimulus, and the squared distances of all of them for a tile of pairs."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths import _fused
from homoplasy.maths._lanes import LANES
from homoplasy.maths.workers import in_order

_CLOSE = 1e-3  # of the mean squared norm: smaller distances are taken anew, the matrix product has lost their digits
_AT_ONCE = 8  # objects whose distances are finished together, while their inner products are in the cache
_ANEW = 2**22  # numbers held at a time while that is done


class Clouds:
    """Objects with the same n stimuli, centred and divided by their size, the root mean square of |x|."""

    def __init__(self, values: Sequence[Float[Tensor, "n _"]], dtype: torch.dtype, threads: int = 1) -> None:
        self.dtype, self.n, self.device = dtype, len(values[0]), values[0].device
        self.points, norms, sizes = zip(*in_order(lambda one: _point(one, dtype), values, threads), strict=True)
        self.norms, self.size = torch.stack(norms), torch.stack(sizes)
        self.fused = dtype == torch.float32 and self.device.type == "cpu"

    def __len__(self) -> int:
        """How many objects."""
        return len(self.points)

    def room(self, side: int, width: int = 0) -> Float[Tensor, "b high wide"]:
        """Zeros for the distances of a tile of that side, or as wide as said, with some rows and columns more."""
        shape = len(self), side + _fused.TALL, (width or side) + LANES
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def tile(self, i: slice, j: slice, out: Float[Tensor, "b h w"]) -> None:
        """|x_i - x_j|^2 = |x_i|^2 + |x_j|^2 - 2 x_i'x_j in the first rows and columns of `out`."""
        height, width = i.stop - i.start, j.stop - j.start
        for start in range(0, len(self), _AT_ONCE):
            places = slice(start, start + _AT_ONCE)
            squared = out[places, :height, :width]
            for x, own in zip(self.points[places], squared, strict=True):
                torch.mm(x[i], x[j].T, out=own)
            for place in self._finish(places, (i, j), out[places], squared):
                self._anew(self.points[start + place], i, j, squared[place])

    def some(self, place: int, others: Tensor) -> Float[Tensor, "n m"]:
        """|x_i - x_j|^2 of one object from every stimulus to some others."""
        x, norms = self.points[place], self.norms[place]
        squared = torch.addmm(norms[others], x, x[others].T, alpha=-2).add_(norms[:, None])
        self._anew(x, slice(None), others, squared)
        return squared

    def _finish(self, places: slice, pairs: tuple[slice, slice], out: Tensor, squared: Tensor) -> list[int]:
        """Distances of some objects from inner products, in place; which of them have pairs too close for it."""
        (i, j), norms = pairs, self.norms[places]
        (own, to), diagonal = (norms[:, i], norms[:, j]), i.start == j.start
        if self.fused:
            size, least = (squared.shape[1], squared.shape[2]), np.float32(_CLOSE)
            below = torch.from_numpy(
                _fused.distances(out.numpy(), own.numpy(), to.numpy(), size, diagonal * size[0], least)
            )
        else:
            squared.mul_(-2).add_(to[:, None]).add_(own[:, :, None])
            if diagonal:
                squared.diagonal(dim1=1, dim2=2).zero_()
            below = (squared < _CLOSE).sum((1, 2))
        return (below > diagonal * squared.shape[1]).nonzero().flatten().tolist()

    def _anew(self, x: Tensor, i: slice, j: slice | Tensor, squared: Tensor) -> None:
        """The smallest distances once more, from differences."""
        close, to = (squared < _CLOSE).nonzero(as_tuple=True)
        x_i, x_j, at_once = x[i], x[j], max(1, _ANEW // x.shape[1])
        for some, others in zip(close.split(at_once), to.split(at_once), strict=True):
            squared[some, others] = (x_i[some] - x_j[others]).square().sum(1)


def _point(values: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Points centred and of unit size; |x|^2 of each; the size."""
    values = values.detach()
    x = values - values.mean(0, dtype=torch.float64)
    size = x.square().sum(1).mean().sqrt()
    size = torch.where(size > 0, size, 1.0)
    x = x.div_(size).to(dtype)
    return x, torch.linalg.vector_norm(x, dim=1, dtype=torch.float64).square().to(dtype), size
