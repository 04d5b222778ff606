"""What came out, in sentences made from the numbers; every score with its floor beside it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import beside, lookup, words
from homoplasy.report.style import MODALITIES

QUESTION = (
    "Do AI models that perform better resemble the human brain more? And how much of the likeness that is measured "
    "would have appeared by chance, or from the mere width of a model's features?"
)


_RELEASED = (
    ("its own chance level", ("score", "null_score")),
    ("feature width", ("score", "width")),
    ("ln width", ("score", "log_width")),
    ("performance", ("score", "performance")),
    ("performance at equal ln width", ("score", "performance", "log_width")),
)
_CLOSE = 0.9  # a correlation above this is called following
_CLEAR = 4.0  # sd of chance: the best of 180 regions reaches about 3


class Verdict(NamedTuple):
    """What one reading says of one modality: a word, and the sentence with its numbers."""

    modality: str
    reading: str
    word: str
    sentence: str


def verdicts(
    model_scores: pd.DataFrame, correlations: pd.DataFrame, audit: Mapping[str, pd.DataFrame] | None = None
) -> list[Verdict]:
    """One verdict a modality and reading, the calibrated one first, with ceilings and twins where there are some."""
    whole = model_scores[model_scores["counted"]]
    found = []
    for modality in MODALITIES:
        mine = whole[whole["modality"] == modality]
        for reading, judge in (("calibrated", _calibrated), ("released", _released)):
            rows = mine[mine["reading"] == reading]
            if len(rows):
                one = judge(modality, rows, correlations)
                more = beside.levels(audit or {}, model_scores, modality) if reading == "calibrated" else ""
                found.append(one._replace(sentence=f"{one.sentence} {more}".rstrip()))
    return found


def _calibrated(modality: str, rows: pd.DataFrame, table: pd.DataFrame) -> Verdict:
    scored = rows[np.isfinite(rows["score"])]
    if scored.empty:
        return Verdict(modality, "calibrated", "untestable here", f"There is no calibrated score: {_commonest(rows)}.")
    plain = lookup.correlation(table, "calibrated", modality, ("score", "performance"))
    held = lookup.correlation(table, "calibrated", modality, ("score", "performance", "log_width"))
    people = lookup.correlation(table, "calibrated", modality, ("score_by_subject", "performance"))
    levels = (
        f"Scores run from {words.number(scored['score'].min())} to {words.number(scored['score'].max())}, "
        f"chance stands at 0 ± {words.number(2 * scored['null_sd'].mean(), 3)}."
    )
    if scored["score"].max() < _CLEAR * scored["null_sd"].mean():
        said = f"No score rises above what the best of many regions reach by chance. {levels}"
        return Verdict(modality, "calibrated", "at chance", said)
    if np.isnan(plain.r):
        return Verdict(modality, "calibrated", "untestable here", f"Too few models have a known performance. {levels}")
    word, said = _strength(plain, held, people)
    return Verdict(modality, "calibrated", word, f"{said} {levels}")


def _strength(plain: lookup.Found, held: lookup.Found, people: lookup.Found) -> tuple[str, str]:
    numbers = f"r = {words.number(plain.r)}, 95 % interval {words.interval(plain.low, plain.high)}"
    numbers += f" by {plain.how}, {words.count(plain.n, 'model')}"
    if plain.sign == 0:
        return "not shown", f"No relation of score and performance is shown ({numbers})."
    if plain.sign < 0:
        return "the opposite", f"Better models resemble the brain less ({numbers})."
    better = f"Better models resemble the brain more ({numbers})"
    if people.sign != 1 and not np.isnan(people.r):
        return "weakened", f"{better}, but over subjects this is not shown ({_told(people)})."
    if np.isnan(held.r):
        return "shown", f"{better}; feature width is not known, so it could not be held fixed."
    if held.sign == 1:
        return "survives", f"{better}, and still do at equal feature width ({_told(held)})."
    return "weakened", f"{better}, but at equal feature width this is not shown ({_told(held)})."


def _told(found: lookup.Found) -> str:
    return f"r = {words.number(found.r)}, {words.interval(found.low, found.high)}"


def _released(modality: str, rows: pd.DataFrame, table: pd.DataFrame) -> Verdict:
    scored = rows[np.isfinite(rows["score"])]
    if scored.empty:
        return Verdict(modality, "released", "untestable here", f"There is no such score: {_commonest(rows)}.")
    found = [(name, lookup.correlation(table, "released", modality, pair)) for name, pair in _RELEASED]
    known = [f"{name} at {one.bare()}" for name, one in found if not np.isnan(one.r)]
    said = f"The score goes with {', with '.join(known)}." if known else "Performance and feature width are not known."
    chance = found[0][1]
    if np.isnan(chance.r):
        return Verdict(modality, "released", "chance not known here", said)
    share = float((scored["null_score"] / scored["score"]).median())
    models = words.count(len(scored), "model")
    owed = f"Half of the {models} owe {share * 100:.0f}\u00a0% or more of this score to chance alone. "
    word = "follows chance" if chance.sign > 0 and chance.r > _CLOSE else "not chance alone"
    return Verdict(modality, "released", word, owed + said)


def _commonest(rows: pd.DataFrame) -> str:
    return str(rows["reason"].value_counts().idxmax())
