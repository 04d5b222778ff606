"""The cortical surface fsaverage5, and which of the 180 areas of HCP-MMP1 each of its points lies in.

The meshes come with nilearn (fsaverage5 of FreeSurfer, Fischl et al. 1999, Human Brain Mapping 8:272-284). The labels
are those that NSD ships on the finer fsaverage, whose first 10,242 points are fsaverage5. Where they are not there, a
point goes to the nearest area on the sphere, measured in radii of its disc (centre and area of `hcp_mmp1_sphere.csv`),
an approximation that gives 72 % of the points the area that they have (labels of Lariviere et al. 2021, Nature Methods
18:698-700; Glasser et al. 2016, Nature 536:171-178).
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets.nsd import _formats, atlas, keys
from homoplasy.errors import BadData, WorkFailed
from homoplasy.maths.meshes import Surface

SIDES: Mapping[str, str] = {"left": "lh", "right": "rh"}
POINTS, TRIANGLES = 10_242, 20_480  # of a hemisphere
_FINER = 163_842  # points of fsaverage
_DISCS = Path(__file__).parent / "hcp_mmp1_sphere.csv"


def read(raw: Path) -> tuple[dict[str, Surface], bool]:
    """Both hemispheres, and whether the labels are those of the atlas, which a tree of NSD may bring."""
    labels = {side: raw / keys.surface_labels(short) for side, short in SIDES.items()}
    exact = all(path.is_file() for path in labels.values())
    if exact:
        names = atlas.read_names(raw / keys.LABELS)
        return {side: _hemisphere(side, _labelled(path, names)) for side, path in labels.items()}, True
    return {side: _hemisphere(side, nearest(side)) for side in SIDES}, False


def nearest(side: str) -> NDArray[np.str_]:
    """The area nearest to every point: the least d / r over discs of radius r with their centres d away."""
    discs = pd.read_csv(_DISCS, dtype={"name": str}, keep_default_na=False)
    discs = discs[discs["hemisphere"] == side]
    sphere = _mesh("sphere", side, "pointset")
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    away = 2 - 2 * sphere @ discs[["x", "y", "z"]].to_numpy().T
    radius = 4 * discs["points"].to_numpy() / POINTS  # squared; points lie evenly on the sphere, whose area is 4 pi
    return discs["name"].to_numpy(str)[(away / radius).argmin(axis=1)]


def _labelled(path: Path, names: Mapping[int, str]) -> NDArray[np.str_]:
    """The areas of the points of fsaverage5, from the labels of fsaverage."""
    with _formats.guarded(path, "FreeSurfer label file"):
        found = np.asarray(nibabel.load(path).dataobj).ravel()  # type: ignore[attr-defined]  # nibabel types the base class
    if found.size != _FINER or found.min() < -1 or found.max() > len(names):
        raise BadData(
            f"{path}: expected {_FINER} labels from -1 to {len(names)}, found {found.size} from {found.min()} to "
            f"{found.max()}; fetch it again (dvc repro fetch)."
        )
    table = np.array(["", *(names[label] for label in range(1, len(names) + 1))])
    return table[np.maximum(found[:POINTS].astype(np.int64), 0)]


def _hemisphere(side: str, areas: NDArray[np.str_]) -> Surface:
    folded, inflated = (_mesh(kind, side, "pointset") for kind in ("pial", "infl"))
    triangles = _mesh("infl", side, "triangle").astype(np.int64)
    return Surface(folded, inflated, triangles, _mesh("sulc", side), areas)


def _mesh(kind: str, side: str, part: str | None = None) -> NDArray[np.float64]:
    """One array of nilearn's copy; its own loader would import scikit-learn for seconds."""
    at = resources.files("nilearn").joinpath("datasets", "data", "fsaverage5", f"{kind}_{side}.gii.gz")
    with resources.as_file(at) as path:
        if not path.is_file():
            raise WorkFailed(f"this version of nilearn has no {path}; install the one that requirements.lock names.")
        image: Any = nibabel.load(path)
        return np.asarray(image.agg_data(part), dtype=np.float64)
