"""The brain score of a model: the mean over its best regions at one depth, beside what chance gives there."""

from math import ceil

import numpy as np
import pandas as pd

from homoplasy.errors import BadData
from homoplasy.studies.convergence.depth import layer_bins
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import MODEL_SCORES

_PREFERRED = ("leaderboard2_avg", "imagenet_top1")
_AVERAGED = ("value", "null_mean", "null_sd", "source_units")
_ABOUT = ("model", "modality", "family", "architecture", "run", "step", "weights", "parameters", "failed")


def with_bins(scores: pd.DataFrame, models: pd.DataFrame, bins: int, binning: str) -> pd.DataFrame:
    """Add the columns `modality` and `bin` to the scores."""
    known = models.set_index("model")["modality"]
    layers = scores[["source", "layer", "depth"]].drop_duplicates(["source", "layer"])
    strangers = layers.loc[~layers["source"].isin(known.index), "source"]
    if len(strangers):
        raise BadData(
            f"scores name '{strangers.iloc[0]}', which models.parquet does not have; run dvc repro extract cka."
        )
    layers = layers.assign(modality=layers["source"].map(known))
    layers["bin"] = layer_bins(layers, bins, binning)
    return scores.merge(layers.drop(columns="depth"), on=["source", "layer"], validate="many_to_one")


def model_scores(
    binned: pd.DataFrame, models: pd.DataFrame, performance: pd.DataFrame, reading: Reading, depth: int
) -> pd.DataFrame:
    """One row a model (`tables.MODEL_SCORES`); a model without a score keeps its row and gets a reason."""
    mine = reading.of(binned)
    at_depth = mine[mine["bin"] == depth]
    valid = at_depth[np.isfinite(at_depth["value"])]
    regions = valid.groupby(["source", "subject", "target"], as_index=False)[list(_AVERAGED)].mean()
    subjects = best(regions, reading.top_share).groupby(["source", "subject"], as_index=False)[list(_AVERAGED)].mean()
    values = subjects.groupby("source")[list(_AVERAGED)].mean().reindex(models["model"]).reset_index(drop=True)
    about = models.rename(columns={"reason": "failed"})[list(_ABOUT)].reset_index(drop=True)
    table = about.assign(
        reading=reading.name,
        params=reading.params,
        score=values["value"],
        null_score=values["null_mean"],
        null_sd=values["null_sd"],
        width=values["source_units"].where(values["source_units"] > 0),
    )
    table["reason"] = _reasons(table, mine, at_depth, depth)
    tested = with_performance(table.drop(columns="failed"), performance)
    return MODEL_SCORES.check(tested.assign(counted=counted(tested)))


def best(regions: pd.DataFrame, share: float) -> pd.DataFrame:
    """Take the k = max(1, ceil(share R)) highest of the R valid regions of each source and subject."""
    ranked = regions.sort_values(["value", "target"], ascending=[False, True], kind="stable")
    groups = ranked.groupby(["source", "subject"])
    keep = groups["value"].transform("size").map(lambda count: top_count(count, share))
    return ranked[groups.cumcount() < keep]


def top_count(regions: int, share: float) -> int:
    """How many regions a share of them is; .05 of 140 is 7, although the product of the floats lies above it.

    >>> top_count(140, 0.05), top_count(24, 0.05), top_count(5, 0.05)
    (7, 2, 1)
    """
    return max(1, ceil(round(share * regions, 9)))


def with_performance(table: pd.DataFrame, performance: pd.DataFrame) -> pd.DataFrame:
    """Add `benchmark` and `performance`: in each modality the benchmark that most of its models were tested on.

    Among equals the two of the study's figures come first, then the alphabet decides.
    """
    known = performance.merge(table[["model", "modality"]], on="model")
    known = known[np.isfinite(known["performance"])]
    tested = known.groupby(["modality", "benchmark"], as_index=False).size()
    tested = tested.assign(other=~tested["benchmark"].isin(_PREFERRED))
    tested = tested.sort_values(["size", "other", "benchmark"], ascending=[False, True, True])
    chosen = tested.drop_duplicates("modality").set_index("modality")["benchmark"]
    kept = known[known["benchmark"] == known["modality"].map(chosen)]
    return table.assign(
        benchmark=[chosen.get(modality, "") for modality in table["modality"]],
        performance=table["model"].map(kept.set_index("model")["performance"]).astype("float64"),
    )


def counted(table: pd.DataFrame) -> pd.Series:
    """Which models statistics are made of: no checkpoints, and models of known performance where any is known."""
    whole = table["run"] == ""
    tested = np.isfinite(table["performance"])
    any_tested = (tested & whole).groupby(table["modality"]).transform("any")
    return whole & (tested | ~any_tested)


def _reasons(table: pd.DataFrame, mine: pd.DataFrame, at_depth: pd.DataFrame, depth: int) -> pd.Series:
    """Why a score is NaN: the model failed, was not scored in this way, has no layer there, or its layers are bad."""
    bad = at_depth[at_depth["reason"] != ""].groupby("source")["reason"].agg(_commonest)
    scored, here = set(mine["source"]), set(at_depth["source"])

    def why(row: pd.Series) -> str:
        if np.isfinite(row["score"]):
            return ""
        if row["failed"]:
            return str(row["failed"])
        if row["model"] not in scored:
            return f"no scores with '{row['params']}'"
        return str(bad.get(row["model"], "no value")) if row["model"] in here else f"no layer in depth bin {depth}"

    return pd.Series([why(row) for _, row in table.iterrows()], index=table.index, dtype="str")


def _commonest(found: pd.Series) -> str:
    return str(found.value_counts().idxmax())
