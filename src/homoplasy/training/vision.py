"""A small network learns to name the glyphs of pictures; its weights are given out at log-spaced steps."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from homoplasy.errors import BadData
from homoplasy.models.checkpoint import build, prepare

VERSION = 1  # raised when the same plan on the same pictures gives other weights
THREADS = 1  # more would change the order of sums, and the weights with it, from machine to machine
LEVELS = 4
_HELD_OUT = 0.1  # share of the training set that is never trained on
_WARM_UP = 0.1  # share of the steps in which the rate rises; it falls along a cosine after them
_DECAY = 0.01


@dataclass(frozen=True)
class Plan:
    """How a run is trained."""

    architecture: str
    steps: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Checkpoint:
    """The weights at one step, and how well they do."""

    step: int
    weights: Mapping[str, NDArray[Any]]
    loss: float
    accuracy: float
    held_out_accuracy: float


def checkpoint_steps(steps: int) -> list[int]:
    """Before the first step, then doubling, then the last.

    >>> checkpoint_steps(6)
    [0, 1, 2, 4, 6]
    """
    return sorted({0, steps} | {2**power for power in range(steps.bit_length()) if 2**power <= steps})


def configuration(plan: Plan, pictures: NDArray[np.uint8], glyphs: NDArray[np.uint8]) -> dict[str, Any]:
    """All that rebuilds the network of a run; the pictures must be square and have their glyphs."""
    count, height, width, channels = pictures.shape
    if height != width or channels != 3 or glyphs.shape[0] != count or int(glyphs.max(initial=0)) >= LEVELS:
        raise BadData(
            f"expected square pictures (n, side, side, 3) with glyphs (n, k) of levels 0 to {LEVELS - 1}, found "
            f"pictures {pictures.shape} and glyphs {glyphs.shape} up to {glyphs.max(initial=0)}; fetch them again."
        )
    return {"task": "glyphs", "size": height, "glyphs": glyphs.shape[1], "levels": LEVELS, **asdict(plan)}


def glyph_loss(logits: Float[Tensor, "n g l"], glyphs: Int[Tensor, "n g"]) -> Float[Tensor, ""]:
    """Mean cross-entropy over pictures and glyphs: -1/(n g) sum_ij log softmax(z_ij)[y_ij]."""
    return functional.cross_entropy(logits.flatten(0, 1), glyphs.flatten())


def train(plan: Plan, pictures: NDArray[np.uint8], glyphs: NDArray[np.uint8]) -> Iterator[Checkpoint]:
    """Train from the seed, and yield a checkpoint at each of `checkpoint_steps`.

    The same plan and pictures give the same weights to the last bit where torch runs `THREADS` threads.
    """
    order, held_out = _streams(plan.seed, len(pictures))
    network = build(configuration(plan, pictures, glyphs))
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, plan.steps))
    kept, batches = checkpoint_steps(plan.steps), _batches(order, held_out, len(pictures), plan.batch_size)
    x, y = prepare(pictures), torch.from_numpy(glyphs.astype(np.int64))
    for step in range(plan.steps + 1):
        rows = next(batches)
        if step in kept:
            yield _checkpoint(network, step, (x[rows], y[rows]), (x[held_out], y[held_out]))
        if step < plan.steps:
            network.train()
            optimiser.zero_grad()
            glyph_loss(network(x[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()


def _streams(seed: int, count: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
    """The generator of the batches, and the pictures that are held out."""
    order, split = (np.random.default_rng([seed, purpose]) for purpose in (0, 1))
    return order, np.sort(split.permutation(count)[: max(1, round(_HELD_OUT * count))])


def _batches(
    order: np.random.Generator, held_out: NDArray[np.int64], count: int, size: int
) -> Iterator[NDArray[np.int64]]:
    """Epoch after epoch in a new order, the incomplete last batch left out."""
    rows = np.setdiff1d(np.arange(count), held_out)
    size = min(size, len(rows))
    while True:
        shuffled = order.permutation(rows)
        yield from (shuffled[start : start + size] for start in range(0, len(rows) - size + 1, size))


def _rate(step: int, steps: int) -> float:
    """Factor of the learning rate: up along a line, down along half a cosine."""
    rise = max(1, round(_WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + np.cos(np.pi * (step - rise) / max(1, steps - rise)))


def _checkpoint(
    network: nn.Module, step: int, batch: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]
) -> Checkpoint:
    """Judge the network in eval mode, on the batch that it will learn from next and on the held-out pictures."""
    network.eval()
    with torch.no_grad():
        seen, unseen = network(batch[0]), network(held_out[0])
    weights = {name: values.detach().numpy().copy() for name, values in network.state_dict().items()}
    return Checkpoint(
        step, weights, float(glyph_loss(seen, batch[1])), _accuracy(seen, batch[1]), _accuracy(unseen, held_out[1])
    )


def _accuracy(logits: Float[Tensor, "n g l"], glyphs: Int[Tensor, "n g"]) -> float:
    return float((logits.argmax(-1) == glyphs).float().mean())
