"""The planted regions: where each stands between seeing and meaning, how large and how reliable it is."""

import csv
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Region:
    """A region of the label table and what is planted in it.

    `hierarchy` runs from 0 (visual) to 1 (semantic); `kind` says how the signal is made of the latents.
    """

    name: str
    hierarchy: float
    voxels: int
    ncsnr: float
    kind: str = "linear"  # linear | wave | none
    dropout: bool = False  # half of the voxels lie where the scanner loses signal


_HIERARCHY = (
    Region("V1", 0.0, 384, 0.55),
    Region("V2", 0.05, 24, 0.50),
    Region("V3", 0.1, 160, 0.50),
    Region("V4", 0.2, 48, 0.50),
    Region("LO1", 0.3, 12, 0.45),
    Region("MT", 0.3, 96, 0.40),
    Region("FFC", 0.5, 32, 0.60),
    Region("PIT", 0.5, 256, 0.40),
    Region("VMV1", 0.6, 16, 0.40),
    Region("PHA1", 0.7, 72, 0.35),
    Region("PGp", 0.7, 40, 0.35),
    Region("TE2p", 0.8, 20, 0.30),
    Region("PGi", 0.8, 192, 0.25),
    Region("PFm", 0.85, 240, 0.20),
    Region("46", 0.9, 110, 0.10),
    Region("10d", 0.9, 64, 0.15),
    Region("TE2a", 0.95, 300, 0.20, dropout=True),
    Region("TGd", 1.0, 14, 0.15, dropout=True),
    Region("OFC", 1.0, 128, 0.10, dropout=True),
    Region("EC", 1.0, 28, 0.10, dropout=True),
)
_SILENT = (
    Region("4", 0.0, 320, 0.0, kind="none"),
    Region("3b", 0.0, 36, 0.0, kind="none"),
    Region("A1", 0.0, 18, 0.0, kind="none"),
    Region("24dv", 0.0, 60, 0.0, kind="none"),
)
FINE = Region("STSvp", 1.0, 200, 0.60, kind="wave")  # alike only for narrow kernels
COARSE = Region("STSda", 1.0, 200, 0.60)  # alike at every width
TINY = Region("RI", 0.5, 4, 0.50)  # too small to carry patterns

PLANTED = (*_HIERARCHY, *_SILENT)  # the 24 regions of the study
REGIONS = (*PLANTED, FINE, COARSE, TINY)


def label_table() -> dict[str, int]:
    """The 180 HCP-MMP1 labels by name (Glasser et al. 2016), in the order of their ids 1..180."""
    with resources.files("homoplasy.datasets").joinpath("hcp_mmp1_yeo7.csv").open(encoding="utf-8") as file:
        return {row["name"]: int(row["index"]) for row in csv.DictReader(file)}
