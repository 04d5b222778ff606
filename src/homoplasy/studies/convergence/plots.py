"""The main curves of a run as small tidy tables, for `dvc plots show` and `dvc plots diff`.

Their names and columns are the same in every world; a world that has no such curve has a table without rows.
"""

from collections.abc import Mapping

import pandas as pd

from homoplasy.studies.convergence.analysis import Results

MODALITIES = ("language", "vision")


def plots(found: Results) -> Mapping[str, pd.DataFrame]:
    """Score against performance by modality, mean score by depth and by width of the kernel; calibrated."""
    return {
        **{f"performance_{modality}": _performance(found.model_scores, modality) for modality in MODALITIES},
        "depth": _depth(found.more["depths"]),
        "width": _width(found.more["facts"]),
    }


def _performance(model_scores: pd.DataFrame, modality: str) -> pd.DataFrame:
    """Every model that statistics are made of; the published points have the released reading alone."""
    mine = model_scores[model_scores["counted"] & (model_scores["modality"] == modality)]
    known = mine[mine["reading"].isin(["calibrated", "released"])].dropna(subset=["score", "performance"])
    reading = "calibrated" if (known["reading"] == "calibrated").any() else "released"
    return known.loc[known["reading"] == reading, ["model", "score", "performance"]].sort_values(
        "model", ignore_index=True
    )


def _depth(depths: pd.DataFrame) -> pd.DataFrame:
    mean = (depths["reading"] == "calibrated") & (depths["subject"] == "mean") & (depths["network"] == "all")
    return _wide(depths[mean].set_index(["bin", "modality"])["value"], "bin")


def _width(facts: pd.DataFrame) -> pd.DataFrame:
    """By width in medians of the distances."""
    width = facts["reading"].str.extract(r"^c=([\d.]+) debiased$", expand=False).astype("float64")
    mine = facts.assign(width=width)[(facts["fact"] == "mean_score") & width.notna()]
    return _wide(mine.set_index(["width", "modality"])["value"], "width")


def _wide(values: pd.Series, x: str) -> pd.DataFrame:
    """One column a modality; a place that either lacks is left out, for a plot has no gaps."""
    table = values.unstack("modality").reindex(columns=MODALITIES).dropna().rename_axis(columns=None)
    return table.rename_axis(x).sort_index().reset_index()
