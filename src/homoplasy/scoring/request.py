"""What a call asks for, checked: where it is computed, how much memory it may take, which names it uses."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from homoplasy.errors import BadData, BadRequest, listing, nearest
from homoplasy.maths import tiles
from homoplasy.representation import Representation

_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class Means:
    """Where the work is done, with how much memory in bytes, in which precision."""

    device: torch.device
    memory: int
    precision: tiles.Precision
    threads: int  # of torch, when the call was made

    @classmethod
    def of(cls, device: str, memory: str, precision: tiles.Precision) -> "Means":
        """Read what a caller wrote."""
        known = get_args(tiles.Precision)
        if precision not in known:
            raise BadRequest(f"precision is {precision!r}; it can be {listing(known)}.{nearest(str(precision), known)}")
        return cls(_device(device), _bytes(memory), precision, torch.get_num_threads())

    def possible(self) -> "Means":
        """Refuse a precision that the device has not."""
        if self.precision == "tf32" and self.device.type != "cuda":
            raise BadRequest(
                f"precision is 'tf32', in which a CUDA device multiplies and '{self.device}' does not; ask for "
                "'float32' here, or for device 'cuda'."
            )
        return self

    @property
    def itemsize(self) -> int:
        """Bytes of a number in a sweep."""
        return 8 if self.precision == "float64" else 4


def tensor(of: Representation, device: torch.device) -> Tensor:
    """The values of a representation where the work is done."""
    values = of.values
    if values.dtype.kind not in "fiu":
        raise BadData(f"{of.address}: expected numbers, found values of type {values.dtype}.")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    return torch.from_numpy(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))).to(device)


def name(of: Representation) -> str:
    """What a row of the table is named by: address and layer."""
    return f"{of.address} {of.facts.get('layer') or ''}".strip()


def distinct(names: Iterable[str], what: str) -> None:
    """Refuse a name that occurs twice."""
    seen: set[str] = set()
    for one in names:
        if one in seen:
            raise BadRequest(f"score: two {what} named '{one}'; a row of the table must be named once.")
        seen.add(one)


def too_little(need: float, allowed: float, n: int) -> BadRequest:
    """The sentence about memory."""
    return BadRequest(
        f"a score over {n} stimuli needs {need / 1e9:.1f} GB of memory, {allowed / 1e9:g} GB are allowed; score fewer "
        "stimuli, or allow more (memory=..., which the pipeline takes from HOMOPLASY_MEMORY)."
    )


def blocks(places: Sequence[int], size: int) -> list[list[int]]:
    """Cut into blocks of a size."""
    return [list(places[start : start + size]) for start in range(0, len(places), size)]


def _device(name: str) -> torch.device:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise BadRequest(f"device is '{name}', which is not here; 'cpu' always is.") from None
    return torch.device(name)


def _bytes(memory: str) -> int:
    """Read an amount such as 2GB."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MGT]B)\s*", memory)
    if not found:
        raise BadRequest(f"memory is '{memory}'; expected an amount such as '2GB' or '500MB'.")
    return int(float(found[1]) * _BYTES[found[2]])
