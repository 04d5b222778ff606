"""A step of a training run of this project: `checkpoint:glyphs/step-000064`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.address import Address
from homoplasy.errors import BadData, BadRequest, nearest
from homoplasy.models import _contract, _layouts, _vision
from homoplasy.models._contract import Reading, Stimuli
from homoplasy.models._seeded import seeded
from homoplasy.representation import Representation

VERSION = 1

Options = _contract.Options


class GlyphReader(nn.Module):
    """A timm network without its pooling, and a linear map from its last feature map to all levels of all glyphs.

    Pooling over space would throw away where a glyph stands, which is what tells one from another.
    """

    def __init__(self, architecture: str, size: int, glyphs: int, levels: int) -> None:
        super().__init__()
        self.trunk = timm.create_model(architecture, num_classes=0, global_pool="")
        with torch.no_grad():
            width = self.trunk.eval()(torch.zeros(1, 3, size, size)).numel()
        self.head = nn.Linear(width, glyphs * levels)
        self.shape = (glyphs, levels)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give logits of shape (pictures, glyphs, levels)."""
        return self.head(self.trunk(pictures).flatten(1)).unflatten(1, self.shape)


def build(config: Mapping[str, Any]) -> GlyphReader:
    """The network of a run, with the weights of its step 0."""
    name = config["architecture"]
    if not timm.is_model(name):
        raise BadRequest(f"timm has no network '{name}' to train.{nearest(name, timm.list_models())}")
    with seeded(config["seed"]):
        return GlyphReader(config["architecture"], config["size"], config["glyphs"], config["levels"])


def prepare(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures as the runs are given them: channels first, in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float().div(127.5).sub(1)


@dataclass(frozen=True)
class Checkpoint:
    """One step of one run."""

    address: Address
    options: Options
    stimuli: Stimuli
    reading: Reading
    modality: str = "vision"

    @cached_property
    def stored(self) -> tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]:
        """Configuration and weights."""
        if self.reading.stored is None:
            raise BadRequest(f"{self.address}: there is no folder of runs to read it from.")
        return self.reading.stored(self.address.rest)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The bytes of its weights; then how the features are read."""
        _, weights = self.stored
        return {
            "weights": _contract.digest(weights[name] for name in sorted(weights)),
            "libraries": [timm.__version__, str(torch.__version__)],
            "pool": self.reading.pool,
            "batch_size": self.reading.batch_size,
        }

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the blocks of its trunk in forward order."""
        config, weights = self.stored
        network = build(config)
        try:
            network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.items()})
        except RuntimeError:
            raise BadData(f"{self.address}: its weights do not fit its configuration; run dvc repro train.") from None
        layers = _vision.represent(network.trunk, prepare, self.stimuli, self.reading)
        run, _, step = self.address.rest.partition("/step-")
        return layers, {
            "family": self.options.family or _layouts.family(network.trunk),
            "architecture": config["architecture"],
            "parameters": sum(one.numel() for one in network.trunk.parameters()),
            "run": run,
            "step": int(step),
        }


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Checkpoint:
    """Name a step of a run."""
    if not address.rest.partition("/step-")[2].isdigit():
        raise BadRequest(f"expected 'checkpoint:run/step-000064', found '{address}'.")
    return Checkpoint(address, options, stimuli, reading)
