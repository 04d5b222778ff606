"""Where in the brain, and how deep in the models, likeness sits; and how far scores spread around chance."""

import numpy as np
import pandas as pd

from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import PROFILES, SPREADS

_AVERAGED = ("value", "null_mean", "null_sd", "ceiling")


def profiles(binned: pd.DataFrame, members: list[str], reading: Reading) -> pd.DataFrame:
    """Mean score by region and depth bin (`tables.PROFILES`): over layers in the bin, then subjects, then models."""
    mine = reading.of(binned[binned["source"].isin(members)])
    columns = list(_AVERAGED)
    cells = mine.groupby(["source", "modality", "target", "subject", "region", "bin"], as_index=False)[columns].mean()
    by_region = cells.groupby(["source", "modality", "subject", "region", "bin"], as_index=False)[columns].mean()
    by_model = by_region.groupby(["source", "modality", "region", "bin"], as_index=False)[columns].mean()
    grouped = by_model.groupby(["modality", "region", "bin"])
    table = grouped[columns].mean().assign(models=grouped["value"].count()).reset_index()
    return PROFILES.check(table.assign(reading=reading.name)) if len(table) else PROFILES.empty()


def spreads(binned: pd.DataFrame, members: list[str], reading: Reading) -> pd.DataFrame:
    """Spread of z = (value - null mean) / null sd over all layers, regions and subjects (`tables.SPREADS`).

    Where models share nothing with the brain its sd is near 1; a score that follows chance shows here.
    """
    mine = reading.of(binned[binned["source"].isin(members)])
    z = ((mine["value"] - mine["null_mean"]) / mine["null_sd"]).where(mine["null_sd"] > 0)
    grouped = mine.assign(z=z, size=np.abs(z)).dropna(subset=["z"]).groupby("modality")
    table = pd.DataFrame({"scores": grouped.size(), "z_sd": grouped["z"].std(), "z_max": grouped["size"].max()})
    return SPREADS.check(table.reset_index().assign(reading=reading.name)) if len(table) else SPREADS.empty()
