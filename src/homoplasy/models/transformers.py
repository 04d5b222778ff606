"""Causal language models: `transformers:Qwen/Qwen2.5-0.5B-Instruct` from the hub, or `transformers:gpt_neox.random-1`.

The second kind is built from the configuration in its roster line, with random weights and a word-level tokenizer of
the captions. Nothing that comes from outside is executed, unless the roster line and the user's own configuration
both name the model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from homoplasy.address import Address
from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _contract, _hub, _language, _prompts
from homoplasy.models._contract import Reading, Stimuli
from homoplasy.models._seeded import seeded
from homoplasy.representation import Representation

VERSION = 1


class Options(_contract.Options):
    """The keys of a roster line."""

    revision: str | None = None
    config: dict[str, int | float | bool | str] | None = None
    template: _prompts.Template = "chat"
    remote_code: bool = False


@dataclass(frozen=True)
class Causal:
    """One language model, not built before it is needed."""

    address: Address
    options: Options
    stimuli: Stimuli
    reading: Reading
    modality: str = "language"

    @property
    def random(self) -> re.Match[str] | None:
        """Type and seed of a model with random weights; None for one of the hub."""
        return re.fullmatch(r"([^/]+)\.random-(\d+)", self.address.rest)

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Library versions and configuration, or the commit of the weights; then how the states are read."""
        config = {"random": self.random[0], "config": self.options.config} if self.random else None
        return {
            "weights": config or {"commit": self._commit},
            "libraries": [transformers.__version__, str(torch.__version__)],
            "template": self.options.template,
            "readout": self.reading.readout,
            "batch_size": self.reading.batch_size,
        }

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the blocks in forward order."""
        tokenizer = self.tokenizer()
        network = self.network(len(tokenizer))
        prompts = _prompts.encode(tokenizer, self.stimuli.captions, self.options.template)
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else prompts[0].tokens[0]
        layers = _language.represent(network, prompts, padding, self.stimuli, self.reading)
        kind = str(network.config.model_type)  # type: ignore[union-attr] # the configuration of a transformers model
        return layers, {
            "family": self.options.family or kind,
            "architecture": kind,
            "parameters": sum(one.numel() for one in network.parameters()),
            "template": self.options.template,
            "dtype": str(next(network.parameters()).dtype).removeprefix("torch."),
        }

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's own tokenizer, or one of the captions' words."""
        if self.random:
            return _prompts.word_tokenizer(self.stimuli.captions)
        return AutoTokenizer.from_pretrained(self.address.rest, **self._source())

    def network(self, vocabulary: int) -> nn.Module:
        """Build the network, without the head that would name the next token."""
        if self.random:
            config = AutoConfig.for_model(self.random[1], vocab_size=vocabulary, **(self.options.config or {}))
            with seeded(int(self.random[2])):
                return AutoModel.from_config(config, dtype=torch.float32).eval()
        network = AutoModel.from_pretrained(self.address.rest, dtype="auto", use_safetensors=True, **self._source())
        return (network.float() if network.dtype == torch.float16 else network).eval()  # bfloat16 stays: trained in it

    @cached_property
    def _commit(self) -> str:
        return _hub.commit(_hub.file(self.address.rest, "config.json", self.options.revision))

    def _source(self) -> dict[str, Any]:
        return {"revision": self._commit, "trust_remote_code": self.options.remote_code}


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Causal:
    """Name a language model; refuse code of its own that the user has not allowed, and a type that does not exist."""
    if options.remote_code and address.rest not in reading.code_allowed:
        raise WorkFailed(
            f"'{address.rest}' runs code of its own; if you trust it, write in local.yaml: "
            f"remote_code: ['{address.rest}']"
        )
    model = Causal(address, options, stimuli, reading)
    if model.random is None and "/" not in address.rest:
        raise BadRequest(f"expected 'transformers:owner/name' or 'transformers:type.random-1', found '{address}'.")
    if model.random is not None and model.random[1] not in transformers.CONFIG_MAPPING:
        raise BadRequest(f"transformers knows no type of model called '{model.random[1]}'.")
    return model
