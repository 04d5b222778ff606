"""Which voxel lies in which HCP-MMP1 region and hemisphere, and the Yeo-7 network of every region."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets.nsd import _formats
from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadData, listing, nearest

_NETWORK_TABLE = Path(__file__).parents[1] / "hcp_mmp1_yeo7.csv"
_NETWORK_COLUMNS = {"xcpd": ("network_left", "network_right"), "study": ("network_paper", "network_paper")}


@dataclass(frozen=True, eq=False)
class Atlas:
    """The labelled voxels of one subject, region after region, the left hemisphere first, then by index."""

    shape: tuple[int, int, int]
    voxels: NDArray[np.int64]  # C-order index into the (X, Y, Z) volume
    labels: NDArray[np.int64]  # 1..180
    right: NDArray[np.bool_]
    names: Mapping[int, str]

    def regions(self) -> dict[str, slice]:
        """The columns of every region that has a voxel, in the order of the label table."""
        found, starts, counts = np.unique(self.labels, return_index=True, return_counts=True)
        return {
            self.names[int(label)]: slice(int(start), int(start + count))
            for label, start, count in zip(found, starts, counts, strict=True)
        }


def read_names(path: Path) -> dict[int, str]:
    """Read the label table: `id name` a line. Names stay text, also those that look like numbers."""
    with _formats.guarded(path, "label table"):
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        names = {int(line[0]): line[1] for line in lines if len(line) > 1}
    expected = range(FACTS.regions + 1)
    if sorted(names) != list(expected) or len(set(names.values())) != len(expected):
        raise BadData(
            f"{path}: expected the ids 0 to {FACTS.regions} with {FACTS.regions} different region names, "
            f"found {len(set(names.values()) - {names.get(0)})} names; fetch it again."
        )
    return {label: name for label, name in names.items() if label}


def read_atlas(both: Path, left: Path, right: Path, names: Mapping[int, str]) -> Atlas:
    """Read the three label volumes. Ids run 1..180 in both hemispheres; 0 is unlabelled cortex, -1 elsewhere."""
    merged, on_left, on_right = (_labels(path) for path in (both, left, right))
    if not merged.shape == on_left.shape == on_right.shape:
        raise BadData(
            f"{both}: the three label volumes differ in shape: {merged.shape}, {on_left.shape}, {on_right.shape}."
        )
    voxels = np.flatnonzero(merged > 0)
    labels = merged.ravel()[voxels]
    is_left, is_right = (side.ravel()[voxels] == labels for side in (on_left, on_right))
    lost = voxels[~(is_left | is_right)]
    if lost.size:
        raise BadData(
            f"{both}: {lost.size} voxels carry their label in neither hemisphere, the first is voxel {lost[0]}."
        )
    order = np.lexsort((voxels, ~is_left, labels))
    return Atlas(merged.shape, voxels[order], labels[order], ~is_left[order], names)


def _labels(path: Path) -> NDArray[np.int64]:
    values = _formats.volume(path)
    odd = values[(values != np.round(values)) | (values < -1) | (values > FACTS.regions)]
    if odd.size:
        raise BadData(f"{path}: expected labels from -1 to {FACTS.regions}, found {odd[0]}; fetch it again.")
    return values.astype(np.int64)


def networks(table: str, names: Mapping[int, str]) -> dict[str, tuple[str, str]]:
    """Look up the (left, right) network of every region: `xcpd` by hemisphere, `study` as the paper has it."""
    frame = pd.read_csv(_NETWORK_TABLE, dtype=str, keep_default_na=False).set_index("name")
    lacking = [name for name in names.values() if name not in frame.index]
    if lacking:
        raise BadData(f"no network is known for the regions {listing(lacking)}.{nearest(lacking[0], frame.index)}")
    left, right = _NETWORK_COLUMNS[table]
    return {name: (str(frame.at[name, left]), str(frame.at[name, right])) for name in names.values()}
