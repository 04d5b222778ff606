"""Single-trial responses of one session: int16, 300 times the percent signal change."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.nsd import _formats
from homoplasy.errors import BadData

PERCENT = 300.0  # stored units a percent
Shape = tuple[int, int, int]


def read(path: Path, trials: int, shape: Shape, voxels: NDArray[np.int64]) -> NDArray[np.int16]:
    """Read (trials, voxels); voxels are C-order indices into the (X, Y, Z) volume, in any order."""
    reader = _read_hdf5 if path.suffix == ".hdf5" else _read_nifti
    return reader(path, trials, shape, voxels)


def _read_hdf5(path: Path, trials: int, shape: Shape, voxels: NDArray[np.int64]) -> NDArray[np.int16]:
    """MATLAB wrote X x Y x Z x trials, so h5py sees (trials, Z, Y, X): one slab of Z at a time is in memory."""
    x, y, z = np.unravel_index(voxels, shape)
    out = np.empty((trials, voxels.size), dtype=np.int16)
    with _formats.hdf5(path, "betas") as betas:
        _check(path, betas.dtype, betas.shape, (trials, *shape[::-1]))
        for level in np.unique(z):
            columns = np.flatnonzero(z == level)
            out[:, columns] = betas[:, level][:, y[columns], x[columns]]
    return out


def _read_nifti(path: Path, trials: int, shape: Shape, voxels: NDArray[np.int64]) -> NDArray[np.int16]:
    """The image is gzipped whole and lies (X, Y, Z, trials), X fastest: it has to be unpacked in one piece."""
    image = _formats.nifti(path)
    _check(path, image.get_data_dtype(), image.shape, (*shape, trials))
    if image.dataobj.slope != 1 or image.dataobj.inter != 0:
        raise BadData(f"{path}: expected raw int16 values, found a scale of {image.dataobj.slope}; fetch it again.")
    with _formats.guarded(path, "NIfTI image"):
        values = np.asarray(image.dataobj.get_unscaled())
    by_voxel = values.reshape(-1, trials, order="F")
    return np.ascontiguousarray(by_voxel[np.ravel_multi_index(np.unravel_index(voxels, shape), shape, order="F")].T)


def _check(path: Path, dtype: np.dtype[np.generic], found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(found) != expected or dtype != np.int16:
        raise BadData(
            f"{path}: expected int16 betas of shape {expected}, found {dtype} {tuple(found)}; fetch it again."
        )
