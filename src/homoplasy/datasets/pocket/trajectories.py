"""Planted training: models whose likeness to the brain rises at a known step, and their performance at another.

Steps are those of Pythia's evaluations, x = log2(step + 1). Quality rises as q(x) = .8 / (1 + exp(-(x - 10) / .8)),
performance along the same curve with its middle at 10 + lag: a lag of 2 means that likeness comes two doublings first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.pocket import formats, planted, population, regions, sizes
from homoplasy.datasets.pocket.brain import Brain
from homoplasy.datasets.pocket.latents import PRIVATE_SCALES, normal
from homoplasy.datasets.pocket.planted import PlantedModel
from homoplasy.datasets.pocket.roster import Spec
from homoplasy.datasets.pocket.streams import stream
from homoplasy.datasets.pocket.world import World
from homoplasy.representation import Representation

FOLDER = "pocket/evaluations/pythia-v1"
BENCHMARK = "lambada_openai"
STEPS = (0, *(2**power for power in range(10)), 1000, *range(3000, 143001, 10000))
TOKENS = 2_097_152  # that Pythia reads in a step

_TOP, _MIDDLE, _SLOPE = 0.8, 10.0, 0.8
_FLAT = 0.4  # the quality of a model that does not learn what the brain knows
_WIDTH, _PLACE, _DEPTH = 64, 0.95, 0.75  # one layer, at the depth that is scored
_EXAMPLES = 5153  # of the benchmark


@dataclass(frozen=True)
class Case:
    """One run: how much later its performance rises, whether its quality rises, which weights were evaluated."""

    name: str
    lag: float
    rises: bool = True
    evaluated: str = "raw"

    @property
    def run(self) -> str:
        """Its name in the table of models."""
        return f"planted-{self.name}"

    def quality(self, step: int) -> float:
        """The quality q at a step."""
        return rise(position(step), _MIDDLE) if self.rises else _FLAT

    def accuracy(self, step: int) -> float:
        """The share of right answers at a step."""
        return rise(position(step), _MIDDLE + self.lag)

    def spec(self, step: int) -> Spec:
        """The model at a step; its weights are those of the run, so that nothing but its quality moves."""
        return Spec(f"trajectory-{self.name}", "language", "trajectory", _WIDTH, self.quality(step), (_PLACE,))


CASES = (
    Case("leads", 2.0),
    Case("together", 0.0),
    Case("follows", -2.0),
    Case("flat", 0.0, rises=False),
    # An average of weights lags behind them: its performance rises later although nothing in the network does.
    Case("averaged", 2.0, evaluated="ema"),
)


def position(step: int) -> float:
    """Training in doublings, x = log2(step + 1)."""
    return float(np.log2(step + 1))


def rise(x: float, middle: float) -> float:
    """The logistic curve .8 / (1 + exp(-(x - middle) / .8))."""
    return float(_TOP / (1 + np.exp(-(x - middle) / _SLOPE)))


def models(world: World) -> Iterator[PlantedModel]:
    """Yield every run at every step; other worlds than the planted one have none."""
    if world.truth != "planted":
        return
    everyone = world.seen(tuple(sizes.VOLUMES))
    rows = np.flatnonzero(np.isin(everyone, world.seen(world.subjects)))
    for case in CASES:
        private = normal(stream(world.seed, "model", case.spec(0).name), everyone.size, PRIVATE_SCALES)
        for step in STEPS:
            values = planted.features(world, case.spec(step), 0, world.model_latents.rows(everyone), private)
            yield _model(case, step, values[rows].astype(np.float32), everyone[rows])


def _model(case: Case, step: int, values: NDArray[np.float32], ids: NDArray[np.int64]) -> PlantedModel:
    name = f"{case.spec(step).name}-{step:06d}"
    about = {"depth": _DEPTH, "index": 0, "raw_width": _WIDTH, "pooling": "none"}
    facts = {
        "model": f"planted:{name}",
        "modality": "language",
        "family": "trajectory",
        "architecture": "planted",
        "parameters": 12 * _WIDTH**2,
        "run": case.run,
        "step": step,
        "weights": "raw",
        "seen": TOKENS * step,
    }
    return PlantedModel(name, [Representation(values, ids, "layer1", facts=about)], facts)


def write(root: Path, world: World) -> None:
    """Write what every run performs, in the files and the layout of Pythia's own evaluations."""
    for case in CASES if world.truth == "planted" else ():
        for step in STEPS:
            key = f"{FOLDER}/pythia-{case.name}/zero-shot/{case.name}_step{step}.json"
            formats.to_json(formats.place(root, key), _evaluation(case, step))


def _evaluation(case: Case, step: int) -> dict[str, Any]:
    right = case.accuracy(step)
    error = np.sqrt(right * (1 - right) / (_EXAMPLES - 1))
    return {
        "results": {BENCHMARK: {"acc": right, "acc_stderr": float(error)}},
        "versions": {BENCHMARK: 0},
        "config": {"model": "pocket", "model_args": f"run={case.run},revision=step{step}", "weights": case.evaluated},
    }


def truth(world: World, brains: Mapping[str, Brain]) -> dict[str, Any]:
    """What an analysis should find of each run: when likeness and performance have risen halfway, in doublings."""
    if world.truth != "planted":
        return {}
    x = np.array([position(step) for step in STEPS])
    return {case.run: _expected(world, brains, case, x) for case in CASES}


def _expected(world: World, brains: Mapping[str, Brain], case: Case, x: NDArray[np.float64]) -> dict[str, Any]:
    accuracy = half_rise(x, np.array([case.accuracy(step) for step in STEPS]))
    likeness = None
    if case.rises:
        areas = [population.region(brain, one) for brain in brains.values() for one in _signal()]
        layers = [population.layer(world, case.spec(step), 0) for step in STEPS]
        likeness = half_rise(x, np.array([np.mean([population.cka(one, area) for area in areas]) for one in layers]))
    return {
        "lag": case.lag if case.rises and case.evaluated == "raw" else None,
        "evaluated": case.evaluated,
        "half_rise": {"likeness": likeness, "performance": accuracy},
        "quality": [case.quality(step) for step in STEPS],
    }


def _signal() -> Sequence[regions.Region]:
    return [one for one in regions.REGIONS if one.kind == "linear"]


def half_rise(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The first x at which y, drawn straight from point to point, is midway between its first value and its last."""
    middle = (y[0] + y[-1]) / 2
    after = int(np.flatnonzero(y >= middle)[0])
    return float(np.interp(middle, y[after - 1 : after + 1], x[after - 1 : after + 1]))
