"""Pictures, captions and what is known of them; stimulus ids are 0-based rows of the picture brick."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets.nsd import _formats
from homoplasy.errors import BadData, BadRequest, listing, nearest
from homoplasy.tables import STIMULI

_TRUTHS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
PICKS: dict[str, Callable[[dict[str, Any]], int]] = {
    "lowest_id": lambda annotation: int(annotation["id"]),
    "file_order": lambda _: 0,  # all alike, so the first in the file stays
}


def read_table(path: Path, subjects: list[int]) -> pd.DataFrame:
    """Read the stimulus table: one row a picture, with the planned trials of these subjects."""
    numbers = ["nsdId", "cocoId", *(f"subject{subject}_rep{k}" for subject in subjects for k in range(3))]
    frame = _formats.table(path, [*numbers, "cocoSplit", "cropBox", "shared1000"], ",")
    odd = [column for column in numbers if frame[column].dtype.kind != "i"]
    if odd:
        raise BadData(f"{path}: expected whole numbers in {listing(odd)}, found {frame[odd[0]].dtype}; fetch it again.")
    if not np.array_equal(frame["nsdId"].to_numpy(), np.arange(len(frame))):
        raise BadData(f"{path}: expected nsdId to count the rows from 0; fetch it again.")
    flags = frame["shared1000"].astype(str).str.strip().str.lower().map(_TRUTHS)
    if flags.isna().any():
        raise BadData(
            f"{path}: shared1000 should be True or False, found '{frame.loc[flags.isna(), 'shared1000'].iloc[0]}'."
        )
    return frame.assign(shared1000=flags.astype(bool))


def check_shared(table: pd.DataFrame, ids: NDArray[np.int64], shared: NDArray[np.int64], path: Path) -> None:
    """A picture is shared by the design exactly if the stimulus table says so."""
    said = table["shared1000"].to_numpy()[ids]
    wrong = ids[said != np.isin(ids, shared)]
    if wrong.size:
        raise BadData(
            f"{path}: picture {wrong[0]} is shared in one of sharedix and shared1000 only; fetch both files again."
        )


def describe(table: pd.DataFrame, ids: NDArray[np.int64], captions: dict[str, Path], pick: str) -> pd.DataFrame:
    """Make the table of these stimuli, each with one caption."""
    rows = table.iloc[ids]
    picked = {split: pick_captions(captions[split], pick) for split in _splits(rows, captions)}
    pairs = zip(rows["cocoSplit"], rows["cocoId"], strict=True)
    words = [_caption(picked[split], int(coco), captions[split]) for split, coco in pairs]
    frame = pd.DataFrame(
        {
            "stimulus_id": ids,
            "coco_id": rows["cocoId"].to_numpy(dtype=np.int64),
            "coco_split": rows["cocoSplit"].to_numpy(),
            "shared": rows["shared1000"].to_numpy(),
            "caption": words,
            "caption_words": [len(caption.split()) for caption in words],
            "cropped": [cropped(str(box)) for box in rows["cropBox"]],
        }
    )
    return STIMULI.check(frame)


def _splits(rows: pd.DataFrame, captions: dict[str, Path]) -> list[str]:
    found = sorted(rows["cocoSplit"].unique())
    unknown = [split for split in found if split not in captions]
    if unknown:
        raise BadData(f"cocoSplit '{unknown[0]}' is not known; expected {listing(captions)}.")
    return found


def pick_captions(path: Path, pick: str) -> dict[int, str]:
    """Choose one caption a picture from a COCO annotation file, trimmed: the lowest id, or the first in the file."""
    if pick not in PICKS:
        raise BadRequest(f"no way '{pick}' to pick a caption; expected {listing(PICKS)}.{nearest(pick, PICKS)}")
    rank, best = PICKS[pick], dict[int, tuple[int, str]]()
    with _formats.guarded(path, "COCO annotation file"):
        for annotation in _formats.read_json(path)["annotations"]:
            picture, place = int(annotation["image_id"]), rank(annotation)
            if picture not in best or place < best[picture][0]:
                best[picture] = (place, str(annotation["caption"]).strip())
    return {picture: caption for picture, (_, caption) in best.items()}


def _caption(picked: dict[int, str], coco: int, path: Path) -> str:
    if coco not in picked:
        raise BadData(f"{path} has no caption for the COCO picture {coco}; fetch it again.")
    return picked[coco]


def cropped(box: str) -> float:
    """Share of the photograph that its crop leaves out; the box is (top, bottom, left, right) in shares.

    >>> cropped("(0.0, 0.0, 0.125, 0.125)")
    0.25
    """
    try:
        top, bottom, left, right = (float(share) for share in ast.literal_eval(box))
    except (ValueError, SyntaxError, TypeError):
        raise BadData(f"cropBox should be '(top, bottom, left, right)' in shares, found '{box}'.") from None
    return 1.0 - (1.0 - top - bottom) * (1.0 - left - right)


def read_pictures(path: Path, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Read these pictures (n, height, width, 3), one at a time, whatever their order."""
    with _formats.hdf5(path, "imgBrick") as brick:
        if brick.ndim != 4 or brick.shape[3] != 3 or brick.dtype != np.uint8:
            raise BadData(f"{path}: expected uint8 pictures (n, height, width, 3), found {brick.dtype} {brick.shape}.")
        outside = ids[(ids < 0) | (ids >= brick.shape[0])]
        if outside.size:
            raise BadData(f"{path} has the pictures 0 to {brick.shape[0] - 1}; {outside[0]} was asked for.")
        out = np.empty((ids.size, *brick.shape[1:]), dtype=np.uint8)
        for row, picture in enumerate(ids):
            out[row] = brick[int(picture)]
    return out
