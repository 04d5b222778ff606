"""Correlation and partial correlation of two samples, with p-values and intervals on Fisher's z scale."""

from itertools import permutations
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

Method = Literal["pearson", "spearman"]
METHODS: tuple[Method, ...] = ("pearson", "spearman")
Given = Float[np.ndarray, " n"] | Float[np.ndarray, "n k"] | None

_LEAST = 3  # two points always lie on a line
_EXACT = 8  # up to 8! = 40,320 re-pairings, Spearman's p is counted
_CONSTANT = 1e-12  # a spread below this share of the values is rounding


def correlation(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    given: Given = None,
    method: Method = "pearson",
) -> float:
    """Correlate x and y, or what is left of them after a linear fit on `given`; NaN where it is not defined.

    r = <x', y'> / (|x'| |y'|), with x' = x - mean, or the residual of x on (1, given); Spearman: on mid-ranks.
    `given` is one column or several.

    >>> round(correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])), 10)
    0.8
    """
    if len(x) < _LEAST:
        return float("nan")
    columns = [x, y, *([] if given is None else np.atleast_2d(given.T))]
    if method == "spearman":
        columns = [stats.rankdata(column) for column in columns]
    if any(constant(column) for column in columns):
        return float("nan")
    design = np.column_stack([np.ones(len(x)), *columns[2:]])
    a, b = (residual(column, design) for column in columns[:2])
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    spread = float(np.linalg.norm(columns[0] - columns[0].mean()) * np.linalg.norm(columns[1] - columns[1].mean()))
    if scale <= _CONSTANT * spread:  # x or y is a copy of `given`
        return float("nan")
    return float(np.clip(a @ b / scale, -1.0, 1.0))


def residual(x: Float[np.ndarray, "n ..."], design: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n ..."]:
    """What a least-squares fit of x on the columns of the design leaves: x - D (D^T D)^-1 D^T x."""
    weights, *_ = np.linalg.lstsq(design, x, rcond=None)
    return x - design @ weights


def constant(x: Float[np.ndarray, " n"]) -> bool:
    """Whether all values are one value, up to rounding."""
    return bool(np.ptp(x) <= _CONSTANT * np.abs(x).max())


def p_value(r: float, n: int, given: int = 0) -> float:
    """Two-sided p of a correlation: t = r sqrt(df / (1 - r^2)), df = n - 2 - given.

    Exact for Pearson on normal data, an approximation for ranks (Student 1908; Fisher 1924 for `given`).
    """
    freedom = n - 2 - given
    if freedom < 1 or np.isnan(r):
        return float("nan")
    if abs(r) >= 1.0:
        return 0.0
    return float(2 * stats.t.sf(abs(r) * np.sqrt(freedom / (1 - r * r)), freedom))


def spearman_p(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of a rank correlation: counted over all re-pairings up to n = 8, else by Student's t."""
    r, n = correlation(x, y, method="spearman"), len(x)
    if n > _EXACT or np.isnan(r):
        return p_value(r, n)
    a, b = stats.rankdata(x), stats.rankdata(y)
    a, b = a - a.mean(), b - b.mean()
    every = np.array(list(permutations(b))) @ a / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.mean(np.abs(every) >= abs(r) - 1e-12))


def fisher_interval(
    r: float, n: int, given: int = 0, method: Method = "pearson", level: float = 0.95
) -> tuple[float, float]:
    """Interval of a correlation on Fisher's scale: tanh(atanh r -+ q se), se^2 = 1 / (n - 3 - given).

    For ranks se^2 = (1 + r^2 / 2) / (n - 3 - given) (Bonett & Wright 2000). Its bounds lie inside [-1, 1].

    >>> [round(bound, 3) for bound in fisher_interval(0.8853, 36)]
    [0.785, 0.94]
    """
    freedom = n - 3 - given
    if freedom < 1 or np.isnan(r):
        return float("nan"), float("nan")
    if abs(r) >= 1.0:
        return r, r
    inflation = 1 + r * r / 2 if method == "spearman" else 1.0
    reach = stats.norm.ppf(0.5 + level / 2) * np.sqrt(inflation / freedom)
    return float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def formula_interval(rho: float, n: int) -> tuple[float, float]:
    """Interval of a rank correlation as the source study printed it: rho -+ 1.96 (.6325 / sqrt(n - 1)).

    Its bounds can leave [-1, 1]; kept only to compare with printed tables.

    >>> [round(bound, 2) for bound in formula_interval(0.86, 36)]
    [0.65, 1.07]
    """
    reach = 1.96 * 0.6325 / np.sqrt(n - 1) if n > 1 else float("nan")
    return float(rho - reach), float(rho + reach)
