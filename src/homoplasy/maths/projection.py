"""A random projection that keeps inner products on average, and costs one addition a number."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from numpy.random import Generator
from torch import Tensor


@dataclass(frozen=True)
class CountSketch:
    """A linear map to `k` dimensions: y_j = sum over the i with h(i) = j of s_i x_i, h and s drawn once."""

    buckets: Int[Tensor, " d"]  # h(i)
    signs: Float[Tensor, " d"]  # s_i
    k: int

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Project rows; rows may come in any batches, and each is projected alone."""
        return x.new_zeros(len(x), self.k).index_add_(1, self.buckets, x * self.signs.to(x.dtype))


def count_sketch(d: int, k: int, rng: Generator) -> CountSketch:
    """Draw a sketch: E<Rx, Ry> = <x, y> and Var <= (|x|^2 |y|^2 + <x, y>^2) / k  (Weinberger et al. 2009, lemma 2).

    No matrix is held, so that d may be a million.
    """
    buckets = torch.from_numpy(rng.integers(k, size=d))
    return CountSketch(buckets, torch.from_numpy(rng.choice([-1.0, 1.0], d)).float(), k)
