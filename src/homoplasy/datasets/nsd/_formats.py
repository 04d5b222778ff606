"""The foreign formats of NSD, each opened in one place, with one sentence for what is missing or damaged."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import h5py
import nibabel
import numpy as np
import pandas as pd
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray
from scipy.io import loadmat

from homoplasy import written
from homoplasy.errors import BadData, listing

_AGAIN = "fetch it again (dvc repro fetch)"
_NIBABEL = (ImageFileError, HeaderDataError, WrapStructError)
# zlib and EOF: a gzipped file that stops early; ValueError, LookupError and TypeError: a file of another kind
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, OverflowError, *_NIBABEL)


@contextmanager
def guarded(path: Path, kind: str, damage: tuple[type[Exception], ...] = _DAMAGE) -> Iterator[None]:
    """Turn what a foreign reader raises on a damaged file into one sentence about that file."""
    if not path.is_file():
        raise BadData(f"{path} is missing; {_AGAIN}.")
    try:
        yield
    except damage as found:
        said = str(found).splitlines()[0] if str(found) else type(found).__name__
        raise BadData(f"{path} is not a whole {kind} ({said.rstrip('.')}); {_AGAIN}.") from None


@contextmanager
def hdf5(path: Path, name: str) -> Iterator[Any]:
    """Open one dataset of an HDF5 file; reading it inside the block is guarded too."""
    with guarded(path, "HDF5 file", (*_DAMAGE, RuntimeError)), h5py.File(path, "r") as file:
        if not isinstance(file.get(name), h5py.Dataset):
            raise BadData(f"{path} has no dataset '{name}'; it has {listing(file)}: {_AGAIN}.")
        yield file[name]


def nifti(path: Path) -> Any:
    """Open a NIfTI image without reading its values."""
    with guarded(path, "NIfTI image"):
        return nibabel.load(path)


def volume(path: Path) -> NDArray[np.float32]:
    """Read a whole (X, Y, Z) volume."""
    image = nifti(path)
    with guarded(path, "NIfTI image"):
        values = np.asarray(image.dataobj, dtype=np.float32)
    if values.ndim != 3:
        raise BadData(f"{path}: expected a volume (X, Y, Z), found {values.shape}.")
    return values


def matlab(path: Path, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Read some arrays of whole numbers from a MATLAB file."""
    # scipy's reader warns of data that "may be corrupt", and fails on others in any way, by its own mistakes too
    with guarded(path, "MATLAB file", (Exception,)), catch_warnings(action="error", category=UserWarning):
        found = loadmat(path, variable_names=list(names))
    lacking = [name for name in names if name not in found]
    if lacking:
        raise BadData(f"{path} lacks the variables {listing(lacking)}; {_AGAIN}.")
    with guarded(path, "MATLAB file of whole numbers"):
        return {name: _whole(name, np.asarray(found[name])) for name in names}


def _whole(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise ValueError(f"{name} has other numbers")
    return whole


def table(path: Path, columns: Sequence[str], separator: str) -> pd.DataFrame:
    """Read some columns of a text table."""
    with guarded(path, "table"):
        header = pd.read_csv(path, sep=separator, nrows=0).columns
        lacking = [column for column in columns if column not in header]
        if not lacking:
            return pd.read_csv(path, sep=separator, usecols=list(columns))[list(columns)]
    raise BadData(f"{path} lacks the columns {listing(lacking)}; {_AGAIN}.")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    with guarded(path, "JSON file"):
        return written.read_json(path)
