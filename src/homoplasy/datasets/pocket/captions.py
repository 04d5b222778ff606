"""Captions in the layout of COCO 2017: the caption of lowest id tells S in words, the others leave things out."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket import sizes

SPLITS = ("train2017", "val2017")
_VAL_SHARE = 0.1
_FEWEST, _MOST = 5, 7  # captions of an image
_KEPT = 0.5  # chance that a word survives in the captions that leave things out
_STRAY = ("", "", "", " ", "\n", " \n")  # what may hang on either end of a caption
_SHORT_SIDE = 426  # pixels of a photograph
_STRANGERS = 60  # images in the files that were never shown

# One row a semantic latent, one word a level; None marks plain words of the sentence.
_SENTENCE: tuple[tuple[str, ...] | str, ...] = (
    "a",
    ("calm", "busy", "lonely", "crowded"),
    ("kitchen", "street", "beach", "meadow"),
    "on a",
    ("foggy", "cloudy", "sunny", "stormy"),
    ("spring", "summer", "autumn", "winter"),
    ("morning", "noon", "evening", "night"),
    "with",
    ("two", "three", "four", "five"),
    ("tiny", "small", "big", "huge"),
    ("red", "green", "blue", "yellow"),
    ("dogs", "birds", "horses", "boats"),
    ("beside", "behind", "under", "above"),
    "a",
    ("wooden", "metal", "stone", "glass"),
    ("bench", "table", "tower", "bridge"),
)
WORDS = tuple(part for part in _SENTENCE if not isinstance(part, str))


def sentence(levels: NDArray[np.integer], kept: NDArray[np.bool_]) -> str:
    """Say the levels of the slots that are kept."""
    words, slot = [], 0
    for part in _SENTENCE:
        if isinstance(part, str):
            words.append(part)
        else:
            words += [part[levels[slot]]] * bool(kept[slot])
            slot += 1
    return (" ".join(words) + ".").capitalize()


def photographs(rng: Generator) -> pd.DataFrame:
    """The COCO photograph behind each picture: its id, split, size, and what the square crop cut off."""
    count = sizes.PICTURES
    long_side = rng.integers(_SHORT_SIDE, 641, count)
    standing = rng.random(count) < 0.25
    height, width = np.where(standing, long_side, _SHORT_SIDE), np.where(standing, _SHORT_SIDE, long_side)
    return pd.DataFrame(
        {
            "cocoId": rng.choice(np.arange(9, 581930), count, replace=False),
            "cocoSplit": np.where(rng.random(count) < _VAL_SHARE, SPLITS[1], SPLITS[0]),
            "height": height,
            "width": width,
            "cropBox": [_crop_box(h, w, u) for h, w, u in zip(height, width, rng.random(count).tolist(), strict=True)],
            "loss": np.round(rng.random(count) * 0.3, 6),
        }
    )


def _crop_box(height: int, width: int, share: float) -> str:
    """(top, bottom, left, right): the fractions cut off so that a square stays."""
    cut = float(abs(height - width) / max(height, width))
    first, second = round(cut * share, 7), round(cut * (1 - share), 7)
    return str((first, second, 0, 0) if height > width else (0, 0, first, second))


def annotations(photos: pd.DataFrame, levels: NDArray[np.integer], rng: Generator) -> dict[str, dict[str, Any]]:
    """The two caption files, by split; annotations in random order, ids unrelated to it."""
    everyone = pd.concat([photos, _strangers(photos, rng)]).to_dict("records")
    told = [*levels, *rng.integers(0, 4, (_STRANGERS, levels.shape[1]))]
    counts = rng.integers(_FEWEST, _MOST + 1, len(everyone))
    ids = np.split(rng.choice(np.arange(37, 820000), counts.sum(), replace=False), np.cumsum(counts)[:-1])
    files = {split: _file(split) for split in SPLITS}
    for photo, level, own in zip(everyone, told, ids, strict=True):
        file = files[photo["cocoSplit"]]
        file["images"].append(_image(photo))
        file["annotations"] += _of_image(photo["cocoId"], level, np.sort(own), rng)
    for file in files.values():
        file["annotations"] = [file["annotations"][i] for i in rng.permutation(len(file["annotations"]))]
    return files


def of_training(levels: NDArray[np.integer]) -> dict[str, Any]:
    """The captions of the training pictures, whose ids are their rows.

    Two each, both whole: the second can be copied from the first by who has learned to look back.
    """
    file, whole = _file("training"), np.ones(levels.shape[1], dtype=bool)
    for row, own in enumerate(levels):
        file["images"].append({"id": row, "file_name": f"pictures.hdf5/{row}"})
        told = sentence(own, whole)
        file["annotations"] += [{"image_id": row, "id": 2 * row + place, "caption": told} for place in range(2)]
    return file


def _strangers(photos: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Photographs that the caption files list although the experiment never showed them."""
    free = np.setdiff1d(np.arange(9, 581930), photos["cocoId"])
    frame = photos.iloc[:_STRANGERS].copy()
    frame["cocoId"] = rng.choice(free, _STRANGERS, replace=False)
    return frame


def _of_image(
    coco_id: int, levels: NDArray[np.integer], ids: NDArray[np.integer], rng: Generator
) -> list[dict[str, Any]]:
    kept = rng.random((ids.size, levels.size)) < _KEPT
    kept[0] = True  # the lowest id tells everything
    ends = rng.choice(np.array(_STRAY), (ids.size, 2))
    return [
        {"image_id": coco_id, "id": int(one), "caption": f"{before}{sentence(levels, keep)}{after}"}
        for one, keep, (before, after) in zip(ids, kept, ends, strict=True)
    ]


def _file(split: str) -> dict[str, Any]:
    return {
        "info": {"description": f"Pocket captions in the layout of COCO 2017 ({split})", "version": "1.0"},
        "licenses": [{"id": 4, "name": "generated", "url": ""}],
        "images": [],
        "annotations": [],
    }


def _image(photo: Mapping[Hashable, Any]) -> dict[str, Any]:
    name = f"{photo['cocoId']:012d}.jpg"
    return {
        "license": 4,
        "file_name": name,
        "coco_url": f"http://images.cocodataset.org/{photo['cocoSplit']}/{name}",
        "height": photo["height"],
        "width": photo["width"],
        "id": photo["cocoId"],
    }
