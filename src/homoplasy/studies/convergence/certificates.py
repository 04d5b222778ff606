"""How often a claim is announced where it is false, and where it is true: false-positive rates and power by preset.

A biased preset announces a claim when every number of it has the claimed sign and passes an ordinary two-sided test at
5 %: the p of a correlation, or the 95 % interval of the table; a number without either is announced on its sign, as the
study did. No confound is asked for. The calibrated preset announces what its verdict calls `survives`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from homoplasy.errors import BadData
from homoplasy.maths.binomial import clopper_pearson
from homoplasy.studies.convergence import ledger
from homoplasy.studies.convergence.claims import Claim, Ledger, Query, answer
from homoplasy.tables import ANNOUNCEMENTS, CERTIFICATES

LEVEL = 0.05
TESTS = {
    "biased": "claimed sign, and p < .05 or a 95 % interval that excludes chance where the tables have one",
    "debiased": "the verdict is `survives`: claimed sign, interval, and every confound test",
}
# The pocket world has one benchmark; it stands for the main one of each modality.
_STANDS_FOR = {"language": "leaderboard2_avg", "vision": "imagenet_top1"}
_WITH_P = {"correlations", "associations"}
_NAN = float("nan")


Truth = Literal["planted", "null", "width"]


class Known(BaseModel):
    """In which worlds a claim is true, and in which it is false."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    true_in: tuple[Truth, ...]
    false_in: tuple[Truth, ...]

    def role(self, truth: str) -> str:
        """What the rate at which a claim is announced in a world is called."""
        return "power" if truth in self.true_in else "false_positive" if truth in self.false_in else "rate"


class Group(BaseModel):
    """Claims that no pocket world can certify, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    why: str
    claims: tuple[str, ...]


class Scope(BaseModel):
    """Which claims are certified."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    effects: Mapping[str, Known] = {}  # named once, used by many claims
    certified: Mapping[str, Known]
    not_certifiable: tuple[Group, ...]

    @property
    def reasons(self) -> dict[str, str]:
        """Why a claim is not certified."""
        return {claim: group.why for group in self.not_certifiable for claim in group.claims}


def parse(raw: object, where: str, stated: Ledger) -> Scope:
    """Check the scope against the ledger: every claim once, and no other."""
    try:
        scope = Scope.model_validate(raw)
    except ValidationError as faults:
        fault = faults.errors()[0]
        raise BadData(f"{where}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}.") from None
    named = [*scope.certified, *(claim for group in scope.not_certifiable for claim in group.claims)]
    known = [claim.id for claim in stated.claims]
    twice = next((claim for claim in named if named.count(claim) > 1), None)
    if twice:
        raise BadData(f"{where}: '{twice}' stands there twice; keep one.")
    if set(named) != set(known):
        odd = sorted(set(named) ^ set(known))[0]
        lack = f"lacks the claim '{odd}'" if odd in known else f"names '{odd}', which is no claim"
        raise BadData(f"{where} {lack}; it must sort every claim of the ledger.")
    return scope


class Announced(NamedTuple):
    """What a preset would say of one claim: whether it has an answer, of the claimed sign, that it would announce."""

    answered: bool = False
    sign: bool = False
    positive: bool = False
    value: float = float("nan")
    reason: str = ""


def announcements(
    stated: Ledger, scope: Scope, tables: Mapping[str, pd.DataFrame], estimator: str
) -> list[dict[str, object]]:
    """Announce every certified claim from the tables of one run: rows of `tables.ANNOUNCEMENTS` without its world."""
    named = {name: _with_benchmarks(table) for name, table in tables.items()}
    rows = []
    for claim in stated.claims:
        if claim.id in scope.certified:
            found = _calibrated(claim, named) if estimator == "debiased" else _published(claim, named)
            rows.append({"claim": claim.id, **found._asdict()})
    return rows


def _with_benchmarks(table: pd.DataFrame) -> pd.DataFrame:
    if not {"benchmark", "modality"} <= set(table.columns):
        return table
    return table.assign(benchmark=table["modality"].map(_STANDS_FOR).fillna(table["benchmark"]))


def _calibrated(claim: Claim, tables: Mapping[str, pd.DataFrame]) -> Announced:
    query = claim.evidence.world.calibrated
    here = ledger.Here({"world": tables}, generated=True, biased="released")
    judged = ledger.judge(claim, query, "calibrated", here, "world")
    if query is None or judged.numbers.empty:
        return Announced(reason=judged.reason)
    sign = bool((_away(judged.numbers["value"], query, claim) > 0).all())
    value, positive = float(judged.numbers["value"].mean()), judged.verdict == ledger.SURVIVES
    return Announced(answered=True, sign=sign, positive=positive, value=value, reason=judged.reason)


def _published(claim: Claim, tables: Mapping[str, pd.DataFrame]) -> Announced:
    """The released query, or, where the ledger has none, the calibrated one asked of the released reading."""
    query = claim.evidence.world.released or _released(claim.evidence.world.calibrated)
    found = _answers(claim, query, tables) if query else pd.DataFrame()
    if query is None or found.empty:
        return Announced(reason="the tables of this preset have no answer")
    away = _away(found["value"], query, claim)
    passed = (found["p"] < LEVEL) | ~np.isfinite(found["p"])
    near = pd.concat([_away(found[bound], query, claim) for bound in ("low", "high")], axis=1).min(axis=1, skipna=False)
    positive = bool(((away > 0) & passed & ~(near <= 0)).all())
    value, sign = float(found["value"].mean()), bool((away > 0).all())
    return Announced(answered=True, sign=sign, positive=positive, value=value)


