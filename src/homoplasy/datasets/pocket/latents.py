"""The hidden causes of everything: visual latents V and semantic latents S of each picture."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket.streams import stream

DIMENSIONS = 12  # of V and of S
PRIVATE_DIMENSIONS = 48  # of what one model alone knows, E


def scales(dimensions: int, power: float) -> NDArray[np.float64]:
    """Standard deviations sd_k ∝ k^(-power), with mean square 1."""
    raw = np.arange(1, dimensions + 1, dtype=np.float64) ** -power
    return raw / np.sqrt(np.mean(raw**2))


SHARED_SCALES = scales(DIMENSIONS, 0.5)
PRIVATE_SCALES = scales(PRIVATE_DIMENSIONS, 0.25)


@dataclass(frozen=True)
class Latents:
    """V and S of a set of pictures, one row a picture; independent of each other."""

    visual: NDArray[np.float64]
    semantic: NDArray[np.float64]

    def rows(self, index: NDArray[np.integer]) -> "Latents":
        """Take the latents of some pictures."""
        return Latents(self.visual[index], self.semantic[index])


def draw(seed: int, purpose: str, count: int) -> Latents:
    """Draw the latents of `count` pictures; each purpose (shown, training, …) has pictures of its own."""
    visual, semantic = (
        normal(stream(seed, "latents", purpose, kind), count, SHARED_SCALES) for kind in ("visual", "semantic")
    )
    return Latents(visual, semantic)


def normal(rng: Generator, count: int, sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Independent Gaussian columns with these standard deviations."""
    return rng.standard_normal((count, sd.size)) * sd


def unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """u(X): each column scaled to standard deviation 1; the mean stays where it is."""
    return x / x.std(axis=0)
