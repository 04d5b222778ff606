"""Principal components: as many as a share of the variance needs."""

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.errors import BadData
from homoplasy.maths.gram import centred_gram, eigh, gram


def scores(x: Float[Tensor, "n d"], share: float) -> Float[Tensor, "n k"]:
    """Project centred rows on the fewest components that hold `share` of the variance: X_c V_k, X_c = U S V^T.

    k = min{k : sum_{i<=k} s_i^2 >= share * sum_i s_i^2}, k <= n - 1  (Jolliffe 2002, section 6.1.1). The eigenvectors
    are those of the smaller of X_c X_c^T and X_c^T X_c; each column's largest entry in absolute value is positive.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of variance is in (0, 1], found {share}")
    n, d = x.shape
    if not torch.isfinite(x.sum(dtype=torch.float64)):
        raise BadData("principal components need finite values.")
    projected, variance = (_by_rows if n < d else _by_columns)(x)
    total = variance.sum()
    if not total > 0:
        raise BadData("principal components need rows that differ.")
    k = _fewest(variance / total, share, min(n - 1, d))
    return (projected[:, :k] * _signs(projected[:, :k])).to(x.dtype)


def _by_rows(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n n"], Float[Tensor, " n"]]:
    """Scores U S from the eigenvectors of X_c X_c^T."""
    values, vectors = eigh(centred_gram(x))
    variance = values.flip(0).clamp(min=0)
    return vectors.flip(1) * variance.sqrt(), variance


def _by_columns(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, " d"]]:
    """Scores X_c V from the eigenvectors of X_c^T X_c."""
    centred = x.double() - x.double().mean(0)
    values, vectors = eigh(gram(centred.T))
    return centred @ vectors.flip(1), values.flip(0).clamp(min=0)


def _fewest(shares: Float[Tensor, " m"], share: float, most: int) -> int:
    """The fewest components; a full share would otherwise hang on the last rounding error."""
    cumulative = shares.cumsum(0)
    reached = cumulative >= share - 1e-12
    return min(int(reached.double().argmax()) + 1 if bool(reached.any()) else len(shares), most)


def _signs(scores: Float[Tensor, "n k"]) -> Float[Tensor, " k"]:
    largest = scores.gather(0, scores.abs().argmax(0, keepdim=True))[0]
    return torch.where(largest < 0, -1.0, 1.0).to(scores.dtype)
