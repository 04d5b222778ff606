"""Layers and regions on a plane: principal components and metric scaling, nothing mixed in, no seed.

A layer is its profile over regions, a region its profile over layers; each profile is of debiased or biased scores
as they are, with every region (or layer) standardised. The claim that deep vision lies nearer language is not read off
the picture but tested on the profiles.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import embedding
from homoplasy.studies.convergence.families import mean_of_families
from homoplasy.tables import EMBEDDING, FACTS

NEIGHBOURS = 10
_LEAST = 4  # items: one of them has a neighbour in a third of the others
_MOST = 1000  # items: metric scaling grows with their square
_NAN = float("nan")


def profiles(cells: pd.DataFrame) -> pd.DataFrame:
    """Layers (model and depth bin) by regions, mean over subjects; what lacks a value is left out."""
    wide = cells.groupby(["modality", "source", "bin", "region"])["value"].mean().unstack("region")
    wide = wide.dropna(axis="columns", thresh=int(np.ceil(0.5 * len(wide)))) if len(wide) else wide
    return wide.dropna()


def plane(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coordinates (`tables.EMBEDDING`) and how faithful they are (`tables.FACTS`) of one reading's profiles."""
    places, facts = [], []
    for kind, one in kinds(table).items():
        points = one.to_numpy(np.float64)
        at, share = embedding.principal(points)
        places.append(placed(one, kind, "pca", at))
        facts += [_fact("explained_share", f"{kind} pca", share, len(one)), kept(points, at, f"{kind} pca")]
        if len(one) <= _MOST:
            at, stress = embedding.metric_scaling(points)
            places.append(placed(one, kind, "mds", at))
            facts += [_fact("stress", f"{kind} mds", stress, len(one)), kept(points, at, f"{kind} mds")]
    if not places:
        return EMBEDDING.empty(), FACTS.empty()
    return EMBEDDING.check(pd.concat(places, ignore_index=True)), pd.DataFrame(facts)


def kinds(table: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """The layers and the regions, standardised; without the kind of which there are too few."""
    both = {"layer": _standard(table), "region": _standard(table.T)}
    return {kind: one for kind, one in both.items() if min(one.shape) > 2 and len(one) >= _LEAST}


def _standard(table: pd.DataFrame) -> pd.DataFrame:
    """Each column as z; a column without spread is left out."""
    spread = table.std()
    return ((table - table.mean()) / spread).loc[:, spread > 0] if len(table) > 1 else table.iloc[:, :0]


def placed(table: pd.DataFrame, kind: str, method: str, at: NDArray[np.float64]) -> pd.DataFrame:
    """Rows of `tables.EMBEDDING` for the items of one kind."""
    if kind == "region":
        about = pd.DataFrame({"item": table.index.astype(str), "modality": "", "model": "", "bin": 0})
    else:
        about = table.index.to_frame(index=False).rename(columns={"source": "model"})
        about["item"] = about["model"] + " " + about["bin"].astype(str)
    return about.assign(kind=kind, method=method, x=at[:, 0], y=at[:, 1])


def kept(points: NDArray[np.float64], at: NDArray[np.float64], item: str) -> dict[str, object]:
    """How far neighbours on the plane are neighbours among the profiles."""
    neighbours = min(NEIGHBOURS, (len(points) - 1) // 3)
    return _fact("trustworthiness", item, embedding.trustworthiness(points, at, neighbours), len(points))


def _fact(name: str, item: str, value: float, n: int) -> dict[str, object]:
    bare = {"modality": "both", "low": _NAN, "high": _NAN, "p": _NAN, "note": "metric scaling is deterministic"}
    return bare | {"fact": name, "item": item, "value": float(value), "n": n}


def nearer_language(table: pd.DataFrame, families: Mapping[str, str], draws: int, seed: int) -> list[dict[str, object]]:
    """How the profiles of vision layers come to resemble the mean language profile from the first bin to the last.

    For every vision model: correlation of its last bin's profile with language, minus that of its first; families of
    vision models are drawn anew.
    """
    present = set(table.index.get_level_values("modality"))
    if present != {"vision", "language"}:
        return []
    mean = table.xs("language", level="modality").to_numpy(np.float64).mean(axis=0)
    vision = table.xs("vision", level="modality")
    r = pd.Series([float(np.corrcoef(row, mean)[0, 1]) for row in vision.to_numpy(np.float64)], index=vision.index)
    by_bin = r.unstack("bin")
    ends = by_bin[by_bin.columns.max()] - by_bin[by_bin.columns.min()]
    ends = ends.dropna()
    if ends.empty:
        return []
    names = np.array([families.get(str(model), str(model)) for model in ends.index])
    drawn = mean_of_families(ends.to_numpy(np.float64)[:, None], names, draws, seed, "vision")
    low, high = drawn.interval(0)
    about = _fact("nearer_language", "", float(drawn.mean[0]), len(ends)) | {"modality": "vision"}
    curve = [
        _fact("language_likeness", f"bin {number}", float(by_bin[number].mean()), int(by_bin[number].count()))
        | {"modality": "vision", "note": "mean correlation of vision profiles with the mean language profile"}
        for number in by_bin.columns
    ]
    return [about | {"low": low, "high": high, "note": drawn.note}, *curve]
