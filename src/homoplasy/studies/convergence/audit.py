"""Every score beside what chance, noise and the number of voxels make of it (`tables.audit`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import floors
from homoplasy.studies.convergence.halves import top_count
from homoplasy.tables import AUDIT, BETWEEN, CEILINGS, CHECKS, LARGEST, NULL_SCORES, TALLIES

CELL = ["source", "layer", "target"]
_ABOUT = ["depth", "region", "subject", "n", "ceiling"]
_HEALTH = ["source_offdiagonal", "target_offdiagonal", "source_pr", "target_pr"]
_RAW = {"value": "raw", "null_mean": "floor", "null_sd": "floor_sd"}
_NAN = float("nan")


class Chance(NamedTuple):
    """Scores by one estimator: of the pairing itself, their exact moments, and those of each re-pairing."""

    own: NDArray[np.float64]  # source x target
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    drawn: NDArray[np.float32]  # draw x source x target


def audited(scores: pd.DataFrame) -> pd.DataFrame:
    """Every cell and kernel of the scores, both estimators in one row (`tables.AUDIT`), in their order."""
    mine = scores[scores["measure"].isin(["cka.linear", "cka.rbf"])].reset_index(drop=True)
    if mine.empty:
        return AUDIT.empty()
    kernel, named = pd.factorize(mine["params"].str.rpartition(" ")[0])
    cell = _cell(mine, kernel)
    biased, debiased = (_places(mine, cell, one) for one in ("biased", "debiased"))
    places = np.where(debiased >= 0, debiased, biased)
    order = np.argsort(np.minimum(*(np.where(one >= 0, one, len(mine)) for one in (biased, debiased))), kind="stable")
    biased, debiased, places = biased[order], debiased[order], places[order]
    table = mine.loc[places, [*CELL, *_ABOUT, "measure", *_HEALTH, "reason"]].reset_index(drop=True)
    table["kernel"] = pd.array(named.tolist(), dtype="str").take(kernel[places])
    for column, name in _RAW.items():
        table[name] = _taken(mine[column], biased)
    table["calibrated"], table["se"] = (_taken(mine[column], debiased) for column in ("value", "se"))
    table["z"] = table["calibrated"] / _taken(mine["null_sd"], debiased)
    table["over_ceiling"] = table["calibrated"] / table["ceiling"]
    return table[list(AUDIT.columns)]


def _cell(scores: pd.DataFrame, kernel: NDArray[np.intp]) -> NDArray[np.int64]:
    """A number for every cell and kernel, from 0."""
    code = kernel.astype(np.int64)
    for column in ("measure", *CELL):
        places, names = pd.factorize(scores[column])
        code = code * len(names) + places
    return np.unique(code, return_inverse=True)[1]


def _places(scores: pd.DataFrame, cell: NDArray[np.int64], estimator: str) -> NDArray[np.int64]:
    """The row of every cell by one estimator; -1 where it has none."""
    found = np.full(cell.max(initial=-1) + 1, -1, dtype=np.int64)
    rows = np.flatnonzero(scores["estimator"] == estimator)
    found[cell[rows]] = rows
    return found


def _taken(values: pd.Series, places: NDArray[np.int64]) -> NDArray[np.float64]:
    numbers = values.to_numpy(np.float64)
    return np.where(places >= 0, numbers[np.maximum(places, 0)], np.nan) if len(numbers) else numbers


def tallied(cells: pd.DataFrame, chance: Mapping[str, Chance], first: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is kept of some re-pairings, numbered from `first` (`tables.TALLIES`, `tables.LARGEST`).

    `cells` has a row a source and target, in the order of the arrays, which hold both estimators.
    """
    sums, largest = [], []
    for estimator, found in chance.items():
        kept = floors.tally(found.drawn, found.own, found.mean, found.sd)
        columns = {"own": found.own, "mean": found.mean, "sd": found.sd, "total": kept.total, "square": kept.square}
        numbers = {name: values.ravel().astype(np.float64) for name, values in columns.items()}
        reached = kept.reached.ravel().astype(np.int64)
        sums.append(cells[CELL].assign(estimator=estimator, draws=kept.draws, reached=reached, **numbers))
        draws = np.arange(first, first + kept.draws)
        largest.append(pd.DataFrame({"draw": draws, "largest": kept.largest}).assign(estimator=estimator))
    return TALLIES.check(pd.concat(sums, ignore_index=True)), LARGEST.check(pd.concat(largest, ignore_index=True))


def checked(
    cells: pd.DataFrame,
    tallies: pd.DataFrame,
    largest: pd.DataFrame,
    linear: pd.DataFrame,
    ceilings: pd.DataFrame,
    units: str,
) -> pd.DataFrame:
    """The checks of one subject (`tables.CHECKS`): what is kept of all its re-pairings beside what noise leaves.

    `units` says whose units are a sample of many: none, brain, or both.
    """
    raw, calibrated = (_p_values(tallies, largest, one) for one in ("biased", "debiased"))
    table = cells.set_index(CELL)
    table["draws"] = raw["draws"]
    for columns, found in ((_OF_RAW, raw), (_OF_CALIBRATED, calibrated)):
        for name, column in columns.items():
            table[name] = found[column]
    known = linear.set_index(CELL).reindex(table.index)
    region = ceilings.set_index("target").reindex(table.index.get_level_values("target"))
    table["linear"], table["ceiling"] = known["linear"], region["ceiling"].to_numpy()
    table["corrected"] = table["linear"] / table["ceiling"]
    growth = {"none": _NAN, "brain": 1.0, "both": known["growth"]}[units] * region["growth"].to_numpy()
    table["unit_corrected"] = (table["linear"] * growth).where(table["ceiling"].notna())
    table["ceiling_reason"] = region["reason"].to_numpy()
    return CHECKS.check(table.reset_index())


