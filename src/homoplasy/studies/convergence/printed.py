"""What was printed against what its own points, or its other numbers, give: to the precision of the print."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.maths import correlation, multiplicity
from homoplasy.tables import PRINTED_CHECKS

_MAIN = "sigma=36"
_TABLES = ("table1", "table1_unprinted")
_SELF = 4  # correlations of a column with itself, p = 0, stand among the 44 tests of the released table
_ROUNDED = 0.0051  # of a number printed with two decimals
_CUT = 0.001  # of one with three decimals, some of them cut and not rounded
_BOUND = 0.011  # of a bound computed from such a number
_ONE_MODELS = {"lang.leaderboard2": ("language", "performance"), "vis.imagenet": ("vision", "performance")}
_PARAMETERS = {"lang.params_b": ("language", "parameters"), "vis.params_m": ("vision", "parameters")}


class Check(NamedTuple):
    """One number, how we come to it, and how near it must be: absolute, or a share of the printed one."""

    table: str
    item: str
    quantity: str
    ours: float
    from_what: str
    tolerance: float
    relative: bool = False


def checks(
    printed: pd.DataFrame, points: pd.DataFrame, associations: pd.DataFrame, regressions: pd.DataFrame
) -> pd.DataFrame:
    """Every printed number that can be computed, with ours beside it (`tables.PRINTED_CHECKS`)."""
    known = printed.set_index(["table", "item", "quantity"])["value"]
    found = [
        *_correlations(associations),
        *_fits(regressions),
        *_counts(points),
        *_levels(points),
        *_from_printed(known),
        *_false_discovery(known),
    ]
    rows = [_row(one, known) for one in found if (one.table, one.item, one.quantity) in known.index]
    return PRINTED_CHECKS.check(pd.DataFrame(rows)) if rows else PRINTED_CHECKS.empty()


def _row(one: Check, known: pd.Series) -> dict[str, object]:
    value = float(known[one.table, one.item, one.quantity])
    tolerance = one.tolerance * abs(value) if one.relative else one.tolerance
    about = {name: getattr(one, name) for name in ("table", "item", "quantity", "ours", "from_what")}
    return about | {"printed": value, "tolerance": tolerance, "agrees": bool(abs(one.ours - value) <= tolerance)}


def _correlations(associations: pd.DataFrame) -> Iterator[Check]:
    """Rows of Table 1 that the points allow: both coefficients, their p and their printed kinds of interval."""
    main = associations[(associations["reading"] == _MAIN) & (associations["given"] == "")]
    for item, (modality, y) in (_ONE_MODELS | _PARAMETERS).items():
        table = "table1" if item in _ONE_MODELS else "table1_unprinted"
        mine = main[(main["modality"] == modality) & (main["x"] == "score") & (main["y"] == y)]
        for _, row in mine.iterrows():
            method, kind = str(row["method"]), "fisher" if row["method"] == "pearson" else "formula"
            yield Check(table, item, method, row["r"], "points", _ROUNDED)
            yield Check(table, item, f"{method}_p", row["p"], "points", 0.03, relative=True)
            for bound in ("low", "high"):
                yield Check(table, item, f"{method}_{bound}", row[f"{kind}_{bound}"], "points", _ROUNDED)


def _fits(regressions: pd.DataFrame) -> Iterator[Check]:
    tolerances: Mapping[str, float] = {"r2": _ROUNDED, "aic": 0.051, "bic": 0.051}
    for _, row in regressions[regressions["reading"] == _MAIN].iterrows():
        for name, tolerance in tolerances.items():
            yield Check("regression", f"{row['modality']}.{row['form']}", name, row[name], "points", tolerance)


def _counts(points: pd.DataFrame) -> Iterator[Check]:
    main = points[(points["reading"] == _MAIN) & points["modality"].isin(["language", "vision"])]
    yield Check("counts", "models", "count", len(main), "points", 0.0)
    for modality, group in main.groupby("modality"):
        yield Check("counts", str(modality), "count", len(group), "points", 0.0)
    for name, count in main.loc[main["modality"] == "vision", "architecture"].value_counts().items():
        yield Check("counts", f"vision_{str(name).lower()}", "count", count, "points", 0.0)


def _levels(points: pd.DataFrame) -> Iterator[Check]:
    """Least and largest score of the language models of one hidden width."""
    language = points[(points["reading"] == _MAIN) & (points["modality"] == "language")]
    for width, group in language.groupby("width"):
        for quantity, value in (("least", group["score"].min()), ("most", group["score"].max())):
            yield Check("score_by_width", f"{width:.0f}", quantity, value, "points", _CUT)


def _from_printed(known: pd.Series) -> Iterator[Check]:
    """Intervals that follow from a printed coefficient and n: Fisher's z for Pearson, the formula for Spearman."""
    for table, item, quantity in known.index:
        if table not in _TABLES or quantity not in correlation.METHODS:
            continue
        r, n = known[table, item, quantity], int(known[table, item, "n"])
        low, high = correlation.fisher_interval(r, n) if quantity == "pearson" else correlation.formula_interval(r, n)
        yield Check(table, item, f"{quantity}_low", low, "printed", _BOUND)
        yield Check(table, item, f"{quantity}_high", high, "printed", _BOUND)


def _false_discovery(known: pd.Series) -> Iterator[Check]:
    """The printed FDR column: all p-values of both coefficients and four self-correlations adjusted together."""
    keys = [(t, i, q) for t, i, q in known.index if t in _TABLES and q in {"pearson_p", "spearman_p"}]
    if not keys:
        return
    p = np.array([float(known[key]) for key in keys] + [0.0] * _SELF)
    for (table, item, quantity), q in zip(keys, multiplicity.benjamini_hochberg(p), strict=False):
        yield Check(table, item, quantity.removesuffix("p") + "q", float(q), "printed", 0.06, relative=True)
