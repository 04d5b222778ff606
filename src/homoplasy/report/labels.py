"""Names beside dots, as many as stand apart from each other."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes

from homoplasy.report.style import INK

_APART = (0.13, 0.055)  # of the axes: two names nearer than this in both directions would run into each other


def apart(points: Iterable[tuple[str, float, float]], ends: tuple[float, float]) -> list[tuple[str, float, float]]:
    """Keep points in their order, leaving out those too near to one kept before; `ends` is the span of both axes."""
    kept: list[tuple[str, float, float]] = []
    for name, x, y in points:
        near = (abs(x - a) < _APART[0] * ends[0] and abs(y - b) < _APART[1] * ends[1] for _, a, b in kept)
        if not any(near):
            kept.append((name, x, y))
    return kept


def name(ax: Axes, points: Iterable[tuple[str, float, float]], *, above: bool = True) -> None:
    """Write names above (or below) their dots; call it when the limits of the axes are set."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for text, x, y in apart(points, (abs(right - left), abs(top - bottom))):
        if np.isfinite(x + y):
            ax.annotate(text, (x, y), (0, 6 if above else -6), textcoords="offset points", fontsize=5.5, color=INK,
                        ha="center", va="center")  # fmt: skip
