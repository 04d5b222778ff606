"""Figure 4: a network learns; its likeness to the brain along the way."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MODALITIES, MUTED, WIDTH

TITLE = "Learning, and likeness along the way"
_CAPTION = (
    "Network '{run}', trained here on pictures that no subject saw. Left: share of right answers on pictures it "
    "was trained on and on held-out ones; the dotted line is where it starts, before any step. Right: brain score "
    "of its checkpoints, {reading}, in the best regions and over all regions; the band is ± 2 sd of one score by "
    "chance. One network is one observation: the curve shows what happened, not what always happens."
)


def figures(histories: Mapping[str, pd.DataFrame], model_scores: pd.DataFrame) -> list[Drawing]:
    """One figure a training run."""
    return [_figure(run, history, model_scores) for run, history in sorted(histories.items()) if len(history)]


def _figure(run: str, history: pd.DataFrame, model_scores: pd.DataFrame) -> Drawing:
    mine = model_scores[(model_scores["run"] == run) & model_scores["score"].notna()].sort_values("step")
    reading = "released" if len(mine) and not mine["reading"].str.startswith("calibrated").any() else "calibrated"
    mine = mine[mine["reading"].isin([reading, f"{reading}.all"])]
    tall = history.melt("step", ["accuracy", "held_out_accuracy"], "what", "value")
    scores = mine.rename(columns={"reading": "what", "score": "value"})[
        ["step", "what", "value", "null_score", "null_sd"]
    ]
    table = pd.concat([tall.dropna(subset=["value"]), scores], ignore_index=True)
    name = f"learning-{run}"
    return finish(name, TITLE, _CAPTION.format(run=run, reading=reading), table, lambda: _drawn(history, mine, reading))


def _drawn(history: pd.DataFrame, mine: pd.DataFrame, reading: str) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    left, right = fig.subplots(1, 2, sharex=True)
    _accuracy(left, history)
    _scores(right, mine, reading)
    steps = np.unique(np.concatenate([history["step"], mine["step"]]))
    for ax in (left, right):
        _steps(ax, steps)
    return fig


def _accuracy(ax: Axes, history: pd.DataFrame) -> None:
    ax.set_title("share of right answers")
    for column, colour, label in (("accuracy", MUTED, "training"), ("held_out_accuracy", INK, "held out")):
        known = history.dropna(subset=[column])
        ax.plot(known["step"] + 1, known[column], color=colour, marker="o", ms=2.5, label=label)
    start = history.dropna(subset=["held_out_accuracy"]).sort_values("step")["held_out_accuracy"]
    if len(start):
        ax.axhline(start.iloc[0], color=FLOOR, lw=1, ls=":")
    ax.set_ylim(0, 1.03)
    ax.legend(loc="upper left")


def _scores(ax: Axes, mine: pd.DataFrame, reading: str) -> None:
    ax.set_title(f"brain score, {reading}")
    if mine.empty:
        ax.text(0.5, 0.5, "no checkpoint was scored", ha="center", va="center", color=MUTED, transform=ax.transAxes)
        return
    colour = MODALITIES.get(str(mine["modality"].iloc[0]), INK)
    for name, style, label in ((reading, "-", "best regions"), (f"{reading}.all", "--", "all regions")):
        one = mine[mine["reading"] == name]
        ax.plot(one["step"] + 1, one["score"], color=colour, ls=style, marker="o", ms=2.5, label=label)
        ax.plot(one["step"] + 1, one["null_score"], color=FLOOR, lw=1)
    floor, sd = mine["null_score"].mean(), mine["null_sd"].mean()
    if np.isfinite(floor + sd):
        ax.axhspan(floor - 2 * sd, floor + 2 * sd, color=FLOOR, alpha=0.25, lw=0)
    ax.legend(loc="upper left")


def _steps(ax: Axes, steps: np.ndarray) -> None:
    """Steps on a logarithmic axis of step + 1, so that the untrained network has its place."""
    ax.set_xscale("log", base=2)
    wanted = [*steps[:: -(1 + len(steps) // 8)]]  # from the last one down: the trained network is always named
    ax.xaxis.set_major_locator(FixedLocator([step + 1 for step in wanted]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value - 1:.0f}"))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("training step")
