"""The scores of every layer with every region, packed for the page, and the places of regions on a flat map."""

import base64
import json
from dataclasses import dataclass
from importlib import resources
from io import StringIO

import numpy as np
import pandas as pd

from homoplasy.report.cortex import Cortex, packed
from homoplasy.report.style import NETWORKS, OTHER

_MOST = 4_000_000  # values: two bytes each, and a third more as text
_NONE = -32768
_STEP = 1e-4  # of a score


@dataclass(frozen=True)
class Atlas:
    """Mean scores over subjects: kernels x layers x regions."""

    kernels: list[str]
    layers: pd.DataFrame  # model, layer, depth
    regions: list[str]
    values: np.ndarray


def pack(scores: pd.DataFrame, main: list[str]) -> Atlas | None:
    """Average over subjects; where that is too much for a page, keep the kernels of `main` alone."""
    whole = scores["target"] == scores["subject"] + "/" + scores["region"]
    pooled = scores[whole & scores["measure"].str.startswith("cka.")]
    if pooled.empty:
        return None
    layers = pooled[["source", "layer", "depth"]].drop_duplicates(["source", "layer"])
    layers = layers.sort_values(["source", "depth", "layer"], ignore_index=True)
    regions = sorted(pooled["region"].unique())
    kernels = _kernels(pooled["params"].unique().tolist(), main, len(layers) * len(regions))
    rows = pd.MultiIndex.from_frame(layers[["source", "layer"]])
    at = (
        pd.Index(kernels).get_indexer(pd.Index(pooled["params"])),
        rows.get_indexer(pd.MultiIndex.from_frame(pooled[["source", "layer"]])),
        pd.Index(regions).get_indexer(pd.Index(pooled["region"])),
    )
    value = pooled["value"].to_numpy(np.float64)
    kept = (at[0] >= 0) & np.isfinite(value)
    shape = (len(kernels), len(layers), len(regions))
    cells = np.ravel_multi_index([one[kept] for one in at], shape)
    sums, counts = (np.bincount(cells, weights, np.prod(shape)) for weights in (value[kept], None))
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return Atlas(kernels, layers.rename(columns={"source": "model"}), regions, means.reshape(shape))


def _kernels(names: list[str], main: list[str], cells: int) -> list[str]:
    """The main kernels first, then what else was computed with them, while there is room."""
    first = [name for name in main if name in names]
    rest = [name for name in sorted(names) if name not in first]
    return [*first, *rest][: max(len(first), _MOST // cells)]


def places() -> pd.DataFrame:
    """Where the areas of HCP-MMP1 lie: mm to the side, to the front and upwards; means of the two hemispheres."""
    text = resources.files("homoplasy.report").joinpath("hcp_mmp1_places.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), keep_default_na=False, dtype={"name": str}).set_index("name")


def as_json(
    atlas: Atlas, models: pd.DataFrame, regions: pd.DataFrame, tree: pd.DataFrame, cortex: Cortex | None = None
) -> str:
    """Everything that the page needs to draw; a score is a 16-bit number of ten-thousandths."""
    known = models.drop_duplicates("model").set_index("model")
    network = regions.drop_duplicates("region").set_index("region")["network"]
    voxels = regions.groupby("region")["voxels"].mean()
    ceiling = regions.groupby("region")["ceiling"].mean()
    at = {str(name): list(row) for name, row in zip(places().index, places().to_numpy().tolist(), strict=True)}
    scaled = np.where(np.isnan(atlas.values), _NONE, np.clip(atlas.values / _STEP, -32767, 32767)).round()
    told = {
        "kernels": atlas.kernels,
        "models": [
            {
                "name": name,
                "modality": str(known["modality"].get(name, "")),
                "family": str(known["family"].get(name, "")),
                "layers": group["layer"].tolist(),
                "depths": group["depth"].round(4).tolist(),
                "first": int(group.index[0]),
            }
            for name, group in atlas.layers.groupby("model", sort=False)
        ],
        "regions": [
            {
                "name": name,
                "network": str(network.get(name, "")),
                "colour": NETWORKS.get(str(network.get(name, "")), OTHER),
                "voxels": _whole(voxels.get(name, np.nan)),
                "ceiling": _whole(ceiling.get(name, np.nan), 3),
                "place": at.get(name),
            }
            for name in atlas.regions
        ],
        "tree": [str(name) for name in tree[tree["leaf"] >= 0].sort_values("place")["model"]] if len(tree) else [],
        "values": base64.b64encode(scaled.astype("<i2").tobytes()).decode(),
        "step": _STEP,
        "none": _NONE,
        "cortex": packed(cortex, atlas.regions) if cortex else None,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def _whole(value: float, digits: int = 0) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)
