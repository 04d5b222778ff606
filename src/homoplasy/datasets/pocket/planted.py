"""The planted models: features made of the latents, so that each one's likeness to each region is known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket import sizes
from homoplasy.datasets.pocket.latents import DIMENSIONS, PRIVATE_DIMENSIONS, PRIVATE_SCALES, Latents, normal, unit
from homoplasy.datasets.pocket.roster import Spec, roster
from homoplasy.datasets.pocket.streams import stream
from homoplasy.datasets.pocket.world import World
from homoplasy.representation import Representation

NOISE = 0.3  # sd of what no latent explains
BROKEN_UNIT = 5  # of the model with non-finite features


@dataclass(frozen=True)
class PlantedModel:
    """A model's layers in forward order, for the pictures of the subjects, and what a container says about it."""

    name: str
    layers: list[Representation]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Mixing:
    """The weights of V, S and E in the units of a layer."""

    visual: NDArray[np.float64]
    semantic: NDArray[np.float64]
    private: NDArray[np.float64]


def models(world: World, specs: Sequence[Spec] = ()) -> Iterator[PlantedModel]:
    """Yield these models of a world, its own where none are named, one at a time."""
    everyone = world.seen(tuple(sizes.VOLUMES))
    rows = np.flatnonzero(np.isin(everyone, world.seen(world.subjects)))
    latents = world.model_latents.rows(everyone)
    for spec in specs or roster(world):
        yield _model(world, spec, latents, everyone, rows)


def _model(world: World, spec: Spec, latents: Latents, ids: NDArray[np.int64], rows: NDArray[np.intp]) -> PlantedModel:
    """All layers of a model; features never depend on which of the subjects were asked for."""
    private = normal(stream(world.seed, "model", spec.name), ids.size, PRIVATE_SCALES)
    layers = [
        Representation(
            FLAWS[spec.flaw](features(world, spec, index, latents, private), index)[rows].astype(np.float32),
            ids[rows],
            f"layer{index + 1}",
            facts={
                "depth": (index + 1) / len(spec.places),
                "index": index,
                "raw_width": spec.width,
                "pooling": "none",
            },
        )
        for index in range(len(spec.places))
    ]
    facts = {
        "model": f"planted:{spec.name}",
        "modality": spec.modality,
        "family": spec.family,
        "architecture": "planted",
        "parameters": 12 * len(layers) * spec.width**2,  # as many as transformer blocks of that width have
    }
    return PlantedModel(spec.name, layers, facts)


def features(
    world: World, spec: Spec, index: int, latents: Latents, private: NDArray[np.float64]
) -> NDArray[np.float64]:
    """X = √q·u(√(1−g)·u(V·A) + √g·u(S·B)) + √(1−q)·u(E·C) + .3·N(0, 1)."""
    rng = layer_stream(world, spec, index)
    w, g, q = mixing(rng, spec.width), spec.places[index], spec.quality
    shared = np.sqrt(1 - g) * unit(latents.visual @ w.visual) + np.sqrt(g) * unit(latents.semantic @ w.semantic)
    own = unit(private @ w.private)
    return np.sqrt(q) * unit(shared) + np.sqrt(1 - q) * own + NOISE * rng.standard_normal(own.shape)


def layer_stream(world: World, spec: Spec, index: int) -> Generator:
    """The random stream of a layer: first its weights, then its noise."""
    return stream(world.seed, "model", spec.name, index)


def mixing(rng: Generator, width: int) -> Mixing:
    """Draw the weights of a layer."""
    return Mixing(*(rng.standard_normal((rows, width)) for rows in (DIMENSIONS, DIMENSIONS, PRIVATE_DIMENSIONS)))


def _sound(x: NDArray[np.float64], _: int) -> NDArray[np.float64]:
    return x


def _overflow(x: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """One unit of the sixth layer leaves the range of its number format."""
    if index == 5:
        x[:, BROKEN_UNIT] = np.where(x[:, BROKEN_UNIT] > 1, np.inf, x[:, BROKEN_UNIT])
    return x


def _constant(x: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """The first layer answers every picture alike, as the embedding of a fixed last token does."""
    return np.broadcast_to(x[0], x.shape) if index == 0 else x


FLAWS = {"": _sound, "overflow": _overflow, "constant": _constant}
