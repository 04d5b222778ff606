"""Two runs beside each other: what differs in settings, in the claims, and in the numbers of metrics.json."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from homoplasy.report import words
from homoplasy.report.ledger import PLACES

_SAME = 5e-7  # two numbers nearer than this are the same: files hold six digits


@dataclass(frozen=True, eq=False)
class Run:
    """What one run left behind; a part that is not at hand is empty, and `lacking` says so."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # in force, by dotted name
    parameters: Mapping[str, Any] = field(default_factory=dict)  # what params.yaml itself sets
    metrics: Mapping[str, Any] = field(default_factory=dict)
    claims: Sequence[Mapping[str, Any]] = ()
    scores: pd.DataFrame | None = None  # `tables.MODEL_SCORES`
    lacking: Sequence[str] = ()


class Change(NamedTuple):
    """One thing that differs."""

    name: str
    a: Any
    b: Any


class Claim(NamedTuple):
    """A claim whose verdict or numbers differ, for one kind of evidence in one reading."""

    id: str
    says: str
    place: str
    verdicts: tuple[str, str]
    numbers: list[Change]  # those that differ


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs."""

    a: str
    b: str
    settings: list[Change]
    claims: list[Claim]
    metrics: list[Change]
    asked: int  # claims that both runs asked
    lacking: list[str]

    def plain(self) -> dict[str, Any]:
        """The same for a script."""
        return {
            "a": self.a,
            "b": self.b,
            "settings": [one._asdict() for one in self.settings],
            "claims": [one._asdict() | {"numbers": [x._asdict() for x in one.numbers]} for one in self.claims],
            "metrics": [one._asdict() for one in self.metrics],
            "claims_asked": self.asked,
            "lacking": self.lacking,
        }


def compare(a: Run, b: Run) -> Comparison:
    """List what differs; settings in force where both runs have them, else what params.yaml sets."""
    in_force = bool(a.settings and b.settings)
    return Comparison(
        a.name,
        b.name,
        _changes(a.settings, b.settings) if in_force else _changes(a.parameters, b.parameters),
        list(_claims(a.claims, b.claims)),
        _changes(flat(a.metrics), flat(b.metrics)) if a.metrics and b.metrics else [],
        len({one["id"] for one in a.claims} & {one["id"] for one in b.claims}),
        [f"{run.name}: {what}" for run in (a, b) for what in run.lacking],
    )


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by dotted names.

    >>> flat({"cka": {"sizes": [1, 2]}, "world": "pocket"})
    {'cka.sizes': [1, 2], 'world': 'pocket'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    names = [*a, *(name for name in b if name not in a)]
    return [Change(name, a.get(name), b.get(name)) for name in names if not _same(a.get(name), b.get(name))]


def _same(one: Any, other: Any) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)]
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME) if all(numbers) else bool(one == other)


def _claims(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    others = {one["id"]: one for one in b}
    for one in a:
        if one["id"] not in others:
            continue
        cells = [{_place(cell): cell for cell in claim["cells"]} for claim in (one, others[one["id"]])]
        for place in PLACES.values():
            pair = [found.get(place) for found in cells]
            verdicts = tuple(cell["verdict"] if cell else "not asked" for cell in pair)
            numbers = _changes(*(_numbers(cell) for cell in pair))
            if verdicts[0] != verdicts[1] or numbers:
                yield Claim(one["id"], one["says"], place, (verdicts[0], verdicts[1]), numbers)


def _place(cell: Mapping[str, Any]) -> str:
    return PLACES[cell["evidence"], cell["reading"] == "calibrated"]


def _numbers(cell: Mapping[str, Any] | None) -> dict[str, Any]:
    """Our numbers of one cell. Ledgers of early revisions hold the bare number of an item."""
    if cell is None:
        return {}
    items = {item: one["ours"] if isinstance(one, dict) else one for item, one in cell["items"].items()}
    return items if cell["ours"] is None else {"value": cell["ours"], **items}


def lines(found: Comparison) -> Iterator[str]:
    """The comparison as text."""
    yield f"A: {found.a}    B: {found.b}"
    yield from (f"  {one}" for one in found.lacking)
    yield ""
    yield _heading("settings", found.settings)
    yield from _rows([(one.name, said(one.a), said(one.b)) for one in found.settings])
    yield ""
    yield f"claims: {_counted(len({one.id for one in found.claims}), 'differ')} of {found.asked}"
    for one in found.claims:
        verdict = " -> ".join(one.verdicts) if one.verdicts[0] != one.verdicts[1] else one.verdicts[0]
        yield f"  {one.id}, {one.place}: {verdict}"
        yield from (f"      {change.name} {said(change.a)} -> {said(change.b)}" for change in one.numbers)
    yield ""
    yield _heading("metrics", found.metrics)
    yield from _rows([(one.name, said(one.a), said(one.b)) for one in found.metrics])


def _heading(what: str, changes: Sequence[Change]) -> str:
    return f"{what}: {_counted(len(changes), 'differ')}"


def _counted(number: int, verb: str) -> str:
    return f"{number or 'none'} {verb}{'s' if number <= 1 else ''}"


def _rows(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    wide = max((len(name) for name, _, _ in rows), default=0)
    yield from (f"  {name:<{wide}}  {a} -> {b}" for name, a, b in rows)


def said(value: Any) -> str:
    """One value as text.

    >>> said(None), said(0.123456), said([1.0, 2.5]), said("pocket")
    ('–', '0.123', '[1, 2.5]', 'pocket')
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        return words.significant(value)
    if isinstance(value, list):
        return f"[{', '.join(f'{one:g}' if isinstance(one, float) else said(one) for one in value)}]"
    return str(value)
