"""Finding numbers in the tables: a correlation with the more careful of its intervals, the ceiling of a region."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import words

FEW = 8  # families: with fewer, drawing them anew says too little


class Found(NamedTuple):
    """One correlation with its 95 % interval."""

    r: float
    n: int
    low: float
    high: float
    how: str

    @property
    def sign(self) -> int:
        """The sign that the interval leaves no doubt about, else 0."""
        return int(np.sign(self.r)) if self.low * self.high > 0 else 0

    def text(self) -> str:
        """The correlation and its interval in a few words."""
        if np.isnan(self.r):
            return "not defined"
        return f"{self.bare()}, n = {self.n}"

    def bare(self) -> str:
        """The same without the number of models."""
        known = "" if np.isnan(self.low) else f" ({words.interval(self.low, self.high)})"
        return f"r = {words.number(self.r)}{known}"


def correlation(
    table: pd.DataFrame, reading: str, modality: str, pair: tuple[str, ...], method: str = "pearson"
) -> Found:
    """Find one row; a row that is not there reads as not defined."""
    x, y, given = (*pair, "")[:3]
    named = {"reading": reading, "modality": modality, "x": x, "y": y, "given": given, "method": method}
    rows = table[(table[list(named)] == pd.Series(named)).all(axis=1)]
    if rows.empty:
        return Found(float("nan"), 0, float("nan"), float("nan"), "")
    row = rows.iloc[0]
    low, high = row["fisher_low"], row["fisher_high"]
    if row["families"] < FEW or np.isnan(row["family_low"]):
        return Found(row["r"], int(row["n"]), low, high, "Fisher's z")
    both = "Fisher's z and families drawn anew, the outer bounds"
    return Found(row["r"], int(row["n"]), min(low, row["family_low"]), max(high, row["family_high"]), both)


class Fact(NamedTuple):
    """One fact of the study with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float
    n: int

    def text(self, digits: int = 2) -> str:
        """The value and its interval in a few words."""
        known = "" if np.isnan(self.low) else f" ({words.interval(self.low, self.high, digits)})"
        return f"{words.number(self.value, digits)}{known}"


_NO_FACT = Fact(float("nan"), float("nan"), float("nan"), float("nan"), 0)


def fact(table: pd.DataFrame, reading: str, modality: str, name: str, item: str = "") -> Fact:
    """Find one fact (`tables.FACTS`); one that is not there has no value."""
    named = {"reading": reading, "modality": modality, "fact": name, "item": item}
    rows = table[(table[list(named)] == pd.Series(named)).all(axis=1)]
    if rows.empty:
        return _NO_FACT
    row = rows.iloc[0]
    return Fact(row["value"], row["low"], row["high"], row["p"], int(row["n"]))


def main_reading(table: pd.DataFrame) -> str:
    """The calibrated reading where it is there, else the released one; empty where there is neither."""
    return next((name for name in ("calibrated", "released") if (table["reading"] == name).any()), "")


def ceiling(of_subjects: pd.Series) -> float:
    """Mean ceiling of a region; none where most subjects show no reliable signal, since a few pass by chance."""
    return float(of_subjects.mean()) if of_subjects.notna().mean() > 0.5 else float("nan")


def pooled(regions: pd.DataFrame) -> pd.DataFrame:
    """The rows of whole regions; those of the hemispheres where there are no others."""
    both = regions["hemisphere"] == "both"
    return regions[both] if both.any() else regions
