"""Learning to continue captions: a causal language model, one text a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from homoplasy.errors import BadData
from homoplasy.models._trained_language import IGNORED, Text, batch, build, texts, tokenizer, words

_BATCH = 64  # texts at a time that are judged


def configuration(
    architecture: str, options: Mapping[str, Any], captions: Sequence[Sequence[str]], seed: int
) -> dict[str, Any]:
    """All that rebuilds the model of a run and its tokenizer; every picture must have a caption."""
    bare = sum(not any(caption.strip() for caption in own[:1]) for own in captions)
    if bare or not captions:
        raise BadData(f"expected a caption of every training picture, found {bare} of {len(captions)} without one.")
    return {
        "kind": "language",
        "architecture": architecture,
        "options": dict(options),
        "words": words([caption for own in captions for caption in own]),
        "seed": seed,
    }


def token_losses(
    logits: Float[Tensor, "n t v"], labels: Int[Tensor, "n t"]
) -> tuple[Float[Tensor, ""], Int[Tensor, ""], Int[Tensor, ""]]:
    """Sum of -log p(token | tokens before) over learned tokens, how many of these are likeliest, how many there are."""
    before, after = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    learned = after != IGNORED
    losses = functional.cross_entropy(before, after, ignore_index=IGNORED, reduction="sum")
    return losses, ((before.argmax(-1) == after) & learned).sum(), learned.sum()


@dataclass(frozen=True)
class Continuing:
    """The lesson of a language run."""

    config: Mapping[str, Any]
    captions: Sequence[Sequence[str]]

    @cached_property
    def texts(self) -> list[Text]:
        """The tokens of every text."""
        return texts(tokenizer(self.config), self.captions)

    @cached_property
    def _padding(self) -> int:
        padding: Any = tokenizer(self.config).pad_token_id
        return int(padding)

    @property
    def size(self) -> int:
        """The number of texts."""
        return len(self.captions)

    def network(self) -> nn.Module:
        """The model before its first step."""
        return build(self.config)

    def loss(self, network: nn.Module, rows: NDArray[np.int64]) -> Tensor:
        """The mean loss of a learned token."""
        losses, _, count = self._losses(network, rows)
        return losses / count

    def judge(self, network: nn.Module, rows: NDArray[np.int64]) -> dict[str, float]:
        """Loss of a token, its perplexity exp(loss), and the share of tokens that were the likeliest."""
        parts = [self._losses(network, part) for part in np.array_split(rows, -(-len(rows) // _BATCH))]
        losses, right, count = (sum(float(part[place]) for part in parts) for place in range(3))
        return {"loss": losses / count, "perplexity": exp(losses / count), "accuracy": right / count}

    def seen(self, rows: NDArray[np.int64]) -> int:
        """Tokens, without padding."""
        return sum(len(self.texts[row].tokens) for row in rows)

    def _losses(self, network: nn.Module, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        given = batch([self.texts[row] for row in rows], self._padding)
        labels = given.pop("labels")
        return token_losses(network(**given).logits, labels)
