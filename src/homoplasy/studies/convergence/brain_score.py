"""The brain score of a model: the mean over its best regions at one depth, beside what chance gives there.

The best regions are chosen on other images than those that are scored, where scores of both halves of the images are
known.
"""

import numpy as np
import pandas as pd

from homoplasy.errors import BadData
from homoplasy.studies.convergence import halves as halving
from homoplasy.studies.convergence.depth import layer_bins
from homoplasy.studies.convergence.halves import top_counts
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
    binned: pd.DataFrame,
    models: pd.DataFrame,
    performance: pd.DataFrame,
    reading: Reading,
    depth: int,
    halves: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row a model (`tables.MODEL_SCORES`); a model without a score keeps its row and gets a reason.

    `halves` (`halves.of_reading`) replaces the score of the models that it holds.
    """
    mine = reading.of(binned)
    at_depth = mine[mine["bin"] == depth]
    subjects = _subjects(at_depth, reading.top_share)
    values = subjects.groupby("source")[list(_AVERAGED)].mean().reindex(models["model"]).reset_index(drop=True)
    about = models.rename(columns={"reason": "failed"})[list(_ABOUT)].reset_index(drop=True)
    table = about.assign(
        reading=reading.name,
        params=reading.params,
        chosen="all" if reading.top_share == 1 else "best",
        score=values["value"],
        null_score=values["null_mean"],
        null_sd=values["null_sd"],
        width=values["source_units"].where(values["source_units"] > 0),
    )
    if halves is not None and len(halves) and reading.top_share < 1:
        table = _split_half(table, halves, reading.top_share)
    table["reason"] = _reasons(table, mine, at_depth, depth)
    tested = with_performance(table.drop(columns="failed"), performance)
    return MODEL_SCORES.check(tested.assign(counted=counted(tested)))


def by_subject(binned: pd.DataFrame, reading: Reading, depth: int, halves: pd.DataFrame | None = None) -> pd.DataFrame:
    """The score of every model (rows) in every subject (columns); `halves` as in `model_scores`."""
    mine = reading.of(binned)
    own = _subjects(mine[mine["bin"] == depth], reading.top_share).set_index(["source", "subject"])["value"]
    if halves is not None and len(halves) and reading.top_share < 1:
        found = halving.by_subject(halves, reading.top_share).set_index(["source", "subject"])["score"]
        own = found.combine_first(own)
    return own.unstack("subject")


def _subjects(at_depth: pd.DataFrame, share: float) -> pd.DataFrame:
    """Means over the layers at one depth, then over the best regions, by model and subject."""
    valid = at_depth[np.isfinite(at_depth["value"])]
    regions = valid.groupby(["source", "subject", "target"], as_index=False)[list(_AVERAGED)].mean()
    return best(regions, share).groupby(["source", "subject"], as_index=False)[list(_AVERAGED)].mean()


def _split_half(table: pd.DataFrame, halves: pd.DataFrame, share: float) -> pd.DataFrame:
    """The same with the scores of regions that were chosen on other images, for the models that have them."""
    found = table["model"].map(halving.split_half(halves, share))
    known = np.isfinite(found)
    return table.assign(
        score=table["score"].where(~known, found),
        null_sd=table["null_sd"].where(~known, halving.null_sd(halves)),
        chosen=table["chosen"].where(~known, "split_half"),
    )


def best(regions: pd.DataFrame, share: float) -> pd.DataFrame:
    """Take the k = max(1, ceil(share R)) highest of the R valid regions of each source and subject."""
    ranked = regions.sort_values(["value", "target"], ascending=[False, True], kind="stable")
    groups = ranked.groupby(["source", "subject"])
    keep = top_counts(groups["value"].transform("size"), share)
    return ranked[groups.cumcount() < keep]


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
    own = table[["modality", "model"]].merge(kept, on=["modality", "model"], how="left", validate="many_to_one")
    return table.assign(
        benchmark=[chosen.get(modality, "") for modality in table["modality"]],
        performance=own["performance"].to_numpy(np.float64),
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
