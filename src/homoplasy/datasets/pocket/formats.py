"""The foreign formats of NSD as they are written here: the same content always gives the same bytes."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.io import savemat

_MATLAB_HEADER = b"MATLAB 5.0 MAT-file, pocket world".ljust(116)  # scipy would put the time of day into these bytes
_VOXEL = 1.8  # millimetres
_Image: Any = nibabel.Nifti1Image  # nibabel's own types are incomplete


def place(root: Path, key: str) -> Path:
    """Give the path of a key, with the folders above it made."""
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def matlab(path: Path, variables: Mapping[str, NDArray[Any]]) -> None:
    """Write a MATLAB 5 file."""
    buffer = io.BytesIO()
    savemat(buffer, dict(variables))
    path.write_bytes(_MATLAB_HEADER + buffer.getvalue()[len(_MATLAB_HEADER) :])


def nifti(path: Path, volume: NDArray[Any]) -> None:
    """Write a gzipped NIfTI image of this very type, without the file name and time that gzip likes to add."""
    image = _Image(volume, np.diag([_VOXEL] * 3 + [1.0]), dtype=volume.dtype)
    image.header.set_xyzt_units("mm", "sec")
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def hdf5(path: Path, datasets: Mapping[str, NDArray[Any]], chunks: tuple[int, ...] | None = None) -> None:
    """Write an HDF5 file."""
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file.create_dataset(name, data=values, chunks=chunks, track_times=False)


def _betas_hdf5(path: Path, betas: NDArray[np.int16]) -> None:
    """MATLAB's X×Y×Z×trials is (trials, Z, Y, X) here; one chunk is one voxel."""
    hdf5(path, {"betas": betas.T}, chunks=(betas.shape[-1], 1, 1, 1))


BETAS: Mapping[str, Callable[[Path, NDArray[np.int16]], None]] = {"hdf5": _betas_hdf5, "nifti": nifti}


def npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write numpy's archive of arrays; its own writer leaves the headers of the members to the release of Python."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())  # of no date


def table(path: Path, frame: pd.DataFrame, *, separator: str = ",", index: bool = False) -> None:
    """Write a text table."""
    frame.to_csv(path, sep=separator, index=index, na_rep="NaN", lineterminator="\n")


def to_json(path: Path, value: Any) -> None:
    """Write JSON on one line, as COCO does."""
    path.write_text(json.dumps(value, sort_keys=True, allow_nan=False), encoding="utf-8")
