"""Figure 2: in which regions, and how deep in the models, likeness sits; with the ceiling of each region."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from homoplasy.report import lookup
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MODALITIES, MUTED, NETWORKS, OTHER, SHORT, WIDTH

TITLE = "Where in the brain, and how deep in the models"
_CAPTION = (
    "Mean {reading} score of {models} by region and by relative depth of the layer, over subjects and models; a fuller "
    "colour is a higher score, and the panels share one scale. The ring marks the best depth of a region, where that "
    "score lies more than four standard deviations of chance above its floor. Regions stand in the order of their "
    "networks, not of the result. Right: the best mean score of each region (dots), its floor (grey line) and its "
    "noise ceiling (black tick: the likeness, by linear kernel, of noise-free patterns with the measured ones); a "
    "region without a tick shows no reliable signal."
)
_LABELLED = 60  # more rows than this carry the names of networks only
_CLEAR = 4.0


def figure(profiles: pd.DataFrame, regions: pd.DataFrame) -> Drawing | None:
    """Draw the calibrated reading where it is there, else the released one; None without region scores."""
    readings = [name for name in ("calibrated", "released") if _has(profiles, name)]
    if not readings or regions.empty:
        return None
    mine = profiles[profiles["reading"] == readings[0]]
    order = in_order(regions, set(mine["region"]))
    mine = mine[mine["region"].isin(order.index)]
    if mine.empty:
        return None
    ceilings = lookup.pooled(regions).groupby("region")["ceiling"].agg(lookup.ceiling)
    table = mine.assign(network=mine["region"].map(order), best=best_depth(mine), ceiling=mine["region"].map(ceilings))
    place = {region: number for number, region in enumerate(order.index)}
    table = table.sort_values(["modality", "region", "bin"], key=lambda c: c.map(place) if c.name == "region" else c)
    counts = mine.groupby("modality")["models"].max()
    models = " and ".join(f"{count} {modality} models" for modality, count in counts.items())
    caption = _CAPTION.format(reading=readings[0], models=models)
    return finish("hierarchy", TITLE, caption, table, lambda: _drawn(table, order))


def _has(profiles: pd.DataFrame, reading: str) -> bool:
    return bool(profiles.loc[profiles["reading"] == reading, "value"].notna().any())


def in_order(regions: pd.DataFrame, scored: set[str]) -> pd.Series:
    """The network of each scored region, in the order of networks and then of the atlas."""
    networks = regions[regions["region"].isin(scored)].drop_duplicates("region").set_index("region")["network"]
    rank = {name: number for number, name in enumerate(NETWORKS)}
    return networks.sort_values(key=lambda names: names.map(lambda name: rank.get(name, len(rank))), kind="stable")


def best_depth(mine: pd.DataFrame) -> pd.Series:
    """Whether a cell is the best depth of its region, clearly above its floor."""
    top = mine["value"] == mine.groupby(["modality", "region"])["value"].transform("max")
    return top & (mine["value"] - mine["null_mean"] > _CLEAR * mine["null_sd"])


def _drawn(table: pd.DataFrame, order: pd.Series) -> Figure:
    shown = [name for name in MODALITIES if (table["modality"] == name).any()]
    rows = len(order)
    height = rows * (0.165 if rows <= _LABELLED else 0.04) + 1.1
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = fig.subplots(1, len(shown) + 1, sharey=True, width_ratios=[*[1.0] * len(shown), 0.8])
    above = (table["value"] - table["null_mean"]).max()
    top = float(above) if above > 0 else 1.0
    for name, ax in zip(shown, axes, strict=False):
        _map(ax, table[table["modality"] == name], order, name, top)
    _levels(axes[-1], table, order, shown)
    _row_names(axes[0], order)
    _scale(fig, axes[0], top, shown[0])
    return fig


def _map(ax: Axes, mine: pd.DataFrame, order: pd.Series, modality: str, top: float) -> None:
    bins = np.arange(mine["bin"].min(), mine["bin"].max() + 1)
    height = mine["value"] - mine["null_mean"]
    grid = mine.assign(height=height).pivot(index="region", columns="bin", values="height")
    values = grid.reindex(index=order.index, columns=bins).to_numpy()
    ax.add_collection(_cells(values, bins, MODALITIES[modality], top))
    rings = mine[mine["best"]]
    places = order.index.get_indexer(pd.Index(rings["region"]))
    size = 9 if len(order) <= _LABELLED else 2
    ax.scatter(rings["bin"], places, s=size, facecolors="none", edgecolors=INK, linewidths=0.8, zorder=3)
    ax.set_xlim(bins[0] - 0.5, bins[-1] + 0.5)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xticks(bins, [f"{number}/8" if bins[-1] == 8 else str(number) for number in bins])
    ax.set_xlabel("depth in the model")
    ax.set_title(modality, color=MODALITIES[modality])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def _cells(values: NDArray[np.float64], bins: NDArray[np.int64], colour: str, top: float) -> PatchCollection:
    """Coloured cells: the score is the opacity, so that the floor is the page itself in light and in dark."""
    patches, colours = [], []
    for row, line in enumerate(values):
        for number, value in zip(bins, line, strict=True):
            if np.isfinite(value):
                patches.append(Rectangle((number - 0.48, row - 0.46), 0.96, 0.92))
                colours.append(to_rgba(colour, float(np.clip(value / top, 0, 1))))
    return PatchCollection(patches, facecolors=colours, linewidths=0)


def _levels(ax: Axes, table: pd.DataFrame, order: pd.Series, shown: list[str]) -> None:
    rows = np.arange(len(order))
    small = len(order) > _LABELLED
    ceilings = table.groupby("region")["ceiling"].first().reindex(order.index)
    ax.scatter(ceilings, rows, marker="|", s=12 if small else 40, color=INK, linewidths=1.4, zorder=3)
    for number, name in enumerate(shown):
        mine = table[table["modality"] == name]
        best = mine.loc[mine.dropna(subset=["value"]).groupby("region")["value"].idxmax()].set_index("region")
        best = best.reindex(order.index)
        at = rows + (number - (len(shown) - 1) / 2) * 0.3
        ax.hlines(at, best["null_mean"], best["value"], color=MODALITIES[name], lw=0.8, alpha=0.55)
        ax.scatter(best["value"], at, s=4 if small else 13, color=MODALITIES[name], linewidths=0, zorder=3)
        ax.scatter(best["null_mean"], at, marker="|", s=4 if small else 16, color=FLOOR, linewidths=1.2)
    ax.set_xlim(min(0.0, float(table["value"].min())) - 0.02, 1.0)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("best score, and ceiling")
    ax.set_title("how high")
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)


def _row_names(ax: Axes, order: pd.Series) -> None:
    """Names of regions with a bar in the colour of their network; in a long list the networks only."""
    named = len(order) <= _LABELLED
    ax.set_yticks(np.arange(len(order)) if named else [], list(order.index) if named else [])
    ax.tick_params(axis="y", labelcolor=INK, pad=9)
    beside = ax.get_yaxis_transform()
    for network, places in _blocks(order):
        bar = Rectangle((-0.035, places[0] - 0.46), 0.02, len(places) - 0.08, transform=beside, clip_on=False, lw=0)
        bar.set_facecolor(NETWORKS.get(network, OTHER))
        ax.add_patch(bar)
        ax.text(
            -0.30 if named else -0.10,
            (places[0] + places[-1]) / 2,
            _short(network, len(places), named=named),
            transform=beside,
            rotation=90 if len(places) > 2 or not named else 0,
            fontsize=6.5,
            color=MUTED,
            va="center",
            ha="center",
            clip_on=False,
        )


def _blocks(order: pd.Series) -> list[tuple[str, list[int]]]:
    blocks: dict[str, list[int]] = {}
    for place, network in enumerate(order):
        blocks.setdefault(str(network), []).append(place)
    return list(blocks.items())


def _short(network: str, rows: int, *, named: bool) -> str:
    """A network's name cut to the rows it has."""
    return SHORT.get(network, network) if named and rows < 6 else network


def _scale(fig: Figure, ax: Axes, top: float, modality: str) -> None:
    """The key of the cells, in five steps."""
    steps = np.linspace(0, top, 5)
    handles = [
        Line2D(
            [],
            [],
            marker="s",
            ls="",
            ms=7,
            mew=0,
            color=MODALITIES[modality],
            alpha=max(value / top, 0.02),
            label=label,
        )
        for value, label in zip(steps, [f"{value:.2f}" for value in steps], strict=True)
    ]
    ring = Line2D([], [], marker="o", ls="", ms=4, mfc="none", mec=INK, mew=0.8, label="best depth")
    tick = Line2D([], [], marker="|", ls="", ms=6, mew=1.4, color=INK, label="ceiling")
    floor = Line2D([], [], marker="|", ls="", ms=5, mew=1.2, color=FLOOR, label="floor")
    title = Line2D([], [], ls="", label="score above its floor:")
    del ax
    fig.legend(
        handles=[title, *handles, ring, tick, floor],
        loc="outside lower center",
        ncols=9,
        handletextpad=0.3,
        columnspacing=1.0,
    )
