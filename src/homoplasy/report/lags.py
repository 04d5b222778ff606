"""Which comes first in training, likeness or performance: lags with intervals, in every version of performance."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from homoplasy.report import lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import CATEGORIES, FLOOR, INK, WIDTH

TITLE = "Which comes first in training"
_CAPTION = (
    "Left: how many doublings of training steps performance reaches half of its rise after the brain score of the same "
    "checkpoints (right of 0: the score comes first); bar: 95 % interval, regions and subjects drawn anew. Half-rise "
    "is not invariant under monotone transforms of either curve, so a lag is shown for performance as it is, as ranks, "
    "logits and logarithms; a lead is claimed only where all four agree. Right: correlation of the changes from step "
    "to step, with Fisher's interval and p from blocks of changes in random order."
)
_TRANSFORMS = {"plain": "as it is", "rank": "ranks", "logit": "logit", "log_loss": "log"}
_MOST = 16  # rows of the figure; the table has all


def figure(lags: pd.DataFrame, facts: pd.DataFrame) -> Drawing | None:
    """Draw the runs that have a lag; None where none has."""
    table = lags[lags["lag"].notna()].sort_values(["modality", "run", "weights", "benchmark", "transform"])
    if table.empty:
        return None
    return finish("lags", TITLE, _CAPTION, table, lambda: _drawn(table), reading=_reading(facts))


def _reading(facts: pd.DataFrame) -> str:
    said, none = [], 0
    for _, row in facts[facts["fact"] == "lead"].iterrows():
        weights, modality, benchmark = (str(row[name]) for name in ("reading", "modality", "item"))
        lag = lookup.fact(facts, weights, modality, "lag", f"{benchmark} plain")
        what = "the score comes first" if row["value"] > 0 else "performance comes first"
        if row["value"] == 0:
            none += 1
            continue
        mean = f" (mean lag {lag.text()} doublings)" if np.isfinite(lag.value) else ""
        name = f"{modality or 'planted'}, {weights} weights, {benchmark.replace('_', ' ')}"
        said.append(f"{name}: {what}{mean}, {words.count(int(row['n']), 'run')}")
    rest = f"no lead is shown in {words.count(none, 'other case' if said else 'case')} of weights and benchmark"
    told = "; ".join([*said, rest] if none else said)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def _drawn(table: pd.DataFrame) -> Figure:
    names = table.assign(name=_names(table))
    rows = list(dict.fromkeys(names["name"]))[:_MOST]
    fig = Figure(figsize=(WIDTH, 0.24 * len(rows) + 1.3), layout=ConstrainedLayoutEngine(w_pad=0.12))
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=[1.4, 1])
    colours = dict(zip(_TRANSFORMS, CATEGORIES, strict=False))
    for number, (transform, colour) in enumerate(colours.items()):
        mine = names[names["transform"] == transform].set_index("name").reindex(rows)
        at = np.arange(len(rows)) + (number - 1.5) * 0.17
        left.hlines(at, mine["low"], mine["high"], color=colour, lw=1.1)
        left.scatter(mine["lag"], at, s=12, color=colour, lw=0, zorder=3)
    plain = names[names["transform"] == "plain"].set_index("name").reindex(rows)
    right.hlines(range(len(rows)), plain["r_changes_low"], plain["r_changes_high"], color=INK, lw=1)
    right.scatter(plain["r_changes"], range(len(rows)), s=13, color=INK, lw=0)
    for place, p in enumerate(plain["p_block"]):
        right.annotate(f"p = {words.p_value(p)}", (1.02, place), fontsize=6, va="center", annotation_clip=False)
    right.set_xlim(-1, 1)
    _rows(left, rows)
    for ax in (left, right):
        ax.axvline(0, color=FLOOR, lw=1)
        ax.grid(visible=False, axis="y")
    left.set_xlabel("lag of performance (doublings of steps)")
    right.set_xlabel("r of the changes")
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, mew=0, color=colour, label=_TRANSFORMS[name])
        for name, colour in colours.items()
    ]
    fig.legend(handles=handles, title="performance:", loc="outside lower center", ncols=4)
    return fig


def _names(table: pd.DataFrame) -> pd.Series:
    run = table["run"].str.rpartition("/")[2]
    kind = table["benchmark"].str.replace("held_out_", "", regex=False)
    return run + ", " + table["weights"] + ", " + kind


def _rows(ax: Axes, rows: list[str]) -> None:
    ax.set_yticks(range(len(rows)), rows, fontsize=6.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
