"""Two runs on one page: the figures of both overlaid, and the tables of what differs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from homoplasy.report import comparison
from homoplasy.report.comparison import Comparison, Run
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.page import text_of
from homoplasy.report.style import FAINT, MODALITIES, MUTED, WIDTH

_INKS = ("#8f8d86", "#1b6ca8")  # A in grey, B in colour
_READINGS = ("calibrated", "released")


def page(a: Run, b: Run, found: Comparison) -> str:
    """Compose the page."""
    room = Environment(
        loader=PackageLoader("homoplasy.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    figures = [one for one in (scores(a, b), metrics(found)) if one is not None]
    return room.get_template("comparison.html.jinja").render(
        found=found,
        said=comparison.said,
        css=Markup(text_of("page.css")),
        figures=[{"title": one.title, "caption": one.caption, "svg": Markup(one.inline())} for one in figures],
    )


def scores(a: Run, b: Run) -> Drawing | None:
    """Score against performance in both runs, a line from where a model was to where it is; None without scores."""
    if a.scores is None or b.scores is None:
        return None
    table = pd.concat([_scored(run).assign(run=name) for run, name in ((a.scores, "A"), (b.scores, "B"))])
    shown = [
        (modality, reading) for modality in MODALITIES for reading in _READINGS if len(_of(table, modality, reading))
    ]
    if not shown:
        return None
    caption = f"Every dot is a model; grey: A ({a.name}), blue: B ({b.name}); a line joins the two scores of a model."
    return finish("compared-scores", "Score against performance", caption, table, lambda: _scores(table, shown))


def _scored(found: pd.DataFrame) -> pd.DataFrame:
    kept = found[found["counted"] & np.isfinite(found["score"]) & np.isfinite(found["performance"])]
    return kept[["model", "modality", "reading", "params", "score", "null_score", "performance"]]


def _of(table: pd.DataFrame, modality: str, reading: str) -> pd.DataFrame:
    return table[(table["modality"] == modality) & (table["reading"] == reading)]


def _scores(table: pd.DataFrame, shown: Sequence[tuple[str, str]]) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.5 * ((len(shown) + 1) // 2) + 0.3), layout="constrained")
    grid = fig.subplots((len(shown) + 1) // 2, 2, squeeze=False)
    for ax in grid.ravel()[len(shown) :]:
        ax.set_visible(False)
    for (modality, reading), ax in zip(shown, grid.ravel(), strict=False):
        mine = _of(table, modality, reading)
        both = mine.pivot(index="model", columns="run", values=["performance", "score"]).dropna()
        if {"A", "B"} <= set(mine["run"]):
            ax.plot(both["performance"].T, both["score"].T, color=FAINT, lw=0.9, zorder=1)
        for name, ink in zip("AB", _INKS, strict=True):
            run = mine[mine["run"] == name]
            ax.scatter(run["performance"], run["score"], s=14, color=ink, lw=0, zorder=3)
        ax.set_title(f"{modality}, {reading}", color=MODALITIES[modality])
        ax.set_xlabel("performance")
        ax.set_ylabel("score")
    _key(fig)
    return fig


def metrics(found: Comparison) -> Drawing | None:
    """The metrics that differ, from A to B, each on its own scale; None where none does."""
    known = [one for one in found.metrics if isinstance(one.a, int | float) and isinstance(one.b, int | float)]
    if not known:
        return None
    table = pd.DataFrame(known)
    caption = f"The numbers of metrics.json that differ; grey: A ({found.a}), blue: B ({found.b})."
    return finish("compared-metrics", "Metrics", caption, table, lambda: _metrics(table))


def _metrics(table: pd.DataFrame) -> Figure:
    correlations = table["a"].abs().le(1) & table["b"].abs().le(1)
    parts = [part for part in (table[correlations], table[~correlations]) if len(part)]
    fig = Figure(figsize=(WIDTH, 0.2 * len(table) + 0.9 * len(parts)), layout="constrained")
    axes = fig.subplots(len(parts), 1, squeeze=False, height_ratios=[len(part) + 2 for part in parts])
    for part, ax in zip(parts, axes.ravel(), strict=True):
        _dumbbells(ax, part)
    _key(fig)
    return fig


def _dumbbells(ax: Axes, part: pd.DataFrame) -> None:
    rows = np.arange(len(part))
    ax.hlines(rows, part["a"], part["b"], color=FAINT, lw=2)
    for column, ink in zip("ab", _INKS, strict=True):
        ax.scatter(part[column], rows, s=18, color=ink, lw=0, zorder=3)
    ax.set_yticks(rows, [name.replace("_", " ").replace(".", ", ") for name in part["name"]])
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.tick_params(axis="y", labelcolor=MUTED)


def _key(fig: Figure) -> None:
    handles: list[Any] = [
        Line2D([], [], marker="o", ls="", ms=4, mew=0, color=ink, label=name)
        for name, ink in zip("AB", _INKS, strict=True)
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=2)
