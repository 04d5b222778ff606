"""Which regions a brain score is the mean of: the best, the best as chosen on other data, all, visual, reliable ones.

Choosing the best regions and scoring them on the same data reads noise as likeness. `held_out` chooses them without the
data that are scored: on the other subjects, or, where scores of both halves of the images are there, on the other half.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from homoplasy.studies.convergence.brain_score import best, top_count
from homoplasy.tables import REGION_SETS

VISUAL = "Visual"
_GROUP = ["source", "modality", "subject"]


def region_sets(cells: pd.DataFrame, networks: Mapping[str, str], share: float, depth: int) -> pd.DataFrame:
    """Score every model at one depth bin on every set of regions (`tables.REGION_SETS`), mean over subjects.

    `cells` has a row a reading, source, subject, region and bin (`depths.cells`); a region without a value counts for
    nothing.
    """
    here = cells[(cells["bin"] == depth) & np.isfinite(cells["value"])]
    if here.empty:
        return REGION_SETS.empty()
    chosen: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "top": lambda table: best(table.assign(target=table["region"]), share),
        "held_out": lambda table: chosen_elsewhere(table, share),
        "all": lambda table: table,
        "visual": lambda table: table[table["region"].map(networks) == VISUAL],
        "ceiling": lambda table: table[np.isfinite(table["corrected"])],
    }
    parts = [_scored(choose(here), name) for name, choose in chosen.items()]
    return REGION_SETS.check(pd.concat([part for part in parts if len(part)], ignore_index=True))


def _scored(kept: pd.DataFrame, name: str) -> pd.DataFrame:
    by_subject = kept.groupby(["reading", *_GROUP])
    table = by_subject[["value", "corrected"]].mean().assign(count=by_subject.size().astype("float64"))
    means = table.groupby(["reading", "source", "modality"])[["value", "corrected", "count"]].mean().reset_index()
    return means.rename(columns={"source": "model", "value": "score"}).assign(regions=name)


def chosen_elsewhere(table: pd.DataFrame, share: float) -> pd.DataFrame:
    """Keep, for each model and subject, the regions that score best in the mean of the other subjects."""
    wide = table.pivot_table(index=["source", "region"], columns="subject", values="value")
    if wide.shape[1] < 2:
        return table.iloc[:0]
    kept = []
    for subject in wide.columns:
        others = wide.drop(columns=subject).mean(axis=1).rename("value").reset_index().dropna(subset=["value"])
        own = wide[subject].dropna().reset_index()[["source", "region"]]
        ranked = others.merge(own, on=["source", "region"]).assign(subject=subject, target=lambda t: t["region"])
        kept.append(best(ranked, share)[["source", "region", "subject"]])
    return table.merge(pd.concat(kept), on=["source", "region", "subject"])


def split_half(halves: pd.DataFrame, share: float) -> pd.Series:
    """Brain score of every source from two halves of the images: chosen on one, scored on the other, both ways.

    `halves` has a row a source, subject, region, split and half (0 or 1) with its value; splits are averaged. Where
    regions hold nothing but noise the mean is 0, while the best of one half scored on itself lies above.
    """
    wide = halves.pivot_table(index=["source", "subject", "split", "region"], columns="half", values="value")
    wide = wide.dropna().rename(columns={0: "first", 1: "second"}).reset_index()
    both = [_cross(wide, *ways, share) for ways in (("first", "second"), ("second", "first"))]
    scored: pd.Series = pd.concat(both).groupby("source")["scored"].mean()
    return scored


def _cross(wide: pd.DataFrame, choose: str, score: str, share: float) -> pd.DataFrame:
    ranked = wide.sort_values([choose, "region"], ascending=[False, True], kind="stable")
    groups = ranked.groupby(["source", "subject", "split"])
    keep = groups[choose].transform("size").map(lambda count: top_count(count, share))
    kept = ranked[groups.cumcount() < keep]
    return kept.groupby(["source", "subject", "split"])[score].mean().rename("scored").reset_index()
