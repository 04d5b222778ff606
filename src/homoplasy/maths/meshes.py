"""Triangle meshes seen from one side: which triangle every pixel of a picture shows, without perspective."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 2_000_000  # pixels tried


class Surface(NamedTuple):
    """A closed mesh in two shapes; every point lies in a part that has a name, or in none (an empty name)."""

    folded: NDArray[np.float64]  # (points, 3)
    inflated: NDArray[np.float64]
    triangles: NDArray[np.int64]  # (triangles, 3)
    depths: NDArray[np.float64]  # how deep in a fold a point lies
    parts: NDArray[np.str_]


class _Hits(NamedTuple):
    """Pixels and the triangles that lie under their centres."""

    pixel: NDArray[np.int64]
    triangle: NDArray[np.int64]
    weights: NDArray[np.float64]
    near: NDArray[np.float64]


class Seen(NamedTuple):
    """What every pixel shows: its triangle (-1: nothing) and where in it, as weights of the three corners."""

    triangle: NDArray[np.int64]  # (rows, columns)
    weights: NDArray[np.float64]  # (rows, columns, 3)

    def blend(self, values: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of the corners, blended over each pixel; not a number where nothing is seen."""
        blended = (values[triangles[self.triangle]] * self.weights).sum(axis=2)
        return np.where(self.triangle >= 0, blended, np.nan)

    def nearest(self, triangles: NDArray[np.int64]) -> NDArray[np.int64]:
        """The corner that lies nearest to each pixel; -1 where nothing is seen."""
        corner = np.take_along_axis(triangles[self.triangle], self.weights.argmax(axis=2)[..., None], axis=2)[..., 0]
        return np.where(self.triangle >= 0, corner, -1)


def normals(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Unit normal of every point: the sum of those of its triangles, each as long as twice its area."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    sums = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, axis], 3), len(points)) for axis in range(3)], axis=1
    )
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(float).tiny)


def see(places: NDArray[np.float64], triangles: NDArray[np.int64], shape: tuple[int, int]) -> Seen:
    """Look along the third axis at points whose first two are pixels (column, row from the top).

    A pixel shows the triangle that is nearest at its centre (the largest third coordinate) among those that turn
    their face to the eye.
    """
    corners = places[triangles]
    span = (np.ceil(corners[..., :2].max(axis=1)) - np.floor(corners[..., :2].min(axis=1))).max(axis=1)
    towards = _area(corners[:, 0], corners[:, 1], corners[:, 2]) < 0  # rows run downwards, which turns the sign
    hits = []
    for block in np.unique(span[towards]).astype(int):
        for chunk in _chunks(np.flatnonzero(towards & (span == block)), int(block)):
            hits.append(_hits(chunk, corners[chunk], int(block), shape))
    pixel, triangle, weights, near = (np.concatenate(part) for part in zip(*hits, strict=True))
    order = np.lexsort((triangle, near))  # the nearest comes last and stays
    found = np.full(shape[0] * shape[1], -1)
    found[pixel[order]] = triangle[order]
    inside = np.zeros((shape[0] * shape[1], 3))
    inside[pixel[order]] = weights[order]
    return Seen(found.reshape(shape), inside.reshape(*shape, 3))


def _chunks(triangles: NDArray[np.int64], block: int) -> list[NDArray[np.int64]]:
    """Portions of triangles that fit in memory with the square of pixels tried for each."""
    return np.array_split(triangles, max(1, triangles.size * block**2 // _AT_ONCE))


def _area(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice the signed area of triangles in the plane of the picture."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])


def _hits(chunk: NDArray[np.int64], corners: NDArray[np.float64], block: int, shape: tuple[int, int]) -> _Hits:
    """Pixels whose centres lie in these triangles; the weights of the corners are linear in row and column."""
    low = np.floor(corners[..., :2].min(axis=1)).astype(np.int64)
    a, b, c = (corners[:, corner] for corner in range(3))
    whole, steps, weights = _area(a, b, c), np.arange(block), []
    for one, other in ((b, c), (c, a)):
        right, down = (one[:, 1] - other[:, 1]) / whole, (other[:, 0] - one[:, 0]) / whole
        first = _area(one, other, low + 0.5) / whole
        weights.append(first[:, None, None] + down[:, None, None] * steps[:, None] + right[:, None, None] * steps)
    weights.append(1 - weights[0] - weights[1])
    which, row, column = np.nonzero((weights[0] >= 0) & (weights[1] >= 0) & (weights[2] >= 0))
    inside = np.stack([one[which, row, column] for one in weights], axis=1)
    row, column = row + low[which, 1], column + low[which, 0]
    kept = (row >= 0) & (column >= 0) & (row < shape[0]) & (column < shape[1])
    near = (inside * corners[which][:, :, 2]).sum(axis=1)
    return _Hits(*(part[kept] for part in (row * shape[1] + column, chunk[which], inside, near)))
