"""CKA of every source with every target in random re-pairings of their stimuli, the same ones for all pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from homoplasy.maths import floors, kernels, moments
from homoplasy.measures import CKA
from homoplasy.measures._pass import cloud
from homoplasy.representation import Representation
from homoplasy.scoring.request import Means, blocks, tensor

_SHARE = 4  # of the memory: the triangles of either side, what is re-paired of them, and kernels while they are made


@dataclass(frozen=True)
class Chance:
    """Scores by one estimator: of the pairing itself, of each re-pairing, and their exact moments."""

    own: Float[np.ndarray, "s t"]
    mean: Float[np.ndarray, "s t"]
    sd: Float[np.ndarray, "s t"]
    drawn: Float[np.ndarray, "d s t"]


class Floors:
    """Sources and targets, over the same stimuli in the same order, that are paired at random again and again.

    The kernels are made once where memory holds them, so that a draw costs one product of matrices; it is the first
    kernel of the measure, under both estimators. The draws are those of `resample` where the orders are.
    """

    def __init__(
        self,
        sources: Sequence[Representation],
        targets: Sequence[Representation],
        measure: CKA,
        device: str = "cpu",
        memory: str = "2GB",
    ) -> None:
        self._sides = sources, targets
        self._measure, self._means = measure, Means.of(device, memory, "float32")
        size = max(1, int(self._means.memory / _SHARE / (2 * sources[0].n_stimuli ** 2)))
        self._blocks = [blocks(range(len(side)), size) for side in self._sides]
        self._kept: dict[tuple[int, int], floors.Packed] = {}

    def drawn(self, orders: Sequence[NDArray[np.intp]]) -> dict[str, Chance]:
        """Scores by both estimators when the targets are put in each order."""
        sources, targets = self._sides
        shape = len(sources), len(targets)
        made = {name: _empty(len(orders), shape) for name in ("biased", "debiased")}
        every = [np.arange(sources[0].n_stimuli), *orders]
        for t, s in product(self._blocks[1], self._blocks[0]):
            at = np.array(s)[:, None], np.array(t)[None, :]
            for name, found in _chances(self._packed(0, s), self._packed(1, t), every, self._measure, self._means):
                for whole, part in zip(vars(made[name]).values(), vars(found).values(), strict=True):
                    whole[..., at[0], at[1]] = part
        return made

    def _packed(self, side: int, places: Sequence[int]) -> floors.Packed:
        """The kernels of a block; the last block of either side is kept."""
        key = side, places[0]
        if key not in self._kept:
            self._kept = {old: packed for old, packed in self._kept.items() if old[0] != side}
            of = [self._sides[side][place] for place in places]
            self._kept[key] = floors.pack([_kernel(one, self._measure, self._means) for one in of])
        return self._kept[key]


def _empty(draws: int, shape: tuple[int, int]) -> Chance:
    own, mean, sd = np.full((3, *shape), np.nan)
    return Chance(own, mean, sd, np.full((draws, *shape), np.nan, dtype=np.float32))


def _chances(
    k: floors.Packed, l: floors.Packed, orders: Sequence[NDArray[np.intp]], measure: CKA, means: Means
) -> Iterator[tuple[str, Chance]]:
    """The first order is that of the pairing itself."""
    found = floors.repaired(k, l, orders, epsilon=measure.epsilon, threads=means.threads)
    size = torch.outer(k.biased, l.biased)
    damp = size / (size + measure.epsilon)
    biased = [moment(k.invariants, l.invariants, k.n) * damp for moment in (moments.mean_biased, moments.sd_biased)]
    zero = torch.zeros_like(damp)
    known = {"biased": biased, "debiased": [zero, zero + moments.sd_debiased(k.n)]}
    for name, exact in known.items():
        values = getattr(found, name).numpy(force=True)
        mean, sd = (one.numpy(force=True) for one in exact)
        yield name, Chance(values[0], mean, sd, values[1:].astype(np.float32))


def _kernel(one: Representation, measure: CKA, means: Means) -> Float[Tensor, "n n"]:
    """The first kernel of the measure; all NaN where the object has none."""
    made = cloud(tensor(one, means.device), [measure], "float64")
    kind, width = measure.kernels[0]
    sigma = width * made.median if kind == "c" else width
    if made.points is None or sigma == 0:
        return torch.full((made.n, made.n), torch.nan, dtype=torch.float64, device=means.device)
    squared = kernels.squared_distances(made.points)
    if kind == "linear":
        return kernels.linear(squared)
    return kernels.rbf(squared, torch.tensor(sigma, dtype=torch.float64, device=means.device))
