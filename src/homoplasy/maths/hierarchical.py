"""A linear model in which every group has its own level: random intercepts by restricted likelihood."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize

from homoplasy.maths.regression import Estimates, student

_LARGEST = 12.0  # ln of the largest ratio of variances that is looked at


@dataclass(frozen=True)
class Mixed:
    """Fixed effects, and how much of the variance left lies between groups."""

    effects: Estimates
    between: float  # variance of the intercepts
    within: float  # variance inside groups


def random_intercept(y: Float[np.ndarray, " n"], design: Float[np.ndarray, "n k"], groups: np.ndarray) -> Mixed:
    """Fit y = D b + u_g + e, u ~ N(0, t s^2), e ~ N(0, s^2), by REML over the ratio t  (Laird & Ware 1982).

    V^-1 = I - t / (1 + t n_g) 11' inside a group; intervals are Student's with n - k degrees of freedom.
    """
    member = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(member).astype(np.float64)

    def loss(log_ratio: float) -> float:
        return _profiled(y, design, member, sizes, float(np.exp(log_ratio)))[0]

    best = optimize.minimize_scalar(loss, bounds=(-_LARGEST, _LARGEST), method="bounded", options={"xatol": 1e-8})
    ratio = float(np.exp(best.x)) if best.fun < _profiled(y, design, member, sizes, 0.0)[0] else 0.0
    _, b, covariance, within = _profiled(y, design, member, sizes, ratio)
    effects = student(b, np.sqrt(np.diag(covariance)), len(y) - design.shape[1])
    return Mixed(effects, ratio * within, within)


def _profiled(
    y: Float[np.ndarray, " n"],
    design: Float[np.ndarray, "n k"],
    member: np.ndarray,
    sizes: Float[np.ndarray, " g"],
    ratio: float,
) -> tuple[float, Float[np.ndarray, " k"], Float[np.ndarray, "k k"], float]:
    """Restricted deviance at a ratio of variances, and the estimates there."""
    n, k = design.shape
    shrink = ratio / (1 + ratio * sizes)
    sums = np.zeros((len(sizes), k + 1))
    both = np.column_stack([design, y])
    np.add.at(sums, member, both)
    gram = both.T @ both - sums.T @ (shrink[:, None] * sums)  # (D, y)' V^-1 (D, y)
    inverse = np.linalg.inv(gram[:k, :k])
    b = inverse @ gram[:k, k]
    within = float(gram[k, k] - b @ gram[:k, k]) / (n - k)
    _, logdet = np.linalg.slogdet(gram[:k, :k])
    deviance = (n - k) * np.log(within) + np.log1p(ratio * sizes).sum() + logdet
    return float(deviance), b, inverse * within, within
