"""What a wider kernel does to every region, and how much of that is its size and noise."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from homoplasy.report import labels, lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, MODALITIES, MUTED, NETWORKS, OTHER, WIDTH

TITLE = "What a wider kernel changes, region by region"
_CAPTION = (
    "Each dot is a region, by its place from the back of the head to the front; colours are networks. Left: as the "
    "study did it: standardised score at the fixed width 68 minus at 28. Middle: calibrated score at twice the median "
    "distance minus at half of it, mean over subjects with Student's 95 % interval; the band holds what chance gives "
    "95 % of regions. Right: what is left of the middle after ln voxels, noise and dimensionality of the region. "
    "n = {regions}."
)
_NAMED = 3  # regions at each end that are named


class _Panel(NamedTuple):
    title: str
    reading: str
    column: str
    fact: str


_PANELS = (
    _Panel("as released, standardised", "released", "delta", "gradient_rho"),
    _Panel("calibrated", "calibrated", "delta", "gradient_rho"),
    _Panel("calibrated, size and noise out", "calibrated", "residual", "residual_gradient_rho"),
)


def figure(scales: pd.DataFrame, facts: pd.DataFrame) -> Drawing | None:
    """Draw it; None where scores at two widths are not there, or no region has a known place."""
    placed = scales[scales["anterior"].notna()]
    shown = [name for name in MODALITIES if (placed["modality"] == name).any()]
    if not shown:
        return None
    caption = _CAPTION.format(regions=words.count(placed["region"].nunique(), "region"))
    table = placed.sort_values(["modality", "reading", "region"])
    return finish("scale", TITLE, caption, table, lambda: _drawn(table, facts, shown), reading=_reading(facts, shown))


def _reading(facts: pd.DataFrame, shown: list[str]) -> str:
    said = []
    for modality in shown:
        agreement = lookup.fact(facts, "calibrated", modality, "sign_consistency")
        slope = lookup.fact(facts, "calibrated", modality, "gradient_rho")
        rest = lookup.fact(facts, "calibrated", modality, "residual_gradient_rho")
        size = lookup.fact(facts, "released", modality, "voxels_rho")
        if np.isnan(agreement.value):
            continue
        said.append(
            f"{modality.capitalize()}: subjects agree on the sign of the change in {words.number(agreement.value)} of "
            f"regions (chance for four subjects {words.number(2 / 3)}; p = {words.p_value(agreement.p)}). The gradient "
            f"from back to front has ρ = {slope.text()} calibrated, {rest.text()} after size and noise; as released, "
            f"the change goes with the number of voxels at ρ = {words.number(size.value)}."
        )
    return " ".join(said)


def _drawn(table: pd.DataFrame, facts: pd.DataFrame, shown: list[str]) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.25 * len(shown) + 0.35), layout="constrained")
    grid = fig.subplots(len(shown), len(_PANELS), squeeze=False)
    for modality, line in zip(shown, grid, strict=True):
        for panel, ax in zip(_PANELS, line, strict=True):
            mine = table[(table["modality"] == modality) & (table["reading"] == panel.reading)]
            _panel(
                ax, panel, mine.dropna(subset=[panel.column]), lookup.fact(facts, panel.reading, modality, panel.fact)
            )
        line[0].set_ylabel(f"{modality}: change", color=MODALITIES[modality], fontweight="bold")
    for ax in grid[-1]:
        ax.set_xlabel("place, back to front (mm)")
    networks = [name for name in NETWORKS if (table["network"] == name).any()]
    handles = [Line2D([], [], marker="o", ls="", ms=4, mew=0, color=NETWORKS[name], label=name) for name in networks]
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=0.9, handletextpad=0.1)
    return fig


def _panel(ax: Axes, panel: _Panel, mine: pd.DataFrame, found: lookup.Fact) -> None:
    ax.set_title(panel.title, pad=15)
    ax.axhline(0, color=FLOOR, lw=1)
    if mine.empty:
        ax.text(0.5, 0.5, "not known here", ha="center", va="center", color=MUTED, transform=ax.transAxes)
        return
    if panel.reading == "calibrated" and panel.column == "delta":
        ax.axhspan(mine["null_low"].median(), mine["null_high"].median(), color=FLOOR, alpha=0.2, lw=0)
    colours = [NETWORKS.get(name, OTHER) for name in mine["network"]]
    ends = ("low", "high") if panel.column == "delta" else ("residual_low", "residual_high")
    ax.vlines(mine["anterior"], mine[ends[0]], mine[ends[1]], color=colours, lw=0.7, alpha=0.6)
    ax.scatter(mine["anterior"], mine[panel.column], s=13, c=colours, lw=0, zorder=3)
    said = f"ρ with place = {found.text()}" if np.isfinite(found.value) else ""
    ax.annotate(said, (0, 1), (0, 3), "axes fraction", textcoords="offset points", fontsize=7, color=MUTED)
    ax.margins(y=0.14)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ranked = mine.sort_values(panel.column)
    for rows, above in ((ranked.head(_NAMED), False), (ranked.tail(_NAMED)[::-1], True)):
        labels.name(ax, zip(rows["region"], rows["anterior"], rows[panel.column], strict=True), above=above)
