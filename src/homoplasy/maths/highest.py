"""Which of several means may be the highest."""

import numpy as np
from jaxtyping import Bool, Float


def highest(
    means: Float[np.ndarray, " k"], draws: Float[np.ndarray, "b k"], level: float = 0.95
) -> Bool[np.ndarray, " k"]:
    """A set of places that holds the highest mean with this probability, also where several are equally high.

    Place i leaves when max_j (m_j - m_i) / s_ij exceeds the quantile of the same of the draws about their means, with
    s_ij the spread of the difference over draws  (Hsu 1981; Mogstad, Romano, Shaikh & Wilhelm 2024). The share of draws
    in which a place is the highest has no such guarantee: of equal means it leaves out those that chance put lowest.

    >>> rng = np.random.default_rng(1)
    >>> highest(np.array([0.0, 3.0, 2.9]), rng.normal([0.0, 3.0, 2.9], 0.2, (999, 3))).tolist()
    [False, True, True]
    """
    known: Bool[np.ndarray, " k"] = np.isfinite(means)
    there = np.flatnonzero(known)
    about = draws[np.isfinite(draws[:, there]).all(axis=1)][:, there]
    if not len(about) or len(there) < 2:
        return known
    about = about - about.mean(axis=0)
    kept = np.zeros(len(means), dtype=bool)
    for place, mean, own in zip(there, means[there], about.T, strict=True):
        others = there != place
        apart = (about - own[:, None])[:, others]
        spread = np.maximum(apart.std(axis=0), 1e-300)
        ahead = ((means[there] - mean)[others] / spread).max()
        kept[place] = ahead <= np.quantile((apart / spread).max(axis=1), level)
    return kept
