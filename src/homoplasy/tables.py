"""Column schemas of every table that passes between stages, and their check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api import types

from homoplasy.errors import BadData, listing, nearest

_KINDS: Mapping[str, Any] = {
    "text": types.is_string_dtype,
    "integer": types.is_integer_dtype,
    "number": types.is_float_dtype,
    "flag": types.is_bool_dtype,
}
_DTYPES: Mapping[str, str] = {"text": "str", "integer": "int64", "number": "float64", "flag": "bool"}


@dataclass(frozen=True)
class Schema:
    """The columns of a table in order, each with its kind, and the columns that name a row.

    The version rises when the meaning of a column changes.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    version: int = 1

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with its columns in order; refuse a missing, unknown or wrongly typed one."""
        for column in frame.columns:
            if column not in self.columns:
                raise BadData(
                    f"table '{self.name}' has an unknown column '{column}'; it takes {listing(self.columns, 30)}."
                    f"{nearest(str(column), self.columns)}"
                )
        for column, kind in self.columns.items():
            if column not in frame.columns:
                raise BadData(f"table '{self.name}' lacks the column '{column}' ({kind}).")
            if len(frame) and not _KINDS[kind](frame[column].dtype):
                raise BadData(f"table '{self.name}', column '{column}': expected {kind}, found {frame[column].dtype}.")
        self._check_key(frame)
        return self._typed(frame[list(self.columns)])

    def _check_key(self, frame: pd.DataFrame) -> None:
        twice = frame[frame.duplicated(list(self.key))]
        if len(twice):
            row = ", ".join(f"{column}={twice.iloc[0][column]}" for column in self.key)
            raise BadData(f"table '{self.name}': the row {row} occurs more than once.")

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        kinds = {column: _DTYPES[kind] for column, kind in self.columns.items()}
        return frame.astype({column: kind for column, kind in kinds.items() if frame[column].dtype != kind})

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        return self._typed(pd.DataFrame({column: [] for column in self.columns}))


STIMULI = Schema(
    name="stimuli",
    columns={
        "stimulus_id": "integer",  # 0-based index into the picture brick (NSD's 73k id)
        "coco_id": "integer",
        "coco_split": "text",
        "shared": "flag",  # shown to every subject
        "caption": "text",
        "caption_words": "integer",
        "cropped": "number",  # share of the photograph outside the crop
    },
    key=("stimulus_id",),
)

REGIONS = Schema(
    name="regions",
    columns={
        "subject": "text",
        "region": "text",
        "hemisphere": "text",  # both | left | right
        "voxels_labelled": "integer",
        "voxels_constant": "integer",
        "voxels_dropout": "integer",
        "voxels_unreliable": "integer",  # below the ncsnr threshold
        "voxels": "integer",  # kept
        "ncsnr": "number",  # mean over kept voxels, estimated from the betas
        "ncsnr_shipped": "number",
        "variance_ceiling": "number",  # mean over kept voxels, percent of variance
        "ceiling": "number",  # linear CKA_u of noise-free patterns with themselves under noise; NaN: no signal
        "network": "text",
        "reason": "text",  # why a region carries no patterns; empty when it does
    },
    key=("subject", "region", "hemisphere"),
)

VOXELS = Schema(
    name="voxels",
    columns={
        "region": "text",
        "hemisphere": "text",  # left | right
        "voxel": "integer",  # C-order index into the (X, Y, Z) volume
        "ncsnr": "number",
        "ncsnr_shipped": "number",
        "dropout": "number",
        "variance_ceiling": "number",
    },
    key=("voxel",),
)

MODELS = Schema(
    name="models",
    columns={
        "model": "text",  # its address
        "modality": "text",  # vision | language
        "family": "text",
        "architecture": "text",
        "parameters": "number",  # NaN: not known
        "layers": "integer",
        "run": "text",  # the training run of a checkpoint, else empty
        "step": "integer",  # -1 unless a checkpoint
        "weights": "text",  # of a checkpoint: raw | ema (their exponential moving average); else empty
        "image_size": "integer",  # pixels of a side that a vision model is given; 0: none, or not known
        "reason": "text",  # why it has no features; empty when it does
    },
    key=("model",),
)

PERFORMANCE = Schema(
    name="performance",
    columns={"model": "text", "benchmark": "text", "performance": "number"},
    key=("model", "benchmark"),
)

JOINS = Schema(
    name="joins",
    columns={
        "file": "text",
        "lines": "integer",
        "duplicates": "integer",  # lines that were dropped
        "rule": "text",  # by which
        "models": "integer",  # of ours that took a result of it
        "other_size": "integer",  # of ours that it lists, at another image size only
        "not_listed": "integer",  # of ours that it does not list
    },
    key=("file",),
)

SCORES = Schema(
    name="scores",
    columns={
        "source": "text",
        "layer": "text",
        "depth": "number",  # in (0, 1]
        "target": "text",
        "region": "text",
        "subject": "text",
        "measure": "text",  # cka.linear | cka.rbf | mutual_knn | cycle_knn | rsa.spearman | procrustes | ...
        "params": "text",  # for example "sigma=9 biased", "c=1 debiased", "k=20 cosine"
        "estimator": "text",  # biased | debiased; empty for a measure without one
        "n": "integer",
        "value": "number",
        "null_mean": "number",  # exact mean under re-pairing; NaN where no closed form is known
        "null_sd": "number",  # exact standard deviation under re-pairing; NaN where no closed form is known
        "se": "number",  # standard error over stimuli, by leaving groups out; NaN for a measure without one
        "ceiling": "number",
        "source_units": "integer",
        "target_units": "integer",
        "source_offdiagonal": "number",  # kernel health: mean off-diagonal entry; NaN without a kernel
        "target_offdiagonal": "number",
        "source_pr": "number",  # kernel health: participation ratio; NaN without a kernel
        "target_pr": "number",
        "reason": "text",  # why the value is NaN; empty when it is not
    },
    key=("source", "layer", "target", "measure", "params"),
)

DRAWS = Schema(
    name="draws",
    columns={
        "source": "text",
        "layer": "text",
        "target": "text",
        "region": "text",
        "subject": "text",
        "measure": "text",
        "params": "text",
        "estimator": "text",
        "kind": "text",  # permutation: stimuli of the target re-paired | half: half of the stimuli
        "draw": "integer",
        "n": "integer",
        "value": "number",  # NaN where the score has none
    },
    key=("source", "layer", "target", "measure", "params", "draw"),
)

HISTORY = Schema(
    name="history",
    columns={
        "step": "integer",
        "weights": "text",  # raw | ema
        "seen": "integer",  # pictures or tokens that the optimiser has been given
        "split": "text",  # train | held_out
        "metric": "text",  # loss | accuracy | top5 | perplexity
        "value": "number",
    },
    key=("step", "weights", "split", "metric"),
    version=2,
)

MODEL_SCORES = Schema(
    name="model_scores",
    columns={
        "model": "text",
        "modality": "text",
        "family": "text",
        "architecture": "text",
        "run": "text",  # as in models: the training run of a checkpoint
        "step": "integer",
        "weights": "text",
        "reading": "text",  # calibrated | released, with .all where every region counts
        "params": "text",  # kernel and estimator, as in scores
        "score": "number",
        "null_score": "number",  # the same regions and layers, null mean in the place of value
        "null_sd": "number",  # mean null sd of what was averaged: the sd of the score is at most this
        "width": "number",  # mean units of the layers that were scored
        "parameters": "number",
        "benchmark": "text",  # empty: no performance is known
        "performance": "number",
        "counted": "flag",  # statistics are made of it: no checkpoint, and tested where any model of its kind is
        "reason": "text",  # why the score is NaN; empty when it is not
    },
    key=("model", "reading"),
)

CORRELATIONS = Schema(
    name="correlations",
    columns={
        "reading": "text",
        "modality": "text",
        "x": "text",
        "y": "text",
        "given": "text",  # partialled out; empty when nothing is
        "method": "text",  # pearson | spearman
        "n": "integer",
        "r": "number",
        "p": "number",
        "fisher_low": "number",
        "fisher_high": "number",
        "family_low": "number",  # families of models drawn anew
        "family_high": "number",
        "families": "integer",
        "interval": "text",  # how the interval of the families was made, and its weakness
    },
    key=("reading", "modality", "x", "y", "given", "method"),
)

PROFILES = Schema(
    name="profiles",
    columns={
        "reading": "text",
        "modality": "text",
        "region": "text",
        "bin": "integer",  # depth bin
        "value": "number",  # mean over layers in the bin, subjects and models
        "null_mean": "number",
        "null_sd": "number",
        "ceiling": "number",
        "models": "integer",
    },
    key=("reading", "modality", "region", "bin"),
)

SPREADS = Schema(
    name="spreads",
    columns={
        "reading": "text",
        "modality": "text",
        "scores": "integer",
        "z_sd": "number",  # of z = (value - null mean) / null sd; 1 where nothing but chance is at work
        "z_max": "number",  # the largest size of z
    },
    key=("reading", "modality"),
)

LEAVES = Schema(
    name="leaves",
    columns={
        "model": "text",
        "modality": "text",
        "family": "text",
        "architecture": "text",
        "width": "number",  # mean units of its layers
        "leaf": "integer",  # its number in the linkage; -1: not in the tree
        "place": "integer",  # its place from left to right; -1: not in the tree
        "reason": "text",  # why it is not in the tree
    },
    key=("model",),
)

LINKAGE = Schema(
    name="linkage",
    columns={
        "node": "integer",  # leaves are 0 ... m-1, nodes follow
        "left": "integer",
        "right": "integer",
        "height": "number",
        "leaves": "integer",
    },
    key=("node",),
)

TREE = Schema(
    name="tree",
    columns={"fact": "text", "value": "number", "note": "text"},
    key=("fact",),
)

ASSOCIATIONS = Schema(
    name="associations",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",  # what `performance` is here; the models are those tested on it
        "x": "text",
        "y": "text",
        "given": "text",  # the columns held fixed, joined by +; empty when nothing is
        "method": "text",  # pearson | spearman
        "n": "integer",
        "r": "number",
        "p": "number",
        "q": "number",  # p after Benjamini and Hochberg inside `tests`
        "tests": "text",  # the declared family of tests
        "fisher_low": "number",
        "fisher_high": "number",
        "formula_low": "number",  # as the source study printed it: rho -+ 1.96 x .6325 / sqrt(n - 1); NaN for Pearson
        "formula_high": "number",
        "family_low": "number",  # families of models drawn anew
        "family_high": "number",
        "leave_low": "number",  # the least and the largest r when one family is left out
        "leave_high": "number",
        "families": "integer",
        "interval": "text",  # how the interval of the families was made, and its weakness
    },
    key=("reading", "modality", "benchmark", "x", "y", "given", "method"),
)

REGRESSIONS = Schema(
    name="regressions",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",
        "form": "text",  # linear: performance on score | log: performance on ln score
        "n": "integer",
        "intercept": "number",
        "slope": "number",
        "r2": "number",
        "aic": "number",  # n ln(RSS/n) + 2k with k = 2, as printed
        "bic": "number",
        "aicc": "number",  # three parameters, small-sample correction
        "loo_r2": "number",
        "log_wins": "number",  # share of draws over families in which the logarithm fits better
        "log_gain": "number",  # r2 of the logarithm minus that of the line
        "log_gain_low": "number",  # families drawn anew
        "log_gain_high": "number",
        "note": "text",
    },
    key=("reading", "modality", "benchmark", "form"),
)

EFFECTS = Schema(
    name="effects",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",
        "model": "text",  # clustered: least squares, errors clustered by family | mixed: a level for every family
        "covariates": "text",
        "term": "text",  # performance, a covariate, or class:NAME against the commonest class
        "n": "integer",
        "families": "integer",
        "estimate": "number",  # change of the score, in its sd; of a number: for one sd of it
        "low": "number",
        "high": "number",
        "p": "number",
        "note": "text",
    },
    key=("reading", "modality", "benchmark", "model", "covariates", "term"),
)

DEPTHS = Schema(
    name="depths",
    columns={
        "reading": "text",
        "modality": "text",
        "subject": "text",  # mean: over subjects
        "network": "text",  # all: every region
        "bin": "integer",
        "value": "number",  # mean over regions, then layers, then models
        "corrected": "number",  # the same of value / ceiling, over regions whose ceiling is known
        "null_mean": "number",
        "regions": "integer",
        "models": "integer",
    },
    key=("reading", "modality", "subject", "network", "bin"),
)

SCALES = Schema(
    name="scales",
    columns={
        "reading": "text",  # calibrated: widths in medians | released: fixed widths, standardised
        "modality": "text",
        "region": "text",
        "network": "text",
        "delta": "number",  # score at the wide kernel minus score at the narrow one, mean over subjects
        "corrected": "number",  # the same over the ceiling of the region; NaN where there is none
        "raw": "number",  # without standardising
        "agreement": "number",  # share of subjects with the sign of the mean
        "low": "number",  # 95 %, Student's t over subjects
        "high": "number",
        "null_low": "number",  # what chance alone would give, 95 %: from the null sd of both scores
        "null_high": "number",
        "voxels": "number",
        "ncsnr": "number",
        "pr": "number",  # participation ratio of the region's kernel
        "anterior": "number",  # mm, larger is further to the front
        "residual": "number",  # delta after ln voxels, ncsnr and participation ratio; NaN where not known
        "residual_low": "number",  # with the half-width of the interval of delta
        "residual_high": "number",
    },
    key=("reading", "modality", "region"),
)

FACTS = Schema(
    name="facts",
    columns={
        "reading": "text",
        "modality": "text",
        "fact": "text",
        "item": "text",  # what it is a fact of: a network, a subject, a pair; empty for the whole
        "value": "number",
        "low": "number",
        "high": "number",
        "p": "number",
        "n": "integer",
        "note": "text",  # how the interval and p were made
    },
    key=("reading", "modality", "fact", "item"),
)

AGREEMENTS = Schema(
    name="agreements",
    columns={
        "reading": "text",
        "modality": "text",
        "of": "text",  # models: their scores | regions: the profile over regions, mean of models
        "subject_a": "text",
        "subject_b": "text",
        "pair": "text",  # both, joined by -
        "n": "integer",
        "r": "number",
        "low": "number",  # Fisher's z
        "high": "number",
    },
    key=("reading", "modality", "of", "subject_a", "subject_b"),
)

RANKS = Schema(
    name="ranks",
    columns={
        "modality": "text",
        "of": "text",  # what is ranked: models | regions
        "a": "text",  # measure and parameters
        "b": "text",
        "n": "integer",
        "rho": "number",
        "low": "number",  # Fisher's z
        "high": "number",
    },
    key=("modality", "of", "a", "b"),
)

EMBEDDING = Schema(
    name="embedding",
    columns={
        "method": "text",  # pca | mds
        "kind": "text",  # region: its profile over layers | layer: its profile over regions
        "item": "text",
        "modality": "text",
        "model": "text",
        "bin": "integer",
        "x": "number",
        "y": "number",
    },
    key=("method", "kind", "item"),
)

CURVES = Schema(
    name="curves",
    columns={
        "run": "text",  # a training run
        "weights": "text",  # raw | ema
        "quantity": "text",  # score, or the name of a benchmark
        "unit": "text",  # where a score was taken: subject/region; empty for a benchmark
        "step": "integer",
        "value": "number",
    },
    key=("run", "weights", "quantity", "unit", "step"),
)

LAGS = Schema(
    name="lags",
    columns={
        "run": "text",
        "modality": "text",
        "weights": "text",
        "benchmark": "text",
        "transform": "text",  # of performance: plain | rank | logit | log_loss
        "points": "integer",  # steps that both curves have
        "score_half": "number",  # log2(step + 1) of the half-rise
        "performance_half": "number",
        "lag": "number",  # performance minus score: above 0 the score comes first
        "low": "number",
        "high": "number",
        "units": "integer",
        "r": "number",  # of the curves
        "r_changes": "number",  # of their changes from step to step
        "r_changes_low": "number",  # Fisher's z
        "r_changes_high": "number",
        "p_shift": "number",  # of that, changes turned round
        "p_block": "number",  # of that, blocks of changes in random order
        "note": "text",
    },
    key=("run", "weights", "benchmark", "transform"),
)

SUPPORT = Schema(
    name="support",
    columns={"node": "integer", "leaves": "integer", "support": "number"},  # share of half-samples of regions
    key=("node",),
)

PRINTED_CHECKS = Schema(
    name="printed_checks",
    columns={
        "table": "text",
        "item": "text",
        "quantity": "text",
        "printed": "number",
        "ours": "number",
        "from_what": "text",  # points: from the points of every model | printed: from other printed numbers
        "tolerance": "number",
        "agrees": "flag",
    },
    key=("table", "item", "quantity", "from_what"),
)

VERDICTS = Schema(
    name="verdicts",
    columns={
        "claim": "text",
        "evidence": "text",  # points: what the study printed of every model | world: the scores of this run
        "reading": "text",  # written | released | calibrated
        "item": "text",  # empty for the claim as a whole
        "published": "number",
        "ours": "number",
        "low": "number",
        "high": "number",
        "verdict": "text",  # reproduced | survives | weakened | fails | untestable here
        "reason": "text",
    },
    key=("claim", "evidence", "reading", "item"),
)

REGION_SETS = Schema(
    name="region_sets",
    columns={
        "model": "text",
        "modality": "text",
        "reading": "text",
        "regions": "text",  # top | held_out | all | visual | ceiling: which regions the score is the mean of
        "score": "number",
        "corrected": "number",  # the same of value / ceiling, over regions whose ceiling is known
        "count": "number",  # regions, mean over subjects
    },
    key=("model", "reading", "regions"),
)
