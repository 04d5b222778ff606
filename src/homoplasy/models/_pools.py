"""One vector a picture from what a block gives out: which axes are space, which tokens are left out."""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import torch
from torch import Tensor

from homoplasy.models._contract import Pool
from homoplasy.models._layouts import Axes

CHANNEL: Mapping[Axes, int] = {"NCHW": 1, "NHWC": 3, "tokens": 2, "patches": 2, "windows": 3}
SPACE: Mapping[Axes, tuple[int, ...]] = {
    "NCHW": (2, 3),
    "NHWC": (1, 2),
    "tokens": (1,),
    "patches": (1,),
    "windows": (1, 2),
}


def axes_of(branch: Tensor, known: Sequence[Axes]) -> Axes | None:
    """The one of the known orders of axes that has as many axes as the output; None where none has."""
    return next((axes for axes in known if len(SPACE[axes]) + 2 == branch.ndim), None)


def patch_mean(branch: Tensor, axes: Axes, prefix: int) -> Tensor:
    """Mean over space only: one value a channel, class and register tokens left out."""
    return branch[:, prefix:].mean(1) if axes == "tokens" else branch.mean(SPACE[axes])


def cls(branch: Tensor, axes: Axes, prefix: int) -> Tensor:  # noqa: ARG001 - one signature for all
    """The class token, the first."""
    return branch[:, 0]


def mean_all(branch: Tensor, axes: Axes, prefix: int) -> Tensor:  # noqa: ARG001 - one signature for all
    """As the released code: all tokens, or the last two axes whatever they are (channels-last maps keep height)."""
    return branch.mean(1) if branch.ndim == 3 else branch.mean((-2, -1))


def flatten(branch: Tensor, axes: Axes, prefix: int) -> Tensor:
    """Every channel at every place, class and register tokens left out."""
    return (branch[:, prefix:] if axes == "tokens" else branch).flatten(1)


POOLS: Mapping[Pool, Callable[[Tensor, Axes, int], Tensor]] = {
    "patch_mean": patch_mean,
    "cls": cls,
    "mean_all": mean_all,
    "flatten": flatten,
}


def pooled(branches: Sequence[Tensor], axes: Axes, prefix: int, pool: Pool) -> Tensor:
    """Pool each branch in float32 over its own space, and lay their channels side by side."""
    return torch.cat([POOLS[pool](branch.float(), axes, prefix) for branch in branches], 1)


def places(branches: Sequence[Tensor], axes: Axes, prefix: int) -> list[int]:
    """At how many places each branch has its channels, class and register tokens not counted."""
    return [prod(branch.shape[axis] for axis in SPACE[axes]) - prefix for branch in branches]
