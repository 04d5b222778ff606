"""Whether groups differ in where their members lie, given only distances."""

import numpy as np
from jaxtyping import Float


def permanova(
    points: Float[np.ndarray, "m k"], groups: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Share of the squared distances that lies between groups, pseudo-F, and p by re-labelling  (Anderson 2001).

    SS_T = sum d_ij^2 / m over pairs, SS_W = the same inside each group; F = (SS_A / (a - 1)) / (SS_W / (m - a)).
    """
    names, member = np.unique(groups, return_inverse=True)
    m, a = len(member), len(names)
    if a < 2 or m <= a:
        return float("nan"), float("nan"), float("nan")
    centred = points - points.mean(axis=0)
    total = float((centred**2).sum())
    if total == 0:
        return float("nan"), float("nan"), float("nan")
    sizes = np.bincount(member)
    gram = centred @ centred.T

    def between(labels: np.ndarray) -> float:
        indicator = np.zeros((m, a))
        indicator[np.arange(m), labels] = 1.0
        return float(((indicator * (gram @ indicator)).sum(axis=0) / sizes).sum())

    own = between(member)
    null = np.array([between(generator.permutation(member)) for _ in range(draws)])
    f = (own / (a - 1)) / max((total - own) / (m - a), 1e-300)
    return own / total, f, float((1 + (null >= own - 1e-12 * total).sum()) / (1 + draws))
