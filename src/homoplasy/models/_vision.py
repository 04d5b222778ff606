"""Pooled features of every block of a vision network."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.errors import WorkFailed
from homoplasy.maths.projection import CountSketch, count_sketch
from homoplasy.models import _layouts, _pools
from homoplasy.models._contract import Pool, Reading, Stimuli, layer
from homoplasy.models._layouts import Axes, Block
from homoplasy.models._memory import in_batches
from homoplasy.models._taps import drained, watched
from homoplasy.representation import Representation

Prepare = Callable[[NDArray[np.uint8]], Tensor]  # (n, height, width, 3) -> (n, 3, height, width), as the network wants
_MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@dataclass(frozen=True)
class Seen:
    """What a block gave for one batch: its axes, the shape of each branch of it, and its pooled vectors."""

    axes: Axes
    shapes: list[list[int]]
    places: list[int]
    vectors: Tensor

    @property
    def width(self) -> int:
        """Units of a pooled vector."""
        return int(self.vectors.shape[1])


def represent(network: nn.Module, prepare: Prepare, stimuli: Stimuli, reading: Reading) -> list[Representation]:
    """Run every picture through the network, in eval mode and without gradients, and pool each block."""
    reader = _converted(network, reading).to(reading.device)

    def ready(pictures: NDArray[np.uint8]) -> Tensor:
        given = prepare(pictures).to(getattr(torch, reading.precision), memory_format=_MEMORY[reading.memory_format])
        return given.to(reading.device)

    with evaluating(reader), exact():
        seen = layers(reader, ready(stimuli.pictures(stimuli.ids[:1])), reading)
        sketches = {name: made for name, one in seen.items() if (made := _sketch(name, one.width, reading)) is not None}
        width = {name: reading.project if name in sketches else one.width for name, one in seen.items()}
        values = {name: np.empty((len(stimuli.ids), width[name]), np.float32) for name in seen}

        def read(rows: slice) -> None:
            given = ready(stimuli.pictures(stimuli.ids[rows]))
            for name, one in watch(reader, given, reading.pool, list(seen), sketches).items():
                values[name][rows] = one.vectors.numpy()

        in_batches(len(stimuli.ids), reading.batch_size, read)
    return [
        layer(values[name], stimuli, name, (index, len(seen)), **_facts(one, values[name], reading))
        for index, (name, one) in enumerate(seen.items())
    ]


def layers(network: nn.Module, given: Tensor, reading: Reading) -> dict[str, Seen]:
    """The blocks that are read, in the order in which they run, as one batch shows them; it may be on `meta`."""
    found = watch(network, given, reading.pool)
    for name, width in _layouts.declared(network, list(found)).items():
        channels = [shape[_pools.CHANNEL[found[name].axes] - 1] for shape in found[name].shapes]
        if len(channels) == 1 and channels[0] != width:
            raise WorkFailed(
                f"{_named(network, name)}: timm declares {width} channels, its {found[name].axes} output of shape "
                f"{found[name].shapes[0]} has {channels[0]}; the layout of this network is not known."
            )
    return found if reading.granularity == "block" else _stages(found)


def watch(
    network: nn.Module,
    given: Tensor,
    pool: Pool,
    expected: list[str] | None = None,
    sketches: Mapping[str, CountSketch] | None = None,
) -> dict[str, Seen]:
    """Run one batch; the blocks, or those that are expected, in the order in which they ran."""
    blocks = _layouts.blocks(network)
    chosen = blocks if expected is None else {name: blocks[name] for name in expected}

    def take(name: str, output: Any) -> Seen:  # at once, for later modules may write into what a block gave
        seen = _seen(chosen[name], output, pool, _named(network, name))
        sketch = (sketches or {}).get(name)
        return seen if sketch is None else replace(seen, vectors=sketch(seen.vectors))

    with watched({name: block.module for name, block in chosen.items()}, take) as taken:
        network(given)
        if expected is None and len(taken) < len(chosen):
            missing = sorted(set(chosen) - set(taken))[0]
            raise WorkFailed(f"{_named(network, missing)} did not run; the layout of this network is not known.")
        return drained(taken, list(taken) if expected is None else expected)


@contextmanager
def exact() -> Iterator[None]:
    """Convolutions on a GPU in the precision that is named, as matrix products are already, for a while."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; afterwards every module is in the mode it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _seen(block: Block, output: Any, pool: Pool, named: str) -> Seen:
    """Hold an output against what is known of its block, and pool it."""
    parts = [output] if isinstance(output, Tensor) else list(output)
    branches = parts if block.part is None or isinstance(output, Tensor) else [parts[block.part]]
    axes = {_pools.axes_of(one, block.axes) if isinstance(one, Tensor) else None for one in branches}
    known = axes.pop() if len(axes) == 1 else None
    if known is None:
        found = [list(one.shape) if isinstance(one, Tensor) else type(one).__name__ for one in branches]
        raise WorkFailed(
            f"{named}: expected {' or '.join(block.axes)}, found {found}; the layout of this network is not known."
        )
    if pool == "cls" and block.prefix == 0:
        raise WorkFailed(f"{named} has no class token; set extract.pool to patch_mean.")
    vectors = _pools.pooled(branches, known, block.prefix, pool)
    vectors = vectors if vectors.is_meta else vectors.cpu()
    shapes = [list(one.shape[1:]) for one in branches]
    return Seen(known, shapes, _pools.places(branches, known, block.prefix), vectors)


def _stages(found: Mapping[str, Seen]) -> dict[str, Seen]:
    """The last block of each resolution; a network of one resolution has no stages, and keeps every block."""
    names = list(found)
    ends = [
        name
        for name, following in zip(names, [*names[1:], None], strict=True)
        if following is None or found[following].places != found[name].places
    ]
    return {name: found[name] for name in ends} if len(ends) > 1 else dict(found)


def _converted(network: nn.Module, reading: Reading) -> nn.Module:
    """The network as it is, or a copy in another precision or memory format."""
    if reading.precision == "float32" and reading.memory_format == "contiguous":
        return network
    return deepcopy(network).to(getattr(torch, reading.precision), memory_format=_MEMORY[reading.memory_format])  # type: ignore[call-overload] # the overload with both is not declared


def _sketch(name: str, width: int, reading: Reading) -> CountSketch | None:
    """The random projection of a layer, a stream of its own for each layer's name and width."""
    if not 0 < reading.project < width:
        return None
    stream = int.from_bytes(hashlib.sha256(f"{name} {width}".encode()).digest()[:8])
    rng = np.random.default_rng(np.random.SeedSequence([reading.seed, stream]))
    return count_sketch(width, reading.project, rng)


def _facts(one: Seen, values: NDArray[np.float32], reading: Reading) -> dict[str, Any]:
    facts = {
        "pooling": reading.pool,
        "axes": one.axes,
        "shape": one.shapes[0] if len(one.shapes) == 1 else one.shapes,
        "raw_width": sum(prod(shape) for shape in one.shapes),
        "width": one.width,
        "precision": reading.precision,
        "memory_format": reading.memory_format,
    }
    return facts if values.shape[1] == one.width else facts | {"projected": values.shape[1]}


def _named(network: nn.Module, name: str) -> str:
    return f"layer '{name}' of {type(network).__name__} (timm's family '{_layouts.family(network)}')"
