"""Hidden states of every block of a causal language model, one vector a caption."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.errors import WorkFailed
from homoplasy.models._contract import Reading, Readout, States, Stimuli, layer
from homoplasy.models._memory import in_batches
from homoplasy.models._prompts import Prompt
from homoplasy.models._taps import drained, tapped
from homoplasy.representation import Representation

Side = Literal["right", "left"]
EMBEDDINGS = "embeddings"  # the name of state 0


def last(states: Float[Tensor, "t d"], _prompt: Prompt) -> Float[Tensor, " d"]:
    """The state of the last token; in a chat it ends the assistant's header, the same token for every caption."""
    return states[-1]


def last_caption_token(states: Float[Tensor, "t d"], prompt: Prompt) -> Float[Tensor, " d"]:
    """The state of the last token that holds a letter of the caption."""
    return states[prompt.caption.stop - 1]


def caption_mean(states: Float[Tensor, "t d"], prompt: Prompt) -> Float[Tensor, " d"]:
    """The mean state over the tokens of the caption."""
    return states[prompt.caption].mean(0)


READOUTS: Mapping[Readout, Callable[[Tensor, Prompt], Tensor]] = {
    "last": last,
    "last_caption_token": last_caption_token,
    "caption_mean": caption_mean,
    "bare": last,  # of a prompt that is the caption alone
}


@dataclass(frozen=True)
class Batch:
    """Prompts of like length, padded on one side to the longest."""

    prompts: Sequence[Prompt]
    padding: int
    side: Side

    def given(self, network: nn.Module) -> dict[str, Int[Tensor, "b t"]]:
        """Tokens with their mask, and with the positions that they would have alone."""
        longest = max(len(prompt.tokens) for prompt in self.prompts)
        tokens = torch.full((len(self.prompts), longest), self.padding)
        mask = torch.zeros_like(tokens)
        for row, place in enumerate(self.places(longest)):
            tokens[row, place] = torch.tensor(self.prompts[row].tokens)
            mask[row, place] = 1
        inputs = {"input_ids": tokens, "attention_mask": mask}
        if "position_ids" in signature(network.forward).parameters:
            inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
        device = next(network.parameters()).device
        return {name: values.to(device) for name, values in inputs.items()}

    def places(self, longest: int) -> list[slice]:
        """Where in a row of `longest` tokens each prompt lies."""
        lengths = [len(prompt.tokens) for prompt in self.prompts]
        starts = [longest - length if self.side == "left" else 0 for length in lengths]
        return [slice(start, start + length) for start, length in zip(starts, lengths, strict=True)]

    def read(self, hidden: Float[Tensor, "b t d"], readout: Readout) -> Float[Tensor, "b d"]:
        """One vector a prompt, in float32 whatever the network computes in."""
        rows = zip(hidden, self.places(hidden.shape[1]), self.prompts, strict=True)
        return torch.stack([READOUTS[readout](states[place].float(), prompt) for states, place, prompt in rows]).cpu()


def represent(
    network: nn.Module,
    prompts: Sequence[Prompt],
    padding: int,
    stimuli: Stimuli,
    reading: Reading,
    side: Side = "right",
) -> list[Representation]:
    """Run every prompt through the network in batches of like length, and read one vector a layer."""
    network.eval().to(reading.device)
    pooled: dict[str, list[NDArray[Any]]] = {}
    order = by_length(prompts)

    def read(rows: slice) -> None:
        batch = Batch([prompts[row] for row in order[rows]], padding, side)
        for name, values in STATES[reading.states](network, batch, reading.readout).items():
            pooled.setdefault(name, []).append(values.numpy())

    with torch.inference_mode():
        in_batches(len(order), reading.batch_size, read)
    back = np.argsort(order)
    facts = {"readout": reading.readout, "readout_token": _token(prompts, reading.readout), "states": reading.states}
    first = -1 if EMBEDDINGS in pooled else 0
    return [
        layer(np.concatenate(values)[back], stimuli, name, (index, len(pooled) + first), **facts)
        for index, (name, values) in enumerate(pooled.items(), first)
    ]


def after_blocks(network: nn.Module, batch: Batch, readout: Readout) -> dict[str, Tensor]:
    """The raw residual stream after each block, that of the last one before the final norm."""
    modules = blocks(network)
    with tapped(modules, lambda _name, hidden: batch.read(hidden, readout)) as taken:
        network(**batch.given(network), use_cache=False)
        return drained(taken, list(modules))


def hidden_states(network: nn.Module, batch: Batch, readout: Readout) -> dict[str, Tensor]:
    """The embeddings, then the blocks, the last one after the final norm: what transformers calls hidden states."""
    found = network(**batch.given(network), use_cache=False, output_hidden_states=True).hidden_states
    names = [EMBEDDINGS, *blocks(network)]
    return {name: batch.read(hidden, readout) for name, hidden in zip(names, found, strict=True)}


STATES: Mapping[States, Callable[[nn.Module, Batch, Readout], dict[str, Tensor]]] = {
    "blocks": after_blocks,
    "hidden_states": hidden_states,
}


def blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The transformer blocks: the one list of modules that is as long as the configuration says."""
    count = network.config.num_hidden_layers  # type: ignore[union-attr] # the configuration of a transformers model
    lists = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    ]
    if len(lists) != 1:
        raise WorkFailed(
            f"expected one list of {count} blocks in the network, found {len(lists)}; its layout is not known."
        )
    name, found = lists[0]
    return {f"{name}.{index}": block for index, block in enumerate(found)}


def by_length(prompts: Sequence[Prompt]) -> list[int]:
    """Rows in order of length, so that a batch needs little padding; the longest first, which need most memory."""
    return sorted(range(len(prompts)), key=lambda row: (-len(prompts[row].tokens), row))


def _token(prompts: Sequence[Prompt], readout: Readout) -> int | None:
    """The token whose state is taken, where it is the same for every caption."""
    if readout == "caption_mean":
        return None
    tokens = {prompt.tokens[prompt.caption.stop - 1 if readout == "last_caption_token" else -1] for prompt in prompts}
    return tokens.pop() if len(tokens) == 1 else None
