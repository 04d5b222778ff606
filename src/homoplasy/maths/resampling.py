"""Resampling of whole groups: how far a correlation moves when families of models are drawn anew."""

import numpy as np
from jaxtyping import Float

from homoplasy.maths.correlation import Method


def group_weights(groups: np.ndarray, draws: int, generator: np.random.Generator) -> Float[np.ndarray, "draws n"]:
    """How often each member occurs when as many groups as there are get drawn with replacement."""
    names, member = np.unique(groups, return_inverse=True)
    counts = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return counts[:, member].astype(np.float64)


def weighted_correlation(
    weights: Float[np.ndarray, "draws n"],
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    given: Float[np.ndarray, " n"] | None = None,
    method: Method = "pearson",
) -> Float[np.ndarray, " draws"]:
    """Correlate each resample; a draw in which it is not defined is NaN.

    A resample with multiplicities w has the moments of the weighted sample, so nothing is copied;
    r_xy.z = (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2)) equals the correlation of residuals.
    """
    columns = [x, y] if given is None else [x, y, given]
    ranked = method == "spearman"
    values = [weighted_ranks(weights, c) if ranked else np.broadcast_to(c, weights.shape) for c in columns]
    r = _pair(weights, values[0], values[1])
    if given is None:
        return r
    a, b = _pair(weights, values[0], values[2]), _pair(weights, values[1], values[2])
    return _quotient(r - a * b, np.sqrt(np.clip((1 - a * a) * (1 - b * b), 0, None)))


def weighted_ranks(weights: Float[np.ndarray, "draws n"], x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "draws n"]:
    """Mid-ranks inside each resample: weight below + (weight at this value + 1) / 2."""
    _, place = np.unique(x, return_inverse=True)
    tied = weights @ np.eye(place.max() + 1)[place]
    below = np.cumsum(tied, axis=1) - tied
    return (below + (tied + 1) / 2)[:, place]


def percentile_interval(values: Float[np.ndarray, " draws"], level: float = 0.95) -> tuple[float, float]:
    """The central share of the resampled values (Efron's percentile interval); NaN when none is defined."""
    found = values[np.isfinite(values)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _pair(
    weights: Float[np.ndarray, "draws n"], x: Float[np.ndarray, "draws n"], y: Float[np.ndarray, "draws n"]
) -> Float[np.ndarray, " draws"]:
    total = weights.sum(axis=1, keepdims=True)
    a = x - (weights * x).sum(axis=1, keepdims=True) / total
    b = y - (weights * y).sum(axis=1, keepdims=True) / total
    return _quotient(
        (weights * a * b).sum(axis=1), np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    )


def _quotient(above: Float[np.ndarray, " draws"], below: Float[np.ndarray, " draws"]) -> Float[np.ndarray, " draws"]:
    defined = below > 1e-12
    return np.clip(np.where(defined, above / np.where(defined, below, 1.0), np.nan), -1.0, 1.0)
