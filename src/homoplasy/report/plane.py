"""Layers and regions on a plane, and the test of what the picture seems to show."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from homoplasy.report import labels, lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import MODALITIES, NETWORKS, OTHER, WIDTH

TITLE = "Layers and regions on a plane"
_CAPTION = (
    "{how} of the profiles of layers over regions (left, {layers}; a fuller colour is a deeper layer) and of regions "
    "over layers (middle, {regions}). Nothing of the brain is mixed into the layers, and no seed is involved. "
    "Trustworthiness of the ten nearest neighbours: {trust}. Right: mean correlation of vision profiles with the mean "
    "language profile, by depth: the claim that deep vision lies nearer language, tested on the profiles themselves."
)
_METHODS = {"mds": "Metric scaling", "pca": "Principal components"}


def figure(embedding: pd.DataFrame, facts: pd.DataFrame, regions: pd.DataFrame) -> Drawing | None:
    """Draw metric scaling where it was made, else principal components; None where there is neither."""
    made = [name for name in _METHODS if ((embedding["method"] == name) & (embedding["kind"] == "layer")).any()]
    if not made:
        return None
    mine = embedding[embedding["method"] == made[0]]
    networks = regions.drop_duplicates("region").set_index("region")["network"]
    main = lookup.main_reading(facts)
    trust = [
        f"{kind} {words.number(lookup.fact(facts, main, 'both', 'trustworthiness', f'{kind} {made[0]}').value)}"
        for kind in ("layer", "region")
    ]
    caption = _CAPTION.format(
        how=_METHODS[made[0]],
        layers=words.count(int((mine["kind"] == "layer").sum()), "layer"),
        regions=words.count(int((mine["kind"] == "region").sum()), "region"),
        trust=words.listed(trust),
    )
    curve = facts[(facts["fact"] == "language_likeness") & (facts["reading"] == main)]
    likeness = curve.assign(bin=curve["item"].str.removeprefix("bin ").astype(int))[["bin", "value", "n"]]
    table = pd.concat([mine.drop(columns="method"), likeness.assign(kind="language_likeness")], ignore_index=True)
    near = lookup.fact(facts, main, "vision", "nearer_language")
    return finish(
        "plane", TITLE, caption, table, lambda: _drawn(mine, networks, likeness, near), reading=_reading(near)
    )


def _reading(near: lookup.Fact) -> str:
    if np.isnan(near.value):
        return "With one modality alone nothing can be said of the nearness of the two."
    clear = near.low * near.high > 0
    word = ("more" if near.value > 0 else "less") + " like the language profile than early ones"
    said = f"Deep vision layers are {word}" if clear else "It is not shown that deep vision layers lie nearer language"
    return f"{said}: the correlation changes by {near.text()} from the first bin to the last (n = {near.n} models)."


def _drawn(mine: pd.DataFrame, networks: pd.Series, likeness: pd.DataFrame, near: lookup.Fact) -> Figure:
    fig = Figure(figsize=(WIDTH, 2.9), layout=ConstrainedLayoutEngine(w_pad=0.1))
    left, middle, right = fig.subplots(1, 3, width_ratios=[1.15, 1.15, 0.8])
    layers = mine[mine["kind"] == "layer"]
    last = max(int(layers["bin"].max()), 1)
    colours = [
        to_rgba(MODALITIES.get(name, OTHER), 0.15 + 0.85 * number / last)
        for name, number in zip(layers["modality"], layers["bin"], strict=True)
    ]
    left.scatter(layers["x"], layers["y"], s=7 if len(layers) > 100 else 14, c=colours, lw=0)
    left.set_title("layers of models")
    places = mine[mine["kind"] == "region"]
    middle.scatter(
        places["x"], places["y"], s=16, c=[NETWORKS.get(networks.get(name, ""), OTHER) for name in places["item"]], lw=0
    )
    middle.set_title("regions")
    for ax in (left, middle):
        _plain(ax)
    labels.name(middle, zip(places["item"], places["x"], places["y"], strict=True))
    _likeness(right, likeness, near)
    shown = [name for name in MODALITIES if (layers["modality"] == name).any()]
    handles = [Line2D([], [], marker="o", ls="", ms=4, mew=0, color=MODALITIES[name], label=name) for name in shown]
    known = [name for name in NETWORKS if name in set(networks[networks.index.isin(places["item"])])]
    handles += [Line2D([], [], marker="o", ls="", ms=4, mew=0, color=NETWORKS[name], label=name) for name in known]
    fig.legend(handles=handles, loc="outside lower center", ncols=5, columnspacing=1, handletextpad=0.1)
    return fig


def _plain(ax: Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal", "datalim")
    ax.spines[:].set_visible(False)


def _likeness(ax: Axes, likeness: pd.DataFrame, near: lookup.Fact) -> None:
    if likeness.empty or np.isnan(near.value):
        ax.set_axis_off()
        return
    ax.plot(likeness["bin"], likeness["value"], color=MODALITIES["vision"], marker="o", ms=3)
    ax.set_title("vision with language")
    ax.set_xlabel("depth bin of vision")
    ax.set_ylabel("correlation of profiles")
