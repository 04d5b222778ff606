"""What chance gives: the CKA of kernels whose stimuli are re-paired at random, both estimators from one product.

K~ is the U-centred kernel, whose rows sum to zero, and D_i = K_ii - 2 a_i what centring by the shift a leaves of the
diagonal. Then HKH = K~ + H diag(D) H, and since <K~, H diag(E) H> = <K~, diag(E)> = 0 for any E,

    <HKH, HLH> = <K~, L~> + (1 - 2/n) D'E + (1'D)(1'E) / n^2,

so that one inner product of upper triangles and one of n numbers give CKA_u and CKA_b of every re-pairing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from homoplasy.maths import moments
from homoplasy.maths.kernels import u_centre
from homoplasy.maths.workers import in_order

_FLAT = 1e-10  # a centred kernel of less than this share of the kernel's norm carries no information
_GATHERED = 2**24  # bytes of re-paired entries at a time: what stays near the processor


@dataclass(frozen=True)
class Packed:
    """U-centred kernels of unit length as upper triangles, and what the biased estimator needs beside them."""

    entries: Float[Tensor, "b p"]  # sqrt(2) K~_ij / |K~|, i < j; NaN where the kernel is flat
    diagonal: Float[Tensor, "b n"]  # D_i / |K_c|
    debiased: Float[Tensor, " b"]  # |K~| / |K_c|
    biased: Float[Tensor, " b"]  # |K_c|
    invariants: moments.Invariants

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.diagonal.shape[1]


@dataclass(frozen=True)
class Repaired:
    """Scores of every source with every target in each of some re-pairings."""

    biased: Float[Tensor, "d s t"]
    debiased: Float[Tensor, "d s t"]


def pack(kernels: Sequence[Float[Tensor, "n n"]]) -> Packed:
    """Make kernels ready to be re-paired."""
    entries, diagonal, debiased, biased, squares, diagonals = (
        torch.stack(parts) for parts in zip(*map(_parts, kernels), strict=True)
    )
    n = diagonals.shape[1]
    whole = diagonals * (1 - 2 / n) + diagonals.sum(1, keepdim=True) / n**2  # the diagonal of HKH
    known = moments.Invariants(whole.sum(1), squares, whole.square().sum(1))
    return Packed(entries, diagonal, debiased, biased, known)


def _parts(kernel: Tensor) -> tuple[Tensor, ...]:
    """The fields of `Packed` for one kernel, then |HKH|^2 and D."""
    n = len(kernel)
    rows = kernel.sum(-1) - kernel.diagonal()
    diagonal = kernel.diagonal() - 2 * (rows / (n - 2) - rows.sum() / (2 * (n - 1) * (n - 2)))
    kept = u_centre(kernel)
    square = kept.square().sum() + (1 - 2 / n) * diagonal.square().sum() + diagonal.sum() ** 2 / n**2
    length, size = kept.norm(), square.sqrt()
    flat = length <= _FLAT * kernel.norm()
    above = torch.triu_indices(n, n, offset=1, device=kernel.device)
    entries = kept[above[0], above[1]] * (2**0.5 / length.masked_fill(flat, torch.nan))
    return entries.float(), diagonal / size, length / size, size, square, diagonal


def repaired(
    k: Packed, l: Packed, orders: Sequence[Int[np.ndarray, " n"]], *, epsilon: float = 0.0, threads: int = 1
) -> Repaired:
    """Scores of all pairs when the stimuli of `l` are put in each of some orders; `epsilon` as in `from_sums`."""
    size = max(1, _GATHERED // l.entries.nbytes)
    batches = [orders[start : start + size] for start in range(0, len(orders), size)]
    found = list(in_order(partial(_batch, k, l, epsilon), batches, threads))
    return Repaired(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _batch(k: Packed, l: Packed, epsilon: float, orders: Sequence[Int[np.ndarray, " n"]]) -> tuple[Tensor, Tensor]:
    count, targets, n = len(orders), len(l.entries), k.n
    moved = torch.cat([l.entries.index_select(1, _places(order, l.entries.device)) for order in orders])
    debiased = (k.entries @ moved.mT).double().reshape(-1, count, targets).transpose(0, 1)
    placed = torch.from_numpy(np.stack(orders)).to(k.diagonal.device)
    diagonal = torch.einsum("sn,tdn->dst", k.diagonal, l.diagonal[:, placed])
    ones = torch.outer(k.diagonal.sum(1), l.diagonal.sum(1)) / n**2
    whole = debiased * torch.outer(k.debiased, l.debiased) + (1 - 2 / n) * diagonal + ones
    size = torch.outer(k.biased, l.biased)
    return whole * (size / (size + epsilon)), debiased


def _places(order: Int[np.ndarray, " n"], device: torch.device) -> Tensor:
    """Where in an upper triangle the entry (order_i, order_j) is, for every i < j."""
    n = len(order)
    i, j = (torch.from_numpy(order)[side].to(device) for side in torch.triu_indices(n, n, offset=1))
    low, high = torch.minimum(i, j), torch.maximum(i, j)
    return low * n - torch.div(low * (low + 1), 2, rounding_mode="floor") + high - low - 1


@dataclass(frozen=True)
class Tally:
    """What is kept of many re-pairings: sums and counts a pair, and the largest excess of each re-pairing."""

    draws: int
    total: Float[np.ndarray, "s t"]
    square: Float[np.ndarray, "s t"]  # of what is left when the exact mean is taken away
    reached: Int[np.ndarray, "s t"]  # re-pairings that scored as high as the pairing itself
    largest: Float[np.ndarray, " d"]  # max over pairs of (score - mean) / sd under re-pairing, mean and sd exact


def tally(
    values: Float[np.ndarray, "d s t"],
    own: Float[np.ndarray, "s t"],
    mean: Float[np.ndarray, "s t"],
    sd: Float[np.ndarray, "s t"],
) -> Tally:
    """Count re-pairings against the pairing itself; a pair whose scores are NaN counts for nothing."""
    excess = values - mean
    known = np.isfinite(own)
    scaled = np.where(known, excess / np.where(known, sd, 1.0), -np.inf)
    reached = (values >= own).sum(0) * known
    return Tally(
        len(values), values.sum(0, dtype=np.float64), (excess**2).sum(0), reached, scaled.max((1, 2), initial=-np.inf)
    )


def family_p(excess: Float[np.ndarray, "s t"], largest: Float[np.ndarray, " d"]) -> Float[np.ndarray, "s t"]:
    """Family-wise p by the largest excess of each draw (max-T; Westfall & Young 1993); NaN where the excess is."""
    ordered = np.sort(largest)
    above = len(ordered) - np.searchsorted(ordered, excess, side="left")
    return np.where(np.isfinite(excess), (1.0 + above) / (1.0 + len(ordered)), np.nan)
