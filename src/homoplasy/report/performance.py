"""Figure 1: score against width and performance, with the floor that chance gives every model."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray
from scipy import stats

from homoplasy.report import lookup
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MODALITIES, MUTED, WIDTH

TITLE = "Score against performance, and against chance"
_CAPTION = (
    "Each dot is a model. Left and middle: the score as the released code computes it (biased, one absolute kernel "
    "width); the grey dash below each dot is the exact score that the same model gets when images are re-paired at "
    "random, and the thin line between them is all that is left above chance. Right: the calibrated score (debiased, "
    "kernel width set by the data), whose floor is 0, with the line of least squares and its 95 % band. "
)
_PUBLISHED = (
    "Each dot is a model, as printed. Right: what is left of score and performance after a linear fit of each on ln "
    "width, with the line of least squares and its 95 % band. Calibrated scores and chance levels need the images and "
    "the brain data, which are not part of this world. "
)
_TESTS = (
    " Above a panel: Pearson's r with its 95 % interval, the outer bounds of Fisher's z and, with eight families or "
    "more, of families drawn anew; n models."
)
_ROW = 2.35  # inches


class Panel(NamedTuple):
    """What one panel shows."""

    title: str
    reading: str
    pair: tuple[str, ...]
    draw: Callable[[Axes, pd.DataFrame, str], None]


def figure(model_scores: pd.DataFrame, correlations: pd.DataFrame) -> Drawing | None:
    """Draw the modalities that have scores, one a row; None where no model has one."""
    scored = model_scores[np.isfinite(model_scores["score"]) & model_scores["counted"]]
    shown = scored[scored["reading"].isin(["calibrated", "released"])]
    rows = [modality for modality in MODALITIES if (shown["modality"] == modality).any()]
    if not rows:
        return None
    calibrated = bool((shown["reading"] == "calibrated").any())
    panels = _panels(calibrated=calibrated)
    return finish(
        "performance",
        TITLE,
        (_CAPTION if calibrated else _PUBLISHED) + _tested(shown) + _TESTS,
        shown.sort_values(["modality", "reading", "model"]),
        lambda: _drawn(shown, correlations, rows, panels),
    )


def _panels(*, calibrated: bool) -> list[Panel]:
    style = "as released" if calibrated else "as published"
    last = (
        Panel("calibrated, by performance", "calibrated", ("score", "performance"), _calibrated)
        if calibrated
        else Panel("at equal feature width", "released", ("score", "performance", "log_width"), _residuals)
    )
    return [
        Panel(f"{style}, by feature width", "released", ("score", "log_width"), _by_width),
        Panel(f"{style}, by performance", "released", ("score", "performance"), _by_performance),
        last,
    ]


def _tested(shown: pd.DataFrame) -> str:
    named = shown[shown["benchmark"] != ""].groupby("modality")["benchmark"].first()
    if named.nunique() == 1:
        return f"Performance: {named.iloc[0]}."
    return (
        "Performance: " + ", ".join(f"{name} ({modality})" for modality, name in named.items()) + "."
        if len(named)
        else ""
    )


def _drawn(shown: pd.DataFrame, correlations: pd.DataFrame, rows: list[str], panels: list[Panel]) -> Figure:
    fig = Figure(figsize=(WIDTH, _ROW * len(rows) + 0.35), layout="constrained")
    grid = fig.subplots(len(rows), len(panels), squeeze=False)
    for modality, line in zip(rows, grid, strict=True):
        for column, (panel, ax) in enumerate(zip(panels, line, strict=True)):
            mine = shown[(shown["modality"] == modality) & (shown["reading"] == panel.reading)]
            found = lookup.correlation(correlations, panel.reading, modality, panel.pair)
            _panel(ax, panel, mine, modality, found)
            if column == 0:
                ax.set_ylabel(f"{modality}: score", color=MODALITIES[modality], fontweight="bold")
    _legend(fig, floors=bool(shown["null_score"].notna().any()))
    return fig


def _panel(ax: Axes, panel: Panel, mine: pd.DataFrame, modality: str, found: lookup.Found) -> None:
    ax.set_title(panel.title, pad=16)
    usable = mine.dropna(subset=[{"log_width": "width"}.get(name, name) for name in panel.pair])
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    if len(usable) < 2:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        missing = "feature widths" if "log_width" in panel.pair and mine["width"].isna().all() else "performance"
        note = f"{missing} not known\nfor these models" if len(mine) else "no scores of this kind"
        ax.text(0.5, 0.5, note, ha="center", va="center", color=MUTED, transform=ax.transAxes)
        return
    ax.annotate(found.text(), (0, 1), (0, 4), "axes fraction", textcoords="offset points", fontsize=7, color=MUTED)
    panel.draw(ax, usable, MODALITIES[modality])


def _by_width(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    ax.set_xscale("log", base=2)
    low, high = mine["width"].min(), mine["width"].max()
    ticks = [2.0**power for power in range(int(np.floor(np.log2(low))), int(np.ceil(np.log2(high))) + 1)]
    ax.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, len(ticks) // 4)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    ax.set_xlim(low / 1.15, high * 1.15)
    ax.set_xlabel("feature width (units)")
    _floored(ax, mine["width"], mine, colour)


def _by_performance(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    ax.set_xlabel("performance")
    _floored(ax, mine["performance"], mine, colour)


def _calibrated(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    ax.set_xlabel("performance")
    sd = mine["null_sd"].mean()
    ax.axhspan(-2 * sd, 2 * sd, color=FLOOR, alpha=0.25, lw=0)
    ax.axhline(0, color=FLOOR, lw=1)
    _fitted(ax, mine["performance"].to_numpy(), mine["score"].to_numpy(), colour)


def _residuals(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    ax.set_xlabel("performance, given ln width")
    width = np.log(mine["width"].to_numpy())
    x, y = (_left(mine[name].to_numpy(), width) for name in ("performance", "score"))
    ax.axhline(0, color=FLOOR, lw=1)
    _fitted(ax, x, y, colour)


def _left(values: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    fit = stats.linregress(given, values)
    return values - fit.intercept - fit.slope * given


def _floored(ax: Axes, x: pd.Series, mine: pd.DataFrame, colour: str) -> None:
    ax.vlines(x, mine["null_score"], mine["score"], color=colour, lw=0.8, alpha=0.55)
    ax.scatter(x, mine["null_score"], marker="_", s=26, color=FLOOR, linewidths=1.2)
    _dots(ax, x, mine["score"], colour)


def _dots(ax: Axes, x: pd.Series | NDArray[np.float64], y: pd.Series | NDArray[np.float64], colour: str) -> None:
    many = len(x) > 100
    ax.scatter(x, y, s=7 if many else 15, color=colour, alpha=0.5 if many else 0.9, linewidths=0, zorder=3)


def _fitted(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], colour: str) -> None:
    _dots(ax, x, y, colour)
    if len(x) < 4 or np.ptp(x) == 0:
        return
    fit = stats.linregress(x, y)
    at = np.linspace(x.min(), x.max(), 60)
    line = fit.intercept + fit.slope * at
    error = np.sqrt(np.sum((y - fit.intercept - fit.slope * x) ** 2) / (len(x) - 2))
    spread = error * np.sqrt(1 / len(x) + (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2))
    reach = stats.t.ppf(0.975, len(x) - 2) * spread
    ax.fill_between(at, line - reach, line + reach, color=colour, alpha=0.18, lw=0)
    ax.plot(at, line, color=colour, lw=1.2)


def _legend(fig: Figure, *, floors: bool) -> None:
    dot = Line2D([], [], marker="o", ls="", ms=4, color=INK, label="a model")
    dash = Line2D([], [], marker="_", ls="", ms=6, mew=1.4, color=FLOOR, label="what chance gives that model")
    band = Line2D([], [], marker="s", ls="", ms=7, mew=0, color=FLOOR, alpha=0.4, label="± 2 sd of one score by chance")
    if floors:
        fig.legend(handles=[dot, dash, band], loc="outside lower center", ncols=3, handletextpad=0.5, columnspacing=2)
