"""How often chance announces each claim, and how often a planted one is found: one dot an analysis."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from homoplasy.report import words
from homoplasy.report.beside import PRESETS, TRUTHS
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, WIDTH

TITLE = "What each analysis announces in worlds whose truth is known"
_INKS = {"calibrated": "#009988", "as_released": "#cc3311", "as_written": "#ee7733"}
_CAPTION = (
    "Share of generated worlds in which an analysis announces a claim, with the 95 % interval of Clopper and Pearson. "
    "Left: brains and models share nothing. Middle: nor here, but models differ in the number of their features. "
    "Right: better models share more with the brain. Full dots: an announcement is false (left, middle) or right "
    "(right); hollow: the claim is neither true nor false by construction. Line: 5 %. n = {seeds} worlds a dot."
)
_NOMINAL = 0.05


def figure(table: pd.DataFrame | None) -> Drawing | None:
    """Draw it; None without certificates."""
    if table is None:
        return None
    shown = table[(table["preset"] != "") & (table["answered"] > 0)]
    if shown.empty:
        return None
    low, high = int(shown["seeds"].min()), int(shown["seeds"].max())
    caption = _CAPTION.format(seeds=low if low == high else f"{low} to {high}")
    return finish("certificates", TITLE, caption, shown, lambda: _drawn(shown), reading=_reading(shown))


def _reading(shown: pd.DataFrame) -> str:
    said = []
    for preset, name in PRESETS.items():
        mine = shown[(shown["preset"] == preset) & (shown["role"] == "false_positive")]
        wrong = mine[mine["low"] > _NOMINAL]
        if mine.empty:
            continue
        clear = f"more often than in 5 % of worlds in {len(wrong)} of {words.count(len(mine), 'case')}"
        worst = mine.nlargest(1, "rate").iloc[0]
        most = f"most often {worst['claim']} ({worst['positives']} of {worst['seeds']}, {TRUTHS[str(worst['truth'])]})"
        said.append(f"The {name} analysis announces what is not there {clear}; {most}.")
    return " ".join(said)


def _drawn(shown: pd.DataFrame) -> Figure:
    claims = list(dict.fromkeys(shown["claim"]))
    truths = [truth for truth in TRUTHS if (shown["truth"] == truth).any()]
    fig = Figure(figsize=(WIDTH, 0.24 * len(claims) + 1.0), layout="constrained")
    axes = fig.subplots(1, len(truths), sharey=True, squeeze=False)[0]
    for truth, ax in zip(truths, axes, strict=True):
        _panel(ax, shown[shown["truth"] == truth], claims)
        ax.set_title(TRUTHS[truth])
    axes[0].set_yticks(np.arange(len(claims)), claims)
    axes[0].tick_params(axis="y", labelcolor=INK)
    axes[0].set_ylim(len(claims) - 0.4, -0.6)
    presets = [name for name in PRESETS if (shown["preset"] == name).any()]
    handles = [Line2D([], [], marker="o", ls="", ms=4, color=_INKS[name], label=PRESETS[name]) for name in presets]
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return fig


def _panel(ax: Axes, mine: pd.DataFrame, claims: list[str]) -> None:
    ax.axvline(_NOMINAL, color=FLOOR, lw=1)
    for number, (preset, ink) in enumerate(_INKS.items()):
        one = mine[mine["preset"] == preset]
        at = np.array([claims.index(claim) for claim in one["claim"]]) + 0.24 * (number - 1)
        sure = (one["role"] != "rate").to_numpy()
        ax.hlines(at, one["low"], one["high"], color=ink, lw=0.9, alpha=0.6)
        ax.scatter(
            one["rate"], at, s=13, facecolors=np.where(sure, ink, "none"), edgecolors=ink, linewidths=0.9, zorder=3
        )
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    ax.grid(visible=False, axis="y")
