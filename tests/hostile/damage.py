"""Ways to damage a file: blindly, byte by byte, or knowing its format, so that the damage gets past the first check."""

import gzip
import io
import json
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from scipy.io import loadmat, savemat

Rng = np.random.Generator
_DEEP = 20_000
# What programs and people put where something else is expected.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 2**31, 2**63, -(2**70), 1e308, -1e-320, float("nan"), float("inf"), 0.5,
    "", " ", "null", "x", "NaN", "1", "../../outside", "/outside", "a/../../b", "a\\b", "a\nb", "\x00", "é\u202e",
    "x" * 5000, "9" * 5000, [], {}, [[]], [None], [1, "a"], ["x"], {"": ""}, {"x": None}, {"a": {"b": []}}, [-1] * 50,
)  # fmt: skip
# Texts that are no list of settings, or one that no reader should unfold.
TEXTS: tuple[str, ...] = (
    "", "\n", "\ufeff", "---\n---\n", "- " * 3000, "[" * _DEEP, "{" * _DEEP, '{"a":' * _DEEP, "a: &a [*a]\n",
    "? [1]\n: 2\n", "a: " + "9" * 6000, "9" * 6000, "2025-13-45", "a: 2025-13-45\n", "!!binary x", "a: !!int x\n",
    "!!python/object/apply:os.system ['true']", "a: !!python/name:os.system ''\n", "a: !!timestamp x\n",
    "%YAML 9.9\n---\n", "\t- a\n", "a: 1\na: 2\n", "*unknown", "NaN", "null", "1", "true", '"text"', "x,y\n1\n",
    "\x00", "\x85\u2028",
    "a: &a [x]\n" + "".join(f"{one}: &{one} [{','.join([f'*{last}'] * 9)}]\n" for last, one in pairwise("abcdefghi")),
)  # fmt: skip


