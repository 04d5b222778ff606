"""A step of a training run of this project: `checkpoint:resnet/step-000064`, its average `…/step-000064-ema`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import timm
import torch
import transformers
from numpy.typing import NDArray
from torch import nn

from homoplasy.address import Address
from homoplasy.errors import BadData, BadRequest
from homoplasy.models import _contract, _language, _layouts, _prompts, _trained_language, _trained_vision, _vision
from homoplasy.models._contract import Reading, Stimuli
from homoplasy.representation import Representation

VERSION = 2

Options = _contract.Options

_NAME = re.compile(r"(?P<run>[^/]+)/step-(?P<step>\d+)(?P<ema>-ema)?")
_READING: Mapping[str, Callable[[Reading], dict[str, Any]]] = {
    "vision": lambda reading: reading.looking,
    "language": lambda reading: {name: getattr(reading, name) for name in ("readout", "states", "batch_size")},
}
_BUILD = {"vision": _trained_vision.build, "language": _trained_language.build}


def build(config: Mapping[str, Any]) -> nn.Module:
    """The network of a run, with the weights of its step 0."""
    return _BUILD[config["kind"]](config)


@dataclass(frozen=True)
class Checkpoint:
    """One step of one run: the weights themselves, or their exponential moving average."""

    address: Address
    options: Options
    stimuli: Stimuli
    reading: Reading

    @cached_property
    def stored(self) -> tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]:
        """Configuration and weights."""
        if self.reading.stored is None:
            raise BadRequest(f"{self.address}: there is no folder of runs to read it from.")
        return self.reading.stored(self.address.rest)

    @property
    def modality(self) -> str:
        """`vision` or `language`, as the run was."""
        return str(self.stored[0]["kind"])

    @property
    def identity(self) -> Mapping[str, Any]:
        """The bytes of its weights and what builds their network; then how the features are read."""
        config, weights = self.stored
        return {
            "weights": _contract.digest(weights[name] for name in sorted(weights)),
            "config": {key: value for key, value in config.items() if key not in {"history", "plan"}},
            "libraries": [timm.__version__, transformers.__version__, str(torch.__version__)],
            **_READING[self.modality](self.reading),
        }

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the blocks of its network in forward order."""
        config, weights = self.stored
        network = build(config)
        try:
            network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.items()})
        except RuntimeError:
            raise BadData(f"{self.address}: its weights do not fit its configuration; run dvc repro train.") from None
        trunk: Any = network.trunk if self.modality == "vision" else network.base_model
        layers, family = self._seen(trunk, config) if self.modality == "vision" else self._read(trunk, config)
        named = _NAME.fullmatch(self.address.rest)
        assert named is not None  # load has refused any other name
        return layers, {
            "family": family,
            "architecture": config["architecture"],
            "parameters": sum(one.numel() for one in trunk.parameters()),
            "run": named["run"],
            "step": int(named["step"]),
            "weights": "ema" if named["ema"] else "raw",
            "seen": config["seen"],
        }

    def _seen(self, trunk: nn.Module, config: Mapping[str, Any]) -> tuple[list[Representation], str]:
        side = config["size"]
        shown = self.stimuli.shown(f"square {side}", partial(_trained_vision.square, side=side))
        layers = _vision.represent(trunk, _trained_vision.prepare, shown, self.reading)
        return layers, _layouts.family(trunk)

    def _read(self, trunk: nn.Module, config: Mapping[str, Any]) -> tuple[list[Representation], str]:
        tokenizer = _trained_language.tokenizer(config)
        template = "bare" if self.reading.readout == "bare" else _trained_language.TEMPLATE
        prompts = _prompts.encode(tokenizer, self.stimuli.captions, template)
        padding: Any = tokenizer.pad_token_id
        return _language.represent(trunk, prompts, padding, self.stimuli, self.reading), str(config["architecture"])


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Checkpoint:
    """Name a step of a run."""
    if not _NAME.fullmatch(address.rest):
        raise BadRequest(f"expected 'checkpoint:run/step-000064' or '…/step-000064-ema', found '{address}'.")
    return Checkpoint(address, options, stimuli, reading)
