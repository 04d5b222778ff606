"""Whether models stand in the same order by every kernel and every measure."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import NDArray

from homoplasy.report import words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import MODALITIES, WIDTH

TITLE = "Does the order of models survive another kernel or measure"
_CAPTION = (
    "Spearman's ρ × 100 of the mean scores of models by one kernel or measure with those by another, at one depth over "
    "all regions ({counts}). Upper left block: biased scores at fixed widths σ, as released; lower right: debiased "
    "at widths c times the median distance, the linear kernel, and other measures where they were computed."
)
_NUMBERED = 24  # more rows than this carry no numbers


def figure(ranks: pd.DataFrame) -> Drawing | None:
    """Draw the modalities that are there; None where there is none."""
    of_models = ranks[ranks["of"] == "models"]
    shown = [name for name in MODALITIES if (of_models["modality"] == name).any()]
    if not shown:
        return None
    order = ordered(of_models["a"].unique().tolist())
    table = of_models[of_models["a"].isin(order) & of_models["b"].isin(order)]
    counts = words.listed([f"n = {table.loc[table['modality'] == name, 'n'].max()} {name} models" for name in shown])
    caption = _CAPTION.format(counts=counts)
    grids = {name: _grid(table[table["modality"] == name], order) for name in shown}
    return finish("consistency", TITLE, caption, table, lambda: _drawn(grids, order), reading=_reading(grids, order))


def ordered(names: list[str]) -> list[str]:
    """Biased scores by fixed width, debiased ones by relative width, the linear kernel, then other measures."""
    fixed = [name for name in names if name.startswith("cka.rbf sigma=") and name.endswith(" biased")]
    own = [name for name in names if name.startswith("cka.rbf c=") and name.endswith(" debiased")]
    linear = [name for name in names if name.startswith("cka.linear") and name.endswith(" debiased")]
    others = [name for name in names if not name.startswith("cka.")]
    return [*sorted(fixed, key=_size), *sorted(own, key=_size), *linear, *sorted(others)]


def _size(name: str) -> float:
    return float(name.partition("=")[2].partition(" ")[0])


def label(name: str) -> str:
    """A measure and its parameters in a few letters.

    >>> label("cka.rbf sigma=9 biased"), label("cka.linear linear debiased"), label("mutual_knn k=20 cosine")
    ('σ 9', 'linear', 'mutual_knn k=20 cosine')
    """
    if name.startswith("cka.linear"):
        return "linear"
    if name.startswith("cka.rbf"):
        return ("σ " if "sigma=" in name else "c ") + f"{_size(name):g}"
    return name


def _grid(mine: pd.DataFrame, order: list[str]) -> NDArray[np.float64]:
    grid = mine.pivot(index="a", columns="b", values="rho").reindex(index=order, columns=order)
    return grid.to_numpy(np.float64)


def _reading(grids: dict[str, NDArray[np.float64]], order: list[str]) -> str:
    fixed = np.array([name.startswith("cka.rbf sigma=") for name in order])
    said = []
    for modality, grid in grids.items():
        inside = [_off(grid[np.ix_(part, part)]) for part in (fixed, ~fixed)]
        across = grid[np.ix_(fixed, ~fixed)].ravel()
        parts = [
            f"{name} {words.number(float(np.nanmedian(values)))}"
            for name, values in zip(("among biased scores", "among calibrated ones", "between the two"),
                                    (*inside, across), strict=True)
            if np.isfinite(values).any()
        ]  # fmt: skip
        said.append(f"{modality.capitalize()}: median ρ {', '.join(parts)}.")
    return " ".join(said)


def _off(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    return grid[np.triu_indices(len(grid), 1)]


def _drawn(grids: dict[str, NDArray[np.float64]], order: list[str]) -> Figure:
    fig = Figure(figsize=(WIDTH, 0.5 + WIDTH / 2 + 0.35), layout="constrained")
    axes = fig.subplots(1, 2)
    pictures = [_heat(ax, name, grid, order) for ax, (name, grid) in zip(axes, grids.items(), strict=False)]
    for ax in axes[len(pictures) :]:
        ax.set_axis_off()
    bar = fig.colorbar(pictures[0], ax=axes, location="bottom", shrink=0.4, aspect=30, label="Spearman's ρ")
    bar.outline.set_visible(False)
    return fig


def _heat(ax: Axes, name: str, grid: NDArray[np.float64], order: list[str]) -> QuadMesh:
    picture = ax.pcolormesh(grid, cmap="RdBu_r", vmin=-1, vmax=1, edgecolors="face", linewidth=0.3)
    ax.set_aspect("equal")
    ax.invert_yaxis()
    middles = np.arange(len(order)) + 0.5
    ax.set_title(name, color=MODALITIES[name])
    ax.set_xticks(middles, [label(one) for one in order], rotation=90, fontsize=6)
    ax.set_yticks(middles, [label(one) for one in order], fontsize=6)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    if len(order) <= _NUMBERED:
        for (row, column), value in np.ndenumerate(grid):
            if np.isfinite(value):
                ink = "#fefefe" if abs(value) > 0.6 else "#1d1d1c"  # on the colours of the map, in light and in dark
                ax.text(
                    column + 0.5, row + 0.5, f"{100 * value:.0f}", ha="center", va="center", fontsize=4.5, color=ink
                )
    return picture
