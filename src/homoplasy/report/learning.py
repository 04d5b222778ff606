"""Figure 4: networks learn; their likeness to the brain along the way. One figure a modality."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import FLOOR, INK, MUTED, WIDTH, categories

TITLE = "Learning, and likeness along the way"
_CAPTION = (
    "Networks trained here on {what} that no subject was shown. Left: {metric} on {what} that were held out; the "
    "dotted line is the mean before any step. Right: brain score of the checkpoints, {reading}, in the best regions; "
    "the band is ± 2 sd of one score by chance. Drawn lines are the weights themselves, broken lines their "
    "exponential moving average, which lags behind them. One network is one observation: the curves show what "
    "happened, not what always happens."
)
_STYLES = {"raw": "-", "ema": "--"}


class Lesson(NamedTuple):
    """What the runs of a modality learn from, and the metric that is drawn of them."""

    what: str
    metric: str
    label: str


_LESSONS = {
    "vision": Lesson("pictures", "accuracy", "share of right answers"),
    "language": Lesson("captions", "perplexity", "perplexity of a token"),
}


def figures(histories: Mapping[str, pd.DataFrame], model_scores: pd.DataFrame) -> list[Drawing]:
    """One figure a modality that has runs."""
    found = []
    for modality, lesson in _LESSONS.items():
        mine = [one.assign(run=run) for run, one in sorted(histories.items()) if _modality(one) == modality]
        if mine:
            found.append(_figure(modality, lesson, pd.concat(mine, ignore_index=True), model_scores))
    return found


def _modality(history: pd.DataFrame) -> str:
    """Whose curve it is: only language has a perplexity, and a run without any row is nobody's."""
    if history.empty:
        return ""
    return "language" if (history["metric"] == "perplexity").any() else "vision"


def _figure(modality: str, lesson: Lesson, history: pd.DataFrame, model_scores: pd.DataFrame) -> Drawing:
    scored = model_scores[model_scores["run"].isin(history["run"].unique()) & model_scores["score"].notna()]
    reading = "released" if len(scored) and not scored["reading"].str.startswith("calibrated").any() else "calibrated"
    mine = scored[scored["reading"] == reading].sort_values(["run", "weights", "step"])
    said = mine.rename(columns={"score": "value"}).assign(metric=f"brain score, {reading}")
    kept = ["run", "weights", "step", "metric", "value"]
    table = pd.concat([history[[*kept, "split", "seen"]], said[[*kept, "null_score", "null_sd"]]], ignore_index=True)
    curve = history[(history["split"] == "held_out") & (history["metric"] == lesson.metric)]
    caption = _CAPTION.format(what=lesson.what, metric=lesson.label, reading=reading)
    return finish(
        f"learning-{modality}", f"{TITLE}: {modality}", caption, table, lambda: _drawn(curve, mine, lesson, reading)
    )


def _drawn(curve: pd.DataFrame, mine: pd.DataFrame, lesson: Lesson, reading: str) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    left, right = fig.subplots(1, 2, sharex=True)
    runs = sorted(curve["run"].unique())
    colours = categories(runs)
    left.set_title(f"{lesson.label}, held out")
    _lines(left, curve, colours)
    left.axhline(curve.loc[curve["step"] == curve["step"].min(), "value"].mean(), color=FLOOR, lw=1, ls=":")
    if lesson.metric == "perplexity":
        _doubling(left)
    else:
        left.set_ylim(0, 1.03)
        left.yaxis.set_major_locator(MaxNLocator(5))
    _scores(right, mine, colours, reading)
    for ax in (left, right):
        _steps(ax, np.unique(curve["step"]))
    handles = [Line2D([], [], color=colours[run], label=run) for run in runs]
    handles += [Line2D([], [], color=INK, ls=style, label=f"{kind} weights") for kind, style in _STYLES.items()]
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return fig


def _lines(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """One line a run and kind of weights; `step + 1`, so that the untrained network has its place."""
    for (run, kind), one in table.groupby(["run", "weights"]):
        ordered = one.sort_values("step")
        colour, style = colours[str(run)], _STYLES[str(kind)]
        ax.plot(ordered["step"] + 1, ordered["value"], color=colour, ls=style, marker="o", ms=2)


def _scores(ax: Axes, mine: pd.DataFrame, colours: Mapping[str, str], reading: str) -> None:
    ax.set_title(f"brain score, {reading}")
    if mine.empty:
        ax.text(0.5, 0.5, "no checkpoint was scored", ha="center", va="center", color=MUTED, transform=ax.transAxes)
        return
    _lines(ax, mine.rename(columns={"score": "value"}), colours)
    floor, sd = mine["null_score"].mean(), mine["null_sd"].mean()
    if np.isfinite(floor + sd):
        ax.axhline(floor, color=FLOOR, lw=1)
        ax.axhspan(floor - 2 * sd, floor + 2 * sd, color=FLOOR, alpha=0.25, lw=0)
    ax.yaxis.set_major_locator(MaxNLocator(5))


def _doubling(ax: Axes) -> None:
    """A logarithmic axis with plain numbers."""
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def _steps(ax: Axes, steps: np.ndarray) -> None:
    """Steps on a logarithmic axis, at most eight of them named."""
    ax.set_xscale("log", base=2)
    wanted = [*steps[:: -(1 + (len(steps) - 1) // 8)]]  # from the last one down: the trained network is always named
    ax.xaxis.set_major_locator(FixedLocator([step + 1 for step in wanted]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value - 1:.0f}"))
    ax.set_xlabel("training step")
