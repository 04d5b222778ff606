"""A run: a network learns its lesson from a seed, its average follows, and both are judged at log-spaced steps.

Everything that happens at a step is a function of the seed and the step: the batch, the learning rate, and what
dropout draws. So weights, average and the memory of the optimiser are all that a run needs to go on after a kill.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from homoplasy.errors import BadData, BadRequest, WorkFailed
from homoplasy.models._factories import optimiser, schedule
from homoplasy.models._seeded import seeded
from homoplasy.training.averaging import decay, follow, follower

VERSION = 2  # raised when the same plan on the same lesson gives other weights
THREADS = 1  # more would change the order of sums, and the weights with it, from machine to machine
HELD_OUT = 0.1  # share of the lesson that is never trained on
_ORDER, _SPLIT, _DRAWS = 0, 1, 2  # streams of a seed


@dataclass(frozen=True)
class Plan:
    """How a run is trained.

    `warm_up` is the share of the steps in which the rate rises; `judged` the most examples, of those trained on and of
    those held out, that a checkpoint is judged on.
    """

    steps: int
    checkpoints: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    optimiser: str
    schedule: str
    warm_up: float
    ema_decay: float
    judged: int
    seed: int


class Judged(NamedTuple):
    """One number of a checkpoint."""

    split: str
    metric: str
    value: float


class Lesson(Protocol):
    """What there is to learn."""

    @property
    def size(self) -> int:
        """The number of examples."""

    def network(self) -> nn.Module:
        """The network before its first step."""

    def loss(self, network: nn.Module, rows: NDArray[np.int64]) -> Tensor:
        """The loss on some examples."""

    def judge(self, network: nn.Module, rows: NDArray[np.int64]) -> dict[str, float]:
        """The metrics of a network on some examples, without gradients."""

    def seen(self, rows: NDArray[np.int64]) -> int:
        """How many pictures or tokens these examples are."""


class State(NamedTuple):
    """All that a run needs to go on: arrays, and what else there is as plain JSON values."""

    arrays: dict[str, NDArray[Any]]
    facts: dict[str, Any]


def checkpoint_steps(steps: int, count: int) -> list[int]:
    """Step 0, then `count - 1` steps from 1 to the last at equal ratios; fewer where they would coincide.

    >>> checkpoint_steps(64, 5)
    [0, 1, 4, 16, 64]
    """
    return sorted({0, *np.rint(np.geomspace(1, steps, count - 1)).astype(int).tolist()})


def split(seed: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The examples to train on and those that are held out, both sorted."""
    shuffled = np.random.default_rng([seed, _SPLIT]).permutation(size)
    held = max(1, round(HELD_OUT * size))
    return np.sort(shuffled[held:]), np.sort(shuffled[:held])


