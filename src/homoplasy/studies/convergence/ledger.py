"""Verdicts from numbers, by rule, each with one sentence of reason made of the numbers themselves."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.studies.convergence.associations import FEW
from homoplasy.studies.convergence.claims import RULES, Beside, Claim, Kind, Ledger, Query, answer, cells, rows_of
from homoplasy.tables import VERDICTS

REPRODUCED, SURVIVES, WEAKENED, FAILS, UNTESTABLE = VERDICT_WORDS = (
    "reproduced", "survives", "weakened", "fails", "untestable here",
)  # fmt: skip
_MOST = 3  # items that a reason names
_NAN = float("nan")


class Judged(NamedTuple):
    """A verdict, its reason, and the numbers behind it by item."""

    verdict: str
    reason: str
    numbers: pd.DataFrame


class Here(NamedTuple):
    """The tables of each kind of evidence, whether the world is made up, and what the biased reading is called."""

    tables: Mapping[str, Mapping[str, pd.DataFrame]]  # points, world -> name -> table
    generated: bool
    biased: str  # released | written


def verdicts(ledger: Ledger, here: Here) -> pd.DataFrame:
    """Judge every claim on both kinds of evidence in both readings (`tables.VERDICTS`)."""
    rows = []
    for claim in ledger.claims:
        for evidence, kind, query in cells(claim):
            judged = judge(claim, query, kind, here, evidence)
            about = {"claim": claim.id, "evidence": evidence, "reading": here.biased if kind == "released" else kind}
            rows += [about | row for row in _rows(claim, judged)]
    return VERDICTS.check(pd.DataFrame(rows))


def judge(claim: Claim, query: Query | None, kind: Kind, here: Here, evidence: str) -> Judged:
    """The verdict of one cell."""
    if query is None:
        return _untestable(claim.missing)
    found = answer(query, here.tables[evidence], claim.id, {ours: item for item, ours in claim.items.items()})
    wanted = list(claim.published) or list(claim.items)
    if query.by and wanted:
        found = found.reindex([item for item in wanted if item in found.index])
    if found.empty:
        return _untestable(claim.missing)
    if kind == "released":
        made_up = here.generated and evidence == "world"
        return _compared(claim, query, found, made_up=made_up, aside=_aside(query, here.tables[evidence], claim))
    return _calibrated(claim, query, found, here.tables[evidence])


def _untestable(missing: str) -> Judged:
    return Judged(UNTESTABLE, f"Missing: {missing}.", pd.DataFrame(columns=["value", "low", "high"], dtype="float64"))


def _compared(claim: Claim, query: Query, found: pd.DataFrame, *, made_up: bool, aside: str) -> Judged:
    """The released reading: near the printed numbers, or, for a claim without one, of the claimed sign."""
    numbers = ", ".join(_pair(item, row, claim) for item, row in found.head(_MOST).iterrows())
    numbers += f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    if made_up:
        return Judged(UNTESTABLE, f"Generated data cannot reproduce a published result; here {numbers}{aside}.", found)
    if not claim.published:
        holds = bool(((found["value"] - query.neutral) * _signs(found, query, claim) > 0).all())
        return Judged(
            REPRODUCED if holds else FAILS,
            f"The sign is {'as' if holds else 'not as'} claimed: {numbers}{aside}.",
            found,
        )
    lacking = [item for item in claim.published if item not in found.index]
    if lacking:
        return Judged(UNTESTABLE, f"Missing: {len(lacking)} of {len(claim.published)} numbers ({lacking[0]}).", found)
    off = (found["value"] - pd.Series(claim.published)).abs()
    within = off <= claim.tolerance + 1e-12
    tail = f"; the tolerance is {claim.tolerance:g}"
    tail += "" if within.all() else f", {int((~within).sum())} of {len(off)} are further off (largest {off.max():.3g})"
    return Judged(REPRODUCED if within.all() else FAILS, f"{numbers}{tail}{aside}.", found)


def _pair(item: object, row: pd.Series, claim: Claim) -> str:
    said = claim.published.get(str(item))
    name = "" if item == "value" else f"{item} "
    return f"{name}{_number(row['value'])}" + (f" beside the printed {said:g}" if said is not None else "")


def _calibrated(claim: Claim, query: Query, found: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Judged:
    """The calibrated reading: sign, interval, and the same at every confound."""
    tests = {"": _tested(found, query, claim)}
    for confound in query.confounds:
        again = query.model_copy(update={"where": query.where | confound.where, "table": confound.table or query.table})
        held = answer(again, tables, claim.id, {ours: item for item, ours in claim.items.items()})
        tests[confound.says] = _tested(held.loc[found.index.intersection(held.index, sort=False)], query, claim)
    unknown = [name for name, test in tests.items() if test.signs == 0 and test.n == 0]
    reason = "; ".join(f"{name + ': ' if name else ''}{test.text}" for name, test in tests.items())
    reason += _aside(query, tables, claim)
    own = tests[""]
    if own.signs < own.n:
        verdict = FAILS if own.signs * 2 <= own.n else WEAKENED
    elif all(test.clear == own.n for test in tests.values()):
        verdict = SURVIVES
    else:
        verdict = WEAKENED
    reason += f"; not known: {', '.join(unknown)}" if unknown else ""
    reason += "; the opposite of the claim is shown" if own.against == own.n else ""
    reason += _few(rows_of(query.table, query.where, tables, claim.id))
    return Judged(verdict, f"{reason[0].upper()}{reason[1:]}.", found)


def _few(rows: pd.DataFrame) -> str:
    """A warning where the interval rests on few families."""
    families = int(rows["families"].min()) if "families" in rows and len(rows) else FEW
    return f"; {families} families only, so intervals over them are rough" if families < FEW else ""


class _Test(NamedTuple):
    n: int
    signs: int  # with the claimed sign
    clear: int  # with an interval that excludes the neutral value too
    against: int  # with one that lies on the other side of it
    text: str


def _signs(found: pd.DataFrame, query: Query, claim: Claim) -> pd.Series:
    """The claimed sign of every item."""
    said = [query.sign or np.sign(claim.published.get(str(item), np.nan)) for item in found.index]
    return pd.Series(said, index=found.index, dtype="float64")


def _tested(found: pd.DataFrame, query: Query, claim: Claim) -> _Test:
    if found.empty:
        return _Test(0, 0, 0, 0, "not known")
    moved = (found[["value", "low", "high"]] - query.neutral).mul(_signs(found, query, claim), axis=0)
    near, far = moved[["low", "high"]].min(axis=1, skipna=False), moved[["low", "high"]].max(axis=1, skipna=False)
    signs, clear = int((moved["value"] > 0).sum()), int(((moved["value"] > 0) & (near > 0)).sum())
    against = int((far < 0).sum())
    if len(found) <= _MOST:
        named = [("" if item == "value" else f"{item} ") + _spoken(row) for item, row in found.iterrows()]
        return _Test(len(found), signs, clear, against, ", ".join(named))
    text = f"{signs} of {len(found)} have the claimed sign, {clear} with an interval that excludes {query.neutral:g}"
    return _Test(len(found), signs, clear, against, text)


def _spoken(row: pd.Series) -> str:
    bounds = f" ({_number(row['low'])} to {_number(row['high'])})" if np.isfinite(row["low"]) else " (no interval)"
    return _number(row["value"]) + bounds


def _aside(query: Query, tables: Mapping[str, pd.DataFrame], claim: Claim) -> str:
    """Other numbers that help to read the verdict."""
    told = [_told(one, query, tables, claim) for one in query.beside]
    return "".join(f"; {one}" for one in told if one)


def _told(one: Beside, query: Query, tables: Mapping[str, pd.DataFrame], claim: Claim) -> str:
    rows = rows_of(one.table or query.table, query.where | one.where, tables, claim.id)
    values = rows[query.take].dropna() if query.take in rows else pd.Series(dtype="float64")
    return f"{one.says} {_number(float(values.iloc[0]))}" if len(values) else ""


def _number(value: float) -> str:
    """Three digits, or one decimal of a large number."""
    return (f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", "−")


def _rows(claim: Claim, judged: Judged) -> list[dict[str, object]]:
    """The claim as a whole, then its items where it has several."""
    single = judged.numbers.iloc[0] if len(judged.numbers) == 1 else None
    whole: dict[str, object] = {"item": "", "verdict": judged.verdict, "reason": judged.reason}
    whole["published"] = next(iter(claim.published.values())) if len(claim.published) == 1 else _NAN
    whole |= {name: float(single[name]) if single is not None else _NAN for name in ("low", "high")}
    whole["ours"] = float(single["value"]) if single is not None else _NAN
    if len(judged.numbers) < 2:
        return [whole]
    items: list[dict[str, object]] = [
        {
            "item": str(item),
            "published": claim.published.get(str(item), _NAN),
            "ours": float(row["value"]),
            "low": float(row["low"]),
            "high": float(row["high"]),
            "verdict": judged.verdict,
            "reason": "",
        }
        for item, row in judged.numbers.iterrows()
    ]
    return [whole, *items]


def counts(table: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """How many claims got which verdict, by evidence and reading; the same keys in every run."""
    whole = table[table["item"] == ""]
    kinds = {"released": whole["reading"] != "calibrated", "calibrated": whole["reading"] == "calibrated"}
    return {
        evidence: {
            kind: {
                word.replace(" ", "_"): int((mine & (whole["evidence"] == evidence) & (whole["verdict"] == word)).sum())
                for word in VERDICT_WORDS
            }
            for kind, mine in kinds.items()
        }
        for evidence in ("points", "world")
    }


def page(ledger: Ledger, table: pd.DataFrame) -> str:
    """The ledger as Markdown."""
    whole = table[table["item"] == ""]
    lines = ["# Claims", "", ledger.source, "", RULES, ""]
    for claim in ledger.claims:
        said = ", ".join(
            f"{'' if item == 'value' else item + ' '}{number:g}" for item, number in claim.published.items()
        )
        lines += [f"## {claim.id}", "", f"{claim.says} ({claim.printed_in}{': ' + said if said else ''})", ""]
        lines += ["| evidence | reading | verdict | reason |", "|---|---|---|---|"]
        lines += [
            f"| {row['evidence']} | {row['reading']} | {row['verdict']} | {row['reason']} |"
            for _, row in whole[whole["claim"] == claim.id].iterrows()
        ]
        lines.append("")
    return "\n".join(lines)


def plain(ledger: Ledger, table: pd.DataFrame) -> list[dict[str, object]]:
    """The ledger for JSON: a claim with its cells; NaN is null."""
    whole = table[table["item"] == ""]
    told = []
    for claim in ledger.claims:
        cells = [
            {name: _json(row[name]) for name in ("evidence", "reading", "ours", "low", "high", "verdict", "reason")}
            | {"items": _items(table, claim.id, row)}
            for _, row in whole[whole["claim"] == claim.id].iterrows()
        ]
        about = {"id": claim.id, "says": claim.says, "printed_in": claim.printed_in, "published": claim.published}
        told.append(about | {"tolerance": claim.tolerance, "cells": cells})
    return told


def _items(table: pd.DataFrame, claim: str, row: pd.Series) -> dict[str, object]:
    same = (table["claim"] == claim) & (table["evidence"] == row["evidence"]) & (table["reading"] == row["reading"])
    return {
        str(one["item"]): {name: _json(one[name]) for name in ("published", "ours", "low", "high")}
        for _, one in table[same & (table["item"] != "")].iterrows()
    }


def _json(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
