"""Kernels as functions of squared distances, so that one distance matrix serves every kernel and width."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_MEDIAN_ROWS = 2000  # above it the median is taken over so many rows, evenly spaced


def squared_distances(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """D_ij = |x_i - x_j|^2 from the Gram matrix; never negative, exactly zero on the diagonal."""
    gram = x @ x.T
    norms = gram.diagonal()
    squared = (norms[:, None] + norms[None, :] - 2 * gram).clamp(min=0)
    return squared.fill_diagonal_(0)


def median_rows(n: int, device: torch.device) -> Int[Tensor, " m"]:
    """The rows over which a median is taken: all up to 2,000, above it so many of them evenly spaced."""
    m = min(n, _MEDIAN_ROWS)
    return torch.arange(m, device=device) * n // m


def median_distance(squared: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """Median of |x_i - x_j| over i < j; above 2,000 rows, over 2,000 of them evenly spaced."""
    n = squared.shape[-1]
    if n > _MEDIAN_ROWS:
        rows = median_rows(n, squared.device)
        return median_distance(squared[rows][:, rows])
    pairs = squared[_above_diagonal(n, squared.device)]
    middle = [pairs.kthvalue(k + 1).values for k in sorted({(len(pairs) - 1) // 2, len(pairs) // 2})]
    return torch.stack(middle).sqrt().mean()


def _above_diagonal(n: int, device: torch.device) -> Bool[Tensor, "n n"]:
    return torch.ones(n, n, dtype=torch.bool, device=device).triu_(diagonal=1)


def linear(squared: Float[Tensor, "*b n n"]) -> Float[Tensor, "*b n n"]:
    """Gram matrix of the centred points, G = -1/2 H D H  (Torgerson 1952)."""
    return centre(squared) / -2


def rbf(squared: Float[Tensor, "*b n n"], sigma: Float[Tensor, " *b"]) -> Float[Tensor, "*b n n"]:
    """K_ij = exp(-D_ij / 2 sigma^2)."""
    return (squared * (-0.5 / sigma[..., None, None] ** 2)).exp_()


def centre(k: Float[Tensor, "*b n n"]) -> Float[Tensor, "*b n n"]:
    """K_c = H K H, H = I - 11'/n, of a symmetric matrix."""
    rows = k.mean(-1)
    shift = rows - rows.mean(-1, keepdim=True) / 2
    return (k - shift[..., :, None]).sub_(shift[..., None, :])


def u_centre(k: Float[Tensor, "*b n n"]) -> Float[Tensor, "*b n n"]:
    """K_ij - R_i/(n-2) - R_j/(n-2) + R/((n-1)(n-2)) off the diagonal, 0 on it  (Székely & Rizzo 2014, eq. 2.1)."""
    n = k.shape[-1]
    rows = k.sum(-1) - k.diagonal(dim1=-2, dim2=-1)
    shift = rows / (n - 2) - rows.sum(-1, keepdim=True) / (2 * (n - 1) * (n - 2))
    tilde = (k - shift[..., :, None]).sub_(shift[..., None, :])
    tilde.diagonal(dim1=-2, dim2=-1).zero_()
    return tilde


def mean_off_diagonal(k: Float[Tensor, "*b n n"]) -> Float[Tensor, " *b"]:
    """Mean of K_ij over i != j: near 1 every stimulus looks alike, near 0 each is like itself alone."""
    n = k.shape[-1]
    return (k.sum((-2, -1)) - k.diagonal(dim1=-2, dim2=-1).sum(-1)) / (n * (n - 1))