def _released(query: Query | None) -> Query | None:
    if query is None:
        return None
    other = {"reading": "released"} if query.where.get("reading") == "calibrated" else {}
    return query.model_copy(update={"where": query.where | other, "confounds": (), "beside": ()})


def _answers(claim: Claim, query: Query, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The numbers of a claim with their bounds or their p, whichever an ordinary test of this table uses."""
    keys = {ours: item for item, ours in claim.items.items()}
    columns = set(tables[query.table].columns) if query.table in tables else set()
    bounded = query.table not in _WITH_P and query.take not in query.low
    ends = (query.low, query.high) if query.low and query.table not in _WITH_P else (("low",), ("high",))
    update: dict[str, tuple[str, ...]] = {"low": (), "high": ()}
    if bounded and {*ends[0], *ends[1]} <= columns:
        update = {"low": ends[0], "high": ends[1]}
    found = answer(query.model_copy(update=update), tables, claim.id, keys)
    ask_p = query.model_copy(update={"take": "p", "low": (), "high": ()})
    p = answer(ask_p, tables, claim.id, keys)["value"] if query.table in _WITH_P else pd.Series(dtype="float64")
    wanted = [item for item in (list(claim.published) or list(claim.items)) if item in found.index]
    return found.assign(p=p.reindex(found.index)).loc[wanted if query.by and wanted else found.index]


def _away(values: pd.Series, query: Query, claim: Claim) -> pd.Series:
    """How far each number lies on the claimed side of the neutral value."""
    said = [query.sign or np.sign(claim.published.get(str(item), _NAN)) for item in values.index]
    return (values - query.neutral) * np.array(said, dtype=np.float64)


def certificates(found: pd.DataFrame, scope: Scope, estimators: Mapping[str, str]) -> pd.DataFrame:
    """Rates with their intervals (`tables.CERTIFICATES`); `found` is `tables.ANNOUNCEMENTS`."""
    rows = [
        _rate(str(claim), str(preset), str(truth), group, scope, estimators)
        for (claim, preset, truth), group in found.groupby(["claim", "preset", "truth"], sort=True)
    ]
    rows += [_none(claim, why) for claim, why in sorted(scope.reasons.items())]
    return CERTIFICATES.check(pd.DataFrame(rows))


def _rate(
    claim: str, preset: str, truth: str, group: pd.DataFrame, scope: Scope, estimators: Mapping[str, str]
) -> dict[str, object]:
    seeds, answered, positives = len(group), int(group["answered"].sum()), int(group["positive"].sum())
    low, high = clopper_pearson(positives, seeds) if answered else (_NAN, _NAN)
    counts: dict[str, object] = {
        "seeds": seeds,
        "answered": answered,
        "signs": int(group["sign"].sum()),
        "positives": positives,
    }
    about = {"claim": claim, "preset": preset, "truth": truth, "test": TESTS[estimators[preset]]}
    note = "" if answered else "the tables of this preset have no answer in this world"
    bounds = {"rate": positives / seeds if answered else _NAN, "low": low, "high": high}
    return about | counts | bounds | {"role": scope.certified[claim].role(truth), "note": note}


def _none(claim: str, why: str) -> dict[str, object]:
    about = {"claim": claim, "preset": "", "truth": "", "role": "none", "test": ""}
    counts = dict.fromkeys(("seeds", "answered", "signs", "positives"), 0)
    return about | counts | {"rate": _NAN, "low": _NAN, "high": _NAN, "note": why}


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All announcements in the order of truth, preset, seed and claim."""
    found = pd.concat(parts, ignore_index=True) if parts else ANNOUNCEMENTS.empty()
    return ANNOUNCEMENTS.check(found.sort_values(["truth", "preset", "seed", "claim"], ignore_index=True))


def page(stated: Ledger, table: pd.DataFrame) -> str:
    """The certificates as Markdown: a line a claim, a column a truth and preset."""
    known = table[table["preset"] != ""]
    columns = known[["truth", "preset"]].drop_duplicates().to_numpy().tolist()
    lines = ["# Certificates", "", _ABOUT, ""]
    lines += [f"- {preset}: {test}" for preset, test in known.groupby("preset")["test"].first().items()]
    lines += ["", "| claim | " + " | ".join(f"{truth}, {preset}" for truth, preset in columns) + " |"]
    lines += ["|---" * (len(columns) + 1) + "|"]
    cells = {(row["claim"], row["truth"], row["preset"]): _cell(row) for _, row in known.iterrows()}
    for claim in stated.claims:
        if claim.id in set(known["claim"]):
            told = [cells.get((claim.id, truth, preset), "") for truth, preset in columns]
            lines.append(f"| {claim.id} | " + " | ".join(told) + " |")
    lines += ["", "## Not certifiable in the pocket world", ""]
    lines += [f"- {row['claim']}: {row['note']}" for _, row in table[table["preset"] == ""].iterrows()]
    return "\n".join(lines) + "\n"


_ABOUT = (
    "In how many generated worlds each preset would announce each claim, with the exact 95 % interval of the rate "
    "(Clopper and Pearson). In the null and the width world the claims are false, so these are rates of false "
    "positives; in the planted world they are power, or false positives again (*) where it holds the opposite. In "
    "parentheses: a world that is made neither for nor against the claim."
)


def _cell(row: pd.Series) -> str:
    if not np.isfinite(row["rate"]):
        return "no answer"
    text = f"{row['positives']}/{row['seeds']} [{row['low']:.2f}, {row['high']:.2f}]"
    if row["truth"] == "planted" and row["role"] == "false_positive":
        return f"{text} *"
    return f"({text})" if row["role"] == "rate" else text
