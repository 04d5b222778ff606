"""Where the regions lie in the volume of a subject, and which of their voxels are lost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket import regions, sizes
from homoplasy.datasets.pocket.regions import Region
from homoplasy.datasets.pocket.streams import stream

_CORE = 60  # voxels of a hemisphere in the mask, but not cortex
_UNLABELLED = 120  # voxels of a hemisphere that are cortex of no region
_CONSTANT_SHARE = 0.03
_KEPT_DROPOUT, _LOST_DROPOUT = 0.5, 1.5  # 1 separates good from bad voxels
_OUTSIDE, _CORTEX = -1, 0  # labels


@dataclass(frozen=True)
class Anatomy:
    """The volumes (X, Y, Z) of one subject, and the voxels of each region as sorted C-order indices."""

    labels: NDArray[np.int16]
    left: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    constant: NDArray[np.bool_]
    dropout: NDArray[np.float32]
    voxels: Mapping[str, NDArray[np.int64]]

    def hemisphere(self, side: str) -> NDArray[np.int16]:
        """The label volume of one side; the other side counts as outside."""
        here = self.left if side == "lh" else ~self.left
        return np.where(here, self.labels, np.int16(_OUTSIDE))

    def carries(self, region: Region) -> NDArray[np.bool_]:
        """Which voxels of a region keep their signal."""
        index = self.voxels[region.name]
        return (self.dropout.ravel()[index] < 1) & ~self.constant.ravel()[index]


def corner(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The planted corner voxel, part of V1: it is elsewhere, or nowhere, when axes are swapped."""
    return 0, 0, shape[2] - 1


def draw(seed: int, subject: int) -> Anatomy:
    """Lay out the regions of one subject."""
    rng = stream(seed, "anatomy", subject)
    shape = sizes.VOLUMES[subject]
    left = np.zeros(shape, dtype=bool)
    left[: shape[0] // 2] = True
    counts = {one.name: _count(one, rng) for one in regions.REGIONS}
    labels = np.full(shape, _OUTSIDE, dtype=np.int16)
    mask = np.zeros(shape, dtype=bool)
    _fill(labels, mask, left, {name: (count + 1) // 2 for name, count in counts.items()}, rng)
    _fill(labels, mask, ~left, {name: count // 2 for name, count in counts.items()}, rng)
    ids = regions.label_table()
    voxels = {one.name: np.flatnonzero(labels == ids[one.name]) for one in regions.REGIONS}
    dropout = _dropout(shape, mask, voxels, rng)
    return Anatomy(labels, left, mask, _constant(labels, mask, dropout, rng), dropout, voxels)


def _count(region: Region, rng: Generator) -> int:
    """Voxels of the region in this subject: within ten percent of the planned number."""
    if region is regions.TINY:
        return region.voxels
    low, high = np.ceil(0.9 * region.voxels), np.floor(1.1 * region.voxels)
    return int(rng.integers(low, high + 1))


def _fill(
    labels: NDArray[np.int16],
    mask: NDArray[np.bool_],
    side: NDArray[np.bool_],
    counts: Mapping[str, int],
    rng: Generator,
) -> None:
    """Fill one hemisphere in place: a core, the regions as slabs from back to front around it, loose cortex."""
    ids = regions.label_table()
    needed = sum(counts.values())
    tip = corner(labels.shape)
    nearest = _from_centre(side)
    nearest = nearest[nearest != np.ravel_multi_index(tip, labels.shape)]
    core, cortex = nearest[:_CORE], nearest[_CORE : _CORE + needed + _UNLABELLED]
    mask.flat[core], mask.flat[cortex] = True, True
    labels.flat[cortex] = _CORTEX
    loose = rng.choice(cortex, _UNLABELLED, replace=False)
    free = np.setdiff1d(cortex, loose)
    x, y, z = np.unravel_index(free, labels.shape)
    order = free[np.lexsort((x, z, y))]
    labels.flat[order] = np.repeat([ids[name] for name in counts], list(counts.values()))
    if side[tip]:
        _move(labels, mask, ids["V1"], tip)


def _move(labels: NDArray[np.int16], mask: NDArray[np.bool_], label: int, to: tuple[int, int, int]) -> None:
    """Move the first voxel of a region into a corner."""
    labels.flat[np.flatnonzero(labels == label)[0]] = _CORTEX
    labels[to], mask[to] = label, True


def _from_centre(side: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The voxels of a hemisphere, the innermost first."""
    index = np.flatnonzero(side)
    place = np.stack(np.unravel_index(index, side.shape)).astype(np.float64)
    low, high = place.min(axis=1, keepdims=True), place.max(axis=1, keepdims=True)
    distance = (np.abs((2 * place - low - high) / (high - low)) ** 4).sum(axis=0)
    return index[np.argsort(distance, kind="stable")]


def _dropout(
    shape: tuple[int, int, int], mask: NDArray[np.bool_], voxels: Mapping[str, NDArray[np.int64]], rng: Generator
) -> NDArray[np.float32]:
    volume = np.where(mask, np.float32(_KEPT_DROPOUT), np.float32(0)).reshape(shape)
    for one in regions.REGIONS:
        if one.dropout:
            lost = rng.choice(voxels[one.name], voxels[one.name].size // 2, replace=False)
            volume.flat[lost] = _LOST_DROPOUT
    return volume


def _constant(
    labels: NDArray[np.int16], mask: NDArray[np.bool_], dropout: NDArray[np.float32], rng: Generator
) -> NDArray[np.bool_]:
    """Three percent of the voxels under each label, none of them a dropout voxel or the planted corner."""
    constant = np.zeros(labels.shape, dtype=bool)
    able = mask & (dropout < 1)
    able[corner(labels.shape)] = False
    for label in np.unique(labels[mask]):
        under = np.flatnonzero((labels == label) & mask)
        pool = np.flatnonzero((labels == label) & able)
        constant.flat[rng.choice(pool, round(_CONSTANT_SHARE * under.size), replace=False)] = True
    return constant
