"""How far subjects agree, on models and on regions; and how far measures do."""

from collections.abc import Mapping
from itertools import combinations, product

import numpy as np
import pandas as pd

from homoplasy.maths import correlation
from homoplasy.studies.convergence import halves as halving
from homoplasy.studies.convergence.brain_score import best
from homoplasy.tables import AGREEMENTS, RANKS

_CELL = ["source", "subject", "region"]


def agreements(
    cells: pd.DataFrame, share: float, depth: int, halves: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Pearson's r of every two subjects (`tables.AGREEMENTS`): of the scores of models, of profiles over regions.

    `cells` has a row a reading, source, subject, region and bin (`depths.cells`); of a reading in `halves`
    (`halves.of_reading`) the regions of a score are chosen on other images. In released scores agreement near 1 is no
    evidence of shared biology: their chance level is the same in every subject.
    """
    here = cells[(cells["bin"] == depth) & np.isfinite(cells["value"])]
    rows = []
    for (reading, modality), group in here.groupby(["reading", "modality"], sort=True):
        wide = {
            "models": _of_models(group, share, (halves or {}).get(str(reading))),
            "regions": group.groupby(["region", "subject"])["value"].mean().unstack("subject"),
        }
        about = {"reading": reading, "modality": modality}
        rows += [about | row for of, table in wide.items() for row in _between_subjects(table, of)]
    return AGREEMENTS.check(pd.DataFrame(rows)) if rows else AGREEMENTS.empty()


def _of_models(group: pd.DataFrame, share: float, halves: pd.DataFrame | None) -> pd.DataFrame:
    """The score of every model in every subject."""
    if halves is not None and len(halves):
        scored = halving.by_subject(halves[halves["source"].isin(group["source"])], share)
        return scored.set_index(["source", "subject"])["score"].unstack("subject")
    chosen = best(group.assign(target=group["region"]), share)
    return chosen.groupby(["source", "subject"])["value"].mean().unstack("subject")


def _between_subjects(table: pd.DataFrame, of: str) -> list[dict[str, object]]:
    known = table.dropna()
    rows = []
    for a, b in combinations(table.columns, 2):
        r = correlation.correlation(known[a].to_numpy(np.float64), known[b].to_numpy(np.float64))
        low, high = correlation.fisher_interval(r, len(known))
        about = {"of": of, "subject_a": str(a), "subject_b": str(b), "pair": f"{a}-{b}", "n": len(known)}
        rows.append(about | {"r": r, "low": low, "high": high})
    return rows


def ranks(binned: pd.DataFrame, members: list[str], depth: int) -> pd.DataFrame:
    """Spearman's rho of every two ways to score (`tables.RANKS`): of the order of models, and of regions."""
    here = binned[binned["source"].isin(members) & (binned["bin"] == depth) & np.isfinite(binned["value"])]
    rows = []
    for modality, group in here.assign(way=here["measure"] + " " + here["params"]).groupby("modality", sort=True):
        means = group.groupby([*_CELL, "way"])["value"].mean()
        orders: Mapping[str, pd.DataFrame] = {
            "models": means.groupby(level=["source", "way"]).mean().unstack("way"),
            "regions": means.groupby(level=["region", "way"]).mean().unstack("way"),
        }
        rows += [{"modality": modality} | row for of, table in orders.items() for row in _between_ways(table, of)]
    return RANKS.check(pd.DataFrame(rows)) if rows else RANKS.empty()


def _between_ways(table: pd.DataFrame, of: str) -> list[dict[str, object]]:
    """All pairs, both orders and each with itself, on what every way has scored."""
    known = table.dropna(axis="columns", how="all").dropna()
    order = known.rank().to_numpy(np.float64)
    if len(known) < 3:
        return []
    centred = order - order.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(length > 0, length, np.nan)
    rho = np.clip(unit.T @ unit, -1.0, 1.0)
    names = [str(name) for name in known.columns]
    rows = []
    for i, j in product(range(len(names)), repeat=2):
        low, high = correlation.fisher_interval(float(rho[i, j]), len(known), method="spearman")
        about = {"of": of, "a": names[i], "b": names[j], "n": len(known)}
        rows.append(about | {"rho": float(rho[i, j]), "low": low, "high": high})
    return rows
