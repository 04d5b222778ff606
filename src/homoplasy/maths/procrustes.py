"""Shapes: point clouds up to position, size and rotation or reflection (Kendall 1984)."""

import torch
from jaxtyping import Float
from torch import Tensor


def shape(x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
    """Centre, scale to |X| = 1, and turn into k = min(n, d) dimensions, which leaves X X' as it is."""
    centred = x - x.mean(0)
    unit = centred / torch.linalg.vector_norm(centred)
    return torch.linalg.qr(unit.T).R.T if x.shape[1] > x.shape[0] else unit


def likeness(x: Float[Tensor, "n k"], y: Float[Tensor, "n l"]) -> Float[Tensor, ""]:
    """max_Q <X, Y Q> over rotations and reflections = |X'Y|_*, the sum of singular values  (Schönemann 1966).

    For shapes it lies in [0, 1]; the smaller side is padded with zeros.
    """
    return torch.linalg.svdvals(x.T @ y).sum().clamp(max=1.0)


def angle(likeness: Float[Tensor, "*b"]) -> Float[Tensor, "*b"]:
    """The arccos of the likeness: the Riemannian shape distance, a metric  (Williams et al. 2021)."""
    return likeness.arccos()


def distance(likeness: Float[Tensor, "*b"]) -> Float[Tensor, "*b"]:
    """min_Q |X - Y Q| = sqrt(2 - 2 likeness), a metric  (Williams et al. 2021)."""
    return (2 - 2 * likeness).sqrt()
