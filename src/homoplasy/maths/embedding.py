"""Points of many dimensions on a plane: principal components, metric scaling, and how far neighbours are kept."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

_ROUNDS = 300


def principal(points: Float[np.ndarray, "m k"], axes: int = 2) -> tuple[Float[np.ndarray, "m a"], float]:
    """Principal components, and the share of variance they hold; the largest loading of each is positive."""
    centred = points - points.mean(axis=0)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(vt[np.arange(axes), np.abs(vt[:axes]).argmax(axis=1)])
    return u[:, :axes] * s[:axes] * signs, float((s[:axes] ** 2).sum() / (s**2).sum())


def metric_scaling(
    points: Float[np.ndarray, "m k"], axes: int = 2, tolerance: float = 1e-6
) -> tuple[Float[np.ndarray, "m a"], float]:
    """Metric multidimensional scaling of Euclidean distances by majorisation, started from the principal components.

    Each round is Guttman's transform X <- B(X) X / m, which never raises stress = sqrt(sum (d - e)^2 / sum d^2)
    (de Leeuw 1977); it stops when stress falls by less than a share `tolerance`.
    """
    d = cdist(points, points)
    x, _ = principal(points, axes)
    before = np.inf
    for _ in range(_ROUNDS):
        e = cdist(x, x)
        stress = float(np.sqrt(((d - e) ** 2).sum() / (d**2).sum()))
        if before - stress < tolerance * stress:
            break
        before = stress
        b = -np.divide(d, e, out=np.zeros_like(d), where=e > 0)
        np.fill_diagonal(b, 0.0)
        np.fill_diagonal(b, -b.sum(axis=1))
        x = b @ x / len(x)
    return x, stress


def trustworthiness(points: Float[np.ndarray, "m k"], plane: Float[np.ndarray, "m a"], neighbours: int) -> float:
    """How far neighbours on the plane are neighbours indeed  (Venna & Kaski 2001); 1 is perfect.

    1 - 2 / (m k (2 m - 3 k - 1)) sum over i and the k nearest j on the plane of max(0, rank_i(j) - k).
    """
    m, k = len(points), neighbours
    far = cdist(points, points)
    near = cdist(plane, plane)
    for distances in (far, near):
        np.fill_diagonal(distances, np.inf)
    rank = np.argsort(np.argsort(far, axis=1, kind="stable"), axis=1, kind="stable") + 1
    chosen = np.argsort(near, axis=1, kind="stable")[:, :k]
    lost = np.clip(np.take_along_axis(rank, chosen, axis=1) - k, 0, None).sum()
    return float(1 - 2 * lost / (m * k * (2 * m - 3 * k - 1)))
