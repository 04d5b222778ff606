"""What the scores of models go with: performance, feature width, their own chance level; and each given width."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import correlation, resampling
from homoplasy.tables import CORRELATIONS

FEW = 8  # families: below this a bootstrap over them is too coarse to trust


class Pair(NamedTuple):
    """Two columns, and the one held fixed."""

    x: str
    y: str
    given: str = ""


PAIRS = (
    Pair("score", "performance"),
    Pair("score", "log_width"),
    Pair("performance", "log_width"),
    Pair("score", "null_score"),
    Pair("null_score", "performance"),
    Pair("score", "performance", "log_width"),
    Pair("score", "log_width", "performance"),
    Pair("score", "width"),  # the study's own figures have width on a linear axis
    Pair("score", "performance", "width"),
)
METHODS: tuple[correlation.Method, ...] = ("pearson", "spearman")
_VARIABLES = ("score", "performance", "log_width")


def correlations(model_scores: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """All pairs by reading and modality (`tables.CORRELATIONS`), every row of a group on the same models."""
    rows = []
    for (reading, modality), group in model_scores.groupby(["reading", "modality"], sort=True):
        models = complete(group)
        generator = np.random.default_rng(np.random.SeedSequence([seed, *str(modality).encode()]))
        weights = resampling.group_weights(models["family"].to_numpy(), draws, generator) if len(models) else None
        about = {"reading": reading, "modality": modality}
        rows += [about | _row(models, pair, method, weights) for pair in PAIRS for method in METHODS]
    return CORRELATIONS.check(pd.DataFrame(rows)) if rows else CORRELATIONS.empty()


def complete(group: pd.DataFrame) -> pd.DataFrame:
    """The models that have every variable; one that is known of no model (a width, say) excludes nobody."""
    models = group[group["counted"]].sort_values("model")
    models = models.assign(log_width=np.log(models["width"]))
    known = [name for name in _VARIABLES if models[name].notna().any()]
    return models.dropna(subset=known) if "score" in known else models.iloc[:0]


def _row(
    models: pd.DataFrame, pair: Pair, method: correlation.Method, weights: NDArray[np.float64] | None
) -> dict[str, object]:
    named = [name for name in pair if name]
    columns = [models[name].to_numpy(np.float64) for name in named]
    known = all(np.isfinite(column).all() for column in columns) and weights is not None
    n, held = (len(models) if known else 0), len(named) - 2
    x, y, given = columns[0], columns[1], columns[2] if held else None
    r = correlation.correlation(x, y, given, method) if known else float("nan")
    by_rank = method == "spearman" and not held
    p = correlation.spearman_p(x, y) if by_rank and known else correlation.p_value(r, n, held)
    low, high = correlation.fisher_interval(r, n, held, method)
    about = {**pair._asdict(), "method": method, "n": n, "r": r, "p": p, "fisher_low": low, "fisher_high": high}
    return about | _family_interval(models, columns, method, weights, defined=not np.isnan(r))


def _family_interval(
    models: pd.DataFrame,
    columns: list[NDArray[np.float64]],
    method: correlation.Method,
    weights: NDArray[np.float64] | None,
    *,
    defined: bool,
) -> dict[str, object]:
    families = models["family"].nunique()
    if not defined or weights is None:
        return _interval(families, (float("nan"), float("nan")), "none: the correlation is not defined")
    if families < 2:
        return _interval(families, (float("nan"), float("nan")), "none: one family only")
    x, y, *given = columns
    values = resampling.weighted_correlation(weights, x, y, given[0] if given else None, method)
    how = f"percentile of {len(values)} draws over {families} families"
    how += f"; fewer than {FEW}, too few to trust" if families < FEW else ""
    return _interval(families, resampling.percentile_interval(values), how)


def _interval(families: int, bounds: tuple[float, float], how: str) -> dict[str, object]:
    return {"family_low": bounds[0], "family_high": bounds[1], "families": families, "interval": how}


HEADLINES: Mapping[str, tuple[str, Pair]] = {
    "calibrated_{}_performance": ("calibrated", Pair("score", "performance")),
    "calibrated_{}_performance_given_width": ("calibrated", Pair("score", "performance", "log_width")),
    "calibrated_{}_width": ("calibrated", Pair("score", "log_width")),
    "released_{}_performance": ("released", Pair("score", "performance")),
    "released_{}_performance_given_width": ("released", Pair("score", "performance", "log_width")),
    "released_{}_width": ("released", Pair("score", "log_width")),
    "released_{}_chance": ("released", Pair("score", "null_score")),
}
LETTERS = {"pearson": "r", "spearman": "rho"}


def metrics(table: pd.DataFrame, spreads: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """The few numbers to compare runs by, with the same keys in every world; null where one is not defined."""
    found: dict[str, dict[str, float | int | None]] = {}
    for modality in ("vision", "language"):
        rows = table[table["modality"] == modality]
        spread = spreads[(spreads["modality"] == modality) & (spreads["reading"] == "calibrated")]
        mine: dict[str, float | int | None] = {"models": int(rows["n"].max()) if len(rows) else 0}
        for key, (reading, pair) in HEADLINES.items():
            for method, letter in LETTERS.items():
                mine[key.format(letter)] = _plain(_find(rows[rows["reading"] == reading], pair, method))
        found[modality] = mine | {f"calibrated_{name}": _plain(spread[name]) for name in ("z_sd", "z_max")}
    return found


def _find(rows: pd.DataFrame, pair: Pair, method: str) -> pd.Series:
    same = (rows["x"] == pair.x) & (rows["y"] == pair.y) & (rows["given"] == pair.given) & (rows["method"] == method)
    return rows.loc[same, "r"]


def _plain(values: pd.Series) -> float | None:
    """A rounded number; JSON has no NaN."""
    return round(float(values.iloc[0]), 6) if len(values) and np.isfinite(values.iloc[0]) else None
