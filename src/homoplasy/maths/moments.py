"""Exact moments of CKA when the stimuli of one side are paired with those of the other at random."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Invariants:
    """What re-pairing leaves alone in centred kernels: T = tr K_c, Q = |K_c|^2, S = the sum of squared diagonals."""

    trace: Float[Tensor, " b"]
    square: Float[Tensor, " b"]
    diagonal: Float[Tensor, " b"]

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """PR = T^2 / Q: how many dimensions the kernel fills, 1 to n - 1."""
        return self.trace**2 / self.square


def invariants(centred: Float[Tensor, "b n n"]) -> Invariants:
    """T, Q and S of centred kernels."""
    diagonal = centred.diagonal(dim1=-2, dim2=-1)
    square = torch.linalg.vector_norm(centred, dim=(-2, -1)) ** 2
    return Invariants(diagonal.sum(-1), square, (diagonal**2).sum(-1))


def mean_biased(k: Invariants, l: Invariants, n: int) -> Float[Tensor, "s t"]:
    """E[CKA_b] = T_K T_L / ((n-1) |K_c| |L_c|) = sqrt(PR_K PR_L) / (n-1)."""
    return torch.outer(k.participation_ratio.sqrt(), l.participation_ratio.sqrt()) / (n - 1)


def sd_biased(k: Invariants, l: Invariants, n: int) -> Float[Tensor, "s t"]:
    """sd[CKA_b] from the variance of tr(K_c L_c) under re-pairing  (Kazi-Aoual et al. 1995), n >= 4."""
    spread = torch.outer(_spread(k, n), _spread(l, n)) * (2 / ((n - 1) ** 2 * (n + 1) * (n - 2)))
    tilt = torch.outer(_tilt(k, n), _tilt(l, n)) / ((n + 1) * n * (n - 1) * (n - 2) * (n - 3))
    return (spread + tilt).clamp(min=0).sqrt()


def sd_debiased(n: int) -> float:
    """sd[CKA_u] = sqrt(2 / (n (n-3))), whatever the kernels; E[CKA_u] = 0.

    >>> round(sd_debiased(240), 5)
    0.00593
    """
    return math.sqrt(2 / (n * (n - 3)))


def _spread(k: Invariants, n: int) -> Tensor:
    return ((n - 1) * k.square - k.trace**2) / k.square


def _tilt(k: Invariants, n: int) -> Tensor:
    return (n * (n + 1) * k.diagonal - (n - 1) * (k.trace**2 + 2 * k.square)) / k.square
