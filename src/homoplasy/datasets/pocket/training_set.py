"""Pictures and captions for networks to learn from: drawn like those the subjects saw, and none of those."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from homoplasy import written
from homoplasy.datasets.pocket import captions, formats, latents, pictures, sizes
from homoplasy.errors import BadData

KEY = "pocket/training/pictures.hdf5"
CAPTIONS = "pocket/training/captions.json"


def draw(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the training pictures (n, pixels, pixels, 3) and the levels 0..3 of their glyphs (n, 12)."""
    drawn = latents.draw(seed, "training", sizes.TRAINING_PICTURES)
    return pictures.render(drawn), pictures.levels(drawn.semantic)


def write(root: Path, seed: int) -> None:
    """Write the training set of a world."""
    shown, glyphs = draw(seed)
    formats.hdf5(formats.place(root, KEY), {"pictures": shown, "glyphs": glyphs})
    formats.to_json(formats.place(root, CAPTIONS), captions.of_training(glyphs))


def training(root: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the training pictures and the levels of their glyphs from a pocket tree."""
    path = root / KEY
    if not path.is_file():
        raise BadData(f"{path} is missing: only the pocket world has pictures to learn from; run dvc repro fetch.")
    try:
        with h5py.File(path, "r") as file:
            shown: NDArray[Any] = file["pictures"][()]
            glyphs: NDArray[Any] = file["glyphs"][()]
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as damage:
        raise BadData(f"{path} is not a whole training set ({damage}); run dvc repro fetch again.") from None
    kinds = (getattr(shown, "dtype", None), getattr(glyphs, "dtype", None))
    shapes = (np.shape(shown), np.shape(glyphs))
    if kinds != (np.uint8, np.uint8) or tuple(map(len, shapes)) != (4, 2) or shapes[0][0] != shapes[1][0]:
        raise BadData(f"{path}: expected uint8 pictures and their glyphs, found {shapes}; run dvc repro fetch again.")
    return shown, glyphs


def training_captions(root: Path) -> list[list[str]]:
    """Read the captions of each training picture, the one of lowest id first, from a pocket tree."""
    path = root / CAPTIONS
    if not path.is_file():
        raise BadData(f"{path} is missing: only the pocket world has captions to learn from; run dvc repro fetch.")
    try:
        told = written.read_json(path)
        found: dict[int, list[str]] = {image["id"]: [] for image in told["images"]}
        for one in sorted(told["annotations"], key=lambda one: int(one["id"])):
            found[one["image_id"]].append(one["caption"].strip())
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as damage:
        raise BadData(f"{path} is not a whole file of captions ({damage!r}); run dvc repro fetch again.") from None
    return [found[row] for row in sorted(found)]
