"""Correlations with everything that qualifies them: what is held fixed, three intervals, the false discovery rate."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import correlation, multiplicity, partial, resampling
from homoplasy.tables import ASSOCIATIONS

FEW = 8  # families: below this a bootstrap over them is too coarse to trust
METHODS = correlation.METHODS
_BLOCK = 250  # draws at a time: they stay in the cache
_NAN = float("nan")


class Question(NamedTuple):
    """Two columns, and those held fixed."""

    x: str
    y: str
    given: tuple[str, ...] = ()

    @property
    def held(self) -> str:
        """Names what is held fixed."""
        return "+".join(self.given)


class Draws(NamedTuple):
    """How often each model occurs in every draw of families, and which family it is of."""

    weights: NDArray[np.float64]
    families: NDArray[np.object_]


def draw_families(models: pd.DataFrame, draws: int, seed: int, name: str) -> Draws:
    """Draw whole families with replacement; the stream hangs on the seed and a name alone."""
    families = models["family"].to_numpy(object)
    if models.empty:
        return Draws(np.empty((draws, 0)), families)
    generator = np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
    return Draws(resampling.group_weights(families.astype(str), draws, generator), families)


def associate(models: pd.DataFrame, question: Question, method: correlation.Method, draws: Draws) -> dict[str, object]:
    """One row of statistics; NaN where a column is not known of every model."""
    columns = [models[name].to_numpy(np.float64) for name in (question.x, question.y, *question.given)]
    known = len(models) > 0 and all(np.isfinite(column).all() for column in columns)
    x, y = columns[:2]
    given = np.column_stack(columns[2:]) if question.given else None
    n, held = (len(models) if known else 0), len(question.given)
    r = correlation.correlation(x, y, given, method) if known else _NAN
    by_rank = method == "spearman" and not held
    p = correlation.spearman_p(x, y) if by_rank and known else correlation.p_value(r, n, held)
    fisher = correlation.fisher_interval(r, n, held, method)
    formula = correlation.formula_interval(r, n) if by_rank and known else (_NAN, _NAN)
    about = {"x": question.x, "y": question.y, "given": question.held, "method": method, "n": n, "r": r, "p": p}
    about |= {"fisher_low": fisher[0], "fisher_high": fisher[1], "formula_low": formula[0], "formula_high": formula[1]}
    left = _leave_one_out(x, y, given, method, draws.families) if not np.isnan(r) else (_NAN, _NAN)
    return about | {"leave_low": left[0], "leave_high": left[1]} | _by_family(x, y, given, method, draws, r)


def _by_family(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    given: NDArray[np.float64] | None,
    method: correlation.Method,
    draws: Draws,
    r: float,
) -> dict[str, object]:
    """Percentile interval over draws of families."""
    families = len(set(draws.families.tolist()))
    if np.isnan(r):
        return _interval(families, (_NAN, _NAN), "none: the correlation is not defined")
    if families < 2:
        return _interval(families, (_NAN, _NAN), "none: one family only")
    values = _resampled(draws.weights, x, y, given, method)
    how = f"percentile of {len(values)} draws over {families} families"
    how += f"; fewer than {FEW}, too few to trust" if families < FEW else ""
    return _interval(families, resampling.percentile_interval(values), how)


def _resampled(
    weights: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    given: NDArray[np.float64] | None,
    method: correlation.Method,
) -> NDArray[np.float64]:
    """The correlation in every resample, some at a time."""
    blocks = [weights[start : start + _BLOCK] for start in range(0, len(weights), _BLOCK)]
    if given is None:
        return np.concatenate([resampling.weighted_correlation(block, x, y, None, method) for block in blocks])
    return np.concatenate([partial.weighted_partial(block, x, y, given, method) for block in blocks])


def _interval(families: int, bounds: tuple[float, float], how: str) -> dict[str, object]:
    return {"family_low": bounds[0], "family_high": bounds[1], "families": families, "interval": how}


def _leave_one_out(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    given: NDArray[np.float64] | None,
    method: correlation.Method,
    families: NDArray[np.object_],
) -> tuple[float, float]:
    """The range of r when each family in turn is left out."""
    names = sorted(set(families.tolist()))
    if len(names) < 2:
        return _NAN, _NAN
    left_in = np.array([families != name for name in names], dtype=np.float64)
    values = _resampled(left_in, x, y, given, method)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (_NAN, _NAN)


def ask(models: pd.DataFrame, questions: Sequence[Question], draws: int, seed: int) -> pd.DataFrame:
    """Answer every question by reading, modality and benchmark (`tables.ASSOCIATIONS`), each on the models known.

    `models` has the columns of `tables.MODEL_SCORES`, `benchmark` and `performance` filled; a question is asked of the
    models of which all its columns are known.
    """
    rows = []
    usable = with_covariates(models[models["counted"]])
    for (reading, modality, benchmark), group in usable.groupby(["reading", "modality", "benchmark"], sort=True):
        about = {"reading": reading, "modality": modality, "benchmark": benchmark}
        group = group.sort_values("model")
        for question in questions:
            named = [question.x, question.y, *question.given]
            members = group.dropna(subset=named)
            if members.empty:
                continue
            drawn = draw_families(members, draws, seed, str(modality))
            rows += [about | associate(members, question, method, drawn) for method in METHODS]
    return corrected(pd.DataFrame(rows))


def with_covariates(models: pd.DataFrame) -> pd.DataFrame:
    """Add what is held fixed: ln width, width squared, ln parameters."""
    width, parameters = models["width"].where(models["width"] > 0), models["parameters"]
    added = {"log_width": np.log(width), "width^2": width**2, "log_parameters": np.log(parameters)}
    return models.assign(**added)


def corrected(rows: pd.DataFrame) -> pd.DataFrame:
    """Adjust p inside the declared families of tests: one reading, modality, method and question over benchmarks.

    A column that rows do not have (bounds over families, of a subject) is NaN.
    """
    if rows.empty:
        return ASSOCIATIONS.empty()
    rows = rows.reindex(columns=list(ASSOCIATIONS.columns))
    family = ["reading", "modality", "x", "y", "given", "method"]
    named = rows[family].agg(" | ".join, axis=1)
    q = rows.groupby(named)["p"].transform(lambda p: multiplicity.benjamini_hochberg(p.to_numpy(np.float64)))
    return ASSOCIATIONS.check(rows.assign(tests=named.str.replace(" |  | ", " | ", regex=False), q=q))


def per_benchmark(
    model_scores: pd.DataFrame, performance: pd.DataFrame, benchmarks: Iterable[str] = ()
) -> pd.DataFrame:
    """Pair every model with each benchmark it was tested on; `benchmarks` takes some of them, none given all."""
    wanted = set(benchmarks) or set(performance["benchmark"])
    known = performance[performance["benchmark"].isin(wanted) & np.isfinite(performance["performance"])]
    bare = model_scores.drop(columns=["benchmark", "performance"])
    return bare.merge(known[["model", "benchmark", "performance"]], on="model", validate="many_to_many")
