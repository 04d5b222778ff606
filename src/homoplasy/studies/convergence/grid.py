"""The cells of the multiverse: scores by kernel, estimator and depth bins, over models, subjects and regions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.studies.convergence.depth import layer_bins
from homoplasy.studies.convergence.halves import top_count
from homoplasy.studies.convergence.readings import Reading

VISUAL = "Visual"
Cells = NDArray[np.float64]  # model x subject x region; NaN where there is no score
Bins = tuple[int, str]  # how many, and the rule that sorts layers into them


class Way(NamedTuple):
    """A kernel and an estimator."""

    kernel: str
    estimator: str


@dataclass(frozen=True)
class Axes:
    """What the axes of the cells stand for."""

    models: list[str]
    subjects: list[str]
    regions: list[str]


@dataclass(frozen=True)
class Grid:
    """The scores of some models as one array (layers, subjects, regions) a way, and the depth bins of the layers."""

    axes: Axes
    layers: pd.DataFrame  # source, layer, depth, modality
    found: Mapping[Way, NDArray[np.float64]]
    reliable: NDArray[np.bool_]  # regions whose ceiling is known

    def of(self, models: Collection[str]) -> "Grid":
        """The same of some of the models."""
        mine = self.layers["source"].isin(models).to_numpy()
        axes = Axes([model for model in self.axes.models if model in models], self.axes.subjects, self.axes.regions)
        found = {way: values[mine] for way, values in self.found.items()}
        return Grid(axes, self.layers[mine].reset_index(drop=True), found, self.reliable)

    def weights(self, of: Bins) -> dict[int, NDArray[np.float64]]:
        """For every depth bin, weights (models, layers) of the mean over the layers of each model that lie in it."""
        sorted_in = layer_bins(self.layers, *of).to_numpy(np.int64)
        member = np.equal.outer(np.array(self.axes.models, dtype=object), self.layers["source"].to_numpy(object))
        return {one: (member & (sorted_in == one)).astype(np.float64) for one in range(1, of[0] + 1)}


def collect(scores: pd.DataFrame, modality: Mapping[str, str]) -> Grid:
    """The scores of the models of `modality`; left and right regions only where the pooled ones are absent."""
    mine = scores[scores["source"].isin(modality) & scores["measure"].str.startswith("cka.")]
    named = mine.drop_duplicates("target")
    pooled = named.loc[named["target"] == named["subject"] + "/" + named["region"], "target"]
    rows = mine[mine["target"].isin(pooled)] if len(pooled) else mine
    layer = rows.groupby(["source", "layer"], sort=True).ngroup().to_numpy()
    (way, ways), (subject, subjects), (region, regions) = (
        pd.factorize(rows[column], sort=True) for column in ("params", "subject", "region")
    )
    layers = rows[["source", "layer", "depth"]].drop_duplicates(["source", "layer"])
    layers = layers.sort_values(["source", "layer"], ignore_index=True)
    layers["modality"] = layers["source"].map(modality)
    found = np.full((len(ways), len(layers), len(subjects), len(regions)), np.nan)
    found[way, layer, subject, region] = rows["value"].to_numpy(np.float64)
    ceilings = rows.groupby("region", sort=True)["ceiling"].count()
    axes = Axes(sorted(modality.keys() & set(layers["source"])), subjects.tolist(), regions.tolist())
    split = [Way(*str(params).rpartition(" ")[::2]) for params in ways]
    return Grid(axes, layers, dict(zip(split, found, strict=True)), (ceilings > 0).to_numpy())


def mean_over_layers(found: NDArray[np.float64], weights: NDArray[np.float64]) -> Cells:
    """The mean over the layers of each model that have a value."""
    known = np.isfinite(found)
    flat = np.where(known, found, 0.0).reshape(len(found), -1)
    with np.errstate(invalid="ignore"):
        mean = (weights @ flat) / (weights @ known.reshape(len(found), -1))
    return mean.reshape(len(weights), *found.shape[1:])


def region_sets(
    grid: Grid, networks: Mapping[str, str], shares: Sequence[float]
) -> dict[str, Callable[[Cells], Cells]]:
    """Every set of regions: what makes (model, subject) scores of cells. One region alone is `all`."""
    axes, reliable = grid.axes, grid.reliable
    visual = np.array([networks.get(region, "") == VISUAL for region in axes.regions])
    sets: dict[str, Callable[[Cells], Cells]] = {"all": lambda cells: _mean(cells, np.ones(cells.shape, dtype=bool))}
    if len(axes.regions) == 1:
        return sets
    for share in shares:
        sets[f"top {share:g}"] = lambda cells, share=share: _best(cells, cells, share)  # type: ignore[misc]
        if len(axes.subjects) > 1:
            sets[f"held out {share:g}"] = lambda cells, share=share: _best(cells, _others(cells), share)  # type: ignore[misc]
    if visual.any():
        sets["visual"] = lambda cells: _mean(cells, np.broadcast_to(visual, cells.shape))
    if reliable.any():
        sets["ceiling"] = lambda cells: _mean(cells, np.broadcast_to(reliable, cells.shape))
    return sets


def _mean(cells: Cells, chosen: NDArray[np.bool_]) -> Cells:
    kept = chosen & np.isfinite(cells)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(kept, cells, 0.0).sum(axis=2) / kept.sum(axis=2))


def _best(cells: Cells, by: Cells, share: float) -> Cells:
    """Mean over the share of the valid regions that are highest by another score; of equal ones the first."""
    valid = np.isfinite(cells) & np.isfinite(by)
    order = np.argsort(np.where(valid, -by, np.inf), axis=2, kind="stable")
    place = np.argsort(order, axis=2, kind="stable")
    counts = np.vectorize(lambda number: top_count(int(number), share), otypes=[int])(valid.sum(axis=2))
    return _mean(cells, valid & (place < counts[:, :, None]))


def _others(cells: Cells) -> Cells:
    """In the place of each subject the mean of the others."""
    known = np.isfinite(cells)
    sums = np.where(known, cells, 0.0)
    left = known.sum(axis=1, keepdims=True) - known
    with np.errstate(invalid="ignore"):
        return np.asarray((sums.sum(axis=1, keepdims=True) - sums) / left)


def scored_bin(bins: int) -> int:
    """The depth bin that is scored: three quarters of the way, 6 of 8.

    >>> scored_bin(8), scored_bin(4), scored_bin(12)
    (6, 3, 9)
    """
    return bins * 3 // 4


def widths(kernels: Sequence[str], kernel_unit: float) -> list[tuple[str, str]]:
    """Pairs of a narrow and a wide kernel of one kind: its ends, its middle, and the pair that the study compares."""
    kinds: dict[str, list[float]] = {}
    for kernel in sorted(set(kernels) - {"linear"}):
        kind, _, size = kernel.partition("=")
        kinds.setdefault(kind, []).append(float(size))
    pairs: list[tuple[str, str]] = []
    for kind, sizes in kinds.items():
        sizes.sort()
        own = (0.5, 2.0) if kind == "c" else (28 * kernel_unit, 68 * kernel_unit)
        middle = sizes[len(sizes) // 2]
        wanted = [own, (sizes[0], sizes[-1]), (sizes[0], middle), (middle, sizes[-1])]
        pairs += [(f"{kind}={a:g}", f"{kind}={b:g}") for a, b in wanted if a < b and {a, b} <= set(sizes)]
    return list(dict.fromkeys(pairs))


def main_way() -> Way:
    """The kernel and estimator that were declared before any score existed."""
    reading = Reading("relative", 1.0, "debiased", 0.05)
    kernel, _, estimator = reading.params.rpartition(" ")
    return Way(kernel, estimator)
