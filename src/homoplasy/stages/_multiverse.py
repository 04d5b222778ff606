"""What the multiverse stage reads: scores, the halves of the images, models and regions."""

from pathlib import Path

import numpy as np
import pandas as pd

from homoplasy.datasets import hcp_mmp1
from homoplasy.store import frames
from homoplasy.studies.convergence import scales
from homoplasy.studies.convergence.specifications import Study
from homoplasy.tables import DRAWS, MODEL_SCORES, MODELS, REGIONS, SCORES

_READ = [
    *("source", "layer", "depth", "target", "region", "subject", "measure", "params", "value", "ceiling"),
    *("source_units", "target_units", "target_pr"),
]
_OF_REGIONS = ["region", "hemisphere", "network", "voxels", "ncsnr"]
_OF_MODELS = ["model", "modality", "family", "parameters", "performance", "counted"]


def study(brain: Path, features: Path, scores: Path, stats: Path) -> Study:
    """Everything that specifications are made of."""
    table = frames.read(scores / "scores.parquet", SCORES, _READ)
    halves = scores / "halves.parquet"
    drawn = frames.read(halves, DRAWS) if halves.exists() else DRAWS.empty()
    models = _models(
        frames.read(features / "models.parquet", MODELS),
        frames.read(stats / "model_scores.parquet", MODEL_SCORES, _OF_MODELS),
        table,
    )
    regions = scales.by_region(frames.read(brain / "regions.parquet", REGIONS, _OF_REGIONS), hcp_mmp1.anterior())
    return Study(table, models, regions, drawn)


def _models(known: pd.DataFrame, scored: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Every model that is no checkpoint, with its performance, width and size, and whether statistics count it."""
    one = scored.drop_duplicates("model")
    whole = one[~one["model"].isin(known.loc[known["run"] != "", "model"])]
    scores_of = table["source"].unique()
    width = table.drop_duplicates(["source", "layer"]).groupby("source")["source_units"].mean()
    width = width.where(width > 0)
    found = whole.assign(
        scored=whole["model"].isin(scores_of),
        counted=whole["counted"] & whole["model"].isin(scores_of),
        log_width=np.log(whole["model"].map(width).astype("float64")),
        log_parameters=np.log(whole["parameters"].where(whole["parameters"] > 0)),
    )
    return found.drop(columns="parameters").reset_index(drop=True)