def batch(plan: Plan, rows: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """The examples of a step: epoch after epoch in a new order, the incomplete last batch left out."""
    size = min(plan.batch_size, len(rows))
    epoch, place = divmod(step, len(rows) // size)
    order = np.random.default_rng([plan.seed, _ORDER, epoch]).permutation(rows)
    return order[place * size : (place + 1) * size]


class Training:
    """A run at one of its steps."""

    def __init__(self, plan: Plan, lesson: Lesson) -> None:
        if lesson.size < 2:
            raise BadData(f"expected two examples or more to learn from, found {lesson.size}.")
        self.plan, self.lesson = plan, lesson
        self.step = self.seen = 0
        self.rows, self.held_out = split(plan.seed, lesson.size)
        self.network = lesson.network()
        self.average = follower(self.network)
        self.optimiser = optimiser(self.network, plan.optimiser, plan.learning_rate, plan.weight_decay)
        self.schedule = schedule(self.optimiser, plan.schedule, plan.steps, round(plan.warm_up * plan.steps))

    def advance(self) -> None:
        """Take one step."""
        rows = batch(self.plan, self.rows, self.step)
        draws = np.random.SeedSequence([self.plan.seed, _DRAWS, self.step]).generate_state(1)[0]
        self.optimiser.zero_grad()
        with seeded(int(draws)):
            loss = self.lesson.loss(self.network.train(), rows)
            loss.backward()
        if not torch.isfinite(loss):
            raise WorkFailed(f"the loss is {float(loss.detach())} at step {self.step}; lower train.learning_rate.")
        self.optimiser.step()
        follow(self.average, self.network, decay(self.step, self.plan.ema_decay))
        self.step, self.seen = self.step + 1, self.seen + self.lesson.seen(rows)
        self.schedule.step_update(self.step)

    def weights(self) -> dict[str, dict[str, NDArray[Any]]]:
        """The weights, and their average."""
        return {"raw": _arrays(self.network), "ema": _arrays(self.average)}

    def judge(self, weights: str) -> list[Judged]:
        """Judge the network or its average, on examples it is trained on and on those it is not."""
        network = (self.network if weights == "raw" else self.average).eval()
        shown = {"train": self._some(self.rows), "held_out": self._some(self.held_out)}
        with torch.no_grad():
            return [
                Judged(name, metric, value)
                for name, rows in shown.items()
                for metric, value in self.lesson.judge(network, rows).items()
            ]

    def _some(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """At most so many examples as are judged, spread evenly over all."""
        return rows[np.linspace(0, len(rows) - 1, min(len(rows), self.plan.judged)).astype(int)]

    def state(self) -> State:
        """Everything that the next step depends on."""
        memory = _flat(self.optimiser.state_dict())
        arrays = {f"{kind}/{name}": one for kind, state in self.weights().items() for name, one in state.items()}
        arrays |= {f"memory/{name}": _array(value) for name, value in memory.items() if isinstance(value, Tensor)}
        plain = {name: value for name, value in memory.items() if not isinstance(value, Tensor)}
        try:
            json.dumps(plain, allow_nan=False)
        except (TypeError, ValueError):
            raise BadRequest(
                f"the optimiser '{self.plan.optimiser}' keeps a memory that cannot be saved; take another, say adamw."
            ) from None
        return State(arrays, {"step": self.step, "seen": self.seen, "memory": plain})

    def restore(self, state: State) -> None:
        """Go back to where a run was when its state was taken."""
        for kind, network in (("raw", self.network), ("ema", self.average)):
            network.load_state_dict({name: torch.from_numpy(one) for name, one in _under(state.arrays, kind).items()})
        tensors = {name: torch.from_numpy(one) for name, one in _under(state.arrays, "memory").items()}
        fresh = self.optimiser.state_dict()
        self.optimiser.load_state_dict(_folded({**_flat(fresh), **tensors, **state.facts["memory"]}, fresh))
        self.step, self.seen = state.facts["step"], state.facts["seen"]
        self.schedule.step_update(self.step)


def _flat(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an optimiser by one name a value; which parameters a group has is not part of it."""
    groups = dict(
        enumerate({key: value for key, value in one.items() if key != "params"} for one in saved["param_groups"])
    )
    parts = {"state": saved["state"], "group": groups}
    return {
        f"{part}.{index}.{key}": value
        for part, owners in parts.items()
        for index, own in owners.items()
        for key, value in own.items()
    }


def _folded(flat: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `_flat`, with the parameters of the groups of another state."""
    state: dict[int, dict[str, Any]] = {}
    groups = [{"params": one["params"]} for one in like["param_groups"]]
    for name, value in flat.items():
        part, index, key = name.split(".", 2)
        owner = groups[int(index)] if part == "group" else state.setdefault(int(index), {})
        owner[key] = value
    return {"state": state, "param_groups": groups}


def _arrays(network: nn.Module) -> dict[str, NDArray[Any]]:
    return {name: _array(values) for name, values in network.state_dict().items()}


def _array(values: Tensor) -> NDArray[Any]:
    return values.detach().cpu().numpy().copy()


def _under(arrays: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with this word, without it."""
    return {name.removeprefix(f"{kind}/"): one.copy() for name, one in arrays.items() if name.startswith(f"{kind}/")}
