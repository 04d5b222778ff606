"""What stands beside a number: what chance gives, what noise leaves within reach, how often chance announces it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import words

PRESETS: Mapping[str, str] = {
    "calibrated": "calibrated",
    "as_released": "as released",
    "as_written": "as written",
}
TRUTHS: Mapping[str, str] = {
    "null": "nothing shared",
    "width": "only width differs",
    "planted": "likeness planted",
}
NO_AUDIT = "Ceilings and twins of this world were not computed: dvc repro audit makes them."
NO_CERTIFICATES = "No certificates were made yet: make certify runs the study in worlds where the answer is known."
_MODALITIES = {"lang.leaderboard2": "language", "vis.imagenet": "vision"}
_RAW = {"raw": "released", "calibrated": "calibrated"}  # columns of null_scores: the reading whose scores they are
_FEWEST = 3  # models: a correlation of fewer says nothing
_NAMED = 3  # models, of those that lie no higher than their twin


class Beside(NamedTuple):
    """What the ledger shows beside a claim."""

    floors: Mapping[str, str]
    certificates: pd.DataFrame | None
    reach: str = ""  # of scores

    def certificate(self, claim: str) -> str:
        """The certificate of a claim in words; empty where there is none."""
        return "" if self.certificates is None else certificate(self.certificates, claim)


def floors(null_scores: pd.DataFrame, model_scores: pd.DataFrame) -> dict[str, str]:
    """By claim: the range of r with performance that scores of re-paired images have."""
    return {
        claim: said for claim, modality in _MODALITIES.items() if (said := _floor(null_scores, model_scores, modality))
    }


def _floor(null_scores: pd.DataFrame, model_scores: pd.DataFrame, modality: str) -> str:
    mine, said = null_scores[null_scores["modality"] == modality], []
    known = model_scores[(model_scores["modality"] == modality) & model_scores["counted"]]
    performance = known.drop_duplicates("model").set_index("model")["performance"].dropna()
    for column, reading in _RAW.items():
        wide = mine.pivot(index="draw", columns="model", values=column)
        wide = wide[[name for name in wide if name in performance.index]].dropna(axis=1)
        if wide.shape[1] < _FEWEST:
            continue
        low, high = np.quantile(wide.T.corrwith(performance[wide.columns]).dropna(), [0.025, 0.975])
        said.append(f"{reading} {words.interval(low, high)}")
    draws = mine["draw"].nunique()
    return f"r with images re-paired ({words.count(draws, 'time')}), 95 %: {'; '.join(said)}" if said else ""


def levels(audit: Mapping[str, pd.DataFrame], model_scores: pd.DataFrame, modality: str) -> str:
    """What noise, another brain, an untrained twin and random features give, beside the scores of a modality."""
    return " ".join([*_reach(audit.get("ceilings")), *_twins(audit.get("twins"), model_scores, modality)])


def reach(ceilings: pd.DataFrame | None) -> str:
    """The score that noise leaves within reach: of the median region, and of the noisiest and the quietest."""
    if ceilings is None or ceilings["ceiling"].notna().sum() == 0:
        return ""
    known = ceilings["ceiling"].dropna()
    return f"scores up to {words.number(known.median())} ({words.interval(known.min(), known.max())})"


def _reach(ceilings: pd.DataFrame | None) -> Iterator[str]:
    said = reach(ceilings)
    if ceilings is None or not said:
        return
    known = ceilings["ceiling"].dropna()
    yield (
        f"Noise leaves {said} within reach: the ceiling of the median region, and the range; {len(known)} of "
        f"{len(ceilings)} regions of subjects have one."
    )
    between = ceilings.loc[known.index, "between"].dropna()
    if len(between):
        yield f"The same region of another person scores {words.number(between.median())} (median)."


def _twins(twins: pd.DataFrame | None, model_scores: pd.DataFrame, modality: str) -> Iterator[str]:
    if twins is None:
        return
    shown = set(model_scores.loc[model_scores["modality"] == modality, "model"])  # trained here, too
    mine = twins[twins["source"].isin(shown) & twins["calibrated"].notna()]
    for kind, name in (("untrained", "untrained twins"), ("gaussian", "random features of the same width")):
        one = mine[mine["kind"] == kind]
        if len(one):
            twin, own = (words.number(one[column].median(), 3) for column in ("calibrated", "model_calibrated"))
            models = words.count(one["source"].nunique(), "model")
            yield f"Over all regions, {name} score {twin} where their models score {own} (medians, {models})."
            if kind == "untrained":
                yield _not_above(one)


def _not_above(mine: pd.DataFrame) -> str:
    """Which models do not score above their own untrained twin, mean over regions and subjects."""
    gap = (mine["model_calibrated"] - mine["calibrated"]).groupby(mine["source"]).mean()
    below = sorted(gap.index[gap <= 0])
    if not below:
        return "Each scores above its own."
    more = [f"{len(below) - _NAMED} more"] if len(below) > _NAMED else []
    return f"Not above its own untrained twin: {words.listed(below[:_NAMED] + more)}."


def certificate(table: pd.DataFrame, claim: str) -> str:
    """How often chance would announce a claim, and how often it is found where it is planted."""
    mine = table[table["claim"] == claim]
    if mine.empty:
        return ""
    notes = mine.loc[mine["preset"] == "", "note"]
    if len(notes):
        return f"none: {notes.iloc[0].rstrip('.')}"
    said = [one for preset in PRESETS if (one := _announced(mine[mine["preset"] == preset], PRESETS[preset]))]
    return "; ".join(said)


def _announced(mine: pd.DataFrame, name: str) -> str:
    rows = {str(row["truth"]): row for _, row in mine.iterrows() if row["answered"]}
    false = [
        f"{rows[truth]['positives']} of {rows[truth]['seeds']} ({TRUTHS[truth]})"
        for truth in TRUTHS
        if truth in rows and rows[truth]["role"] == "false_positive"
    ]
    found = rows.get("planted")
    said = [f"false alarms in {' and '.join(false)}"] if false else []
    if found is not None and found["role"] == "power":
        said.append(f"found in {found['positives']} of {found['seeds']} worlds that have it")
    return f"{name}: {', '.join(said)}" if said else ""
