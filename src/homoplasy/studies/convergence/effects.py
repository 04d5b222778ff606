"""What a score goes with when width, parameters, depth and class of architecture are allowed for together.

Two models that heed that models of one family are not independent: least squares with errors clustered by family, and
a linear model in which every family has its own level.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import hierarchical, regression
from homoplasy.maths.regression import Estimates
from homoplasy.studies.convergence.associations import FEW, with_covariates
from homoplasy.tables import EFFECTS

CLASS = "class"
COVARIATES: tuple[tuple[str, ...], ...] = (
    ("performance",),
    ("performance", "log_width"),
    ("performance", "log_width", "log_parameters"),
    ("performance", "log_width", "log_parameters", "log_layers"),
    ("performance", CLASS),
    ("performance", CLASS, "log_width"),
)
_HOW: Mapping[str, str] = {
    "clustered": "errors clustered by family, Student's t with families - 1 degrees of freedom",
    "mixed": "a level for every family by REML, Student's t with n - k degrees of freedom",
}


def effects(models: pd.DataFrame, layers: Mapping[str, int]) -> pd.DataFrame:
    """Every set of covariates by reading, modality and benchmark (`tables.EFFECTS`).

    `models` has the columns of `tables.MODEL_SCORES`; `layers` says how many layers a model has (0: not known).
    """
    counts = models["model"].map(layers).astype("float64")
    table = with_covariates(models[models["counted"]]).assign(log_layers=np.log(counts.where(counts > 0)))
    rows = []
    for (reading, modality, benchmark), group in table.groupby(["reading", "modality", "benchmark"], sort=True):
        about = {"reading": reading, "modality": modality, "benchmark": benchmark}
        for names in COVARIATES:
            rows += [about | row for row in _set(group.sort_values("model"), names)]
    return EFFECTS.check(pd.DataFrame(rows)) if rows else EFFECTS.empty()


def _set(models: pd.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Both models with one set of covariates; none where the design cannot tell the covariates apart."""
    numbers = [name for name in names if name != CLASS]
    known = models.dropna(subset=["score", *numbers])
    columns: dict[str, NDArray[np.float64]] = {name: _standard(known[name].to_numpy(np.float64)) for name in numbers}
    if CLASS in names:
        columns |= _classes(known["architecture"])
    if len(known) < len(columns) + 3 or len(columns) == len(numbers) < len(names):
        return []
    design = regression.with_intercept(*columns.values())
    if not np.isfinite(design).all() or np.linalg.matrix_rank(design) < design.shape[1]:
        return []
    y, families = _standard(known["score"].to_numpy(np.float64)), known["family"].to_numpy(object).astype(str)
    if len(set(families)) < 2 or not np.isfinite(y).all():
        return []
    fits = {
        "clustered": regression.clustered(y, design, families),
        "mixed": hierarchical.random_intercept(y, design, families).effects,
    }
    about = {"covariates": "+".join(names), "n": len(known), "families": len(set(families))}
    return [about | row for model, found in fits.items() for row in _terms(model, found, list(columns), about)]


def _terms(model: str, found: Estimates, names: list[str], about: Mapping[str, Any]) -> list[dict[str, Any]]:
    note = _HOW[model] + ("; few families: read with care" if about["families"] < FEW else "")
    return [
        {
            "model": model,
            "term": name,
            "estimate": float(found.coefficients[place]),
            "low": float(found.low[place]),
            "high": float(found.high[place]),
            "p": float(found.p[place]),
            "note": note,
        }
        for place, name in enumerate(names, start=1)
    ]


def _standard(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """In units of its sd; NaN where it has none."""
    spread = x.std(ddof=1) if len(x) > 1 else 0.0
    return (x - x.mean()) / spread if spread > 0 else np.full(len(x), np.nan)


def _classes(architecture: pd.Series) -> dict[str, NDArray[np.float64]]:
    """A column a class, 1 for its models; the commonest class is what the others are compared with."""
    counts = architecture.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {f"class:{name}": (architecture == name).to_numpy(np.float64) for name in counts.index[1:]}
