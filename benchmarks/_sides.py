"""The two sides that the benchmarks of measures share, and how they are timed."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import homoplasy as hp

LAYERS, REGIONS, WIDTH = 12, 180, 512


def sides(
    n: int, rng: Generator, layers: int = LAYERS, regions: int = REGIONS
) -> tuple[list[hp.Representation], list[hp.Representation]]:
    """Layers of 512 units and regions of 50 to 400 voxels that share planted latents, in float32."""
    latent, ids = rng.standard_normal((n, 20)), np.arange(n)

    def made(units: int, name: str) -> hp.Representation:
        values = latent @ rng.standard_normal((20, units)) + 3 * rng.standard_normal((n, units))
        return hp.Representation(values.astype(np.float32), ids, name)

    sources = [made(WIDTH, f"layer{i}") for i in range(layers)]
    return sources, [made(int(units), f"region{i}") for i, units in enumerate(rng.integers(50, 401, regions))]


def zscored(of: hp.Representation) -> NDArray[np.float64]:
    """The units z-scored with ddof 1."""
    values = of.values.astype(np.float64)
    return (values - values.mean(0)) / values.std(0, ddof=1)


class Clock:
    """Processor seconds of named tasks, the median over rounds; one thread each."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def run(self, name: str, task: Callable[[], Any]) -> Any:
        """Time one call."""
        start = time.process_time()
        out = task()
        self._seconds.setdefault(name, []).append(time.process_time() - start)
        return out

    def of(self, name: str) -> float:
        """Median over the calls so far."""
        return median(self._seconds[name])
