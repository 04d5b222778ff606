"""Training curves as the released code of the study draws them (figure 3): the best region of every layer.

Twice the largest score over regions, mean over layers and subjects; of vision networks the largest score plus four
times the mean of all vision runs at that step. The largest of many is above 0 for noise alone, and a mean that all runs
share makes their curves alike; both are here to be compared with, not to be believed.
"""

import pandas as pd

from homoplasy.tables import CURVES

RELEASED = "released_score"
_FACTOR = 2.0
_SHARED = 4.0
_POINT = ["modality", "run", "weights", "step"]


def released_curves(scores: pd.DataFrame) -> pd.DataFrame:
    """One curve a run and kind of weights (`tables.CURVES`).

    `scores` has a row a source, layer, subject and region with `value`, `modality`, `run`, `weights` and `step`.
    """
    best = scores.groupby([*_POINT, "layer", "subject"], as_index=False)["value"].max()
    curve = best.groupby(_POINT, as_index=False)["value"].mean()
    shared = curve.groupby(["modality", "weights", "step"])["value"].transform("mean")
    of_vision = curve["value"] + _SHARED * shared
    value = (_FACTOR * curve["value"]).where(curve["modality"] != "vision", of_vision)
    found = curve.assign(value=value, quantity=RELEASED, unit="")[list(CURVES.columns)].dropna(subset=["value"])
    return CURVES.check(found) if len(found) else CURVES.empty()
