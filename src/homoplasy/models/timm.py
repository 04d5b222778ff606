"""Vision networks of timm, by name: `timm:resnet50.a1_in1k`; `.random-1` behind a name stands for random weights."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from timm.models import get_pretrained_cfg, is_model, list_models, split_model_name_tag
from torch import Tensor, nn

from homoplasy.address import Address
from homoplasy.errors import BadRequest, WorkFailed, nearest
from homoplasy.models import _contract, _hub, _layouts, _vision
from homoplasy.models._contract import Outline, Reading, Stimuli
from homoplasy.models._seeded import seeded
from homoplasy.models._shelf import Geometry
from homoplasy.representation import Representation

VERSION = 2
_RANDOM = re.compile(r"(.+)\.random-(\d+)")


class Options(_contract.Options):
    """The keys of a roster line."""

    size: int | None = Field(default=None, gt=0, description="pixels of a side that the network is given")
    revision: str | None = None


@dataclass(frozen=True)
class Timm:
    """One network, not built before it is needed."""

    address: Address
    options: Options
    stimuli: Stimuli
    reading: Reading
    modality: str = "vision"

    @property
    def seed(self) -> int | None:
        """The seed of random weights; None for pretrained ones."""
        found = _RANDOM.fullmatch(self.address.rest)
        return int(found[2]) if found else None

    @property
    def name(self) -> str:
        """What timm calls it, with the tag of its weights where it has one."""
        return _RANDOM.sub(r"\1", self.address.rest)

    @property
    def architecture(self) -> str:
        """The name without the tag of its weights."""
        return str(split_model_name_tag(self.name)[0])

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Library versions and seed, or the commit of the weights; then how the features are read."""
        weights = {"random": self.seed} if self.seed is not None else {"commit": _hub.commit(self._file())}
        return {
            "weights": weights,
            "libraries": [timm.__version__, str(torch.__version__)],
            "size": self.options.size,
            **self.reading.looking,
        }

    def network(self) -> nn.Module:
        """Build the network with its weights."""
        if self.seed is not None:
            with seeded(self.seed):
                return timm.create_model(self.name, pretrained=False, **self._size()).eval()
        source = {"file": str(self._file())}
        return timm.create_model(
            self.address.rest, pretrained=True, pretrained_cfg_overlay=source, **self._size()
        ).eval()

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the blocks in forward order."""
        network = self.network()
        config = self._preprocessing(network)
        mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))

        def prepare(pictures: NDArray[np.uint8]) -> Tensor:
            maps = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().float()
            return maps.div_(255).sub_(mean).div_(std)

        layers = _vision.represent(network, prepare, self.stimuli.shown(*_geometry(config)), self.reading)
        return layers, {
            "family": _layouts.family(network),
            "architecture": self.architecture,
            "parameters": sum(one.numel() for one in network.parameters()),
            "image_size": config["input_size"][-1],
            "preprocessing": {key: list(one) if isinstance(one, tuple) else one for key, one in config.items()},
        }

    def outline(self) -> Outline:
        """Its layers, from shapes alone."""
        with torch.device("meta"):
            network = timm.create_model(self.architecture, pretrained=False, **self._size())
        given = torch.zeros(1, *self._preprocessing(network)["input_size"], device="meta")
        with _vision.evaluating(network):
            widths = {name: one.width for name, one in _vision.layers(network, given, self.reading).items()}
        return Outline(self.modality, widths, sum(one.numel() for one in network.parameters()))

    def _preprocessing(self, network: nn.Module) -> dict[str, Any]:
        """The network's own configuration of what it is shown."""
        config: dict[str, Any] = resolve_model_data_config(network)
        return config | ({"input_size": (3, self.options.size, self.options.size)} if self.options.size else {})

    def _size(self) -> dict[str, Any]:
        """What a network must be told when it is built at another size than its own."""
        return {"img_size": self.options.size} if self.options.size and self._fixed_size() else {}

    def _fixed_size(self) -> bool:
        """Whether the network must be told the size of its input when it is built."""
        config = get_pretrained_cfg(self.architecture)
        return bool(config is not None and config.fixed_input_size)

    def _file(self) -> Any:
        try:
            config = get_pretrained_cfg(self.address.rest)
        except RuntimeError:  # no such tag
            config = None
        if config is None or not config.hf_hub_id:
            raise WorkFailed(f"timm has no pretrained weights called '{self.address.rest}' on the model hub.")
        return _hub.file(config.hf_hub_id, "model.safetensors", self.options.revision)


def _geometry(config: Mapping[str, Any]) -> tuple[str, Geometry]:
    """What is done to a picture before its colours are scaled, and a name that tells it from any other."""
    transform = create_transform(**config, is_training=False, use_prefetcher=True)  # so that it ends before scaling
    name = json.dumps({key: config[key] for key in sorted(config) if key not in {"mean", "std"}})

    def geometry(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack([np.moveaxis(np.asarray(transform(Image.fromarray(one))), 0, -1) for one in pictures])

    return name, geometry


def untrained(address: Address) -> Address | None:
    """The same network, shown pictures in the same way, with seeded weights; None for one that has them."""
    return None if _RANDOM.fullmatch(address.rest) else Address(address.source, f"{address.rest}.random-1")


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Timm:
    """Name a network of timm; refuse a name that timm does not have."""
    model = Timm(address, options, stimuli, reading)
    if not is_model(model.architecture):
        raise BadRequest(f"timm has no network '{model.architecture}'.{nearest(model.architecture, list_models())}")
    return model
