"""Layers and regions on a plane by UMAP, once for each of several seeds: an illustration, never a test.

What moves from seed to seed is not a finding; each plane comes with its trustworthiness (Venna & Kaski 2001).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.errors import BadRequest
from homoplasy.studies.convergence import planes
from homoplasy.tables import EMBEDDING, FACTS

NEIGHBOURS = 50  # as the study chose, with min_dist 1 and the cosine distance
_NOTE = "UMAP differs from seed to seed"


def manifolds(table: pd.DataFrame, seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coordinates (`tables.EMBEDDING`) and trustworthiness (`tables.FACTS`) of `planes.profiles` for seeds 1, 2, ...

    Regions and layers are laid out apart; nothing is mixed in.
    """
    places, facts = [], []
    for kind, one in planes.kinds(table).items():
        points = one.to_numpy(np.float64)
        for seed in range(1, seeds + 1):
            at = _umap(points, seed)
            places.append(planes.placed(one, kind, f"umap {seed}", at))
            facts.append(planes.kept(points, at, f"{kind} umap {seed}") | {"note": _NOTE})
    if not places:
        return EMBEDDING.empty(), FACTS.empty()
    return EMBEDDING.check(pd.concat(places, ignore_index=True)), pd.DataFrame(facts)


def _umap(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    try:
        from umap import UMAP
    except ImportError:
        raise BadRequest(
            "stats.umap asks for UMAP, and umap-learn is not installed; run pip install 'homoplasy[umap]', or set "
            "stats.umap to 0."
        ) from None
    made = UMAP(
        n_neighbors=min(NEIGHBOURS, len(points) - 1),
        min_dist=1.0,
        metric="cosine",
        init="pca" if len(points) > 2 else "random",
        random_state=seed,
        n_jobs=1,  # the same bits every time
    )
    return np.asarray(made.fit_transform(points), dtype=np.float64)
