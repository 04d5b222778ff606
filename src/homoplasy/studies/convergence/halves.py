"""Regions chosen on one half of the images and scored on the other.

Choosing the best regions and scoring them on the same images reads noise as likeness: where nothing but noise is there,
the best of it lies above 0. Chosen on other images it lies at 0.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np
import pandas as pd

from homoplasy.tables import DRAWS

_CELL = ["source", "layer", "target"]
_SIDES = ("first", "second")


def of_reading(halves: pd.DataFrame, mine: pd.DataFrame) -> pd.DataFrame:
    """Scores of both halves by source, subject, region and split, mean over layers; empty where any is not there.

    `halves` is `tables.DRAWS` of the kind `split`; `mine` are the scores (`tables.SCORES`) of one reading at one depth
    bin, of the models that statistics are made of. A cell without a score of all images has none of halves either.
    """
    known = mine[np.isfinite(mine["value"])]
    same = DRAWS.check(halves)
    same = same[
        same["kind"].eq("split") & same["measure"].isin(known["measure"]) & same["params"].isin(known["params"])
    ]
    found = same.merge(known[[*_CELL, "ceiling"]], on=_CELL).dropna(subset=["value"])
    draws = same["draw"].nunique()
    if known.empty or draws < 2 or len(found) != len(known) * draws:
        return found.iloc[:0]
    found = found.assign(split=found["draw"] // 2, half=found["draw"] % 2)
    keys = ["source", "subject", "target", "region", "split", "half"]
    return found.groupby(keys, as_index=False, sort=True)[["value", "ceiling", "n"]].mean()


def top_count(regions: int, share: float) -> int:
    """How many regions a share of them is; .05 of 140 is 7, although the product of the floats lies above it.

    >>> top_count(140, 0.05), top_count(24, 0.05), top_count(5, 0.05)
    (7, 2, 1)
    """
    return max(1, ceil(round(share * regions, 9)))


def top_counts(regions: pd.Series, share: float) -> pd.Series:
    """The same of every row, of which few differ."""
    return regions.map({int(count): top_count(int(count), share) for count in regions.unique()})


def null_sd(found: pd.DataFrame) -> float:
    """Sd of one debiased score of half of the images under re-pairing: sqrt(2 / (n (n - 3))); a mean has less."""
    n = float(found["n"].min())
    return float(np.sqrt(2 / (n * (n - 3)))) if n > 3 else float("nan")


def by_subject(halves: pd.DataFrame, share: float) -> pd.DataFrame:
    """Score of every source and subject: chosen on one half, scored on the other, both ways, mean over splits.

    `halves` has a row a source, subject, region, split and half (0 or 1) with its value; where it has a `ceiling` of
    the region, `corrected` is the mean of value over ceiling. A region counts where both halves have a value.
    """
    every = halves if "ceiling" in halves else halves.assign(ceiling=np.nan)
    index = ["source", "subject", "split", "region"]
    first, second = (every[every["half"] == half].rename(columns={"value": name}) for half, name in enumerate(_SIDES))
    wide = first.merge(second[[*index, "second"]], on=index, validate="one_to_one").dropna(subset=list(_SIDES))
    both = [_cross(wide, *ways, share) for ways in (_SIDES, _SIDES[::-1])]
    return pd.concat(both).groupby(["source", "subject"])[["score", "corrected", "count"]].mean().reset_index()


def split_half(halves: pd.DataFrame, share: float) -> pd.Series:
    """Brain score of every source (`by_subject`), mean over subjects."""
    scored: pd.Series = by_subject(halves, share).groupby("source")["score"].mean()
    return scored


def region_set(halves: Mapping[str, pd.DataFrame], share: float, modality: Mapping[str, str]) -> pd.DataFrame:
    """The score of every source by reading, in the columns of `tables.REGION_SETS`."""
    parts = []
    for reading, table in halves.items():
        if len(table):
            means = by_subject(table, share).groupby("source")[["score", "corrected", "count"]].mean()
            parts.append(means.reset_index(names="model").assign(reading=reading, regions="split_half"))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["model"])
    return found.assign(modality=found["model"].map(modality)) if parts else found


def _cross(wide: pd.DataFrame, choose: str, score: str, share: float) -> pd.DataFrame:
    ranked = wide.sort_values([choose, "region"], ascending=[False, True], kind="stable")
    groups = ranked.groupby(["source", "subject", "split"])
    keep = top_counts(groups[choose].transform("size"), share)
    kept = ranked[groups.cumcount() < keep]
    kept = kept.assign(corrected=kept[score] / kept["ceiling"], count=1.0).rename(columns={score: "score"})
    grouped = kept.groupby(["source", "subject", "split"])
    return grouped[["score", "corrected"]].mean().assign(count=grouped["count"].sum()).reset_index()
