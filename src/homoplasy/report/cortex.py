"""The cortex from four sides, its areas in the colours of their numbers."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from homoplasy.maths import meshes
from homoplasy.report.style import MUTED, WIDTH

VIEWS: Sequence[tuple[str, str, int]] = (  # side, name, where the eye is: to the left (-1) or to the right (+1)
    ("left", "lateral", -1),
    ("left", "medial", 1),
    ("right", "medial", -1),
    ("right", "lateral", 1),
)
EXACT = "Areas are those of HCP-MMP1 as NSD labels them on the surface fsaverage5."
APPROXIMATE = (
    "The outlines of the areas are an approximation of ours: every point of the surface fsaverage5 goes to the nearest "
    "area of HCP-MMP1 (72 % of the points get the area that the atlas gives them)."
)
RISING_STOPS = ("#fdf3d6", "#f9c87c", "#ee8a5a", "#cf4a5f", "#8e2a6e", "#461a58")
RISING: Colormap = LinearSegmentedColormap.from_list("rising", RISING_STOPS)
BOTH: Colormap = LinearSegmentedColormap.from_list(
    "both", ["#1f4e8c", "#5d94c8", "#bcd6e8", "#f7f4ee", "#f3c9ac", "#d9805a", "#96351f"]
)
DEEPER: Colormap = LinearSegmentedColormap.from_list(
    "deeper", ["#f4e36b", "#a5cf68", "#4fae88", "#2c7f93", "#365288", "#3c2364"]
)
_STEP = 0.01  # mm
_FINE = 2  # pixels drawn for a pixel kept, in rows and in columns
_SHAPE = (316, 468)  # pixels kept: four pictures fill the width of a page at 300 an inch
_MARGIN = 0.97
_GYRUS, _SULCUS, _LINE = 0.86, 0.72, 0.55  # how light


class Side(NamedTuple):
    """What each pixel of one view shows."""

    part: NDArray[np.int64]  # index into the names of the parts; -1 where nothing is
    grey: NDArray[np.float32]
    shade: NDArray[np.float32]


@dataclass(frozen=True)
class Cortex:
    """Both hemispheres, and whether their areas are those of the atlas or an approximation."""

    surfaces: Mapping[str, meshes.Surface]
    exact: bool

    @property
    def note(self) -> str:
        """What to know of the outlines."""
        return EXACT if self.exact else APPROXIMATE

    @cached_property
    def names(self) -> list[str]:
        """The parts of both hemispheres, in alphabetical order."""
        return sorted({str(name) for one in self.surfaces.values() for name in np.unique(one.parts)})

    @cached_property
    def sides(self) -> list[Side]:
        """The four views, seen once for all maps."""
        scale = min(self._scale(side) for side in self.surfaces)
        return [_side(self.surfaces[side], self.names, eye, scale) for side, _, eye in VIEWS]

    def _scale(self, side: str) -> float:
        """Pixels a millimetre at which a hemisphere fills its picture."""
        reach = np.ptp(self.surfaces[side].inflated, axis=0)
        return float(_FINE * _MARGIN * min(_SHAPE[1] / reach[1], _SHAPE[0] / reach[2]))


def _side(surface: meshes.Surface, names: Sequence[str], eye: int, scale: float) -> Side:
    x, y, z = (surface.inflated - (surface.inflated.min(axis=0) + surface.inflated.max(axis=0)) / 2).T
    rows, columns = _FINE * _SHAPE[0], _FINE * _SHAPE[1]
    places = np.stack([columns / 2 + eye * scale * y, rows / 2 - scale * z, eye * x], axis=1)
    seen = meshes.see(places, surface.triangles, (rows, columns))
    towards = eye * meshes.normals(surface.inflated, surface.triangles)[:, 0]
    corner = seen.nearest(surface.triangles)
    part = np.searchsorted(np.array(names), surface.parts)
    grey = np.where(surface.depths > 0, _SULCUS, _GYRUS)
    return Side(
        np.where(corner >= 0, part[corner], -1),
        seen.blend(grey, surface.triangles).astype(np.float32),
        (0.62 + 0.38 * seen.blend(towards, surface.triangles)).astype(np.float32),
    )


def painted(side: Side, names: Sequence[str], colours: Mapping[str, Sequence[float]]) -> NDArray[np.uint8]:
    """The picture of one view: areas with a colour have it, the others are grey; nothing around."""
    inked = np.array([name in colours for name in names] + [False])  # -1, nothing, takes the last
    table = np.array([colours.get(name, (1, 1, 1))[:3] for name in names] + [(0, 0, 0)], dtype=np.float32)
    light = np.where(inked[side.part], side.shade, side.shade * side.grey)
    light[_edges(side.part, inked)] *= _LINE
    there = side.part >= 0
    light[~there] = 0
    count = _pooled(there.astype(np.float32)[..., None])
    rgb = _pooled(table[side.part] * light[..., None]) / np.maximum(count, 1)
    picture = np.concatenate([rgb, count / _FINE**2], axis=2)
    return (255 * picture.clip(0, 1)).round().astype(np.uint8)


def _edges(part: NDArray[np.int64], inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose neighbour to the right or below is another area, one of the two with a colour."""
    with_colour, edge = inked[part], np.zeros(part.shape, dtype=bool)
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        inside = (part[here] != part[there]) & (part[here] >= 0) & (part[there] >= 0)
        edge[here] |= inside & (with_colour[here] | with_colour[there])
    return edge


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum the fine pixels of every pixel kept."""
    parts = [values[row::_FINE, column::_FINE] for row in range(_FINE) for column in range(_FINE)]
    return np.sum(parts, axis=0, dtype=np.float32)


@dataclass(frozen=True)
class Scale:
    """Colours and what they mean; rows of one figure that share it can be compared."""

    label: str
    colours: Colormap
    norm: Normalize
    ticks: Sequence[float] | None = None
    names: Sequence[str] | None = None

    @classmethod
    def rising(cls, label: str, top: float) -> "Scale":
        """From nothing to the largest value."""
        return cls(label, RISING, Normalize(0, top if top > 0 else 1))

    @classmethod
    def both(cls, label: str, reach: float) -> "Scale":
        """As far above 0 as below it."""
        far = reach if reach > 0 else 1
        return cls(label, BOTH, TwoSlopeNorm(0, -far, far))


class Row(NamedTuple):
    """One map: its name, the colour of the name, a number an area, and the scale of its colours."""

    title: str
    ink: str
    values: Mapping[str, float]
    scale: Scale


def drawn(cortex: Cortex, rows: Sequence[Row]) -> Figure:
    """Draw maps below each other; rows that share a scale stand together and have one bar."""
    height = _SHAPE[0] / _SHAPE[1] * (WIDTH - 0.9) / 4
    fig = Figure(figsize=(WIDTH, (height + 0.16) * len(rows) + 0.3), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.02, h_pad=0.01, wspace=0, hspace=0)  # type: ignore[union-attr,call-arg]  # constrained
    grid = fig.subplots(len(rows), len(VIEWS), squeeze=False)
    for row, line in zip(rows, grid, strict=True):
        _line(row, line, cortex)
    for (side, name, _), ax in zip(VIEWS, grid[0], strict=True):
        ax.set_title(f"{side}, {name}", color=MUTED, fontweight="normal", fontsize=7, loc="center")
    for scale in dict.fromkeys(id(row.scale) for row in rows):
        lines = [number for number, row in enumerate(rows) if id(row.scale) == scale]
        _bar(fig, list(grid[lines].ravel()), rows[lines[0]].scale)
    return fig


def _line(row: Row, line: NDArray[np.object_], cortex: Cortex) -> None:
    known = {name: value for name, value in row.values.items() if np.isfinite(value)}
    colours = {name: row.scale.colours(row.scale.norm(value)) for name, value in known.items()}
    for ax, side in zip(line, cortex.sides, strict=True):
        ax.imshow(painted(side, cortex.names, colours), interpolation="none")
        ax.grid(visible=False)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    line[0].set_ylabel(row.title, color=row.ink, fontweight="bold", fontsize=7.5)


def _bar(fig: Figure, axes: list[Axes], scale: Scale) -> None:
    bar = fig.colorbar(
        ScalarMappable(scale.norm, scale.colours), ax=axes, fraction=0.02, pad=0.01, aspect=24, shrink=0.8
    )
    bar.set_label(scale.label)
    bar.outline.set_visible(False)
    if scale.ticks is not None:
        bar.set_ticks(list(scale.ticks), labels=list(scale.names or []))


def packed(cortex: Cortex, regions: Sequence[str]) -> dict[str, Any]:
    """Both hemispheres for the page, in whole numbers: hundredths of a millimetre; 0 is no region of the list."""
    known = {name: number for number, name in enumerate(regions, 1)}
    return {
        "step": _STEP,
        "stops": RISING_STOPS,
        "sides": [_packed(side, one, known) for side, one in cortex.surfaces.items()],
    }


def _packed(side: str, one: meshes.Surface, known: Mapping[str, int]) -> dict[str, str]:
    arrays = {
        "inflated": (one.inflated / _STEP).round().astype("<i2"),
        "folded": (one.folded / _STEP).round().astype("<i2"),
        "triangles": one.triangles.astype("<u2"),
        "parts": np.array([known.get(str(name), 0) for name in one.parts], dtype=np.uint8),
        "depths": (60 * one.depths).round().clip(-127, 127).astype(np.int8),
    }
    return {"name": side} | {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}
