"""Pooled features of every block of a vision network."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.models import _layouts
from homoplasy.models._contract import Reading, Stimuli, layer
from homoplasy.models._taps import drained, tapped
from homoplasy.representation import Representation

Prepare = Callable[[NDArray[np.uint8]], Tensor]  # (n, height, width, 3) -> (n, 3, height, width), as the network wants


def represent(network: nn.Module, prepare: Prepare, stimuli: Stimuli, reading: Reading) -> list[Representation]:
    """Run every picture through the network, in eval mode and without gradients, and pool each block."""
    network.eval()
    modules = _layouts.blocks(network)
    axes, prefix = _layouts.layout(network).axes, _prefix(network)
    shapes: dict[str, list[int]] = {}

    def take(name: str, output: Tensor) -> Tensor:
        _layouts.check(network, name, output)
        shapes[name] = list(output.shape[1:])
        return _layouts.POOLS[reading.pool](output, axes, prefix)

    pooled: dict[str, list[NDArray[Any]]] = {name: [] for name in modules}
    with torch.inference_mode(), tapped(modules, take) as taken:
        for pictures in stimuli.picture_batches(reading.batch_size):
            network(prepare(pictures))
            for name, values in drained(taken, list(modules)).items():
                pooled[name].append(values.numpy())
    return [
        layer(
            np.concatenate(values), stimuli, name, (index, len(pooled)),
            pooling=reading.pool, axes=axes, shape=shapes[name],
        )
        for index, (name, values) in enumerate(pooled.items())
    ]  # fmt: skip


def _prefix(network: nn.Module) -> int:
    """How many tokens before the patches are class or register tokens."""
    return int(getattr(network, "num_prefix_tokens", 0)) if _layouts.layout(network).axes == "tokens" else 0
