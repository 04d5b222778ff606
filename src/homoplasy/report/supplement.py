"""Supplementary panels: the main relation again at every kernel width and on every benchmark."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from homoplasy.report import words
from homoplasy.report.atlas import Atlas
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.inputs import Inputs
from homoplasy.report.style import FLOOR, INK, MODALITIES, MUTED, WIDTH

_PRINTED = (
    "Every dot is a model as printed: score at one kernel width against performance ({benchmarks}). Above a panel: "
    "Pearson's r with its 95 % interval on Fisher's scale; n = {counts}. Language first, then vision."
)
_HERE = (
    "Every dot is a model: mean score over all regions and subjects of its layers at depth {bin}/{bins}, by one kernel "
    "a panel, against performance. Biased scores at fixed widths (as released) hold what chance gives; debiased ones "
    "do not. Above a panel: Pearson's r, vision then language, each with its 95 % interval on Fisher's scale; "
    "n = {counts}."
)
_BENCHMARKS = (
    "Pearson's r of score and performance on every benchmark, as it is and with something held fixed; dot: estimate, "
    "line: 95 % interval on Fisher's scale. n = {low} to {high} models a benchmark."
)
_TALLEST = 8.6  # inches: a page of paper with room for the caption


class _Panel(NamedTuple):
    title: str
    said: str
    parts: Mapping[str, pd.DataFrame]  # by modality: columns performance and score


def figures(inputs: Inputs, depth: int = 6, bins: int = 8) -> Iterator[Drawing]:
    """Those that the inputs have the numbers for."""
    yield from _some(printed(inputs.points))
    if inputs.atlas is not None:
        yield from _some(kernels(inputs.atlas, inputs.study["model_scores"], depth, bins))
    yield from _some(benchmarks(inputs.study["associations"]))


def _some(drawing: Drawing | None) -> Iterator[Drawing]:
    if drawing is not None:
        yield drawing


def printed(points: pd.DataFrame) -> Drawing | None:
    """The printed points at each of their kernel widths."""
    mine = points[points["modality"].isin(MODALITIES) & points["score"].notna() & points["performance"].notna()]
    if mine.empty:
        return None
    mine = mine.assign(width_of_kernel=mine["reading"].str.partition("=")[2].astype(int))
    groups = [
        [_panel(f"{modality}, σ = {width}", {str(modality): one}) for width, one in part.groupby("width_of_kernel")]
        for modality, part in mine.groupby("modality")
    ]
    counts = mine.groupby("modality")["model"].nunique()
    caption = _PRINTED.format(benchmarks=words.listed(sorted(mine["benchmark"].unique())), counts=_counted(counts))
    table = mine[["modality", "reading", "model", "performance", "score"]].sort_values(["modality", "reading", "model"])
    return finish(
        "supplement-printed", "The printed points at every kernel width", caption, table, lambda: _grid(groups)
    )


def kernels(atlas: Atlas, model_scores: pd.DataFrame, depth: int, bins: int) -> Drawing | None:
    """Models of this world by every kernel that the atlas holds."""
    counted = model_scores[model_scores["counted"]].drop_duplicates("model").set_index("model")
    deep = atlas.layers["depth"].between((depth - 1) / bins, depth / bins, inclusive="right")
    used = deep & atlas.layers["model"].isin(counted.index)
    if not used.any():
        return None
    rows = []
    for name, values in zip(atlas.kernels, atlas.values, strict=True):
        if not shown(name):
            continue
        means = pd.DataFrame(values[used.to_numpy()]).mean(axis=1).to_numpy()
        scored = pd.Series(means).groupby(atlas.layers.loc[used, "model"].to_numpy()).mean()
        rows.append(pd.DataFrame({"kernel": name, "model": scored.index, "score": scored.to_numpy()}))
    if not rows:
        return None
    table = pd.concat(rows, ignore_index=True)
    for column in ("modality", "performance"):
        table[column] = table["model"].map(counted[column])
    table = table.dropna(subset=["score", "performance"])
    if table.empty:
        return None
    groups = [
        [
            _panel(kernel_name(str(name)), {one: mine[mine["modality"] == one] for one in MODALITIES})
            for name, mine in sorted(part.groupby("kernel"), key=lambda item: _order(str(item[0])))
        ]
        for _, part in table.groupby(table["kernel"].str.rpartition(" ")[2])
    ]
    counts = table.drop_duplicates("model")["modality"].value_counts()
    caption = _HERE.format(bin=depth, bins=bins, counts=_counted(counts))
    title = "Score against performance by every kernel"
    return finish("supplement-kernels", title, caption, table, lambda: _grid(groups))


def shown(params: str) -> bool:
    """Fixed widths biased, as released; widths set by the data, and the linear kernel, debiased.

    >>> shown("sigma=9 biased"), shown("sigma=9 debiased"), shown("c=1 debiased")
    (True, False, True)
    """
    return params.startswith("sigma=") == params.endswith(" biased")


def kernel_name(params: str) -> str:
    """Name a kernel as a panel does.

    >>> kernel_name("sigma=9 biased"), kernel_name("c=0.5 debiased"), kernel_name("linear biased")
    ('σ = 9, biased', 'c = 0.5, debiased', 'linear, biased')
    """
    kernel, _, estimator = params.partition(" ")
    return f"{kernel.replace('sigma', 'σ').replace('=', ' = ')}, {estimator}"


def _order(params: str) -> tuple[str, str, float]:
    kernel, _, estimator = params.partition(" ")
    kind, _, size = kernel.partition("=")
    return estimator, {"sigma": "a", "c": "b"}.get(kind, "c"), float(size or 0)


def _counted(counts: pd.Series) -> str:
    return ", ".join(f"{int(count)} {name} models" for name, count in counts.items())


def _panel(title: str, parts: Mapping[str, pd.DataFrame]) -> _Panel:
    said = [found for one in parts.values() if (found := correlated(one))]
    return _Panel(title, "\n".join(said), parts)


def correlated(mine: pd.DataFrame) -> str:
    """Pearson's r with the interval on Fisher's scale; nothing for four models or fewer, or scores without spread."""
    if len(mine) < 5 or mine["score"].std() == 0 or mine["performance"].std() == 0:
        return ""
    r = float(np.corrcoef(mine["performance"], mine["score"])[0, 1])
    low, high = np.tanh(
        np.arctanh(np.clip(r, -0.9999999, 0.9999999)) + np.array([-1, 1]) * 1.959964 / np.sqrt(len(mine) - 3)
    )
    return f"{words.number(r)} ({words.interval(low, high)})"


def _grid(groups: list[list[_Panel]]) -> Figure:
    """Panels in rows; a group starts a row of its own."""
    columns = 4 if sum(map(len, groups)) <= 24 else 5
    lines = [group[start : start + columns] for group in groups for start in range(0, len(group), columns)]
    height = min(1.45 * len(lines), _TALLEST) + 0.3
    fig = Figure(figsize=(WIDTH, height))  # a layout engine takes seconds over so many panels
    fig.subplots_adjust(0.055, 0.62 / height, 0.995, 1 - 0.42 / height, wspace=0.3, hspace=0.95)
    axes = fig.subplots(len(lines), columns, squeeze=False)
    for line, places in zip(lines, axes, strict=True):
        for ax in places[len(line) :]:
            ax.set_visible(False)
        for panel, ax in zip(line, places, strict=False):
            _scatter(ax, panel)
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, mew=0, color=ink, label=name) for name, ink in MODALITIES.items()
    ]
    fig.legend(handles=handles, loc="lower center", ncols=2, title="score (up) against performance (right)",
               title_fontsize=7)  # fmt: skip
    return fig


def _scatter(ax: Axes, panel: _Panel) -> None:
    for modality, mine in panel.parts.items():
        size = 7 if len(mine) < 100 else 1.5
        ax.scatter(mine["performance"], mine["score"], s=size, lw=0, color=MODALITIES[modality], alpha=0.8)
    said = ax.annotate(panel.said, (0, 1), (0, 2), "axes fraction", textcoords="offset points", fontsize=5, color=MUTED)
    said.set_in_layout(False)  # it may be wider than its panel
    ax.set_title(panel.title, fontsize=7, pad=4 + 6 * len(panel.said.splitlines()), color=INK)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.tick_params(labelsize=6)


def benchmarks(associations: pd.DataFrame) -> Drawing | None:
    """A row a benchmark; None where models were tested on one alone."""
    mine = associations[
        (associations["x"] == "score")
        & (associations["y"] == "performance")
        & (associations["method"] == "pearson")
        & associations["reading"].isin(["calibrated", "released"])
        & associations["r"].notna()
    ]
    if (mine.groupby("modality")["benchmark"].nunique() < 2).all():
        return None
    mine = mine.sort_values(["modality", "reading", "benchmark", "given"], ascending=[False, True, True, True])
    caption = _BENCHMARKS.format(low=mine["n"].min(), high=mine["n"].max())
    title = "Score and performance on every benchmark"
    return finish("supplement-benchmarks", title, caption, mine, lambda: _forest(mine))


def _forest(mine: pd.DataFrame) -> Figure:
    modalities = [name for name in MODALITIES if (mine["modality"] == name).any()]
    readings = [name for name in ("released", "calibrated") if (mine["reading"] == name).any()]
    sizes = [mine.loc[mine["modality"] == name, ["benchmark", "given"]].drop_duplicates() for name in modalities]
    fig = Figure(figsize=(WIDTH, 0.14 * sum(map(len, sizes)) + 0.7 * len(modalities)), layout="constrained")
    heights = [len(one) for one in sizes]
    grid = fig.subplots(len(modalities), len(readings), squeeze=False, sharex=True, sharey="row", height_ratios=heights)
    for modality, rows, line in zip(modalities, sizes, grid, strict=True):
        names = [f"{row['benchmark']}{_held(row['given'])}" for _, row in rows.iterrows()]
        for reading, ax in zip(readings, line, strict=True):
            part = mine[(mine["modality"] == modality) & (mine["reading"] == reading)]
            at = [names.index(f"{row['benchmark']}{_held(row['given'])}") for _, row in part.iterrows()]
            ax.axvline(0, color=FLOOR, lw=1)
            ax.hlines(at, part["fisher_low"], part["fisher_high"], color=MODALITIES[modality], lw=0.9, alpha=0.6)
            ax.scatter(part["r"], at, s=9, color=MODALITIES[modality], lw=0, zorder=3)
            ax.set_title(f"{modality}, {reading}", color=MODALITIES[modality])
        line[0].set_yticks(range(len(names)), names, fontsize=5.5)
        line[0].set_ylim(len(names) - 0.4, -0.6)
    for ax in grid[-1]:
        ax.set_xlabel("Pearson's r")
    return fig


def _held(given: str) -> str:
    return f", equal {given.replace('log_', 'ln ').replace('+', ', ')}" if given else ""
