"""How likeness runs through the depth of models: by modality, subject and network, and where it is highest."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from homoplasy.maths import correlation, regression
from homoplasy.maths.highest import highest
from homoplasy.maths.resampling import percentile_interval
from homoplasy.studies.convergence.families import Drawn, mean_of_families
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import DEPTHS, FACTS

ALL = "all"
MEAN = "mean"
_KEY = ["reading", "modality", "subject", "network", "bin"]
_WHERE = ["source", "modality", "subject", "region"]
_UNITS = ("source", "subject")


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

    Its bounds are those of the depths that may be the highest (`maths.highest`). A bin that some models do not fill is
    averaged over those that do.
    """
    rows = []
    for (reading, modality), group in table.groupby(["reading", "modality"], sort=True):
        for subject in [MEAN, *sorted(group["subject"].unique())]:
            mine = group if subject == MEAN else group[group["subject"] == subject]
            curves, people = (mine.groupby([one, "bin"])["value"].mean().unstack("bin") for one in _UNITS)
            drawn = _drawn(curves, people, families, draws, seed, str(modality))
            if not np.isfinite(drawn.mean).any():
                continue
            places = curves.columns.to_numpy(np.float64) / bins
            may = places[highest(drawn.mean, drawn.draws)]
            about = {"reading": reading, "modality": modality, "fact": "peak_depth", "item": subject}
            value, note = float(places[np.nanargmax(drawn.mean)]), f"depths that may be the highest; {drawn.note}"
            rows.append(about | _numbers(value, may.min(), may.max(), len(curves), note))
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def contrasts(
    table: pd.DataFrame, regions: pd.DataFrame, families: Mapping[str, str], draws: int, seed: int
) -> pd.DataFrame:
    """Every network minus the mean of all regions, at every depth bin (`tables.FACTS`); item: network at bin.

    The same again of what a fit on ln voxels and ncsnr over the regions leaves: large and quiet regions score higher.
    `regions` is `scales.by_region`.
    """
    rows = []
    for (reading, modality, depth), group in table.groupby(["reading", "modality", "bin"], sort=True):
        plain = [_centred(group, unit) for unit in _UNITS]
        for fact, sides in {"network_contrast": plain, "residual_contrast": _left(plain, regions)}.items():
            if not sides:
                continue
            models, people = (_by_network(one, regions["network"]) for one in sides)
            drawn = _drawn(models, people, families, draws, seed, str(modality))
            for place, network in enumerate(models.columns):
                if network and np.isfinite(drawn.mean[place]):
                    about = {"reading": reading, "modality": modality, "fact": fact, "item": f"{network} at {depth}"}
                    numbers = _numbers(drawn.mean[place], *drawn.interval(place), len(models), drawn.note)
                    rows.append(about | numbers)
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def _centred(group: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Every region minus the mean of all, of every model or subject."""
    regions = group.groupby([unit, "region"])["value"].mean().unstack("region")
    return regions.sub(regions.mean(axis=1), axis=0)


def _left(sides: Sequence[pd.DataFrame], regions: pd.DataFrame) -> list[pd.DataFrame]:
    """What ln voxels and ncsnr leave, over the regions where they and every score are known; nothing of too few."""
    known = regions.reindex(sides[0].columns)
    about = pd.DataFrame({"voxels": np.log(known["voxels"].where(known["voxels"] > 0)), "ncsnr": known["ncsnr"]})
    for one in (about.T, *sides):
        about = about[one[about.index].notna().all()]
    if len(about) < about.shape[1] + 3:
        return []
    design = regression.with_intercept(*about.to_numpy(np.float64).T)
    kept = [one[about.index] for one in sides]
    return [
        pd.DataFrame(correlation.residual(one.to_numpy(np.float64).T, design).T, one.index, one.columns) for one in kept
    ]


def _by_network(centred: pd.DataFrame, networks: pd.Series) -> pd.DataFrame:
    """The mean over the regions of every network; the empty name holds those without one."""
    return centred.T.groupby(networks.reindex(centred.columns).fillna("").to_numpy()).mean().T


def modality_gap(table: pd.DataFrame, families: Mapping[str, str], depth: int, draws: int, seed: int) -> pd.DataFrame:
    """Mean over regions and subjects at one depth bin of each modality, and language minus vision (`tables.FACTS`)."""
    at_depth = table[table["bin"] == depth]
    rows = []
    for reading, group in at_depth.groupby("reading", sort=True):
        means = group.groupby(["modality", "source"])["value"].mean()
        sides = {}
        for modality in means.index.unique("modality"):
            one = means[modality].to_frame()
            people = group[group["modality"] == modality].groupby("subject")["value"].mean().to_frame()
            sides[modality] = _drawn(one, people, families, draws, seed, str(modality))
            about = {"reading": reading, "modality": modality, "fact": "mean_score", "item": ""}
            side = sides[modality]
            rows.append(about | _numbers(side.mean[0], *side.interval(0), len(one), side.note))
        if {"language", "vision"} <= set(sides):
            language, vision = sides["language"], sides["vision"]
            low, high = percentile_interval(language.draws[:, 0] - vision.draws[:, 0])
            about = {"reading": reading, "modality": "both", "fact": "language_minus_vision", "item": ""}
            value = float(language.mean[0] - vision.mean[0])
            rows.append(about | _numbers(value, low, high, len(means), language.note))
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def _drawn(
    models: pd.DataFrame, people: pd.DataFrame, families: Mapping[str, str], draws: int, seed: int, name: str
) -> Drawn:
    """The mean over the rows of `models`; `people` has a row a subject and the same columns."""
    named = np.array([families.get(str(model), str(model)) for model in models.index])
    return mean_of_families(models.to_numpy(), named, draws, seed, name, people[models.columns].to_numpy())


def _numbers(value: float, low: float, high: float, n: int, note: str) -> dict[str, object]:
    return {"value": float(value), "low": float(low), "high": float(high), "p": float("nan"), "n": n, "note": note}
