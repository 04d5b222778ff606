"""The pocket world into its raw folder: generated whole, or left alone when it is there already."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from homoplasy.datasets import _manifest, pocket
from homoplasy.datasets.pocket.planted import PlantedModel
from homoplasy.progress import say


def generate(root: Path, choices: Mapping[str, Any], write: Callable[[Path, PlantedModel], None]) -> None:
    """Make the folder hold exactly the world of these choices; `write` puts a planted model into its container."""
    pocket.World(**{**choices, "subjects": tuple(choices["subjects"])})  # refuses before anything is deleted
    request = {**choices, "generator": pocket.VERSION}
    if _manifest.holds(root, "pocket", request):
        say(f"fetch: the pocket world in {root} is whole and as asked; nothing to do")
        return
    say(f"fetch: generating the pocket world ({choices['truth']}, seed {choices['seed']}) into {root}")
    with _manifest.filling(root, "pocket", request):
        for model in pocket.generate(root, **choices):
            write(root / "pocket" / "planted" / f"{model.name}.safetensors", model)
    say(f"fetch: {root} holds {len(_manifest.read(root).files)} files")
