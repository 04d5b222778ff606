"""The claims at a glance: what was printed, what comes out of it under each reading, and the verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import lookup, words
from homoplasy.report.beside import Beside

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
_OF_SCORES = ("lang.", "vis.", "q1", "q2.", "q3.")  # claims about brain scores begin so
_OF_PERFORMANCE = {"lang.leaderboard2": "language", "vis.imagenet": "vision"}


class Item(NamedTuple):
    """One number of a claim."""

    name: str
    published: str
    ours: str


class Cell(NamedTuple):
    """Our number and the verdict that follows, for one kind of evidence in one reading."""

    place: str
    ours: str
    verdict: str
    reason: str
    items: Sequence[Item] = ()

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
    reach: str
    certificate: str
    cells: list[Cell]

    @property
    def testable(self) -> bool:
        """Whether any of its cells has an answer."""
        return any(cell.verdict != UNTESTABLE for cell in self.cells)


def rows(claims: Sequence[Mapping[str, Any]], correlations: pd.DataFrame, stands: Beside | None = None) -> list[Row]:
    """Every claim, those that the study leads with first."""
    rank = {name: number for number, name in enumerate(_FIRST)}
    ordered = sorted(claims, key=lambda claim: rank.get(claim["id"], len(rank)))
    return [_row(claim, correlations, stands or Beside({}, None)) for claim in ordered]


def _row(claim: Mapping[str, Any], correlations: pd.DataFrame, stands: Beside) -> Row:
    name = claim["id"]
    published = _numbers({item: (value, None, None) for item, value in claim["published"].items()})
    present = {cell.place: cell for cell in (_cell(cell) for cell in claim["cells"])}
    every = [present.get(place, Cell(place, "–", UNTESTABLE, "")) for place in PLACES.values()]
    known = [one for one in (floor(name, correlations), stands.floors.get(name, "")) if one]
    reach = stands.reach if name.startswith(_OF_SCORES) else ""
    told = "; ".join(known) or "–", reach, stands.certificate(name)
    return Row(name, claim["says"], claim["printed_in"], published, *told, every)


def _cell(cell: Mapping[str, Any]) -> Cell:
    place = PLACES[cell["evidence"], cell["reading"] == "calibrated"]
    found = {name: (one["ours"], one["low"], one["high"]) for name, one in cell["items"].items()}
    if cell["ours"] is not None:
        found = {"value": (cell["ours"], cell["low"], cell["high"])}
    items = [Item(name, _plain(one["published"]), _bounded(*found[name])) for name, one in cell["items"].items()
             if name in found]  # fmt: skip
    return Cell(place, _numbers(found), cell["verdict"], cell["reason"], items)


def _numbers(found: Mapping[str, tuple[float | None, float | None, float | None]]) -> str:
    """Up to three numbers with their names and intervals; of more, the range."""
    known = {name: value for name, value in found.items() if value[0] is not None}
    if not known:
        return "–"
    if len(known) > 3:
        every = [value[0] for value in known.values() if value[0] is not None]
        return f"{len(known)} numbers, {words.significant(min(every))} to {words.significant(max(every))}"
    return ", ".join(f"{_LETTERS.get(name, name + ' ')}{_bounded(*value)}" for name, value in known.items())


def _plain(value: float | None) -> str:
    return "–" if value is None else words.significant(value)


def _bounded(value: float | None, low: float | None, high: float | None) -> str:
    """A number with its 95 % interval, where it has one."""
    known = "" if low is None or high is None else f" ({words.significant(low)} to {words.significant(high)})"
    return _plain(value) + known


def floor(claim: str, correlations: pd.DataFrame) -> str:
    """What chance alone would give of the claimed number, where that is known."""
    if claim == "fig4.sign_consistency":
        return f"{words.number(2 / 3)} (four exchangeable subjects)"
    if claim not in _OF_PERFORMANCE:
        return ""
    found = lookup.correlation(correlations, "released", _OF_PERFORMANCE[claim], ("null_score", "performance"))
    if np.isnan(found.r):
        return ""
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
        told = [f"{number} {_verb(word, number)}" for word, number in count.items() if number and word != UNTESTABLE]
        if told:
            said.append(f"{place}: {', '.join(told)}")
    if not said:
        return "No claim can be tested with the tables of this run."
    sentences = ". ".join(one[0].upper() + one[1:] for one in said)
    return f"{words.count(len(found), 'claim')} of the study were tested. {sentences}. The others cannot be told here."


def _verb(word: str, number: int) -> str:
    """A verdict as one claim or several have it.

    >>> _verb("survives", 1), _verb("survives", 2), _verb("weakened", 2)
    ('survives', 'survive', 'weakened')
    """
    return word.removesuffix("s") if number != 1 else word
