"""How alike two sets of dissimilarities are, from sums over them; whitening and chance are weights of three parts.

The dissimilarities of n stimuli are a symmetric matrix A without a diagonal: a constant (`level`), plus a_i + a_j with
sum a = 0 (`single`: a stimulus that is far from, or near, all others), plus a matrix whose rows sum to zero (`rest`).
The parts are orthogonal, re-pairing stimuli mixes none of them, and the covariance of the errors of squared distances,
V = 4 on the diagonal, 1 for two pairs that share a stimulus (Diedrichsen et al. 2021, eq. 20, for errors that are alike
and independent), only scales them: by 2n, n and 2. So <A, B> of every comparison is a weighted sum of three products.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Weights = tuple[float, float, float]

COMPARISONS: dict[str, Callable[[int], Weights]] = {
    "pearson": lambda n: (0.0, 1.0, 1.0),  # noqa: ARG005 # the table has one form
    "spearman": lambda n: (0.0, 1.0, 1.0),  # noqa: ARG005 # the same
    "cosine": lambda n: (1.0, 1.0, 1.0),  # noqa: ARG005 # the same
    "whitened_pearson": lambda n: (0.0, 2 / n, 1.0),
    "whitened_cosine": lambda n: (1 / n, 2 / n, 1.0),
}
_FLAT = 1e-10  # a vector whose weighted length is less than this share of its length says nothing


@dataclass(frozen=True)
class Parts:
    """The parts of b matrices, as lengths over pairs i < j."""

    level: Float[Tensor, " b"]
    single: Float[Tensor, "b n"]
    square: Float[Tensor, " b"]  # |A|^2

    @classmethod
    def of(cls, rows: Float[Tensor, "b n"], square: Float[Tensor, " b"]) -> "Parts":
        """From row sums p_i = sum_j A_ij and |A|^2: the level is sqrt(m) mean, a_i = (p_i - mean p) / (n - 2)."""
        n = rows.shape[1]
        total = rows.sum(1) / 2
        return cls(total / (n * (n - 1) / 2) ** 0.5, (rows - rows.mean(1, keepdim=True)) / (n - 2) ** 0.5, square)

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.single.shape[1]

    @property
    def shares(self) -> tuple[Tensor, Tensor, Tensor]:
        """|level|^2, |single|^2, |rest|^2."""
        level, single = self.level.square(), self.single.square().sum(1)
        return level, single, (self.square - level - single).clamp(min=0)

    def length_square(self, weights: Weights) -> Float[Tensor, " b"]:
        """<A, A> as weighted."""
        return sum((w * share for w, share in zip(weights, self.shares, strict=True)), torch.zeros_like(self.square))

    def flat(self, compare: str) -> Bool[Tensor, " b"]:
        """Whether the comparison finds nothing but rounding to compare."""
        return self.length_square(COMPARISONS[compare](self.n)) <= _FLAT**2 * self.square


def likeness(cross: Float[Tensor, "s t"], a: Parts, b: Parts, compare: str) -> Float[Tensor, "s t"]:
    """<A, B> / (|A| |B|) as weighted, from cross = sum of A_ij B_ij over i < j."""
    weights = COMPARISONS[compare](a.n)
    level, single = torch.outer(a.level, b.level), a.single @ b.single.T
    inner = weights[0] * level + weights[1] * single + weights[2] * (cross - level - single)
    return inner / torch.outer(a.length_square(weights), b.length_square(weights)).sqrt()


def chance(a: Parts, b: Parts, compare: str) -> tuple[Float[Tensor, "s t"], Float[Tensor, "s t"]]:
    """Exact mean and sd of the likeness when the n stimuli of one side are re-paired at random, n >= 4.

    Each part keeps its length, spread over 1, n - 1 and n(n-3)/2 dimensions:
    E = w_l level_a level_b / (|A| |B|), Var = (w_s^2 single_a single_b / (n-1) + w_r^2 2 rest_a rest_b / (n(n-3)))
    / (|A|^2 |B|^2)  (Mantel 1967 gives the variance by sums over the matrices).
    """
    n, weights = a.n, COMPARISONS[compare](a.n)
    size = torch.outer(a.length_square(weights), b.length_square(weights))
    (_, *ours), (_, *theirs) = a.shares, b.shares
    single, rest = (torch.outer(*pair) for pair in zip(ours, theirs, strict=True))
    variance = weights[1] ** 2 * single / (n - 1) + weights[2] ** 2 * 2 * rest / (n * (n - 3))
    return weights[0] * torch.outer(a.level, b.level) / size.sqrt(), (variance / size).sqrt()
