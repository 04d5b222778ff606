"""The ledger of claims: what was printed, the query that asks our tables for it; `ledger` makes the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from homoplasy.errors import BadData, nearest

RULES = (
    "No verdict is written by hand. *reproduced*: the printed number comes out of real data within its tolerance, "
    "computed as the study did. *survives*: the calibrated estimate has the claimed sign, its interval excludes the "
    "neutral value, and so does every test of a confound. *weakened*: the sign holds, an interval or a confound test "
    "fails. *fails*: it does not. *untestable here*: something is missing, and the reason says what."
)
Kind = Literal["released", "calibrated"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Beside(_Strict):
    """A number that the reason quotes, or a confound test: the query again with other values."""

    says: str
    where: dict[str, str] = {}
    table: str = ""


class Query(_Strict):
    """Rows of a table, the column that holds the number, and what is claimed of it."""

    table: str
    where: dict[str, str] = {}
    take: str
    by: str = ""  # the column whose values are the items of the claim; empty: one row, one number
    low: tuple[str, ...] = ()  # of several the outermost bound counts
    high: tuple[str, ...] = ()
    sign: Literal[-1, 0, 1] = 1  # 0: that of the printed number of each item
    neutral: float = 0.0  # the value that the interval must exclude
    confounds: tuple[Beside, ...] = ()
    beside: tuple[Beside, ...] = ()


class Cells(_Strict):
    """The queries of one kind of evidence, one a reading; a reading without one is untestable."""

    released: Query | None = None
    calibrated: Query | None = None


class Evidence(_Strict):
    """What the study printed of every model, and the scores of this run."""

    points: Cells = Cells()
    world: Cells = Cells()


class Claim(_Strict):
    """One published statement."""

    id: str
    says: str
    printed_in: str
    published: dict[str, float] = {}  # item (or "value") -> number
    tolerance: float = 0.0
    items: dict[str, str] = {}  # item -> its name in our table, where the two differ
    missing: str  # what it takes to test it where there is no answer
    evidence: Evidence = Evidence()

    @model_validator(mode="after")
    def _numbers_have_a_tolerance(self) -> "Claim":
        if self.published and self.tolerance <= 0:
            raise ValueError(f"claim '{self.id}' has numbers and no tolerance")
        return self


class Ledger(_Strict):
    """All claims of a study."""

    source: str
    claims: tuple[Claim, ...]


def parse(raw: Any, where: str, kernel_unit: float) -> Ledger:
    """Check a claims file: templates filled in, schema held, no id twice.

    `$k36` is the fixed kernel width 36 of the study in this world.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("claims"), list):
        raise BadData(f"{where}: expected 'source' and a list of 'claims'.")
    shapes = raw.get("shapes") or {}
    if not isinstance(shapes, dict) or not all(isinstance(shape, dict) for shape in shapes.values()):
        raise BadData(f"{where}: expected 'shapes' that are each a claim to be filled in, by name.")
    widths = {f"k{width}": f"{width * kernel_unit:g}" for width in (100, *range(12, 100, 8))}  # $k100 before $k10
    claims = [_substituted(_filled(one, shapes, where), widths) for one in raw["claims"]]
    try:
        ledger = Ledger.model_validate({"source": raw.get("source"), "claims": claims})
    except ValidationError as faults:
        fault = faults.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        named = next((claims[step].get("id", "?") for step in fault["loc"] if isinstance(step, int)), "?")
        raise BadData(f"{where}: claim '{named}', {place}: {fault['msg']}.") from None
    ids = [claim.id for claim in ledger.claims]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice:
        raise BadData(f"{where}: the claim '{twice}' occurs twice.")
    return ledger


def _filled(claim: Any, shapes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A claim with its `shape` filled in: `$name` becomes the value of `with`."""
    if not isinstance(claim, dict) or "shape" not in claim:
        return dict(claim) if isinstance(claim, dict) else {}
    shape, given = str(claim["shape"]), claim.get("with") or {}
    if shape not in shapes:
        raise BadData(f"{where}: claim '{claim.get('id')}' has the unknown shape '{shape}'.{nearest(shape, shapes)}")
    if not isinstance(given, dict):
        raise BadData(f"{where}: claim '{claim.get('id')}': expected words for its shape under 'with', each by name.")
    own = {key: value for key, value in claim.items() if key not in {"shape", "with"}}
    filled: dict[str, Any] = _substituted(shapes[shape], given)
    return filled | own


def _substituted(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _substituted(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [_substituted(one, given) for one in value]
    if isinstance(value, str) and value.startswith("$") and not isinstance(given.get(value[1:], ""), str):
        return given[value[1:]]
    if isinstance(value, str):
        for name, word in given.items():
            value = value.replace(f"${name}", str(word))
    return value


def answer(query: Query, tables: Mapping[str, pd.DataFrame], claim: str, keys: Mapping[str, str]) -> pd.DataFrame:
    """Rows that answer a query, indexed by item, with `value`, `low` and `high`; a query that cannot be is an error."""
    found = rows_of(query.table, query.where, tables, claim)
    for column in (query.take, *query.low, *query.high, *([query.by] if query.by else [])):
        if column not in found:
            raise BadData(f"claim '{claim}' asks table '{query.table}' for '{column}'.{nearest(column, found.columns)}")
    nan = pd.Series(float("nan"), index=found.index)
    answered = pd.DataFrame(
        {
            "item": found[query.by].astype(str).replace(dict(keys)) if query.by else "value",
            "value": found[query.take].astype("float64"),
            "low": found[list(query.low)].min(axis=1) if query.low else nan,
            "high": found[list(query.high)].max(axis=1) if query.high else nan,
        }
    )
    twice = answered["item"].duplicated()
    if twice.any():
        item = answered["item"][twice].iloc[0]
        raise BadData(
            f"claim '{claim}': {int(twice.sum()) + 1} rows of '{query.table}' answer for '{item}'; say which."
        )
    return answered.dropna(subset=["value"]).set_index("item")


def rows_of(table: str, where: Mapping[str, str], tables: Mapping[str, pd.DataFrame], claim: str) -> pd.DataFrame:
    """Rows of a table that have these values."""
    if table not in tables:
        raise BadData(f"claim '{claim}' asks for the table '{table}'.{nearest(table, tables)}")
    found = tables[table]
    for column, value in where.items():
        if column not in found:
            raise BadData(f"claim '{claim}': table '{table}' has no column '{column}'.{nearest(column, found.columns)}")
        found = found[found[column].astype(str) == str(value)]
    return found


def cells(claim: Claim) -> Sequence[tuple[str, Kind, Query | None]]:
    """The four cells of the ledger of a claim: the evidence, the reading, the query."""
    points, world = claim.evidence.points, claim.evidence.world
    return [
        ("points", "released", points.released),
        ("points", "calibrated", points.calibrated),
        ("world", "released", world.released),
        ("world", "calibrated", world.calibrated),
    ]
