"""Many correlations at once: of every row with one sample, or between the columns of many tables."""

import numpy as np
from jaxtyping import Float
from scipy import stats

from homoplasy.maths.correlation import Given, Method

_CONSTANT = 1e-12  # a spread below this share of the values is rounding


def with_each(
    rows: Float[np.ndarray, "m n"], y: Float[np.ndarray, " n"], given: Given = None, method: Method = "pearson"
) -> Float[np.ndarray, " m"]:
    """Correlate every row with y, or what a linear fit on `given` leaves of both; NaN where it is not defined.

    The same as `correlation.correlation` row by row; a row with a value that is not finite has NaN.
    """
    n, whole = len(y), np.isfinite(rows).all(axis=1)
    if n < 3 or not np.isfinite(y).all():
        return np.full(len(rows), np.nan)
    kept = [rows[whole], y[None], *([] if given is None else [np.atleast_2d(given.T)])]
    ranked = [stats.rankdata(one, axis=1) for one in kept] if method == "spearman" else kept
    design = np.column_stack([np.ones(n), *(one.T for one in ranked[2:])])
    q, _ = np.linalg.qr(design)
    a, b = (one - (one @ q) @ q.T for one in ranked[:2])
    centred = [one - one.mean(axis=1, keepdims=True) for one in ranked[:2]]
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
    spread = np.linalg.norm(centred[0], axis=1) * np.linalg.norm(centred[1])
    flat = (np.ptp(ranked[0], axis=1) <= _CONSTANT * np.abs(ranked[0]).max(axis=1)) | (scale <= _CONSTANT * spread)
    r = np.full(len(rows), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        r[whole] = np.where(flat, np.nan, np.clip((a @ b[0]) / scale, -1.0, 1.0))
    return r


def between_columns(tables: Float[np.ndarray, "m n s"], method: Method = "pearson") -> Float[np.ndarray, " m"]:
    """Mean correlation over all pairs of the s columns of every table; NaN where a column is constant or not finite.

    The mean over pairs of unit columns u_a is (|sum_a u_a|^2 - s) / (s (s - 1)).
    """
    count = tables.shape[2]
    whole = np.isfinite(tables).all(axis=(1, 2))
    kept = np.where(whole[:, None, None], tables, 0.0)
    values = stats.rankdata(kept, axis=1) if method == "spearman" else kept
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    flat = (np.ptp(values, axis=1) <= _CONSTANT * np.abs(values).max(axis=1)).any(axis=1)
    unit = centred / np.where(length > 0, length, 1.0)
    mean = ((unit.sum(axis=2) ** 2).sum(axis=1) - count) / (count * (count - 1))
    return np.where(whole & ~flat, np.clip(mean, -1.0, 1.0), np.nan)


def intervals(
    r: Float[np.ndarray, " m"], n: int, given: int = 0, method: Method = "pearson", level: float = 0.95
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Fisher's interval of every correlation, as `correlation.fisher_interval` gives it."""
    freedom = n - 3 - given
    if freedom < 1:
        return np.full(len(r), np.nan), np.full(len(r), np.nan)
    inflation = 1 + r * r / 2 if method == "spearman" else np.ones(len(r))
    reach = stats.norm.ppf(0.5 + level / 2) * np.sqrt(inflation / freedom)
    with np.errstate(divide="ignore"):
        centre = np.arctanh(r)
    return np.tanh(centre - reach), np.tanh(centre + reach)
