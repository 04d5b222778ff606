"""From trials to image patterns: one subject, one session in memory at a time, then one block of regions at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets.nsd import keys, regions
from homoplasy.datasets.nsd._trials import Trials, blocks
from homoplasy.datasets.nsd.atlas import Atlas, networks
from homoplasy.datasets.nsd.betas import PERCENT
from homoplasy.datasets.nsd.regions import Region, Rules
from homoplasy.datasets.nsd.tree import Tree
from homoplasy.maths import ceilings
from homoplasy.progress import track
from homoplasy.tables import REGIONS, VOXELS

_BLOCK = 4_000  # voxels read at once: half a gigabyte for 30,000 trials
_DIVISORS = {"percent": np.float32(PERCENT), "int16": np.float32(1.0)}


@dataclass(frozen=True, eq=False)
class Output:
    """One container that a subject fills: the mean patterns, or those of one repeat."""

    name: str
    kind: str
    images: NDArray[np.int64]
    dtype: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Brain:
    """One subject: its images in order of id, its regions, and their patterns, read again from the trials."""

    subject: str
    images: NDArray[np.int64]  # sorted stimulus ids
    places: NDArray[np.int64]  # (repeat, image) the trial, -1: not shown that often
    shared: NDArray[np.int64]
    regions: Sequence[Region]  # those that carry patterns
    table: pd.DataFrame
    voxels: pd.DataFrame
    trials: Trials

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Whether an image was shown for the k-th time: (repeat, image)."""
        return self.places >= 0

    def outputs(self, precision: str) -> list[Output]:
        """The containers in the order in which `arrays` fills them; repeats are kept in `precision`."""
        times = self.shown.sum(axis=0).tolist()
        about = {"subject": self.subject, "shared": self.shared.tolist(), "repeats": times}
        mean = Output("patterns", "patterns", self.images, "float32", about)
        once = [
            Output(f"repeat{k}", "repeats", self.images[shown], precision, {"subject": self.subject, "repeat": k})
            for k, shown in enumerate(self.shown, start=1)
        ]
        return [mean, *once]

    def arrays(self, precision: str) -> Iterator[list[NDArray[np.floating]]]:
        """Region after region: the mean patterns (n, v), then those of each repeat for the images that had it."""
        for block in self.trials.blocks:
            values = None
            for region in self.regions:
                if block.start <= region.kept[0] < block.stop:
                    values = self.trials.get(block) if values is None else values
                    ordered, shown = regions.repeats(values[:, region.kept - block.start], self.places)
                    mean = ceilings.mean_response(ordered, shown)
                    yield [mean, *(one[there].astype(precision) for one, there in zip(ordered, shown, strict=True))]


@contextmanager
def parcellate(tree: Tree, subject: int, sessions: int, rules: Rules, scratch: Path) -> Iterator[Brain]:
    """Read a subject's sessions and judge its regions; the trials stay on the disk of `scratch` for the while."""
    name, shown = keys.subject(subject), tree.shown(subject, sessions)
    images, places = showings(shown)
    atlas = tree.atlas(subject)
    spans = atlas.regions()
    with Trials(scratch, shown.size, blocks(list(spans.values()), _BLOCK)) as trials:
        constant = _fill(trials, tree, subject, sessions, atlas, rules)
        labelled = _labelled(tree, subject, atlas, spans, constant, networks(rules.networks, tree.names))
        judged = list(_judged(trials, labelled, places, rules, name))
        yield Brain(
            subject=name,
            images=images,
            places=places,
            shared=images[np.isin(images, tree.design.shared)],
            regions=[one for one in judged if not one.reason],
            table=REGIONS.check(pd.DataFrame([{"subject": name} | row for one in judged for row in one.rows])),
            voxels=VOXELS.check(pd.concat([one.voxels for one in judged], ignore_index=True)),
            trials=trials,
        )


def showings(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort the images that were shown, and give the trial of each image's k-th showing, -1 where there is none.

    >>> showings(np.array([7, 3, 7]))
    (array([3, 7]), array([[ 1,  0],
           [-1,  2]]))
    """
    images, image, times = np.unique(ids, return_inverse=True, return_counts=True)
    order = np.argsort(image, kind="stable")
    kth = np.arange(ids.size) - np.repeat(np.cumsum(times) - times, times)
    places = np.full((times.max(), images.size), -1, dtype=np.int64)
    places[kth, image[order]] = order
    return images, places


def _fill(trials: Trials, tree: Tree, subject: int, sessions: int, atlas: Atlas, rules: Rules) -> NDArray[np.bool_]:
    """Put every session, by its index, into the trials; say which voxels are constant in any of them."""
    inside = tree.values(subject, "brainmask", atlas) > 0
    constant = ~inside  # betas are zero outside the mask
    for session in track(range(sessions), f"{keys.subject(subject)}: sessions"):
        stored = tree.responses(subject, session + 1, atlas.shape, atlas.voxels[inside])
        constant[inside] |= (stored == stored[0]).all(axis=0)
        spread = np.zeros((len(stored), inside.size), dtype=np.int16)
        spread[:, inside] = stored
        for block in trials.blocks:
            trials.put(block, session * len(stored), scaled(spread[:, block], rules))
    return constant


def scaled(stored: NDArray[np.int16], rules: Rules) -> NDArray[np.float32]:
    """One session in the unit that is asked for, or z-scored over its trials (ddof 1); a constant voxel becomes 0."""
    values: NDArray[np.float32] = stored.astype(np.float32) / _DIVISORS[rules.unit]
    if not rules.session_zscore:
        return values
    values -= values.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = values.std(axis=0, ddof=1, dtype=np.float64)
    values /= np.where(spread > 0, spread, 1.0).astype(np.float32)
    return values


def _labelled(
    tree: Tree,
    subject: int,
    atlas: Atlas,
    spans: dict[str, slice],
    constant: NDArray[np.bool_],
    network: dict[str, tuple[str, str]],
) -> list[regions.Labelled]:
    dropout, shipped = (tree.values(subject, name, atlas) for name in ("signaldropout", "ncsnr"))
    columns = np.arange(atlas.voxels.size)
    return [
        regions.Labelled(
            name=name,
            columns=columns[span],
            voxels=atlas.voxels[span],
            right=atlas.right[span],
            constant=constant[span],
            dropout=dropout[span],
            shipped=shipped[span],
            networks=network[name],
        )
        for name, span in spans.items()
    ]


def _judged(
    trials: Trials, labelled: Sequence[regions.Labelled], places: NDArray[np.int64], rules: Rules, subject: str
) -> Iterator[Region]:
    for block in track(trials.blocks, f"{subject}: blocks of regions"):
        values = trials.get(block)
        for one in labelled:
            if block.start <= one.columns[0] < block.stop:
                yield regions.judge(one, values[:, one.columns - block.start], places, rules)
