"""What the scores of models go with: performance, feature width, their own chance level; and each given width."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from homoplasy.studies.convergence.associations import METHODS, Question, associate, draw_families, with_covariates
from homoplasy.studies.convergence.subjects import over_subjects
from homoplasy.tables import CORRELATIONS

PAIRS = (
    Question("score", "performance"),
    Question("score", "log_width"),
    Question("performance", "log_width"),
    Question("score", "null_score"),
    Question("null_score", "performance"),
    Question("score", "performance", ("log_width",)),
    Question("score", "performance", ("log_width", "log_parameters")),
    Question("score", "log_width", ("performance",)),
    Question("score", "width"),  # the study's own figures have width on a linear axis
    Question("score", "performance", ("width",)),
)
_VARIABLES = ("score", "performance", "log_width")


def correlations(model_scores: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """All pairs by reading and modality (`tables.CORRELATIONS`), every row of a group on the same models."""
    rows = []
    for (reading, modality), group in model_scores.groupby(["reading", "modality"], sort=True):
        models = complete(group)
        drawn = draw_families(models, draws, seed, str(modality))
        about = {"reading": reading, "modality": modality}
        rows += [about | associate(models, pair, method, drawn) for pair in PAIRS for method in METHODS]
    return CORRELATIONS.check(pd.DataFrame(rows)[list(CORRELATIONS.columns)]) if rows else CORRELATIONS.empty()


def by_subject(model_scores: pd.DataFrame, people: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The correlation of scores with performance in each subject alone, and its mean (`tables.CORRELATIONS`).

    `people` has the scores by reading: models in rows, subjects in columns.
    """
    groups = [complete(group) for _, group in model_scores.groupby(["reading", "modality"], sort=True)]
    rows = over_subjects(pd.concat(groups), people, ("reading", "modality")) if groups else []
    return CORRELATIONS.check(pd.DataFrame(rows)) if rows else CORRELATIONS.empty()


def complete(group: pd.DataFrame) -> pd.DataFrame:
    """The models that have every variable; one that is known of no model (a width, say) excludes nobody."""
    models = group[group["counted"]].sort_values("model")
    models = with_covariates(models)
    known = [name for name in _VARIABLES if models[name].notna().any()]
    return models.dropna(subset=known) if "score" in known else models.iloc[:0]


_PERFORMANCE, _GIVEN_WIDTH = Question("score", "performance"), Question("score", "performance", ("log_width",))
HEADLINES: Mapping[str, tuple[str, Question, str]] = {
    "calibrated_r_performance": ("calibrated", _PERFORMANCE, "pearson"),
    "calibrated_rho_performance": ("calibrated", _PERFORMANCE, "spearman"),
    "calibrated_r_performance_given_width": ("calibrated", _GIVEN_WIDTH, "pearson"),
    "calibrated_r_width": ("calibrated", Question("score", "log_width"), "pearson"),
    "released_r_performance": ("released", _PERFORMANCE, "pearson"),
    "released_rho_performance": ("released", _PERFORMANCE, "spearman"),
    "released_r_performance_given_width": ("released", _GIVEN_WIDTH, "pearson"),
    "released_r_width": ("released", Question("score", "log_width"), "pearson"),
    "released_r_chance": ("released", Question("score", "null_score"), "pearson"),
}


def metrics(table: pd.DataFrame, spreads: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """The few numbers to compare runs by, with the same keys in every world; null where one is not defined."""
    found: dict[str, dict[str, float | int | None]] = {}
    for modality in ("vision", "language"):
        rows = table[table["modality"] == modality]
        spread = spreads[(spreads["modality"] == modality) & (spreads["reading"] == "calibrated")]
        mine: dict[str, float | int | None] = {"models": int(rows["n"].max()) if len(rows) else 0}
        for key, (reading, pair, method) in HEADLINES.items():
            mine[key] = _plain(_find(rows[rows["reading"] == reading], pair, method))
        found[modality] = mine | {f"calibrated_{name}": _plain(spread[name]) for name in ("z_sd", "z_max")}
    return found


def _find(rows: pd.DataFrame, pair: Question, method: str) -> pd.Series:
    same = (rows["x"] == pair.x) & (rows["y"] == pair.y) & (rows["given"] == pair.held) & (rows["method"] == method)
    return rows.loc[same, "r"]


def _plain(values: pd.Series) -> float | None:
    """A rounded number; JSON has no NaN."""
    return round(float(values.iloc[0]), 6) if len(values) and np.isfinite(values.iloc[0]) else None
