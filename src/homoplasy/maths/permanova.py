"""Whether groups differ in where their members lie, given only distances."""

import numpy as np
from jaxtyping import Float


def permanova(
    points: Float[np.ndarray, "m k"], groups: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Share of the squared distances that lies between groups, pseudo-F, and p by re-labelling  (Anderson 2001).

    SS_T = sum d_ij^2 / m over pairs, SS_W = the same inside each group; F = (SS_A / (a - 1)) / (SS_W / (m - a)).
    """
    m, a = len(groups), len(np.unique(groups))
    own, null = shares(points, groups, draws, generator)
    if not np.isfinite(own):
        return float("nan"), float("nan"), float("nan")
    f = (own / (a - 1)) / max((1 - own) / (m - a), 1e-300)
    return own, f, float((1 + (null >= own - 1e-12).sum()) / (1 + draws))


def shares(
    points: Float[np.ndarray, "m k"], groups: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[float, Float[np.ndarray, " b"]]:
    """Share of the squared distances between groups, SS_A / SS_T, and the same of every re-labelling."""
    names, member = np.unique(groups, return_inverse=True)
    m, a = len(member), len(names)
    centred = points - points.mean(axis=0) if m else points
    total = float((centred**2).sum())
    if a < 2 or m <= a or total == 0:
        return float("nan"), np.empty(0)
    sizes = np.bincount(member)
    gram = centred @ centred.T

    def between(labels: np.ndarray) -> float:
        indicator = np.zeros((m, a))
        indicator[np.arange(m), labels] = 1.0
        return float(((indicator * (gram @ indicator)).sum(axis=0) / sizes).sum()) / total

    return between(member), np.array([between(generator.permutation(member)) for _ in range(draws)])
