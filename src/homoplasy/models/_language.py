"""Hidden states of every block of a causal language model, one vector a caption."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.errors import WorkFailed
from homoplasy.models._contract import Reading, Stimuli, layer
from homoplasy.models._prompts import Prompt
from homoplasy.models._taps import drained, tapped
from homoplasy.representation import Representation


def last(hidden: Float[Tensor, "b t d"], prompts: Sequence[Prompt]) -> Float[Tensor, "b d"]:
    """The state of the last token: the assistant's opened turn, the same token for every caption."""
    ends = torch.tensor([len(prompt.tokens) - 1 for prompt in prompts])
    return hidden[torch.arange(len(prompts)), ends]


def caption_mean(hidden: Float[Tensor, "b t d"], prompts: Sequence[Prompt]) -> Float[Tensor, "b d"]:
    """The mean state over the tokens of the caption."""
    return torch.stack([states[prompt.caption].mean(0) for states, prompt in zip(hidden, prompts, strict=True)])


READOUTS: Mapping[str, Callable[[Tensor, Sequence[Prompt]], Tensor]] = {"last": last, "caption_mean": caption_mean}


def represent(
    network: nn.Module, prompts: Sequence[Prompt], padding: int, stimuli: Stimuli, reading: Reading
) -> list[Representation]:
    """Run every prompt through the network in batches of like length; read each block before the final norm."""
    network.eval()
    modules = blocks(network)
    pooled: dict[str, list[NDArray[Any]]] = {name: [] for name in modules}
    order: list[int] = []
    with torch.inference_mode():
        for rows in by_length(prompts, reading.batch_size):
            batch = [prompts[row] for row in rows]
            with tapped(modules, partial(_take, batch=batch, readout=reading.readout)) as taken:
                network(**padded(network, batch, padding), use_cache=False)
                for name, values in drained(taken, list(modules)).items():
                    pooled[name].append(values.float().numpy())
            order += rows
    back = np.argsort(order)
    token = {prompt.tokens[-1] for prompt in prompts} if reading.readout == "last" else set()
    facts = {"readout": reading.readout, "readout_token": token.pop() if len(token) == 1 else None}
    return [
        layer(np.concatenate(values)[back], stimuli, name, (index, len(pooled)), **facts)
        for index, (name, values) in enumerate(pooled.items())
    ]


def _take(_name: str, hidden: Tensor, *, batch: Sequence[Prompt], readout: str) -> Tensor:
    return READOUTS[readout](hidden, batch)


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


def by_length(prompts: Sequence[Prompt], size: int) -> Iterator[list[int]]:
    """Rows in batches of like length, the longest first, so that too little memory shows at once."""
    order = sorted(range(len(prompts)), key=lambda row: (-len(prompts[row].tokens), row))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def padded(network: nn.Module, batch: Sequence[Prompt], padding: int) -> dict[str, Int[Tensor, "b t"]]:
    """Tokens padded on the right, where a causal model never looks, with their mask and positions."""
    longest = max(len(prompt.tokens) for prompt in batch)
    tokens = torch.full((len(batch), longest), padding)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(batch):
        tokens[row, : len(prompt.tokens)] = torch.tensor(prompt.tokens)
        mask[row, : len(prompt.tokens)] = 1
    given = {"input_ids": tokens, "attention_mask": mask}
    if "position_ids" in signature(network.forward).parameters:
        given["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    return given
