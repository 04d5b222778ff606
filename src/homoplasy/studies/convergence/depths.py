"""How likeness runs through the depth of models: by modality, subject and network, and where it is highest."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from homoplasy.studies.convergence.families import mean_of_families
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import DEPTHS, FACTS

ALL = "all"
MEAN = "mean"
_KEY = ["reading", "modality", "subject", "network", "bin"]
_WHERE = ["source", "modality", "subject", "region"]


def cells(binned: pd.DataFrame, members: list[str], reading: Reading) -> pd.DataFrame:
    """Mean over layers by model, subject, region and depth bin; `corrected` is value over ceiling."""
    mine = reading.of(binned[binned["source"].isin(members)])
    mine = mine.assign(corrected=mine["value"] / mine["ceiling"])
    columns = ["value", "corrected", "null_mean", "null_sd"]
    return mine.groupby([*_WHERE, "bin"], as_index=False)[columns].mean().assign(reading=reading.name)


def depths(table: pd.DataFrame, networks: Mapping[str, str]) -> pd.DataFrame:
    """Profiles over depth (`tables.DEPTHS`) of the cells of one reading: regions, then models, then subjects."""
    if table.empty:
        return DEPTHS.empty()
    named = table.assign(network=table["region"].map(networks).fillna(""))
    both = pd.concat([table.assign(network=ALL), named[named["network"] != ""]], ignore_index=True)
    columns = ["value", "corrected", "null_mean"]
    grouped = both.groupby(["source", *_KEY])
    models = grouped[columns].mean().assign(regions=grouped["value"].count()).reset_index()
    subjects = _over_models(models)
    mean = _over_models(models.assign(subject=MEAN).groupby(["source", *_KEY], as_index=False).mean())
    return DEPTHS.check(pd.concat([subjects, mean], ignore_index=True))


def _over_models(models: pd.DataFrame) -> pd.DataFrame:
    grouped = models.groupby(_KEY)
    table = grouped[["value", "corrected", "null_mean"]].mean()
    table["regions"] = grouped["regions"].max().round().astype("int64")
    return table.assign(models=grouped["source"].nunique()).reset_index()


def peaks(table: pd.DataFrame, families: Mapping[str, str], bins: int, draws: int, seed: int) -> pd.DataFrame:
    """Relative depth of the highest mean score (`tables.FACTS`), by modality, over all subjects and in each.

    A bin that some models do not fill is averaged over those that do.
    """
    rows = []
    for (reading, modality), group in table.groupby(["reading", "modality"], sort=True):
        for subject in [MEAN, *sorted(group["subject"].unique())]:
            mine = group if subject == MEAN else group[group["subject"] == subject]
            curves = mine.groupby(["source", "bin"])["value"].mean().unstack("bin")
            drawn = mean_of_families(curves.to_numpy(), _families(curves, families), draws, seed, str(modality))
            if not np.isfinite(drawn.mean).any():
                continue
            places = curves.columns.to_numpy(np.float64) / bins
            tops = places[np.nanargmax(drawn.draws[np.isfinite(drawn.draws).any(axis=1)], axis=1)]
            low, high = np.quantile(tops, [0.025, 0.975])
            about = {"reading": reading, "modality": modality, "fact": "peak_depth", "item": subject}
            value = float(places[np.nanargmax(drawn.mean)])
            rows.append(about | _numbers(value, float(low), float(high), len(curves), drawn.note))
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def contrasts(
    table: pd.DataFrame, networks: Mapping[str, str], families: Mapping[str, str], draws: int, seed: int
) -> pd.DataFrame:
    """Every network minus the mean of all regions, at every depth bin (`tables.FACTS`); item: network at bin."""
    rows = []
    for (reading, modality, depth), group in table.groupby(["reading", "modality", "bin"], sort=True):
        regions = group.groupby(["source", "region"])["value"].mean().unstack("region")
        centred = regions.sub(regions.mean(axis=1), axis=0)
        by_network = centred.T.groupby(centred.columns.map(lambda name: networks.get(name, ""))).mean().T
        drawn = mean_of_families(by_network.to_numpy(), _families(regions, families), draws, seed, str(modality))
        for place, network in enumerate(by_network.columns):
            if network and np.isfinite(drawn.mean[place]):
                about = {"reading": reading, "modality": modality, "fact": "network_contrast"}
                item = {"item": f"{network} at {depth}"}
                rows.append(
                    about | item | _numbers(drawn.mean[place], *drawn.interval(place), len(regions), drawn.note)
                )
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def modality_gap(table: pd.DataFrame, families: Mapping[str, str], depth: int, draws: int, seed: int) -> pd.DataFrame:
    """Mean over regions and subjects at one depth bin of each modality, and language minus vision (`tables.FACTS`)."""
    at_depth = table[table["bin"] == depth]
    rows = []
    for reading, group in at_depth.groupby("reading", sort=True):
        means = group.groupby(["modality", "source"])["value"].mean()
        sides = {}
        for modality in means.index.unique("modality"):
            one = means[modality].to_frame()
            sides[modality] = mean_of_families(one.to_numpy(), _families(one, families), draws, seed, str(modality))
            about = {"reading": reading, "modality": modality, "fact": "mean_score", "item": ""}
            side = sides[modality]
            rows.append(about | _numbers(side.mean[0], *side.interval(0), len(one), side.note))
        if {"language", "vision"} <= set(sides):
            language, vision = sides["language"], sides["vision"]
            low, high = np.quantile(language.draws[:, 0] - vision.draws[:, 0], [0.025, 0.975])
            about = {"reading": reading, "modality": "both", "fact": "language_minus_vision", "item": ""}
            value = float(language.mean[0] - vision.mean[0])
            rows.append(about | _numbers(value, float(low), float(high), len(means), language.note))
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def _families(table: pd.DataFrame, families: Mapping[str, str]) -> np.ndarray:
    return np.array([families.get(str(model), str(model)) for model in table.index])


def _numbers(value: float, low: float, high: float, n: int, note: str) -> dict[str, object]:
    return {"value": float(value), "low": low, "high": high, "p": float("nan"), "n": n, "note": note}
