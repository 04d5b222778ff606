"""Maps of the cortex: where likeness sits and how deep in the models, and what a wider kernel changes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize

from homoplasy.report import cortex, lookup, words
from homoplasy.report.cortex import Cortex, Row, Scale
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.hierarchy import best_depth
from homoplasy.report.style import INK, MODALITIES

_WHERE = (
    "Upper rows: mean {reading} score above its floor, over {models}, {subjects} and the layers at depth {bin}/{bins}; "
    "both rows share one scale. Lower rows: the depth at which the models are most alike to an area, where that score "
    "lies more than four standard deviations of chance above its floor (n = {clear}). Both hemispheres of an area are "
    "one region, so left and right carry the same numbers; grey: no score. The inflated surface; dark grey: sulci. "
)
_CHANGE = (
    "Difference of two kernel widths in every area (n = {areas}), mean over {models} and {subjects}. As released: "
    "standardised score at the fixed width 68 minus at 28. Calibrated: score at twice the median distance minus at "
    "half of it. Rows of a reading share one scale. The gradient from the back of the head to the front is tested in "
    "the figure of kernel widths by region: {tests}. Both hemispheres of an area are one region; grey: no score. "
)


def likeness(profiles: pd.DataFrame, regions: pd.DataFrame, at: Cortex | None, depth: int = 6) -> Drawing | None:
    """Draw score and best depth; None without scores by region or without a surface."""
    reading = lookup.main_reading(profiles)
    mine = profiles[(profiles["reading"] == reading) & np.isfinite(profiles["value"])]
    if at is None or regions.empty or mine.empty or depth not in set(mine["bin"]):
        return None
    mine = mine.assign(above=mine["value"] - mine["null_mean"], best=best_depth(mine))
    shown = [name for name in MODALITIES if (mine["modality"] == name).any()]
    here, bins = mine[mine["bin"] == depth], int(mine["bin"].max())
    best = mine[mine["best"]]
    counts = mine.groupby("modality")["models"].max()
    caption = _WHERE.format(
        reading=reading,
        models=words.listed([words.count(int(counts[name]), f"{name} model") for name in shown]),
        subjects=words.count(regions["subject"].nunique(), "subject"),
        bin=depth,
        bins=bins,
        clear=", ".join(f"{(best['modality'] == name).sum()} areas, {name}" for name in shown),
    )
    scores = Scale.rising(f"score at {depth}/{bins}", float(here["above"].max()))
    depths = _depths(bins)
    rows = [Row(name, MODALITIES[name], _by(here, name, "above"), scores) for name in shown]
    rows += [Row(name, MODALITIES[name], _by(best, name, "bin"), depths) for name in shown]
    table = pd.concat([here.assign(shown="score"), best.assign(shown="best depth")])
    table = table.sort_values(["shown", "modality", "region"], ascending=[False, True, True])
    title = "Where on the cortex"
    return finish("cortex", title, caption + at.note, table, lambda: cortex.drawn(at, rows), reading=_seen(here, shown))


def _by(table: pd.DataFrame, modality: str, column: str) -> Mapping[str, float]:
    mine = table[table["modality"] == modality]
    return dict(zip(mine["region"], mine[column].astype(float), strict=True))


def _depths(bins: int) -> Scale:
    steps = list(range(1, bins + 1))
    return Scale("best depth", cortex.DEEPER, Normalize(1, bins), steps, [f"{step}/{bins}" for step in steps])


def _seen(here: pd.DataFrame, shown: list[str]) -> str:
    said = []
    for name in shown:
        top = here[here["modality"] == name].nlargest(3, "above")
        named = [f"{row['region']} ({words.number(row['above'])})" for _, row in top.iterrows()]
        said.append(f"{name} models: {words.listed(named)}")
    return f"Most alike at this depth, above the floor: {'; '.join(said)}."


def change(scales: pd.DataFrame, facts: pd.DataFrame, regions: pd.DataFrame, at: Cortex | None) -> Drawing | None:
    """Draw what a wider kernel changes; None without scores at two widths or without a surface."""
    known = scales[np.isfinite(scales["delta"]) & scales["reading"].isin(_READINGS)]
    if at is None or known.empty:
        return None
    shown = [name for name in MODALITIES if (known["modality"] == name).any()]
    rows, tests = [], []
    for reading, (label, unit) in _READINGS.items():
        mine = known[known["reading"] == reading]
        if mine.empty:
            continue
        scale = Scale.both(unit, float(mine["delta"].abs().max()))
        rows += [Row(f"{name},\n{label}", MODALITIES.get(name, INK), _by(mine, name, "delta"), scale) for name in shown]
        found = [(name, lookup.fact(facts, reading, name, "gradient_rho")) for name in shown]
        tests += [f"{label}, {name} ρ = {one.text()}, n = {one.n}" for name, one in found if np.isfinite(one.value)]
    caption = _CHANGE.format(
        areas=known["region"].nunique(),
        models=" and ".join(f"{name} models" for name in shown),
        subjects=words.count(regions["subject"].nunique(), "subject"),
        tests="; ".join(tests) or "not known here",
    )
    table = known.sort_values(["reading", "modality", "region"])
    title = "What a wider kernel changes, on the cortex"
    return finish("cortex-change", title, caption + at.note, table, lambda: cortex.drawn(at, rows))


_READINGS: Mapping[str, tuple[str, str]] = {
    "released": ("as released", "standardised change"),
    "calibrated": ("calibrated", "change of score"),
}
