"""Figure 3: the models sorted by where, and how deep in them, they resemble the brain."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from homoplasy.report import words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import ARCHITECTURES, CATEGORIES, FAINT, INK, MODALITIES, MUTED, OTHER, WIDTH, categories

TITLE = "Which models are alike in their likeness to the brain"
_CAPTION = (
    "Ward's tree of {models} by the angle between their profiles over subjects, regions and depths; on a square-root "
    "scale, so that small differences stay visible. Branches whose models are all of one kind carry its colour. Ring: "
    "{ring}. Bars: brain score, {reading}, longest {top}. Heights in the tree keep the distances with r = {fidelity}. "
    "Agreement with known groups (adjusted Rand index: 1 the same, 0 chance): {rand}."
)
_GAP = 0.06  # share of the circle left open, where the tree starts
_RING, _BARS, _BAR, _NAMES = 1.05, 1.11, 0.2, 1.36
_LETTER = 0.0155  # width of a letter as a share of the radius
_LONGEST = 22
_NAMED = 90  # more leaves than this carry no names


def figure(
    leaves: pd.DataFrame, linkage: pd.DataFrame, tree: pd.DataFrame, model_scores: pd.DataFrame
) -> Drawing | None:
    """Draw the tree; None where there is none."""
    if linkage.empty:
        return None
    calibrated = model_scores[(model_scores["reading"] == "calibrated") & model_scores["score"].notna()]
    reading = "calibrated" if len(calibrated) else "released"
    scores = model_scores[model_scores["reading"] == reading].set_index("model")["score"]
    inside = leaves[leaves["leaf"] >= 0].sort_values("place", ignore_index=True)
    table = inside.assign(score=inside["model"].map(scores).astype("float64")).drop(columns="reason")
    facts = tree.set_index("fact")["value"]
    caption = _CAPTION.format(
        models=words.count(len(table), "model"),
        ring=_sorted_by(table),
        reading=reading,
        top=words.number(float(table["score"].max())),
        fidelity=words.number(float(facts["cophenetic_correlation"])),
        rand=_agreement(facts),
    )
    return finish("tree", TITLE, caption, table, lambda: _drawn(table, linkage))


def _agreement(facts: pd.Series) -> str:
    known = {str(name)[5:]: float(value) for name, value in facts.items() if str(name).startswith("rand_")}
    said = [f"{_group(name)} {words.number(value)}" for name, value in known.items() if np.isfinite(value)]
    return ", ".join(said) or "no groups are known"


def _group(name: str) -> str:
    """What the models are grouped by, and whether width was taken out of the profiles first."""
    if name == "width":
        return "width (thirds)"
    return name.replace("_given_width", " after a fit on ln width").replace("_", " ")


def _drawn(table: pd.DataFrame, linkage: pd.DataFrame) -> Figure:
    fig = Figure(figsize=(WIDTH, WIDTH * 0.88))
    ax = PolarAxes(fig, (0.0, 0.0, 0.86, 0.98))
    fig.add_axes(ax)
    angles = 2 * np.pi * (_GAP / 2 + (1 - _GAP) * (np.arange(len(table)) + 0.5) / len(table))
    _branches(ax, table, linkage, angles)
    ring = _sorted_by(table)
    kinds = table["family" if ring == "family" else "architecture"]
    colours = {name: ARCHITECTURES.get(name, colour) for name, colour in categories(kinds.tolist()).items()}
    _ring(ax, table, angles, [colours.get(name, OTHER) for name in kinds])
    ax.set_ylim(0, _reach(table))
    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    ax.set_axis_off()
    _keys(fig, table, f"ring: {ring}", colours, kinds[~kinds.isin(list(colours))].nunique())
    return fig


def _sorted_by(table: pd.DataFrame) -> str:
    """What the ring shows: families, or, where they are too many to tell apart, classes of architecture."""
    classes = table["architecture"].nunique()
    return "architecture" if len(table) > _NAMED and 1 < classes <= len(CATEGORIES) else "family"


def _reach(table: pd.DataFrame) -> float:
    """The radius that holds the bars, and the longest name where models are named."""
    if len(table) > _NAMED:
        return _BARS + _BAR + 0.02
    longest = max(len(_shown(str(model))) for model in table["model"])
    return _NAMES / (1 - longest * _LETTER)


def _branches(ax: PolarAxes, table: pd.DataFrame, linkage: pd.DataFrame, angles: NDArray[np.float64]) -> None:
    """Each node: an arc at its height between its children, and a spoke down to each of them."""
    place = table.set_index("leaf")
    angle = dict(zip(place.index, angles, strict=True))
    kind = dict(place["modality"])
    top = float(linkage["height"].max())
    radius = dict.fromkeys(place.index, 1.0)
    thick = 1.0 if len(table) <= _NAMED else 0.6
    heights = 1 - 0.97 * np.sqrt(linkage["height"].to_numpy() / top)
    for node, r in zip(linkage.itertuples(), heights, strict=True):
        same = kind[node.left] == kind[node.right] and kind[node.left]
        for child in (node.left, node.right):
            ax.plot(
                [angle[child]] * 2, [radius[child], r], color=_colour(kind[child]), lw=thick, solid_capstyle="round"
            )
        arc = np.linspace(angle[node.left], angle[node.right], 40)
        ax.plot(arc, np.full(40, r), color=_colour(same), lw=thick, solid_capstyle="round")
        angle[node.node], radius[node.node] = (angle[node.left] + angle[node.right]) / 2, r
        kind[node.node] = same or ""


def _colour(modality: str) -> str:
    return MODALITIES.get(modality, MUTED)


def _ring(ax: PolarAxes, table: pd.DataFrame, angles: NDArray[np.float64], ring: list[str]) -> None:
    width = 2 * np.pi * (1 - _GAP) / len(table)
    ax.bar(
        angles,
        0.04,
        width * 0.9,
        bottom=_RING - 0.02,
        color=ring,
        lw=0,
    )
    scores = table["score"].fillna(0).clip(lower=0)
    top = float(scores.max()) or 1.0
    colours = [_colour(modality) for modality in table["modality"]]
    ax.bar(angles, _BAR * scores / top, width * 0.7, bottom=_BARS, color=colours, alpha=0.85, lw=0)
    circle = np.linspace(angles[0] - width / 2, angles[-1] + width / 2, 200)
    ax.plot(circle, np.full(200, _BARS), color=FAINT, lw=0.6)
    if len(table) <= _NAMED:
        for angle, model in zip(angles, table["model"], strict=True):
            _name(ax, angle, str(model))


def _name(ax: PolarAxes, angle: float, model: str) -> None:
    turned = 90 - np.degrees(angle)
    left = np.pi < angle < 2 * np.pi
    ax.text(
        angle,
        _NAMES,
        _shown(model),
        rotation=turned + (180 if left else 0),
        rotation_mode="anchor",
        ha="right" if left else "left",
        va="center",
        fontsize=5.5,
        color=INK,
    )


def _shown(model: str) -> str:
    """The name of a model without its source, cut to a length that fits."""
    name = model.partition(":")[2] or model
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _keys(fig: Figure, table: pd.DataFrame, title: str, colours: dict[str, str], others: int) -> None:
    shown = [name for name in MODALITIES if (table["modality"] == name).any()]
    lines = [Line2D([], [], color=MODALITIES[name], lw=2, label=name) for name in shown]
    lines.append(Line2D([], [], color=MUTED, lw=2, label="both"))
    branches = fig.legend(handles=lines, title="branches, bars", loc="upper right", bbox_to_anchor=(1, 0.99))
    squares = [
        Line2D([], [], marker="s", ls="", ms=5, mew=0, color=colour, label=name or "–")
        for name, colour in colours.items()
    ]
    if others:
        squares.append(Line2D([], [], marker="s", ls="", ms=5, mew=0, color=OTHER, label=f"{others} others"))
    ring = fig.legend(handles=squares, title=title, loc="lower right", bbox_to_anchor=(1, 0.01))
    for legend in (branches, ring):
        legend.get_title().set_fontsize(7)
        legend.get_title().set_fontweight("bold")
        legend.set_alignment("left")
