"""Causal language models: `transformers:Qwen/Qwen2.5-0.5B-Instruct` from the hub, or `transformers:gpt_neox.random-1`.

The second kind is built from the configuration in its roster line, with random weights and a word-level tokenizer of
the captions; `transformers:owner/name.random-1` has the configuration and the tokenizer of the hub and random weights.
Nothing that comes from outside is executed, unless the roster line and the user's own configuration
both name the model.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase

from homoplasy.address import Address
from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _contract, _hub, _language, _prompts
from homoplasy.models._contract import Outline, Reading, Stimuli
from homoplasy.models._seeded import seeded
from homoplasy.representation import Representation

VERSION = 2
_RANDOM = re.compile(r"(.+/.+)\.random-(\d+)(@.+)?")  # of the hub, with weights that have learnt nothing


class Options(_contract.Options):
    """The keys of a roster line."""

    revision: str | None = None
    config: dict[str, int | float | bool | str] | None = None
    template: Literal["chat", "plain"] = "chat"
    remote_code: bool = False
    gated: bool = False  # its licence must be accepted on the hub before its files are given out
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    padding: _language.Side = "right"


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

    @property
    def seed(self) -> int | None:
        """The seed of weights that take the place of those of the hub; None where those are read."""
        found = _RANDOM.fullmatch(self.address.rest)
        return int(found[2]) if found else None

    @property
    def repository(self) -> str:
        """Its name on the hub."""
        return _RANDOM.sub(r"\1", self.address.rest).partition("@")[0]

    @property
    def revision(self) -> str | None:
        """The branch, tag or commit that the address or the roster line names; None: the newest."""
        return self.address.rest.partition("@")[2] or self.options.revision

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Library versions and configuration, or the commit of the weights; then how the states are read."""
        config = {"random": self.random[0], "config": self.options.config} if self.random else None
        return {
            "weights": config or {"commit": self._commit, **({} if self.seed is None else {"random": self.seed})},
            "libraries": [transformers.__version__, str(torch.__version__)],
            "template": self._template,
            "readout": self.reading.readout,
            "states": self.reading.states,
            "batch_size": self.reading.batch_size,
        }

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give the blocks in forward order."""
        tokenizer = self.tokenizer()
        network = self.network(len(tokenizer))
        prompts = _prompts.encode(tokenizer, self.stimuli.captions, self._template)
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else prompts[0].tokens[0]
        layers = _language.represent(network, prompts, padding, self.stimuli, self.reading, self.options.padding)
        kind = str(network.config.model_type)  # type: ignore[union-attr] # the configuration of a transformers model
        return layers, {
            "family": kind,
            "architecture": "Transformer" if hasattr(network.config, "num_attention_heads") else kind,
            "type": kind,
            "parameters": sum(one.numel() for one in network.parameters()),
            "template": self._template,
            "dtype": str(next(network.parameters()).dtype).removeprefix("torch."),
            **({} if self.random else {"commit": self._commit}),
            **self._step(),
        }

    def outline(self) -> Outline:
        """Its blocks as its configuration says, without its weights."""
        with torch.device("meta"):
            network = AutoModel.from_config(
                self.configuration(vocabulary=2), trust_remote_code=self.options.remote_code
            )
        width = int(network.config.hidden_size)
        parameters = sum(one.numel() for one in network.parameters())
        return Outline(self.modality, dict.fromkeys(_language.blocks(network), width), parameters)

    def configuration(self, vocabulary: int) -> PretrainedConfig:
        """The configuration on the hub, or the one of the roster line with this number of words."""
        if self.random:
            # hidden states need no ends of text, and those of the real model lie beyond so few words
            ends = {"bos_token_id": None, "eos_token_id": None}
            settings = ends | (self.options.config or {}) | {"vocab_size": vocabulary}
            return AutoConfig.for_model(self.random[1], **settings)
        with self._reading():
            return AutoConfig.from_pretrained(self.repository, **self._source())

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's own tokenizer, or one of the captions' words."""
        if self.random:
            return _prompts.word_tokenizer(self.stimuli.captions)
        with self._reading():
            return AutoTokenizer.from_pretrained(self.repository, **self._source())

    def network(self, vocabulary: int) -> nn.Module:
        """Build the network, without the head that would name the next token."""
        chosen = None if self.options.dtype == "auto" else getattr(torch, self.options.dtype)
        if self.random:
            with seeded(int(self.random[2])):
                return AutoModel.from_config(self.configuration(vocabulary), dtype=chosen or torch.float32).eval()
        if self.seed is not None:
            return self._untrained(self.seed, chosen)
        with self._reading():
            network = AutoModel.from_pretrained(
                self.repository, dtype=chosen or "auto", use_safetensors=True, **self._source()
            )
        # A model trained in bfloat16 stays in it; float16 is how weights were stored, never how they were trained.
        return (network.float() if chosen is None and network.dtype == torch.float16 else network).eval()

    def _untrained(self, seed: int, chosen: torch.dtype | None) -> nn.Module:
        """The network of the hub's configuration with seeded weights, in the precision that it is trained in."""
        config = self.configuration(0)
        kind = chosen or config.dtype or torch.float32
        with seeded(seed):
            network = AutoModel.from_config(
                config,
                dtype=torch.float32 if kind == torch.float16 and chosen is None else kind,
                trust_remote_code=self.options.remote_code,
            )
        return network.eval()

    @property
    def _template(self) -> _prompts.Template:
        return "bare" if self.reading.readout == "bare" else self.options.template

    def _step(self) -> dict[str, Any]:
        """Which step of a training run the revision names, where it names one (Pythia: step0 ... step143000)."""
        found = re.fullmatch(r"step(\d+)", self.revision or "") if self.seed is None else None
        return {"run": self.repository, "step": int(found[1]), "weights": "raw"} if found else {}

    @cached_property
    def _commit(self) -> str:
        return _hub.commit(_hub.file(self.repository, "config.json", self.revision, gated=self.options.gated))

    def _source(self) -> dict[str, Any]:
        return {"revision": self._commit, "trust_remote_code": self.options.remote_code}

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, ImportError) as fault:
            words = str(fault).strip().partition("\n")[0].rstrip(".")
            raise WorkFailed(f"transformers cannot read '{self.repository}' ({words}).") from None


def untrained(address: Address) -> Address | None:
    """The same network with seeded weights, one for all steps of a training run; None for one that has them."""
    name, at, revision = address.rest.partition("@")
    if re.search(r"\.random-\d+$", name) or revision == "step0":
        return None
    return Address(address.source, f"{name}.random-1{'' if re.fullmatch(r'step[0-9]+', revision) else at + revision}")


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Causal:
    """Name a language model; refuse code of its own that the user has not allowed, and a type that does not exist."""
    model = Causal(address, options, stimuli, reading)
    if options.remote_code and model.repository not in reading.code_allowed:
        raise WorkFailed(
            f"'{model.repository}' runs code of its own; if you trust it, write in local.yaml: "
            f"remote_code: ['{model.repository}']"
        )
    if model.random is None and not re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", address.rest):
        raise BadRequest(
            f"expected 'transformers:owner/name', 'transformers:owner/name@revision' or 'transformers:type.random-1', "
            f"found '{address}'."
        )
    if "@" in address.rest and options.revision:
        raise BadRequest(f"'{address}' names a revision, and its line another one ('{options.revision}'); keep one.")
    if model.random is not None and model.random[1] not in transformers.CONFIG_MAPPING:
        raise BadRequest(f"transformers knows no type of model called '{model.random[1]}'.")
    return model
