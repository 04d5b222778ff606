"""Other models for a pocket tree that is there: its pictures and brains are the same in every truth.

The null and the width world come with language models alone. Here they get vision models too, made in the same way, so
that what is said of vision models, or of both kinds, can be tried where it is false. All have four layers.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from homoplasy.datasets.pocket import formats, planted, roster
from homoplasy.datasets.pocket.planted import PlantedModel
from homoplasy.datasets.pocket.tree import MODELS, PERFORMANCE
from homoplasy.datasets.pocket.world import World


def cast(root: Path, world: World, write: Callable[[Path, PlantedModel], None]) -> None:
    """Put the models of a truth, and how well they perform, in the place of those of the tree."""
    shutil.rmtree(root / MODELS, ignore_errors=True)
    specs = roster.line_up(world)
    formats.table(formats.place(root, PERFORMANCE), roster.performance(world, specs))
    for model in planted.models(world, specs):
        write(root / MODELS / f"{model.name}.safetensors", model)
