"""Which regions a brain score is the mean of: the best (here or on other data), all, reliable ones, one network.

Choosing the best regions and scoring them on the same data reads noise as likeness. `split_half` chooses them on the
other half of the images (`halves`), `held_out` on the other subjects.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from homoplasy.studies.convergence import halves as halving
from homoplasy.studies.convergence.brain_score import best
from homoplasy.tables import REGION_SETS

RELIABLE = 5.0  # standard errors that the agreement of repeats must lie above 0
_GROUP = ["source", "modality", "subject"]


def region_sets(
    cells: pd.DataFrame,
    networks: Mapping[str, str],
    share: float,
    depth: int,
    reliability: pd.DataFrame | None = None,
    halves: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Score every model at one depth bin on every set of regions (`tables.REGION_SETS`), mean over subjects.

    `cells` has a row a reading, source, subject, region and bin (`depths.cells`); a region without a value counts for
    nothing. `reliability` has `ceiling_z` by subject and region (without it no set `ceiling`), `halves` what
    `halves.of_reading` gives by reading (without it no set `split_half`).
    """
    here = cells[(cells["bin"] == depth) & np.isfinite(cells["value"])]
    if here.empty:
        return REGION_SETS.empty()
    chosen: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "top": lambda table: best(table.assign(target=table["region"]), share),
        "held_out": lambda table: chosen_elsewhere(table, share),
        "all": lambda table: table,
        "ceiling": lambda table: reliable(table, reliability),
    }
    chosen |= {name.lower(): partial(_of_network, networks, name) for name in sorted(set(networks.values()) - {""})}
    readings = [group for _, group in here.groupby("reading", sort=True)]  # each chooses for itself
    parts = [_scored(choose(group), name) for name, choose in chosen.items() for group in readings]
    modality = dict(zip(here["source"], here["modality"], strict=True))
    parts.append(halving.region_set(halves or {}, share, modality))
    return REGION_SETS.check(pd.concat([part for part in parts if len(part)], ignore_index=True))


def _of_network(networks: Mapping[str, str], name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table[table["region"].map(networks) == name]


def reliable(table: pd.DataFrame, reliability: pd.DataFrame | None) -> pd.DataFrame:
    """Keep the regions of a subject whose repeats agree beyond doubt."""
    if reliability is None:
        return table.iloc[:0]
    sure = reliability.loc[reliability["ceiling_z"] > RELIABLE, ["subject", "region"]]
    return table.merge(sure, on=["subject", "region"])


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
