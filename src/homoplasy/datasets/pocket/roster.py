"""Which models are planted, and how well each performs: the part of a variant that concerns models."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket.streams import stream
from homoplasy.datasets.pocket.world import World

MODELS = 24  # of a modality
_NARROW, _WIDE = 56, 512
_WORST, _BEST = 0.05, 0.80  # quality
_UNRELATED = 0.05  # largest |r| of quality and ln width
_LINEAGES = {  # families of the models that perform; each has narrow, middling and wide members
    "vision": ("finch", "heron", "ibis", "jay", "lark", "martin", "owl", "wren"),
    "language": ("alder", "birch", "cedar", "elm", "fir", "hazel", "maple", "oak"),
}
_CLADES = {  # families that differ in where their layers lie: what a taxonomy must find
    "early": ("vision", (0.0, 0.3)),
    "late": ("language", (0.8, 1.0)),
    "whole": ("vision", (0.0, 1.0)),
}
_CLADE_MODELS, _CLADE_LAYERS, _CLADE_QUALITY = 12, 4, 0.6
_RANGES = {"vision": (0.0, 1.0), "language": (0.8, 1.0)}  # of g, from the first layer to the last


@dataclass(frozen=True)
class Spec:
    """A planted model: its width d, its quality q, and the place g of each layer on the hierarchy."""

    name: str
    modality: str
    family: str
    width: int
    quality: float
    places: tuple[float, ...]
    performs: bool = False  # whether it is in the performance table
    flaw: str = ""  # "" | overflow | constant


def roster(world: World) -> tuple[Spec, ...]:
    """The models of a world: both modalities and the special ones when planted, else language models only."""
    if world.truth != "planted":
        return _modality(world, "language", 4)
    return (*_modality(world, "vision", 8), *_modality(world, "language", 8), *_clades(), *_flawed())


def line_up(world: World) -> tuple[Spec, ...]:
    """Models of both modalities with four layers each, whatever the truth: for claims that are about both."""
    both = (*_modality(world, "vision", 4), *_modality(world, "language", 4))
    return (*both, *_clades()) if world.truth == "planted" else both


def _modality(world: World, modality: str, layers: int) -> tuple[Spec, ...]:
    widths = _widths(MODELS)
    qualities = np.zeros(MODELS) if world.truth == "width" else _qualities(stream(world.seed, "quality", modality))
    families = islice(cycle(_LINEAGES[modality]), MODELS)
    return tuple(
        Spec(
            f"{modality}-{i:02d}",
            modality,
            family,
            int(d),
            float(q),
            _places(*_RANGES[modality], layers),
            performs=True,
        )
        for i, (d, q, family) in enumerate(zip(widths, qualities, families, strict=True))
    )


def _clades() -> tuple[Spec, ...]:
    """Equally good models of three families whose widths are crossed with the families."""
    widths, names = _widths(_CLADE_MODELS), islice(cycle(_CLADES), _CLADE_MODELS)
    return tuple(
        Spec(f"{family}-{i:02d}", modality, family, int(d), _CLADE_QUALITY, _places(*ends, _CLADE_LAYERS))
        for i, (d, family) in enumerate(zip(widths, names, strict=True))
        for modality, ends in [_CLADES[family]]
    )


def _flawed() -> tuple[Spec, ...]:
    places = _places(*_RANGES["vision"], 8)
    flaws = ("overflow", "constant")
    return tuple(Spec(f"flawed-{flaw}", "vision", "flawed", _NARROW, 0.5, places, flaw=flaw) for flaw in flaws)


def _widths(count: int) -> NDArray[np.int64]:
    return np.rint(np.geomspace(_NARROW, _WIDE, count)).astype(np.int64)


def _places(first: float, last: float, layers: int) -> tuple[float, ...]:
    return tuple(np.linspace(first, last, layers).tolist())


def _qualities(rng: Generator) -> NDArray[np.float64]:
    """Evenly spaced qualities in an order that has nothing to do with width."""
    spaced = np.linspace(_WORST, _BEST, MODELS)
    while True:
        quality = rng.permutation(spaced)
        if abs(np.corrcoef(quality, np.log(_widths(MODELS)))[0, 1]) < _UNRELATED:
            return quality


def _by_quality(spec: Spec, rng: Generator) -> float:
    return 40 * spec.quality + rng.standard_normal()


def _by_width(spec: Spec, rng: Generator) -> float:
    return 8 * np.log(spec.width / 40) + 2 * rng.standard_normal()


def _by_both(spec: Spec, rng: Generator) -> float:
    return 6 * np.log(spec.width / 40) + 15 * spec.quality + rng.standard_normal()


RULES = {"width": _by_width, "mixed": _by_both}  # every other variant: by quality


def performance(world: World, specs: Sequence[Spec] = ()) -> pd.DataFrame:
    """The benchmark table of these models, those of the world where none are named: by the rule of the variant."""
    rule = RULES.get(world.truth, _by_quality)
    rows = [
        (f"planted:{spec.name}", "pocket", float(rule(spec, stream(world.seed, "performance", spec.name))))
        for spec in specs or roster(world)
        if spec.performs
    ]
    return pd.DataFrame(rows, columns=["model", "benchmark", "performance"])
