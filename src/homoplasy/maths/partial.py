"""Partial correlation given several columns, in every resample of whole groups at once."""

import numpy as np
from jaxtyping import Float

from homoplasy.maths.correlation import Method
from homoplasy.maths.resampling import weighted_ranks

_SINGULAR = 1e-10  # eigenvalues of a correlation matrix below this share of the largest are rounding


def weighted_partial(
    weights: Float[np.ndarray, "draws n"],
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    given: Float[np.ndarray, "n k"],
    method: Method = "pearson",
) -> Float[np.ndarray, " draws"]:
    """Correlate what a linear fit on `given` leaves of x and y in each resample; NaN where it is not defined.

    With C the weighted correlation matrix of (x, y, Z): S = C_ab - C_aZ C_ZZ^+ C_Zb, r = S_xy / sqrt(S_xx S_yy).
    """
    columns = [x, y, *given.T]
    ranked = method == "spearman"
    values = np.stack([weighted_ranks(weights, c) if ranked else np.broadcast_to(c, weights.shape) for c in columns])
    c = _correlations(weights, values)
    inner = c[:, :2, 2:] @ np.linalg.pinv(c[:, 2:, 2:], rcond=_SINGULAR, hermitian=True) @ c[:, 2:, :2]
    s = c[:, :2, :2] - inner
    below = np.sqrt(np.clip(s[:, 0, 0] * s[:, 1, 1], 0, None))
    defined = below > 1e-9
    return np.clip(np.where(defined, s[:, 0, 1] / np.where(defined, below, 1.0), np.nan), -1.0, 1.0)


def _correlations(
    weights: Float[np.ndarray, "draws n"], values: Float[np.ndarray, "c draws n"]
) -> Float[np.ndarray, "draws c c"]:
    """Weighted correlation matrix of each draw; a column without spread gets zeros."""
    total = weights.sum(axis=1, keepdims=True)
    centred = values - (weights * values).sum(axis=2, keepdims=True) / total
    left, right = np.moveaxis(centred * weights, 0, 1), np.moveaxis(centred, 0, 2)
    covariance = left @ right
    scale = np.sqrt(np.clip(np.diagonal(covariance, axis1=1, axis2=2), 0, None))
    spread = scale > 1e-12 * np.maximum(np.abs(values).max(axis=(1, 2)), 1e-300)
    inverse = np.where(spread, 1.0 / np.where(spread, scale, 1.0), 0.0)
    return covariance * inverse[:, :, None] * inverse[:, None, :]
