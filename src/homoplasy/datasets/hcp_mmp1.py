"""Where the 180 areas of HCP-MMP1 lie from the back of the head to the front.

`hcp_mmp1_positions.csv`: mean of the two hemispheres' centroids on fsaverage5, y in mm (Glasser et al. 2016, Nature
536:171-178; the surface labels of Lariviere et al. 2021, Nature Methods 18:698-700). Approximate: the mean of a folded
area lies off the surface.
"""

from pathlib import Path

import pandas as pd

_POSITIONS = Path(__file__).parent / "hcp_mmp1_positions.csv"


def anterior() -> dict[str, float]:
    """The y of every area in mm; larger is further to the front."""
    table = pd.read_csv(_POSITIONS, dtype={"name": str, "anterior": float}, keep_default_na=False)
    return dict(zip(table["name"], table["anterior"], strict=True))
