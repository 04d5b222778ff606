"""The container of arrays: one safetensors file, many representations that share their stimuli.

Layout: one tensor a representation, and all metadata as sorted JSON under the single key `homoplasy`, because
several keys would be written in a random order and two equal files would differ in bytes.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from homoplasy import written
from homoplasy.errors import BadData, listing, nearest
from homoplasy.representation import Representation
from homoplasy.store import files

FORMAT = 1
_DTYPES = {"float16": "F16", "float32": "F32", "float64": "F64", "int16": "I16", "int64": "I64", "uint8": "U8"}
# the facts that stages calculate with or look up, wherever they stand in a container
_KINDS: Mapping[str, tuple[type, ...]] = (
    dict.fromkeys(("depth", "ceiling", "ceiling_left", "ceiling_right"), (int, float, type(None)))
    | dict.fromkeys(("left", "step", "seen", "image_size", "parameters"), (int,))
    | dict.fromkeys(("model", "run", "family", "modality", "subject", "region", "reason_left", "reason_right"), (str,))
)


@dataclass(frozen=True)
class Declared:
    """What a container promises of one array before its values are written."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    facts: Mapping[str, Any]
    unit_ids: Sequence[int] | None = None


class Writer:
    """Writes a container array by array, so that only one of them need be in memory; whole or not at all."""

    def __init__(
        self,
        path: Path,
        kind: str,
        stimulus_ids: NDArray[Any],
        declared: Sequence[Declared],
        facts: Mapping[str, Any],
    ) -> None:
        self._declared = list(declared)
        self._whole = files.whole(path)
        self._next = 0
        self._header = _header(kind, stimulus_ids, self._declared, facts)
        self._file: BinaryIO

    def __enter__(self) -> "Writer":
        """Open the file and write the header."""
        self._file = self._whole.__enter__().open("wb")
        self._file.write(struct.pack("<Q", len(self._header)) + self._header)
        return self

    def write(self, values: NDArray[Any]) -> None:
        """Write the next declared array."""
        promise = self._declared[self._next]
        if values.shape != promise.shape or values.dtype.name != promise.dtype:
            raise ValueError(f"{promise.name}: {values.dtype} {values.shape} is not the declared {promise}")
        self._file.write(np.ascontiguousarray(values).data)
        self._next += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; keep the file only if every declared array was written."""
        self._file.close()
        if kind is None and self._next < len(self._declared):
            error = ValueError(f"only {self._next} of {len(self._declared)} declared arrays were written")
            self._whole.__exit__(ValueError, error, None)
            raise error
        self._whole.__exit__(kind, error, trace)


def _header(kind: str, stimulus_ids: NDArray[Any], declared: Sequence[Declared], facts: Mapping[str, Any]) -> bytes:
    about = {
        "format": FORMAT,
        "kind": kind,
        "stimulus_ids": stimulus_ids.tolist(),
        "facts": dict(facts),
        "arrays": {
            one.name: {"facts": dict(one.facts), "unit_ids": None if one.unit_ids is None else list(one.unit_ids)}
            for one in declared
        },
        "order": [one.name for one in declared],
    }
    metadata = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    tensors: dict[str, Any] = {"__metadata__": {"homoplasy": metadata}}
    start = 0
    for one in declared:
        end = start + int(np.prod(one.shape, dtype=np.int64)) * np.dtype(one.dtype).itemsize
        tensors[one.name] = {"dtype": _DTYPES[one.dtype], "shape": list(one.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(tensors, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)  # the format aligns its data to eight bytes


def write(path: Path, kind: str, arrays: Iterable[Representation], facts: Mapping[str, Any] | None = None) -> None:
    """Write representations of the same stimuli into one container; their addresses become the names."""
    kept = list(arrays)
    if not kept:
        raise ValueError(f"{path}: a container holds at least one array")
    ids = kept[0].stimulus_ids
    for one in kept:
        if not np.array_equal(one.stimulus_ids, ids):
            raise ValueError(f"{path}: {one.address} has other stimuli than {kept[0].address}")
    declared = [
        Declared(
            one.address,
            one.values.dtype.name,
            one.values.shape,
            one.facts,
            None if one.unit_ids is None else one.unit_ids.tolist(),
        )
        for one in kept
    ]
    with Writer(path, kind, ids, declared, facts or {}) as writer:
        for one in kept:
            writer.write(one.values)


class _Facts(dict[str, Any]):
    """The facts in a file; one that is asked for and is not there is a fault of the file."""

    def __init__(self, path: Path, facts: Mapping[str, Any]) -> None:
        super().__init__(facts)
        self._path = path

    def __missing__(self, name: str) -> Any:
        raise BadData(f"{self._path} does not say its '{name}'; delete it and run dvc repro.")


class Container:
    """A container opened for reading; arrays are read one at a time, when they are asked for."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self._about = _about(path)
        if self._about["kind"] != kind:
            raise BadData(f"{path}: expected a container of {kind}, found one of {self._about['kind']}.")
        self.facts: dict[str, Any] = _Facts(path, self._about["facts"])
        self.stimulus_ids: NDArray[Any] = np.asarray(self._about["stimulus_ids"])

    def names(self) -> list[str]:
        """The arrays, in the order in which they were written."""
        return list(self._about["order"])

    def array_facts(self, name: str) -> dict[str, Any]:
        """The facts of one array, without reading its values."""
        return _Facts(self.path, self._entry(name)["facts"])

    def shape(self, name: str) -> tuple[int, ...]:
        """Stimuli and units of one array, without reading its values."""
        self._entry(name)
        with safe_open(self.path, framework="numpy") as file:
            return tuple(file.get_slice(name).get_shape())

    def __getitem__(self, name: str) -> Representation:
        """Read one array."""
        entry = self._entry(name)
        with safe_open(self.path, framework="numpy") as file:
            values = file.get_tensor(name)
        units = None if entry["unit_ids"] is None else np.asarray(entry["unit_ids"])
        return Representation(values, self.stimulus_ids, name, units, _Facts(self.path, entry["facts"]))

    def _entry(self, name: str) -> Any:
        arrays = self._about["arrays"]
        if name not in arrays:
            raise BadData(f"{self.path} has no array '{name}'; it has {listing(self.names())}.{nearest(name, arrays)}")
        return arrays[name]