def _one(rng: Rng, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def of_bytes(data: bytes, rng: Rng) -> bytes:
    """Cut, flip, repeat, drop, blank or swap some bytes."""
    size = len(data)
    start, end = sorted(int(place) for place in rng.integers(0, size + 1, 2))
    return _one(rng, _BYTES)(data, start, min(end, start + _one(rng, (1, 8, 512, size + 1))), rng)


def _flipped(data: bytes, start: int, end: int, rng: Rng) -> bytes:
    out = bytearray(data)
    for place in rng.integers(0, max(len(data), 1), _one(rng, (1, 3, 30))) if data else ():
        out[place] ^= 1 << int(rng.integers(8))
    return bytes(out)


_BYTES: tuple[Callable[[bytes, int, int, Rng], bytes], ...] = (
    lambda data, start, end, rng: data[:start],
    lambda data, start, end, rng: data[start:],
    _flipped,
    _flipped,
    lambda data, start, end, rng: data[:start] + data[end:],
    lambda data, start, end, rng: data[:end] + data[start:],
    lambda data, start, end, rng: data[:start] + bytes(end - start) + data[end:],
    lambda data, start, end, rng: data[:start] + rng.bytes(end - start) + data[end:],
    lambda data, start, end, rng: data[:start] + b"\xff" * (end - start) + data[end:],
    lambda data, start, end, rng: data + rng.bytes(9),
    lambda data, start, end, rng: b"",
)


def of_value(value: Any, rng: Rng) -> Any:
    """A nested value with one place of it changed: replaced, taken out, doubled, renamed."""
    inside = isinstance(value, dict | list) and len(value) and rng.random() < 0.85
    if not inside:
        return _one(rng, VALUES)
    place = _one(rng, list(value) if isinstance(value, dict) else range(len(value)))
    if rng.random() < 0.6:
        return _with(value, place, of_value(value[place], rng))
    return _one(rng, (_without, _doubled, _renamed))(value, place, rng)


def _with(value: Any, place: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {**value, place: new}
    return [*value[:place], new, *value[place + 1 :]]


def _without(value: Any, place: Any, _: Rng) -> Any:
    return {k: v for k, v in value.items() if k != place} if isinstance(value, dict) else value[:place]


def _doubled(value: Any, place: Any, _: Rng) -> Any:
    return {**value, f"{place}x": value[place]} if isinstance(value, dict) else [*value, value[place]]


def _renamed(value: Any, place: Any, rng: Rng) -> Any:
    if isinstance(value, list):
        return value[::-1]
    return {(_one(rng, (1, "", None, "../x")) if k == place else k): v for k, v in value.items()}


def _text(_: bytes, rng: Rng) -> bytes:
    return str(_one(rng, TEXTS)).encode()


def _json(data: bytes, rng: Rng) -> bytes:
    return json.dumps(of_value(json.loads(data), rng)).encode()


def _yaml(data: bytes, rng: Rng) -> bytes:
    return yaml.safe_dump(of_value(yaml.safe_load(data), rng)).encode()


def _line(data: bytes, rng: Rng) -> bytes:
    """A text with one line or one cell changed."""
    lines = data.decode().split("\n")
    place = int(rng.integers(len(lines)))
    sign = next((sign for sign in "\t,: " if sign in lines[place]), " ")
    cells = lines[place].split(sign)
    cells[int(rng.integers(len(cells)))] = str(_one(rng, VALUES))
    return "\n".join(_one(rng, (
        [*lines[:place], sign.join(cells), *lines[place + 1 :]],
        [*lines[:place], *lines[place + 1 :]],
        [*lines[:place], lines[place], *lines[place:]],
        [*lines[:place], sign.join(cells[::-1]), *lines[place + 1 :]],
    ))).encode("utf-8", "surrogatepass")  # fmt: skip


def _safetensors(data: bytes, rng: Rng) -> bytes:
    """A container with another header, or with other metadata in it."""
    (size,) = struct.unpack("<Q", data[:8])
    header, rest = json.loads(data[8 : 8 + size]), data[8 + size :]
    if rng.random() < 0.3:
        header = of_value(header, rng)
    else:
        about = of_value(json.loads(header["__metadata__"]["homoplasy"]), rng)
        said = json.dumps(about) if rng.random() < 0.9 else str(_one(rng, TEXTS))
        header["__metadata__"] = {"homoplasy": said}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + rest


def _parquet(data: bytes, rng: Rng) -> bytes:
    """A table with another column, kind, value or note."""
    table = pq.read_table(io.BytesIO(data))
    frame, notes = table.to_pandas(ignore_metadata=True), dict(table.schema.metadata or {})
    column = _one(rng, list(frame.columns))
    changed = _one(rng, (
        lambda: frame.drop(columns=column),
        lambda: frame.rename(columns={column: f"{column}x"}),
        lambda: frame.assign(**{column: [_one(rng, (None, 1, -5, 0.5, float("inf")))] * len(frame)}),
        lambda: frame.assign(**{column: [_one(rng, ("", "x", "\x00", "1"))] * len(frame)}),
        lambda: frame.assign(**{column: [[1, 2]] * len(frame)}),
        lambda: frame.assign(**{column: pd.Timestamp(0)}),
        lambda: pd.concat([frame, frame]),
        lambda: frame.iloc[:0],
        lambda: frame.sample(frac=1, random_state=int(rng.integers(2**31))),
    ))()  # fmt: skip
    if rng.random() < 0.3:
        notes = {b"homoplasy": str(_one(rng, (*TEXTS, json.dumps(_one(rng, VALUES))))).encode("utf-8", "surrogatepass")}
    made = pa.Table.from_pandas(changed, preserve_index=False).replace_schema_metadata(notes)
    out = io.BytesIO()
    pq.write_table(made, out)
    return out.getvalue()


def _hdf5(data: bytes, rng: Rng) -> bytes:
    """A file with another array of the same name."""
    out = io.BytesIO(data)
    with h5py.File(out, "r+") as file:
        name = _one(rng, list(file))
        values = file[name][()]
        del file[name]
        file[name if rng.random() < 0.9 else f"{name}x"] = _one(rng, _ARRAYS)(values, rng)
    return out.getvalue()


def _mat(data: bytes, rng: Rng) -> bytes:
    """A file of MATLAB with another variable of the same name."""
    found = {name: value for name, value in loadmat(io.BytesIO(data)).items() if not name.startswith("__")}
    name = _one(rng, list(found))
    found[name] = _one(rng, (*_ARRAYS, lambda values, rng: "text", lambda values, rng: {"a": 1}))(found[name], rng)
    out = io.BytesIO()
    savemat(out, found)
    return out.getvalue()


def _npy(data: bytes, rng: Rng) -> bytes:
    out = io.BytesIO()
    np.save(out, _one(rng, (*_ARRAYS, *_TYPES))(np.load(io.BytesIO(data)), rng), allow_pickle=True)
    return out.getvalue()


def _npz(data: bytes, rng: Rng) -> bytes:
    found = dict(np.load(io.BytesIO(data)))
    name = _one(rng, list(found))
    found[name] = _one(rng, (*_ARRAYS, *_TYPES))(found[name], rng)
    out = io.BytesIO()
    np.savez(out, **found)
    return out.getvalue()


def _gzip(data: bytes, rng: Rng) -> bytes:
    """Damage below the compression, which carries a checksum of its own."""
    return gzip.compress(of_bytes(gzip.decompress(data), rng), 1)


_ARRAYS: tuple[Callable[[Any, Rng], Any], ...] = (
    lambda values, rng: values[:0],
    lambda values, rng: values[: len(values) // 2],
    lambda values, rng: values[..., :-1],
    lambda values, rng: values.reshape(-1),
    lambda values, rng: values[None],
    lambda values, rng: values.astype(_one(rng, ("f8", "i8", "u1", "f4", "i2", "?"))),
    lambda values, rng: np.full(values.shape, _one(rng, (0, 1, -1, 100))),
    lambda values, rng: np.full(values.shape, _one(rng, (np.nan, np.inf, 1e300, 0.5))),
    lambda values, rng: np.float64(1),
    lambda values, rng: values[::-1],
)
_TYPES: tuple[Callable[[Any, Rng], Any], ...] = (
    lambda values, rng: values.astype("U9"),
    lambda values, rng: values.astype(object),
    lambda values, rng: np.zeros(values.shape, "c16"),
    lambda values, rng: np.zeros(values.shape, "M8[s]"),
    lambda values, rng: np.zeros(values.shape, [("a", "f4")]),
)
KNOWING: dict[str, tuple[Callable[[bytes, Rng], bytes], ...]] = {
    ".yaml": (_yaml, _yaml, _yaml, _line, _text),
    ".json": (_json, _json, _json, _line, _text),
    ".part": (_line, _text),
    ".csv": (_line, _line, _text),
    ".tsv": (_line, _text),
    ".txt": (_line, _text),
    ".ctab": (_line, _text),
    ".safetensors": (_safetensors, _safetensors),
    ".parquet": (_parquet, _parquet),
    ".hdf5": (_hdf5,),
    ".mat": (_mat,),
    ".npy": (_npy,),
    ".npz": (_npz,),
    ".gz": (_gzip,),
}


def damage(path: Path, rng: Rng) -> str:
    """Damage a file in its place; say how."""
    ways = (of_bytes, *KNOWING.get(path.suffix, ()))
    way = _one(rng, ways)
    try:
        changed = way(path.read_bytes(), rng)
    except (ValueError, TypeError, OSError, OverflowError, pa.ArrowException):  # this value does not fit this format
        way, changed = of_bytes, of_bytes(path.read_bytes(), rng)
    path.write_bytes(changed)
    return str(way.__name__).strip("_")
