"""What the scores of models go with: performance, feature width, their own chance level; and each given width."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from homoplasy.maths.correlation import Method
from homoplasy.studies.convergence.associations import METHODS, Question, associate, draw_families
from homoplasy.tables import CORRELATIONS

PAIRS = (
    Question("score", "performance"),
    Question("score", "log_width"),
    Question("performance", "log_width"),
    Question("score", "null_score"),
    Question("null_score", "performance"),
    Question("score", "performance", ("log_width",)),
    Question("score", "log_width", ("performance",)),
    Question("score", "width"),  # the study's own figures have width on a linear axis
    Question("score", "performance", ("width",)),
)
_VARIABLES = ("score", "performance", "log_width")
_FEWEST = 3  # models: a correlation of so few says nothing
_LEAST = 1e-300  # an error of nothing is divided by


def correlations(model_scores: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """All pairs by reading and modality (`tables.CORRELATIONS`), every row of a group on the same models."""
    rows = []
    for (reading, modality), group in model_scores.groupby(["reading", "modality"], sort=True):
        models = complete(group)
        drawn = draw_families(models, draws, seed, str(modality))
        about = {"reading": reading, "modality": modality}
        rows += [about | associate(models, pair, method, drawn) for pair in PAIRS for method in METHODS]
    return CORRELATIONS.check(pd.DataFrame(rows)[list(CORRELATIONS.columns)]) if rows else CORRELATIONS.empty()


def over_subjects(model_scores: pd.DataFrame, people: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The correlation of scores with performance in each subject alone, and its mean (`tables.CORRELATIONS`).

    Models that know the same things share what chance makes of a subject's images; if better models know them better,
    that alone goes with performance, whatever its sign. It differs from subject to subject, so the mean has Student's
    interval over subjects. `people` has the scores by reading: models in rows, subjects in columns.
    """
    rows = []
    for (reading, modality), group in model_scores.groupby(["reading", "modality"], sort=True):
        models = complete(group).set_index("model")
        known = people[str(reading)].reindex(models.index).dropna() if len(models) else pd.DataFrame()
        if len(known) <= _FEWEST or models["performance"].isna().any():
            continue
        about = {"reading": reading, "modality": modality, "x": "score_by_subject", "y": "performance", "given": ""}
        about |= {"n": len(known), "families": models.loc[known.index, "family"].nunique()}
        rows += [about | _mean_of_subjects(known, models["performance"], method) for method in METHODS]
    return CORRELATIONS.check(pd.DataFrame(rows)) if rows else CORRELATIONS.empty()


def _mean_of_subjects(known: pd.DataFrame, performance: pd.Series, method: Method) -> dict[str, object]:
    """The mean over subjects p of b_p = r_p s_p / s, with s_p the spread of scores and s^2 the mean of s_p^2.

    That is the slope in each subject, in one unit. Of correlations alone, chance that all models share makes numbers
    near 1 and -1 whatever its size, and four of them have one sign in one of eight worlds.
    """
    x, y = known.to_numpy(np.float64).T, performance[known.index].to_numpy(np.float64)
    if method == "spearman":
        x, y = stats.rankdata(x, axis=1), stats.rankdata(y)
    nan, spread = float("nan"), np.sqrt(x.var(axis=1).mean()) * y.std()
    slope = (
        (x - x.mean(axis=1, keepdims=True)) @ (y - y.mean()) / len(y) / spread if spread > 0 else np.full(len(x), nan)
    )
    count, mean = len(slope), float(slope.mean())
    low, high, p = nan, nan, nan
    if count > 1 and np.isfinite(mean):
        error = max(float(stats.sem(slope)), _LEAST)
        half = float(stats.t.ppf(0.975, count - 1)) * error
        low, high = max(-1.0, mean - half), min(1.0, mean + half)
        p = float(2 * stats.t.sf(abs(mean) / error, count - 1))
    bounds = {"fisher_low": low, "fisher_high": high, "family_low": nan, "family_high": nan}
    return {"method": method, "r": mean, "p": p, **bounds, "interval": f"Student's t over {count} subjects"}


def complete(group: pd.DataFrame) -> pd.DataFrame:
    """The models that have every variable; one that is known of no model (a width, say) excludes nobody."""
    models = group[group["counted"]].sort_values("model")
    models = models.assign(log_width=np.log(models["width"]))
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
