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
        return frame.astype({column: _DTYPES[kind] for column, kind in self.columns.items()})

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
        "reason": "text",  # why it has no features; empty when it does
    },
    key=("model",),
)

PERFORMANCE = Schema(
    name="performance",
    columns={"model": "text", "benchmark": "text", "performance": "number"},
    key=("model", "benchmark"),
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

HISTORY = Schema(
    name="history",
    columns={"step": "integer", "loss": "number", "accuracy": "number", "held_out_accuracy": "number"},
    key=("step",),
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
