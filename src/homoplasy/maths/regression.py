"""Least squares with what is needed to choose between fits, and standard errors that allow for groups."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats


@dataclass(frozen=True)
class Fit:
    """A least-squares fit of y on the columns of a design."""

    coefficients: Float[np.ndarray, " k"]
    rss: float  # sum of squared residuals
    tss: float  # sum of squares about the mean
    press: float  # sum of squared leave-one-out residuals, e_i / (1 - h_ii)
    n: int

    @property
    def r2(self) -> float:
        """Share of variance explained: 1 - RSS / TSS."""
        return 1 - self.rss / self.tss

    @property
    def loo_r2(self) -> float:
        """The same when every point is predicted by a fit without it: 1 - PRESS / TSS (Allen 1974)."""
        return 1 - self.press / self.tss

    @property
    def aic(self) -> float:
        """Akaike's criterion as the source study computes it: n ln(RSS / n) + 2 k, constants dropped."""
        return float(self.n * np.log(self.rss / self.n) + 2 * len(self.coefficients))

    @property
    def bic(self) -> float:
        """Schwarz's criterion likewise: n ln(RSS / n) + k ln n."""
        return float(self.n * np.log(self.rss / self.n) + len(self.coefficients) * np.log(self.n))

    @property
    def aicc(self) -> float:
        """AIC corrected for small n, with the error variance counted as a parameter (Hurvich & Tsai 1989)."""
        p = len(self.coefficients) + 1
        return float(self.n * np.log(self.rss / self.n) + 2 * p + 2 * p * (p + 1) / (self.n - p - 1))


def fit(y: Float[np.ndarray, " n"], design: Float[np.ndarray, "n k"]) -> Fit:
    """Fit y = D b + e by least squares; the design holds its own column of ones."""
    q, r = np.linalg.qr(design)
    coefficients = np.linalg.solve(r, q.T @ y)
    residual = y - design @ coefficients
    leverage = (q * q).sum(axis=1)
    press = residual / (1 - leverage)
    return Fit(
        coefficients, float(residual @ residual), float(((y - y.mean()) ** 2).sum()), float(press @ press), len(y)
    )


def with_intercept(*columns: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """A design: ones, then the columns."""
    return np.column_stack([np.ones(len(columns[0])), *columns])


@dataclass(frozen=True)
class Estimates:
    """Coefficients with their intervals and two-sided p-values."""

    coefficients: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    p: Float[np.ndarray, " k"]


def student(
    coefficients: Float[np.ndarray, " k"], errors: Float[np.ndarray, " k"], freedom: float, level: float = 0.95
) -> Estimates:
    """Student intervals and p-values of coefficients with given standard errors."""
    reach = stats.t.ppf(0.5 + level / 2, freedom) * errors
    p = 2 * stats.t.sf(np.abs(coefficients) / np.where(errors > 0, errors, np.nan), freedom)
    return Estimates(coefficients, coefficients - reach, coefficients + reach, p)


def clustered(y: Float[np.ndarray, " n"], design: Float[np.ndarray, "n k"], groups: np.ndarray) -> Estimates:
    """Least squares whose errors may be correlated inside groups: sandwich of group scores, t with G - 1 df.

    V = c (D'D)^-1 (sum_g D_g' e_g e_g' D_g) (D'D)^-1, c = G/(G-1) (n-1)/(n-k)  (Liang & Zeger 1986; CR1).
    """
    names, member = np.unique(groups, return_inverse=True)
    n, k = design.shape
    if len(names) < 2 or n <= k:
        bare = np.full(k, np.nan)
        return Estimates(bare, bare, bare, bare)
    bread = np.linalg.pinv(design.T @ design)
    coefficients = bread @ design.T @ y
    scores = np.zeros((len(names), k))
    np.add.at(scores, member, design * (y - design @ coefficients)[:, None])
    scale = len(names) / (len(names) - 1) * (n - 1) / (n - k)
    variance = scale * bread @ (scores.T @ scores) @ bread
    return student(coefficients, np.sqrt(np.clip(np.diag(variance), 0, None)), len(names) - 1)