def _about(path: Path) -> dict[str, Any]:
    """Read and check the metadata of a container."""
    if not path.exists():
        raise BadData(f"{path} is missing; run the stage that writes it (dvc repro).")
    try:
        with safe_open(path, framework="numpy") as file:
            text, tensors = (file.metadata() or {}).get("homoplasy"), set(file.keys())
    except (SafetensorError, OSError) as damage:
        raise BadData(f"{path} is not a whole safetensors file ({damage}); delete it and run dvc repro.") from None
    if text is None:
        raise BadData(f"{path} is a safetensors file, but not a container of homoplasy: it lacks the metadata.")
    try:
        about = written.parse_json(text)
    except written.Damaged as damage:
        raise BadData(f"{path}: its metadata are not JSON {damage}; delete it and run dvc repro.") from None
    version = about.get("format") if isinstance(about, dict) else None
    if version != FORMAT:
        raise BadData(
            f"{path} is written in container format {version}; this version reads format {FORMAT}. "
            "Write it again with dvc repro, or install the version of homoplasy that wrote it."
        )
    fault = _fault(about, tensors)
    if fault:
        raise BadData(f"{path}: its metadata do not describe its arrays ({fault}); delete it and run dvc repro.")
    return dict(about)


def _fault(about: Mapping[str, Any], tensors: set[str]) -> str:
    """What is wrong with the metadata of a container; nothing if they describe these tensors."""
    ids, arrays, order = about.get("stimulus_ids"), about.get("arrays"), about.get("order")
    if not isinstance(about.get("kind"), str) or not isinstance(about.get("facts"), dict):
        return "no kind or no facts"
    for name, found in (("stimulus_ids", ids), ("shared", about["facts"].get("shared", []))):
        if not _are_ids(found):
            return f"{name} are not a list of numbers or of words"
    if not isinstance(arrays, dict) or not isinstance(order, list) or set(map(str, order)) != set(arrays):
        return "order and arrays name different things"
    if set(arrays) != tensors or len(order) != len(arrays):
        return "they name other arrays than there are"
    if not all(isinstance(one, dict) and _is_entry(one) for one in arrays.values()):
        return "an array has no facts or no list of units"
    return _wrong_fact(about["facts"]) or next(filter(None, (_wrong_fact(one["facts"]) for one in arrays.values())), "")


def _wrong_fact(facts: Mapping[str, Any]) -> str:
    """Which fact is not of the kind that its readers count on."""
    for name, value in facts.items():
        if name in _KINDS and type(value) not in _KINDS[name]:  # a bool is an int to isinstance
            return f"'{name}' is {json.dumps(value)[:40]}"
    return ""


def _are_ids(found: object) -> bool:
    return isinstance(found, list) and {type(one) for one in found} in ({int}, {str}, set())


def _is_entry(one: Mapping[str, Any]) -> bool:
    units = one.get("unit_ids", ())
    return isinstance(one.get("facts"), dict) and (units is None or isinstance(units, list))
