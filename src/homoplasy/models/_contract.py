"""What every source of models is given and gives back."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from homoplasy.representation import Representation

Pool = Literal["patch_mean", "cls", "mean_all"]
Readout = Literal["last", "caption_mean"]
Stored = Callable[[str], tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]]


class Options(BaseModel):
    """The keys of a roster line beside `model`; sources add theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    family: str = ""  # for clustered inference; empty: what the source knows


@dataclass(frozen=True)
class Stimuli:
    """The pictures and captions in the order of their ids; pictures are read when they are asked for."""

    ids: NDArray[np.int64]
    captions: Sequence[str]
    pictures: Callable[[NDArray[np.int64]], NDArray[np.uint8]]

    def picture_batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures, `size` at a time."""
        for start in range(0, len(self.ids), size):
            yield self.pictures(self.ids[start : start + size])


@dataclass(frozen=True)
class Reading:
    """How features are read: the settings of the extraction, and what the user's machine provides."""

    pool: Pool
    readout: Readout
    batch_size: int
    stored: Stored | None = None  # a checkpoint's address rest -> its configuration and weights
    code_allowed: frozenset[str] = frozenset()  # models whose own code the user's local configuration allows


class Model(Protocol):
    """A model that is named and configured, but not built before it is needed."""

    @property
    def modality(self) -> str:
        """`vision` or `language`."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the features beside the stimuli, as plain JSON values."""

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the layers in forward order, and the facts of the model."""


def layer(values: NDArray[Any], stimuli: Stimuli, name: str, place: tuple[int, int], **facts: Any) -> Representation:
    """One layer, the `place[0]`-th (from 0) of `place[1]`: its depth is (i + 1) / N, so that the last is at 1."""
    index, count = place
    about = {"depth": (index + 1) / count, "index": index, "raw_width": int(values.shape[1]), **facts}
    return Representation(np.ascontiguousarray(values, dtype=np.float32), stimuli.ids, name, facts=about)


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """SHA-256 over types, shapes and bytes, array after array."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
