"""Which of several choices moves a result most: the variance of a full factorial taken apart."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Shares(NamedTuple):
    """Of each axis: its share alone, and its share with all interactions in which it takes part."""

    first: Float[np.ndarray, " k"]
    total: Float[np.ndarray, " k"]


def shares(values: Float[np.ndarray, "..."]) -> Shares:
    """First-order and total shares of the variance over the grid (Sobol 1993; Homma & Saltelli 1996).

    S_i = Var(E[y | i]) / Var(y), which is eta squared of a balanced design; T_i = E[Var(y | all but i)] / Var(y).
    NaN where the values do not vary; one entry an axis of the array.
    """
    axes = range(values.ndim)
    total = values.var()
    if not total > 0:
        return Shares(np.full(values.ndim, np.nan), np.full(values.ndim, np.nan))
    first = [values.mean(axis=tuple(other for other in axes if other != one)).var() for one in axes]
    whole = [values.var(axis=one).mean() for one in axes]
    return Shares(np.array(first) / total, np.array(whole) / total)
