"""How every figure looks: one palette that colour-blind readers can tell apart, one set of lines and letters.

Colours that the page must change in the dark are tokens: a figure is drawn with the light value, and the page
replaces it by the CSS variable of the same name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

INK, MUTED, FAINT, PAPER = "#1d1d1b", "#6a6963", "#d9d7d0", "#ffffff"
MODALITIES: Mapping[str, str] = {"vision": "#1b6ca8", "language": "#c8571b"}
FLOOR = "#8f8d86"
TOKENS: Mapping[str, str] = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    PAPER: "paper",
    FLOOR: "floor",
    MODALITIES["vision"]: "vision",
    MODALITIES["language"]: "language",
}

# Paul Tol's "bright" and "vibrant" sets (2021), safe for the common kinds of colour blindness.
NETWORKS: Mapping[str, str] = {
    "Visual": "#4477aa",
    "Somatomotor": "#66ccee",
    "Dorsal Attention": "#228833",
    "Ventral Attention": "#ccbb44",
    "Limbic": "#ee6677",
    "Frontoparietal": "#aa3377",
    "Default": "#9a9a9a",
}
CATEGORIES: Sequence[str] = ("#0077bb", "#ee7733", "#009988", "#cc3311", "#33bbee", "#ee3377", "#ccbb44", "#aa4499")
OTHER = "#a9a79f"
ARCHITECTURES: Mapping[str, str] = {"CNN": "#4477aa", "Transformer": "#aa3377", "Hybrid": "#ccbb44"}
SHORT: Mapping[str, str] = {
    "Dorsal Attention": "Dors. Att.",
    "Ventral Attention": "Vent. Att.",
    "Frontoparietal": "Frontopar.",
}

WIDTH = 7.2  # inches: both columns of a paper page, the one column of ours

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 8,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # letters stay letters: the page sets them in its own font, and they can be searched
    "pdf.fonttype": 42,
    "axes.unicode_minus": True,
}


def rc(salt: str) -> dict[Any, Any]:
    """Settings of matplotlib for one figure; the salt makes the ids in its SVG the same every run."""
    return {**_RC, "svg.hashsalt": salt}


def categories(names: Sequence[str]) -> dict[str, str]:
    """Give the most frequent names a colour each; the rest share `OTHER`."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    named = sorted(ranked[: len(CATEGORIES)])
    return dict(zip(named, CATEGORIES, strict=False))
