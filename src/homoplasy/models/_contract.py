"""What every source of models is given and gives back."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from homoplasy.models._shelf import Geometry, Shelf
from homoplasy.representation import Representation

Pool = Literal["patch_mean", "cls", "mean_all", "flatten"]
Granularity = Literal["block", "stage"]
Precision = Literal["float32", "bfloat16"]
MemoryFormat = Literal["contiguous", "channels_last"]
Readout = Literal["last", "last_caption_token", "caption_mean", "bare"]
States = Literal["blocks", "hidden_states"]
Stored = Callable[[str], tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]]


class Options(BaseModel):
    """The keys of a roster line that decide the features; a source adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Stimuli:
    """The pictures and captions in the order of their ids; pictures are read when they are asked for."""

    ids: NDArray[np.int64]
    captions: Sequence[str]
    pictures: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    shelf: Shelf = field(default_factory=Shelf)

    def shown(self, name: str, geometry: Geometry) -> "Stimuli":
        """The same stimuli with their pictures resized and cropped, once for all models of a geometry of this name."""
        order = np.argsort(self.ids)

        def make(rows: NDArray[np.intp]) -> NDArray[np.uint8]:
            return geometry(self.pictures(self.ids[rows]))

        def prepared(wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
            rows = order[np.searchsorted(self.ids, wanted, sorter=order)]
            return self.shelf.take(name, rows, len(self.ids), make)

        return replace(self, pictures=prepared)

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
    states: States = "blocks"  # of a language model: after each block, or what transformers calls hidden states
    granularity: Granularity = "block"
    project: int = 0  # dimensions that wider layers of vision networks are projected to at random; 0: none are
    seed: int = 0  # of that projection
    precision: Precision = "float32"  # that vision networks compute in
    memory_format: MemoryFormat = "contiguous"  # of the maps of vision networks
    device: str = "cpu"  # where networks run; features are what they are but for rounding

    @property
    def looking(self) -> dict[str, Any]:
        """All that decides the features of a vision network beside its weights and its pictures."""
        names = ("pool", "batch_size", "granularity", "project", "precision", "memory_format")
        return {name: getattr(self, name) for name in names} | ({"seed": self.seed} if self.project else {})


@dataclass(frozen=True)
class Outline:
    """What a model is made of, known without its weights: the width of each layer, in forward order."""

    modality: str
    widths: Mapping[str, int]
    parameters: int


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


@runtime_checkable
class Outlined(Protocol):
    """A model that can tell its layers without being run."""

    def outline(self) -> Outline:
        """Give the width of each layer in forward order, without reading weights or stimuli."""


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
