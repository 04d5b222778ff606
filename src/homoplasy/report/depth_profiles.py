"""Likeness by depth of the layer, and by network early and late in the models."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from homoplasy.report import lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MODALITIES, NETWORKS, SHORT, WIDTH

TITLE = "How deep in the models, and in which networks"
_CAPTION = (
    "Left: mean {reading} score over regions, then layers of a depth bin, then models; thick: mean of subjects, thin: "
    "each subject, grey: what chance gives. The diamond is the bin with the highest mean, its bar the 95 % interval of "
    "that bin when families of models are drawn anew. Middle and right: the same mean inside each network, early (2/8) "
    "and late (6/8) in the models; hollow: over the noise ceiling of its regions. {counts}."
)
_EARLY, _LATE = 2, 6


def figure(depths: pd.DataFrame, facts: pd.DataFrame) -> Drawing | None:
    """Draw the main reading; None where there is none."""
    main = lookup.main_reading(depths)
    mine = depths[depths["reading"] == main]
    shown = [name for name in MODALITIES if (mine["modality"] == name).any()]
    if not shown:
        return None
    counts = mine.groupby("modality")["models"].max()
    said = words.listed([f"{counts[name]} {name} models" for name in shown])
    caption = _CAPTION.format(reading=main, counts=f"n = {said}, {words.count(_subjects(mine), 'subject')}")
    table = mine.sort_values(["modality", "network", "subject", "bin"])
    peaks = {name: lookup.fact(facts, main, name, "peak_depth", "mean") for name in shown}
    return finish("depths", TITLE, caption, table, lambda: _drawn(table, peaks), reading=_reading(table, peaks))


def _subjects(mine: pd.DataFrame) -> int:
    return int((mine["subject"].unique() != "mean").sum())


def _reading(table: pd.DataFrame, peaks: dict[str, lookup.Fact]) -> str:
    bins = int(table["bin"].max())
    said = []
    for modality, peak in peaks.items():
        if np.isfinite(peak.value):
            bounds = (
                ""
                if np.isnan(peak.low)
                else f" (interval {peak.low * bins:.0f}/{bins} to {peak.high * bins:.0f}/{bins})"
            )
            said.append(
                f"{modality.capitalize()} is most alike to the brain at depth {peak.value * bins:.0f}/{bins}{bounds}"
            )
        late = table[
            (table["modality"] == modality) & (table["subject"] == "mean") & (table["bin"] == min(_LATE, bins))
        ]
        late = late[late["network"] != "all"].dropna(subset=["value"])
        if len(late):
            top = late.sort_values("value", kind="stable").iloc[-1]
            said[-1:] = [
                f"{said[-1] if said else modality}; late in the models the {top['network']} network is highest"
            ]
    return ". ".join(said) + "." if said else ""


def _drawn(table: pd.DataFrame, peaks: dict[str, lookup.Fact]) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    left, early, late = fig.subplots(1, 3, width_ratios=[1.25, 1, 1])
    bins = int(table["bin"].max())
    whole = table[table["network"] == "all"]
    for modality in peaks:
        _curve(left, whole[whole["modality"] == modality], MODALITIES[modality], peaks[modality], bins)
    left.set_xticks(range(1, bins + 1), [f"{number}/{bins}" for number in range(1, bins + 1)])
    left.set_xlabel("depth in the model")
    left.set_title("mean score over regions")
    named = [name for name in NETWORKS if (table["network"] == name).any()]
    inside = table[table["network"].isin(named) & (table["subject"] == "mean")]
    for ax, depth in ((early, min(_EARLY, bins)), (late, min(_LATE, bins))):
        _networks(ax, inside[inside["bin"] == depth], named, list(peaks))
        ax.set_title(f"networks at {depth}/{bins}")
    late.tick_params(labelleft=False)
    top = float(np.nanmax(inside[["value", "corrected"]].to_numpy())) if len(inside) else 1.0
    low = min(0.0, float(np.nanmin(inside["value"]))) if len(inside) else 0.0
    for ax in (early, late):
        ax.set_xlim(low - 0.03 * top, top * 1.06)
    handles = [Line2D([], [], color=MODALITIES[name], marker="o", ms=3, label=name) for name in peaks]
    handles += [
        Line2D([], [], marker="o", ls="", ms=4, mfc="none", color=INK, label="over the noise ceiling"),
        Line2D([], [], color=FLOOR, lw=1, label="chance"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return fig


def _curve(ax: Axes, mine: pd.DataFrame, colour: str, peak: lookup.Fact, bins: int) -> None:
    for subject, one in mine.groupby("subject"):
        thick = subject == "mean"
        ax.plot(one["bin"], one["value"], color=colour, lw=1.8 if thick else 0.6, alpha=1 if thick else 0.5,
                marker="o" if thick else "", ms=2.5)  # fmt: skip
    mean = mine[mine["subject"] == "mean"]
    ax.plot(mean["bin"], mean["null_mean"], color=FLOOR, lw=1)
    at = peak.value * bins
    height = mean.loc[mean["bin"] == round(at), "value"] if np.isfinite(at) else mean["value"].iloc[:0]
    if len(height):
        if np.isfinite(peak.low):
            ax.plot([peak.low * bins, peak.high * bins], [height.iloc[0]] * 2, color=colour, lw=4, alpha=0.3)
        ax.plot(at, height.iloc[0], marker="D", ms=5, color=colour, mec=INK, mew=0.6, zorder=4)


def _networks(ax: Axes, mine: pd.DataFrame, named: list[str], modalities: list[str]) -> None:
    for number, modality in enumerate(modalities):
        one = mine[mine["modality"] == modality].set_index("network").reindex(named)
        at = np.arange(len(named)) + (number - (len(modalities) - 1) / 2) * 0.3
        ax.hlines(at, 0, one["value"], color=MODALITIES[modality], lw=0.8, alpha=0.5)
        ax.scatter(one["value"], at, s=14, color=MODALITIES[modality], lw=0, zorder=3)
        ax.scatter(one["corrected"], at, s=14, facecolors="none", edgecolors=MODALITIES[modality], lw=0.8)
    ax.axvline(0, color=FLOOR, lw=1)
    ax.set_yticks(range(len(named)), [SHORT.get(name, name) for name in named])
    for label, name in zip(ax.get_yticklabels(), named, strict=True):
        label.set_color(NETWORKS[name])
        label.set_fontweight("bold")
    ax.set_ylim(len(named) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
