"""The specification curve of a claim: every estimate that other choices would have given, and those choices."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from homoplasy.report import words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MODALITIES, WIDTH

CHOICES = ("kernel", "estimator", "bins", "binning", "regions", "statistic", "given")
_CAPTION = (
    "Top: every estimate of the claim that the choices below give, in rising order, with its 95 % interval; in colour "
    "where the interval lies on the claimed side of 0, else grey. Diamond: the specification that was declared before "
    "any score existed. Bottom: a mark where a specification takes the option. {counts}."
)
_SAID = {
    "score_performance": "do better models score higher?",
    "language_above_vision": "do language models lie above vision models?",
    "scale_gradient": "does a wider kernel favour the front of the brain?",
    "family_separation": "does the tree keep families apart?",
    "subject_agreement": "do subjects agree?",
}
_MAIN = "#ee3377"
_MANY = 200  # marks: more of them are drawn as pixels, since each would take some hundred bytes of the page
_BOTH = "#7d7b75"  # is seen on a light page and on a dark one


def figures(specifications: pd.DataFrame | None, components: pd.DataFrame | None) -> Iterator[Drawing]:
    """One figure a claim."""
    if specifications is None:
        return
    known = specifications[specifications["estimate"].notna()]
    for claim, mine in known.groupby("claim", sort=False):
        yield _figure(str(claim), mine, components)


def _figure(claim: str, mine: pd.DataFrame, components: pd.DataFrame | None) -> Drawing:
    shown = [name for name in (*MODALITIES, "both") if (mine["modality"] == name).any()]
    table = mine.sort_values(["modality", "estimate"], kind="stable")
    counts = [f"{name.capitalize()}: n = {(mine['modality'] == name).sum():,} specifications" for name in shown]
    said = _SAID.get(claim, claim.replace("_", " "))
    reading = " ".join(_told(name, mine[mine["modality"] == name], claim, components) for name in shown)
    name = f"specifications-{claim.replace('_', '-')}"
    caption = _CAPTION.format(counts=", ".join(counts))
    return finish(name, f"Specification curve: {said}", caption, table, lambda: _drawn(table, shown), reading=reading)


def _told(modality: str, mine: pd.DataFrame, claim: str, components: pd.DataFrame | None) -> str:
    said = (
        f"{modality.capitalize()}: {100 * mine['supports'].mean():.0f} % of {words.count(len(mine), 'specification')} "
        f"support the claim (estimates {words.interval(mine['estimate'].min(), mine['estimate'].max())})"
    )
    main = mine[mine["main"]]
    if len(main):
        row = main.iloc[0]
        said += f"; the declared one gives {words.number(row['estimate'])} ({words.interval(row['low'], row['high'])})"
    if components is not None:
        parts = components[(components["claim"] == claim) & (components["modality"] == modality)]
        parts = parts[(parts["choice"] != "all") & parts["total"].notna()]
        if len(parts):
            most = parts.nlargest(1, "total").iloc[0]
            said += f". Most hangs on the {most['choice']}: {100 * most['total']:.0f} % of the variance"
    return f"{said}."


def _drawn(table: pd.DataFrame, shown: list[str]) -> Figure:
    rows = {name: _options(table[table["modality"] == name]) for name in shown}
    options = list(dict.fromkeys(option for name in shown for option in rows[name]))
    fig = Figure(figsize=(WIDTH, 2.2 + 0.135 * len(options)), layout="constrained")
    heights = [1.7, 0.135 * max(len(options), 1)]
    grid = fig.subplots(2, len(shown), squeeze=False, height_ratios=heights, sharex="col", sharey="row")
    for number, name in enumerate(shown):
        mine = table[table["modality"] == name]
        _curve(grid[0][number], mine, MODALITIES.get(name, _BOTH))
        _strips(grid[1][number], mine, options, MODALITIES.get(name, _BOTH))
        grid[0][number].set_title(name, color=MODALITIES.get(name, _BOTH))
        grid[1][number].set_xlabel("specifications, by estimate")
    grid[0][0].set_ylabel("estimate")
    grid[1][0].set_yticks(np.arange(len(options)), [_name(*option) for option in options], fontsize=5.5)
    grid[1][0].tick_params(axis="y", labelcolor=INK)
    main = Line2D([], [], marker="D", ls="", ms=5, color=_MAIN, label="declared before any score existed")
    grey = Line2D([], [], marker="o", ls="", ms=4, color=FLOOR, label="the interval does not support the claim")
    fig.legend(handles=[main, grey], loc="outside lower center", ncols=2)
    return fig


def _options(mine: pd.DataFrame) -> list[tuple[str, str]]:
    """Every option of every choice that has more than one."""
    found = []
    for choice in CHOICES:
        levels = sorted(mine[choice].astype(str).unique(), key=_in_order)
        found += [(choice, level) for level in levels] if len(levels) > 1 else []
    return found


def _in_order(level: str) -> tuple[str, float]:
    """Words by the alphabet, numbers in them by their size."""
    word, number, _ = re.match(r"(\D*)([\d.]*)(.*)", level, flags=re.DOTALL).groups()  # type: ignore[union-attr]  # matches all
    return word, float(number) if number.strip(".") else 0.0


def _name(choice: str, level: str) -> str:
    return f"{choice}: {level.replace('log_', 'ln ') or 'nothing'}"


def _curve(ax: Axes, mine: pd.DataFrame, ink: str) -> None:
    at = np.arange(len(mine))
    colours = [ink if held else FLOOR for held in mine["supports"]]
    ax.axhline(0, color=FLOOR, lw=1)
    intervals = ax.vlines(at, mine["low"], mine["high"], colors=colours, lw=min(1.0, 150 / len(mine)), alpha=0.35)
    estimates = ax.scatter(at, mine["estimate"], s=4, c=colours, lw=0, zorder=3)
    for marks in (intervals, estimates):
        marks.set_rasterized(len(mine) > _MANY)
    main = mine["main"].to_numpy()
    ax.scatter(at[main], mine["estimate"][main], s=34, marker="D", color=_MAIN, lw=0, zorder=4)
    ax.set_xticks([])
    ax.grid(visible=False, axis="x")


def _strips(ax: Axes, mine: pd.DataFrame, options: list[tuple[str, str]], ink: str) -> None:
    """A row an option, drawn as one picture: thousands of marks would swell the file."""
    taken = [(mine[choice].astype(str) == level).to_numpy() for choice, level in options]
    if taken:
        picture = np.ma.masked_equal(np.stack(taken).astype(int), 0)
        ax.imshow(picture, aspect="auto", interpolation="none", cmap=ListedColormap([ink]), alpha=0.8)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
