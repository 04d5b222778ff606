"""What was planted, written down for tests: no stage may read it, or the analysis would know its own answers."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.nsd import keys
from homoplasy.datasets.pocket import anatomy, formats, population, regions, trajectories
from homoplasy.datasets.pocket.brain import Brain, session_order
from homoplasy.datasets.pocket.planted import BROKEN_UNIT
from homoplasy.datasets.pocket.regions import Region
from homoplasy.datasets.pocket.roster import roster
from homoplasy.datasets.pocket.world import VERSION, World

FOLDER = "pocket/truth"
LINEAR = tuple(one for one in regions.REGIONS if one.kind == "linear")  # regions with a population CKA in closed form


def write(root: Path, world: World, misread: dict[str, int] | None) -> None:
    """Write truth.json and truth.npz."""
    brains = {keys.subject(subject): Brain(world, subject) for subject in world.subjects}
    formats.to_json(formats.place(root, f"{FOLDER}/truth.json"), _words(world, brains, misread))
    formats.npz(formats.place(root, f"{FOLDER}/truth.npz"), _numbers(world, brains))


def _words(world: World, brains: dict[str, Brain], misread: dict[str, int] | None) -> dict[str, Any]:
    specs = roster(world)
    flawed = {one.name: one.flaw for one in specs if one.flaw}
    return {
        "version": VERSION,
        "world": asdict(world),
        "regions": {one.name: asdict(one) for one in regions.REGIONS},
        "roles": {"fine": regions.FINE.name, "coarse": regions.COARSE.name, "tiny": regions.TINY.name},
        "subjects": {name: _subject(brain) for name, brain in brains.items()},
        "models": {one.name: asdict(one) for one in specs},
        "trajectories": trajectories.truth(world, brains),
        "bad": {"flawed_models": flawed, "overflow_unit": BROKEN_UNIT, "misread_trial": misread},
        "session_order": session_order(world).tolist(),
        "population": {
            "rows": [f"{one.name}/layer{index + 1}" for one in specs for index in range(len(one.places))],
            "columns": [one.name for one in LINEAR],
        },
    }


def _subject(brain: Brain) -> dict[str, Any]:
    body = brain.anatomy
    return {
        "shape": list(body.labels.shape),
        "corner": {"region": "V1", "voxel": list(anatomy.corner(body.labels.shape))},
        "regions": {one.name: _region(brain, one) for one in regions.REGIONS},
    }


def _region(brain: Brain, one: Region) -> dict[str, Any]:
    body, voxels = brain.anatomy, brain.anatomy.voxels[one.name]
    return {
        "voxels": voxels.size,
        "left": int(body.left.ravel()[voxels].sum()),
        "dropout": voxels[body.dropout.ravel()[voxels] > 1].tolist(),
        "constant": voxels[body.constant.ravel()[voxels]].tolist(),
    }


def _numbers(world: World, brains: dict[str, Brain]) -> dict[str, NDArray[Any]]:
    """Latents of all pictures; for each subject the gains of labelled voxels and the population CKA."""
    specs = roster(world)
    layers = [population.layer(world, one, index) for one in specs for index in range(len(one.places))]
    numbers: dict[str, NDArray[Any]] = {
        "visual": world.latents.visual,
        "semantic": world.latents.semantic,
        "model_visual": world.model_latents.visual,
        "model_semantic": world.model_latents.semantic,
    }
    for name, brain in brains.items():
        labelled = np.flatnonzero(brain.anatomy.labels > 0)
        drawn = [brain.gains(session) for session in session_order(world).tolist()]
        numbers |= {
            f"voxels_{name}": labelled,
            f"gains_{name}": np.array([gain[labelled] for gain, _ in drawn], dtype=np.float32),
            f"offsets_{name}": np.array([offset[labelled] for _, offset in drawn], dtype=np.float32),
            f"population_{name}": _population(world, layers, brain),
        }
    return numbers


def _population(world: World, layers: list[population.Moments], brain: Brain) -> NDArray[np.float64]:
    """Linear CKA (layers, regions) for three repeats; zero where the models know nothing of what the brain saw."""
    areas = [population.region(brain, one) for one in LINEAR]
    table = np.array([[population.cka(layer, area) for area in areas] for layer in layers])
    return np.zeros_like(table) if world.truth == "null" else table
