"""timm's factories of optimisers and of learning-rate schedules, by name: the only door to them."""

from typing import Protocol

import timm
import torch
import transformers
from timm.optim._optim_factory import create_optimizer_v2, list_optimizers
from timm.scheduler.scheduler_factory import create_scheduler_v2
from torch import nn
from torch.optim import Optimizer

from homoplasy.errors import BadRequest, listing, nearest

VERSIONS = {"timm": timm.__version__, "torch": str(torch.__version__), "transformers": transformers.__version__}
SCHEDULES = ("cosine", "poly", "tanh", "constant")  # those that depend on the number of updates alone


class Schedule(Protocol):
    """A learning rate that is a function of the number of updates, and of nothing that has happened."""

    def step_update(self, num_updates: int) -> None:
        """Set the rate of the optimiser for the update that follows `num_updates` others."""


def optimiser(network: nn.Module, name: str, learning_rate: float, weight_decay: float) -> Optimizer:
    """The optimiser that timm makes of this name; biases and norms do not decay."""
    known = [str(one) for one in list_optimizers()]
    if name not in known:
        raise BadRequest(f"timm has no optimiser '{name}'; it has {listing(known)}.{nearest(name, known)}")
    return create_optimizer_v2(network, opt=name, lr=learning_rate, weight_decay=weight_decay)


def schedule(optimiser: Optimizer, name: str, steps: int, warm_up: int) -> Schedule:
    """The schedule over all updates: `warm_up` of them along a line, then as its name says."""
    if name not in SCHEDULES:
        raise BadRequest(f"'{name}' is no schedule that is known here; expected one of {listing(SCHEDULES)}.")
    rate = optimiser.param_groups[0]["lr"]
    made, _ = create_scheduler_v2(
        optimiser, sched=name, num_epochs=steps, warmup_epochs=warm_up, warmup_lr=rate / max(1, warm_up),
        step_on_epochs=False, updates_per_epoch=1,
    )  # fmt: skip
    made.step_update(0)
    return made
