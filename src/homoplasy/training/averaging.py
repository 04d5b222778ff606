"""The exponential moving average (EMA) of the weights of a network in training."""

import copy

import torch
from torch import nn


def decay(step: int, limit: float) -> float:
    """d_t = min(limit, (1 + t) / (10 + t)): the first averages forget fast, so that they are not the start (TF 1.0).

    >>> decay(0, 0.99), decay(5000, 0.99)
    (0.1, 0.99)
    """
    return min(limit, (1 + step) / (10 + step))


def follower(network: nn.Module) -> nn.Module:
    """A copy of the network that is to hold the average, and never learns itself."""
    return copy.deepcopy(network).eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, d: float) -> None:
    """Move the average: a <- d a + (1 - d) w; counters, which have no mean, are copied."""
    ours, theirs = average.state_dict(), network.state_dict()
    moving = [name for name, values in ours.items() if values.is_floating_point()]
    torch._foreach_lerp_([ours[name] for name in moving], [theirs[name] for name in moving], 1 - d)
    for name in ours.keys() - set(moving):
        ours[name].copy_(theirs[name])