_OF_RAW = {
    "raw": "own",
    "floor": "mean",
    "floor_sd": "sd",
    "permuted": "permuted",
    "permuted_sd": "permuted_sd",
    "raw_p": "p",
    "raw_p_family": "p_family",
}
_OF_CALIBRATED = {
    "calibrated": "own",
    "z": "z",
    "calibrated_permuted": "permuted",
    "calibrated_permuted_sd": "permuted_sd",
    "p": "p",
    "p_family": "p_family",
}


def _p_values(tallies: pd.DataFrame, largest: pd.DataFrame, estimator: str) -> pd.DataFrame:
    """Mean, spread and p of every cell over all draws."""
    mine = tallies[tallies["estimator"] == estimator].groupby(CELL, sort=False)
    table = mine[["own", "mean", "sd"]].first()
    sums = mine[["draws", "total", "square", "reached"]].sum()
    count, known = sums["draws"], table["own"].notna()
    table["draws"], table["z"] = count, (table["own"] - table["mean"]) / table["sd"]
    table["permuted"] = (sums["total"] / count).where(known)
    offset = table["permuted"] - table["mean"]
    table["permuted_sd"] = np.sqrt((sums["square"] / count - offset**2).clip(lower=0)).where(known)
    table["p"] = ((1.0 + sums["reached"]) / (1.0 + count)).where(known)
    highest = largest.loc[largest["estimator"] == estimator, "largest"].to_numpy()
    table["p_family"] = floors.family_p(table["z"].to_numpy(), highest)
    return table


def null_scores(sources: Sequence[str], chance: Mapping[str, Chance], share: float, first: int) -> pd.DataFrame:
    """Brain score of every model in each re-pairing: mean over its layers here, then over its best regions.

    The best regions are those of that re-pairing, as they are of the pairing itself (`brain_score.best`).
    """
    models = list(dict.fromkeys(sources))
    layers = [[place for place, one in enumerate(sources) if one == model] for model in models]
    means = {name: np.stack([one.drawn[:, of].mean(1) for of in layers], 1) for name, one in chance.items()}
    scores = {name: _best(values.astype(np.float64), share) for name, values in means.items()}
    draws = len(scores["biased"])
    return pd.DataFrame(
        {
            "model": np.tile(models, draws),
            "draw": np.repeat(np.arange(first, first + draws), len(models)),
            "raw": scores["biased"].ravel(),
            "calibrated": scores["debiased"].ravel(),
        }
    )


def _best(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Mean over the best targets that have a value; NaN where none has."""
    known = np.isfinite(values).any((0, 1))
    if not known.any():
        return np.full(values.shape[:2], np.nan)
    ordered = np.sort(values[..., known], axis=-1)
    return ordered[..., -top_count(int(known.sum()), share) :].mean(-1)


def over_subjects(parts: Iterable[pd.DataFrame], models: pd.DataFrame) -> pd.DataFrame:
    """Null brain scores as a mean over subjects (`tables.NULL_SCORES`)."""
    every = list(parts)
    if not every:
        return NULL_SCORES.empty()
    means = pd.concat(every).groupby(["model", "draw"], as_index=False)[["raw", "calibrated"]].mean()
    return NULL_SCORES.check(means.assign(modality=means["model"].map(models.set_index("model")["modality"])))


def with_others(ceilings: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """The ceilings, with how like the same region of other subjects is (`tables.CEILINGS`)."""
    ends = [
        between.assign(target=between[f"subject_{side}"] + "/" + between["region"])[
            ["target", "calibrated", "corrected"]
        ]
        for side in ("a", "b")
    ]
    means = pd.concat(ends).groupby("target")[["calibrated", "corrected"]].mean()
    found = means.reindex(ceilings["target"])
    return CEILINGS.check(
        ceilings.assign(between=found["calibrated"].to_numpy(), between_corrected=found["corrected"].to_numpy())
    )


def between(
    pairs: pd.DataFrame, linear: pd.DataFrame, ceilings: Mapping[str, tuple[float, str]], subjects: tuple[str, str]
) -> pd.DataFrame:
    """The regions of two subjects against each other (`tables.BETWEEN`).

    `pairs` are scores of the regions of one subject, as sources, with those of the other, `linear` those of centred
    patterns with linear kernels; `ceilings` hold ceiling and reason by target over the same images.
    """
    kernels = audited(pairs[pairs["source"] == subjects[0] + "/" + pairs["region"]]).set_index("region")
    own = linear[linear["source"] == subjects[0] + "/" + linear["region"]].set_index("region")
    table = kernels.drop(columns=["source", "layer", "depth", "target", "subject", "ceiling", "over_ceiling", *_HEALTH])
    table["linear"] = own["value"].reindex(table.index)
    sides = [[ceilings[f"{subject}/{region}"] for region in table.index] for subject in subjects]
    limits = [np.array([value for value, _ in side]) for side in sides]
    table["corrected"] = table["linear"] / (limits[0] * limits[1])
    why = [first[1] or second[1] for first, second in zip(*sides, strict=True)]
    table["reason"] = pd.array([own or other for own, other in zip(table["reason"], why, strict=True)], dtype="str")
    return BETWEEN.check(table.reset_index().assign(subject_a=subjects[0], subject_b=subjects[1]))
