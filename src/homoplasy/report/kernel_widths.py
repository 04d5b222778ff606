"""The published points at every kernel width: what the score goes with, and which modality lies higher."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from homoplasy.report import lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.printed import PLAIN
from homoplasy.report.style import FLOOR, MODALITIES, MUTED, WIDTH

TITLE = "The same at every kernel width"
_CAPTION = (
    "Left and middle: Pearson's r at each of the eleven printed kernel widths; band: 95 % interval, outer bounds of "
    "Fisher's z and of families drawn anew. Right: mean printed score of each modality with its interval over "
    "families, on a logarithmic scale. (One model at a time may hold a printed score above 1 at width 20, which no CKA "
    "can reach; levels are therefore compared within a width only.)"
)
_TESTS = (
    ("score", "performance", ""),
    ("score", "width", ""),
    ("score", "performance", "width"),
)
_LABELS = ("with performance", "with feature width", "with performance,\nat equal width")
_COLOURS = ("#0077bb", "#cc3311", "#009988")
_GROUPS = {"language": "language models", PLAIN: "plain vision transformers"}


def figure(associations: pd.DataFrame, facts: pd.DataFrame) -> Drawing | None:
    """Draw it; None where the printed widths are not there."""
    readings = [name for name in associations["reading"].unique() if str(name).startswith("sigma=")]
    sizes = sorted(int(str(name).removeprefix("sigma=")) for name in readings)
    if len(sizes) < 2:
        return None
    rows = []
    for group in _GROUPS:
        for test in _TESTS:
            for size in sizes:
                one = lookup.correlation(associations, f"sigma={size}", group, test)
                about = {"what": "r", "modality": group, "x": test[0], "y": test[1], "given": test[2], "width": size}
                rows.append(about | {"value": one.r, "low": one.low, "high": one.high, "n": one.n})
    for modality in (*MODALITIES, "both"):
        name = "mean_score" if modality != "both" else "language_minus_vision"
        for size in sizes:
            level = lookup.fact(facts, f"sigma={size}", modality, name)
            about = {"what": name, "modality": modality, "x": "", "y": "", "given": "", "width": size}
            rows.append(about | {"value": level.value, "low": level.low, "high": level.high, "n": level.n})
    table = pd.DataFrame(rows)
    return finish("kernel-widths", TITLE, _CAPTION, table, lambda: _drawn(table), reading=reading(table))


def reading(table: pd.DataFrame) -> str:
    """How far the relation, and the order of the modalities, hang on the width that was chosen."""
    r = table[(table["what"] == "r") & (table["modality"] == "language")]
    plain, width = (r[(r["y"] == y) & (r["given"] == "")].set_index("width")["value"] for y in ("performance", "width"))
    more = [str(size) for size in plain.index if width[size] > plain[size]]
    gap = table[table["what"] == "language_minus_vision"].set_index("width")
    above = [str(size) for size in gap.index if gap["low"][size] > 0]
    below = [str(size) for size in gap.index if gap["high"][size] < 0]
    none = [str(size) for size in gap.index if gap["low"][size] <= 0 <= gap["high"][size]]
    open_ = f", and neither is shown at {words.listed(none)}" if none else ""
    return (
        f"For language models the score goes more closely with feature width than with performance at kernel widths "
        f"{words.listed(more) if more else 'none'}. Language lies above vision at {words.listed(above) or 'no width'} "
        f"and below it at {words.listed(below) if below else 'no width'}{open_}: which modality is more alike to "
        f"the brain is decided by the kernel."
    )


def _drawn(table: pd.DataFrame) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    left, middle, right = fig.subplots(1, 3)
    for ax, (group, title) in zip((left, middle), _GROUPS.items(), strict=True):
        _correlations(ax, table[(table["modality"] == group) & (table["what"] == "r")])
        ax.set_title(title)
        ax.set_ylim(-0.45, 1.02)
    left.set_ylabel("Pearson's r of the score")
    for modality, colour in MODALITIES.items():
        mine = table[(table["modality"] == modality) & (table["what"] == "mean_score")]
        right.fill_between(mine["width"], mine["low"], mine["high"], color=colour, alpha=0.2, lw=0)
        right.plot(mine["width"], mine["value"], color=colour, marker="o", ms=2.5)
        right.annotate(modality, (mine["width"].iloc[-1], mine["value"].iloc[-1]), (0, 5), textcoords="offset points",
                       ha="right", color=colour, fontsize=7)  # fmt: skip
    right.set_yscale("log")
    right.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2, 0.5, 1]))
    right.yaxis.set_minor_locator(NullLocator())
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.set_title("mean printed score")
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, [label.replace("\n", " ") for label in labels], loc="outside lower center", ncols=3)
    for ax in (left, middle, right):
        ax.set_xlabel("kernel width σ")
        ax.set_xticks([20, 36, 52, 68, 84, 100])
    left.axvline(36, color=FLOOR, lw=0.8, ls=":")
    left.annotate("36: main figures", (36, -0.42), (3, 0), textcoords="offset points", fontsize=6.5, color=MUTED)
    return fig


def _correlations(ax: Axes, mine: pd.DataFrame) -> None:
    ax.axhline(0, color=FLOOR, lw=1)
    for (_, y, given), label, colour in zip(_TESTS, _LABELS, _COLOURS, strict=True):
        one = mine[(mine["y"] == y) & (mine["given"] == given)]
        if np.isfinite(one["value"]).any():
            ax.fill_between(one["width"], one["low"], one["high"], color=colour, alpha=0.15, lw=0)
            ax.plot(one["width"], one["value"], color=colour, marker="o", ms=2.5, label=label)
