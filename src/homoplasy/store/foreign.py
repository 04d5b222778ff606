"""Arrays that users bring: .npy, .npz, .safetensors and .parquet files, read without running anything in them."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from homoplasy import written
from homoplasy.errors import BadData, BadRequest, listing, nearest
from homoplasy.representation import Representation

IDS = ("stimulus_id", "stimulus_ids")  # a column or an array of this name holds the ids of the rows

_DIGITS = 18  # of a number of 64 bits
# What numpy and zipfile raise on files that are not theirs.
_DAMAGE = (
    ValueError, EOFError, OSError, LookupError, TypeError, SyntaxError, RuntimeError, OverflowError, MemoryError,
    struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

Found = tuple[NDArray[Any], NDArray[Any] | None]


def read(place: str) -> Representation:
    """Read `FILE`, or `FILE:NAME` where a file holds several arrays.

    Rows whose ids the file does not tell are numbered from 0; the fact `ids` says which it was: named or order.
    """
    path, name = _split(place)
    if path.suffix not in READERS:
        raise BadRequest(f"{path}: expected a file that ends in {listing(READERS)}.")
    if not path.is_file():
        raise BadRequest(f"{path} is not there; check the path.")
    values, ids = READERS[path.suffix](path, name)
    _check(values, place)
    facts = {"ids": "order" if ids is None else "named"}
    return Representation(values, np.arange(len(values)) if ids is None else ids, place, facts=facts)


def read_ids(path: Path) -> NDArray[Any]:
    """Read stimulus ids from a text file, one a line; whole numbers where every line is one."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise BadRequest(f"{path} is not there; expected a text file of stimulus ids, one a line.") from None
    except UnicodeDecodeError:
        raise BadData(f"{path} is not text; expected stimulus ids, one a line.") from None
    counted = all(line.isdecimal() and len(line) <= _DIGITS for line in lines)
    return np.array([int(line) for line in lines] if counted else lines)


def _split(place: str) -> tuple[Path, str]:
    """A file of that very name comes first; else what follows the last colon names an array."""
    path, colon, name = place.rpartition(":")
    return (Path(path), name) if colon and not Path(place).exists() else (Path(place), "")


def _check(values: NDArray[Any], place: str) -> None:
    if values.dtype.kind not in "fiu":
        raise BadData(f"{place}: expected numbers, found values of type {values.dtype}.")
    if values.ndim != 2:
        raise BadData(
            f"{place}: expected an array of two axes (stimuli, units), found shape {values.shape}; "
            "reshape it so that each stimulus is one row."
        )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise BadData(
            f"{place}: {len(wrong)} values are NaN or infinite, the first in row {row}, column {column}; "
            "leave those stimuli or units out."
        )


def _npy(path: Path, name: str) -> Found:
    if name:
        raise BadRequest(f"{path} holds one array without a name; leave ':{name}' out.")
    with _opened(path, np.ndarray) as array:
        return array, None


def _npz(path: Path, name: str) -> Found:
    with _opened(path, NpzFile) as archive:
        ids = next((archive[key] for key in IDS if key in archive.files), None)
        return archive[_chosen(path, name, [key for key in archive.files if key not in IDS])], ids


@contextmanager
def _opened(path: Path, kind: type) -> Iterator[Any]:
    """Load plain numbers from a file of numpy; whatever else is in it becomes one sentence."""
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, kind):
                yield found
                return
    except _DAMAGE:
        raise _not_plain(path) from None
    there, ending = ("an archive of arrays", ".npz") if kind is np.ndarray else ("a single array", ".npy")
    raise BadData(f"{path} is {there} under another name; let its name end in {ending}.")


def _not_plain(path: Path) -> BadData:
    return BadData(
        f"{path} is damaged or holds Python objects, which are not read because a pickle can run code; "
        "save plain numbers with numpy.save or numpy.savez."
    )


def _safetensors(path: Path, name: str) -> Found:
    try:
        with safe_open(path, framework="numpy") as file:
            values = file.get_tensor(_chosen(path, name, list(file.keys())))
            about = written.parse_json((file.metadata() or {}).get("homoplasy", "{}"))
    except (SafetensorError, OSError, TypeError, written.Damaged) as damage:
        raise BadData(f"{path} is damaged, or of a type that numpy does not know ({damage}); save float32.") from None
    ids = about.get("stimulus_ids") if isinstance(about, dict) else None
    if ids is not None and not (isinstance(ids, list) and set(map(type, ids)) in ({int}, {str})):
        raise BadData(f"{path}: expected stimulus_ids that are a list of whole numbers or of words.")
    return values, None if ids is None else np.asarray(ids)


def _parquet(path: Path, name: str) -> Found:
    if name:
        raise BadRequest(f"{path} is one table; leave ':{name}' out.")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as damage:
        raise BadData(f"{path} is not a whole parquet file ({damage}).") from None
    named = next((table[key] for key in IDS if key in table.column_names), None)
    if named is not None and not _is_id(named.type):
        raise BadData(f"{path}: expected stimulus ids that are whole numbers or words, found {named.type}.")
    units = [column for column in table.column_names if column not in IDS]
    words = [unit for unit in units if not _is_number(table.schema.field(unit).type)]
    if words or not units:
        raise BadData(
            f"{path}: expected columns of numbers, one a unit, and none but '{IDS[0]}' beside them; "
            f"found {listing(words) if words else 'no unit'}."
        )
    return np.column_stack([table[unit].to_numpy() for unit in units]), None if named is None else named.to_numpy()


def _is_id(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_id(kind.value_type)
    return pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _chosen(path: Path, name: str, names: Sequence[str]) -> str:
    """The array that is meant: the only one, or the one that was named."""
    if name and name not in names:
        raise BadRequest(f"{path} has no array '{name}'; it has {listing(names)}.{nearest(name, names)}")
    if not name and len(names) != 1:
        raise BadRequest(
            f"{path} holds {len(names)} arrays ({listing(names)}); name one: {path}:{min(names, default='NAME')}"
        )
    return name or names[0]


READERS: Mapping[str, Callable[[Path, str], Found]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".parquet": _parquet,
}
