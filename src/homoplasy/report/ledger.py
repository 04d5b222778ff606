"""The claims at a glance: what was printed, what comes out of it under each reading, and the verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import lookup, words

WORDS = ("reproduced", "survives", "weakened", "fails", "untestable here")
MEANINGS: Mapping[str, str] = {
    "reproduced": "computed as the study did, our number lies within the stated tolerance of the printed one",
    "survives": "calibrated, the claimed sign holds, its 95 % interval excludes no effect, and both still do at equal "
    "width, size or whatever confound the claim is open to",
    "weakened": "calibrated, the sign holds, but an interval or a confound test does not",
    "fails": "the claimed sign does not hold, or the number lies outside its tolerance",
    "untestable here": "the tables of this run cannot tell; what is missing is named",
}
PLACES: Mapping[tuple[str, bool], str] = {
    ("points", False): "printed points, as released",
    ("points", True): "printed points, calibrated",
    ("world", False): "this world, as released",
    ("world", True): "this world, calibrated",
}
UNTESTABLE = WORDS[-1]
_FIRST = ("lang.leaderboard2", "vis.imagenet", "lang.params_b", "q2.level", "fig4.sign_consistency", "q9.modality")
_LETTERS = {
    "value": "",
    "pearson": "r\u00a0=\u00a0",
    "spearman": "ρ\u00a0=\u00a0",
    "r2": "R²\u00a0=\u00a0",
    "aic": "AIC\u00a0",
    "bic": "BIC\u00a0",
}
_OF_PERFORMANCE = {"lang.leaderboard2": "language", "vis.imagenet": "vision"}


class Cell(NamedTuple):
    """Our number and the verdict that follows, for one kind of evidence in one reading."""

    place: str
    ours: str
    verdict: str
    reason: str

    @property
    def mark(self) -> str:
        """The verdict as a name for the style sheet."""
        return self.verdict.split()[0]


class Row(NamedTuple):
    """One claim."""

    id: str
    says: str
    printed_in: str
    published: str
    floor: str
    cells: list[Cell]

    @property
    def testable(self) -> bool:
        """Whether any of its cells has an answer."""
        return any(cell.verdict != UNTESTABLE for cell in self.cells)


def rows(claims: Sequence[Mapping[str, Any]], correlations: pd.DataFrame) -> list[Row]:
    """Every claim, those that the study leads with first."""
    rank = {name: number for number, name in enumerate(_FIRST)}
    ordered = sorted(claims, key=lambda claim: rank.get(claim["id"], len(rank)))
    return [_row(claim, correlations) for claim in ordered]


def _row(claim: Mapping[str, Any], correlations: pd.DataFrame) -> Row:
    published = _items(claim["published"])
    cells = [_cell(cell) for cell in claim["cells"]]
    present = {cell.place: cell for cell in cells}
    every = [present.get(place, Cell(place, "–", UNTESTABLE, "")) for place in PLACES.values()]
    return Row(claim["id"], claim["says"], claim["printed_in"], published, floor(claim["id"], correlations), every)


def _cell(cell: Mapping[str, Any]) -> Cell:
    place = PLACES[cell["evidence"], cell["reading"] == "calibrated"]
    ours = _items(cell["items"])
    if cell["ours"] is not None:
        ours = words.significant(cell["ours"])
        if cell["low"] is not None:
            ours += f" ({words.significant(cell['low'])} to {words.significant(cell['high'])})"
    return Cell(place, ours, cell["verdict"], cell["reason"])


def _items(found: Mapping[str, float | None]) -> str:
    """Up to three numbers with their names; of more, the range."""
    known = {name: value for name, value in found.items() if value is not None}
    if not known:
        return "–"
    if len(known) > 3:
        low, high = (words.significant(end) for end in (min(known.values()), max(known.values())))
        return f"{len(known)} numbers, {low} to {high}"
    return ", ".join(f"{_LETTERS.get(name, name + ' ')}{words.significant(x)}" for name, x in known.items())


def floor(claim: str, correlations: pd.DataFrame) -> str:
    """What chance alone would give of the claimed number, where that is known."""
    if claim == "fig4.sign_consistency":
        return f"{words.number(2 / 3)} (four exchangeable subjects)"
    if claim not in _OF_PERFORMANCE:
        return "–"
    found = lookup.correlation(correlations, "released", _OF_PERFORMANCE[claim], ("null_score", "performance"))
    if np.isnan(found.r):
        return "–"
    return f"r = {words.number(found.r)} (this world: performance with the chance level of scores)"


def counts(found: Sequence[Row]) -> dict[str, dict[str, int]]:
    """How many claims got which verdict, by place."""
    return {
        place: {word: Counter(row.cells[number].verdict for row in found)[word] for word in WORDS}
        for number, place in enumerate(PLACES.values())
    }


def summary(found: Sequence[Row]) -> str:
    """The ledger in one sentence a place."""
    said = []
    for place, count in counts(found).items():
        told = [f"{number} {word}" for word, number in count.items() if number and word != UNTESTABLE]
        if told:
            said.append(f"{place}: {', '.join(told)}")
    if not said:
        return "No claim can be tested with the tables of this run."
    sentences = ". ".join(one[0].upper() + one[1:] for one in said)
    return f"{words.count(len(found), 'claim')} of the study were asked. {sentences}. The others cannot be told here."
