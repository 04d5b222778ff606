"""The headline claims under every combination of choices that one table of scores allows (`tables.SPECIFICATIONS`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import correlated_rows, correlation, permanova, regression
from homoplasy.studies.convergence import grid, halves
from homoplasy.studies.convergence.depth import layer_bins
from homoplasy.studies.convergence.grid import Bins, Cells, Grid, Way
from homoplasy.tables import SPECIFICATIONS

PERFORMANCE, LEVEL, GRADIENT, FAMILIES, SUBJECTS = CLAIMS = (
    "score_performance", "language_above_vision", "scale_gradient", "family_separation", "subject_agreement",
)  # fmt: skip
MAIN_BINS: Bins = (8, "block")
SPLIT_HALF = "split half"
_GIVEN = ("", "log_width", "log_parameters")
_ABOUT_REGIONS = "log_voxels+ncsnr+pr"
_NAN = float("nan")


@dataclass(frozen=True)
class Choices:
    """What is varied beside kernels and estimators."""

    bins: tuple[int, ...]
    shares: tuple[float, ...]
    draws: int
    seed: int
    kernel_unit: float


@dataclass(frozen=True)
class Study:
    """The scores and what is known of models and regions."""

    scores: pd.DataFrame  # tables.SCORES
    models: pd.DataFrame  # model, modality, family, performance, log_width, log_parameters; counted or not
    regions: pd.DataFrame  # scales.by_region
    drawn: pd.DataFrame  # tables.DRAWS: halves of the images


def specifications(study: Study, choices: Choices) -> pd.DataFrame:
    """Every specification of every claim that the data allow."""
    known = study.models[study.models["scored"]].set_index("model").sort_index()
    every = grid.collect(study.scores, {str(model): str(one) for model, one in known["modality"].items()})
    if not every.axes.models:
        return SPECIFICATIONS.empty()
    counted = known[known["counted"]]
    rows = list(_by_scores(study, every.of(counted.index), choices, counted)) if len(counted) else []
    if len(every.axes.regions) > 1:
        rows += _gradients(study, every, choices, counted)
        rows += _separations(every, choices, known)
    return _marked(pd.DataFrame(rows)) if rows else SPECIFICATIONS.empty()


def _bins(every: Grid, choices: Choices) -> list[Bins]:
    """Ways to sort layers; where every model has one layer there is nothing to sort."""
    single = every.layers.groupby("source")["layer"].size().max() == 1
    return [MAIN_BINS] if single else [(one, rule) for one in choices.bins for rule in ("block", "released")]


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Mark the cell that was declared before any score existed; regions chosen on halves where those are there."""
    way = grid.main_way()
    chosen = table["regions"].isin([f"{SPLIT_HALF} 0.05", "all"])
    halved = table.groupby(["claim", "modality"])["regions"].transform(lambda one: one.str.startswith(SPLIT_HALF).any())
    held = table.groupby(["claim", "modality"])["regions"].transform(lambda one: (one == "held out 0.05").any())
    wanted = np.where(halved, f"{SPLIT_HALF} 0.05", np.where(held, "held out 0.05", "all"))
    main = chosen | (table["regions"] == "held out 0.05")
    main &= (table["regions"] == wanted) & (table["estimator"] == way.estimator) & (table["given"] == "")
    main &= table["kernel"].isin([way.kernel, "c=0.5>c=2"]) & (table["bins"] == MAIN_BINS[0])
    main &= (table["binning"] == MAIN_BINS[1]) & table["statistic"].isin(["pearson", "difference", "raw", "permanova"])
    supports = (table["low"] > 0) & np.isfinite(table["estimate"])
    reason = table["reason"].where(~np.isfinite(table["estimate"]), "")
    return SPECIFICATIONS.check(table.assign(main=main, supports=supports, reason=reason))


def _by_scores(study: Study, every: Grid, choices: Choices, counted: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The claims that are about one score a model."""
    networks = {str(region): str(one) for region, one in study.regions["network"].items()}
    sets = grid.region_sets(every, networks, choices.shares)
    collected: dict[tuple[Any, ...], Cells] = {}
    for of in _bins(every, choices):
        weights = every.weights(of)[grid.scored_bin(of[0])]
        for way, values in every.found.items():
            cells = grid.mean_over_layers(values, weights)
            collected |= {(*way, *of, name): chosen(cells) for name, chosen in sets.items()}
    collected |= _halved(study, every)
    keys, stack = list(collected), np.array(list(collected.values()))
    known = counted.reindex(every.axes.models)
    modalities = sorted(known["modality"].unique())
    for one in modalities:
        mine = (known["modality"] == one).to_numpy()
        yield from _rows(PERFORMANCE, one, keys, _performance(stack[:, mine], known[mine]))
        if stack.shape[2] > 1:
            yield from _rows(SUBJECTS, one, keys, _agreement(stack[:, mine]))
    if modalities == ["language", "vision"]:
        yield from _rows(LEVEL, "both", keys, _level(stack, known))


def _halved(study: Study, every: Grid) -> dict[tuple[Any, ...], Cells]:
    """The main cell: regions chosen on one half of the images and scored on the other."""
    if study.drawn.empty:
        return {}
    way, scores = grid.main_way(), study.scores
    binned = layer_bins(every.layers, *MAIN_BINS).to_numpy() == grid.scored_bin(MAIN_BINS[0])
    mine = scores[(scores["params"] == f"{way.kernel} {way.estimator}") & (scores["measure"] == "cka.rbf")]
    split = halves.of_reading(
        study.drawn, mine.merge(every.layers.loc[binned, ["source", "layer"]], on=["source", "layer"])
    )
    if split.empty:
        return {}
    wide = halves.by_subject(split, 0.05).pivot(index="source", columns="subject", values="score")
    cells = wide.reindex(index=every.axes.models, columns=every.axes.subjects).to_numpy(np.float64)
    return {(*way, *MAIN_BINS, f"{SPLIT_HALF} 0.05"): cells}


@dataclass(frozen=True)
class _Found:
    """The estimates of all cells under one statistic and one set of covariates."""

    statistic: str
    given: str
    n: int
    interval: str
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _rows(
    claim: str, modality: str, keys: Sequence[tuple[Any, ...]], parts: Iterator[_Found]
) -> Iterator[dict[str, Any]]:
    names = ("kernel", "estimator", "bins", "binning", "regions")
    for part in parts:
        about: dict[str, Any] = {"claim": claim, "modality": modality, "statistic": part.statistic, "given": part.given}
        about |= {
            "n": part.n,
            "interval": part.interval,
            "reason": "a model has no score here, or nothing is left to compare",
        }
        for place, key in enumerate(keys):
            numbers = {name: float(getattr(part, name)[place]) for name in ("estimate", "low", "high")}
            yield about | dict(zip(names, key, strict=True)) | numbers


def _mean(scores: Cells) -> Cells:
    """Over subjects, those that are there."""
    known = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, scores, 0.0).sum(axis=2) / known.sum(axis=2))


def _performance(scores: Cells, known: pd.DataFrame) -> Iterator[_Found]:
    """Correlation of the score of a model with its performance, at equal width or number of parameters or not."""
    y = known["performance"].to_numpy(np.float64)
    for given in _GIVEN:
        held = known[given].to_numpy(np.float64) if given else None
        if not np.isfinite(y).all() or (held is not None and not np.isfinite(held).all()):
            continue
        for method in correlation.METHODS:
            r = correlated_rows.with_each(_mean(scores), y, held, method)
            bounds = correlated_rows.intervals(r, len(y), int(bool(given)), method)
            yield _Found(method, given, len(y), "Fisher's z", r, *bounds)


def _agreement(scores: Cells) -> Iterator[_Found]:
    """Correlation of the scores of models between two subjects, mean over pairs of subjects."""
    n = scores.shape[1]
    for method in correlation.METHODS:
        r = correlated_rows.between_columns(scores, method)
        bounds = correlated_rows.intervals(r, n, method=method)
        yield _Found(method, "", n, "Fisher's z of the mean r, as if of one pair", r, *bounds)


def _level(scores: Cells, known: pd.DataFrame) -> Iterator[_Found]:
    """Language minus vision in units of the sd inside a modality, errors clustered by family."""
    language = (known["modality"] == "language").to_numpy()
    families = known["family"].to_numpy(object).astype(str)
    means = _mean(scores)
    for given in _GIVEN:
        held = [known[given].to_numpy(np.float64)] if given else []
        if not all(np.isfinite(one).all() for one in held):
            continue
        design = regression.with_intercept(language.astype(np.float64), *held)
        bounds = np.array([_difference(one, language, design, families) for one in means])
        yield _Found("difference", given, len(known), "errors clustered by family", *bounds.T)


def _difference(
    score: NDArray[np.float64], language: NDArray[np.bool_], design: NDArray[np.float64], families: NDArray[Any]
) -> tuple[float, float, float]:
    sd = np.sqrt((score[language].var(ddof=1) + score[~language].var(ddof=1)) / 2)
    if not sd > 0:
        return _NAN, _NAN, _NAN
    found = regression.clustered(score / sd, design, families)
    return float(found.coefficients[1]), float(found.low[1]), float(found.high[1])


def _gradients(study: Study, every: Grid, choices: Choices, counted: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Whether wider kernels move likeness to the front: Spearman over regions of the change with their position."""
    about = _regions(study, every)
    for modality in sorted(counted["modality"].unique()):
        mine = every.of(counted.index[counted["modality"] == modality])
        for of in _bins(mine, choices):
            weights = mine.weights(of)[grid.scored_bin(of[0])]
            means = {way: grid.mean_over_layers(values, weights).mean(axis=0) for way, values in mine.found.items()}
            for estimator in sorted({way.estimator for way in means}):
                kernels = [way.kernel for way in means if way.estimator == estimator]
                for narrow, wide in grid.widths(kernels, choices.kernel_unit):
                    ends = means[Way(narrow, estimator)], means[Way(wide, estimator)]
                    key = (f"{narrow}>{wide}", estimator, *of, "all")
                    yield from _rows(GRADIENT, modality, [key], _gradient(*ends, about))


def _regions(study: Study, every: Grid) -> pd.DataFrame:
    """Position and what is held fixed, of the regions of the cells; their size and spread under the main kernel."""
    axes, way = every.axes, grid.main_way()
    one = study.scores[study.scores["source"] == axes.models[0]]
    pooled = one[one["params"] == f"{way.kernel} {way.estimator}"].groupby("region")
    known = study.regions.reindex(axes.regions)
    units = pooled["target_units"].mean().reindex(axes.regions)
    return pd.DataFrame(
        {
            "anterior": known["anterior"],
            "log_voxels": np.log(units.where(units > 0)),
            "ncsnr": known["ncsnr"],
            "pr": pooled["target_pr"].mean().reindex(axes.regions),
        }
    ).astype("float64")


def _gradient(narrow: Cells, wide: Cells, about: pd.DataFrame) -> Iterator[_Found]:
    changes = {"raw": wide - narrow, "standardised": _z(wide) - _z(narrow)}
    for given in ("", _ABOUT_REGIONS):
        held = about[given.split("+")].to_numpy(np.float64) if given else None
        known = about.notna().all(axis=1).to_numpy() if given else about["anterior"].notna().to_numpy()
        for statistic, change in changes.items():
            delta = change.mean(axis=0)
            whole = known & np.isfinite(delta)
            fixed = held[whole] if held is not None else None
            anterior = about["anterior"].to_numpy(np.float64)[whole]
            r = correlation.correlation(delta[whole], anterior, fixed, "spearman")
            partial = 0 if held is None else held.shape[1]
            low, high = correlation.fisher_interval(r, int(whole.sum()), partial, "spearman")
            numbers = (np.array([one]) for one in (r, low, high))
            yield _Found(statistic, given, int(whole.sum()), "Fisher's z of Spearman's rho", *numbers)


def _z(cells: Cells) -> Cells:
    """Over subjects and regions, ddof 1."""
    known = cells[np.isfinite(cells)]
    return (cells - known.mean()) / known.std(ddof=1) if known.size > 1 else np.full(cells.shape, np.nan)


def _separations(every: Grid, choices: Choices, known: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Share of the distances between profiles that lies between families, beyond what re-labelling gives."""
    heard = np.any([np.isfinite(values).any(axis=(1, 2)) for values in every.found.values()], axis=0)
    silent = set(every.layers.loc[~heard, "source"])  # a layer without any score, as in the taxonomy
    sound = every.of([model for model in every.axes.models if model not in silent])
    for bins in choices.bins:
        weights = sound.weights((bins, "block"))
        for way, values in sound.found.items():
            profiles = _profiles([grid.mean_over_layers(values, one) for one in weights.values()])
            key = (*way, bins, "block", "all")
            yield from _rows(FAMILIES, "both", [key], _separation(profiles, known.reindex(sound.axes.models), choices))


def _profiles(parts: Sequence[Cells]) -> NDArray[np.float64]:
    """One unit vector a model over all subjects' regions and the depth bins that most models fill; NaN without."""
    flat = np.array([part.reshape(len(part), -1) for part in parts])
    measured = np.isfinite(flat).any(axis=(0, 1))
    filled = np.isfinite(flat[:, :, measured]).all(axis=2)
    shared = filled.mean(axis=1) >= filled.mean(axis=1).max()
    joined = np.concatenate([part[:, measured] for part, kept in zip(flat, shared, strict=True) if kept], axis=1)
    length = np.linalg.norm(joined, axis=1, keepdims=True)
    return np.asarray(joined / np.where(length > 0, length, np.nan))


def _separation(profiles: NDArray[np.float64], known: pd.DataFrame, choices: Choices) -> Iterator[_Found]:
    families = known["family"].to_numpy(object).astype(str)
    usable = np.isfinite(profiles).all(axis=1) & np.isfinite(known["log_width"].to_numpy(np.float64))
    names, counts = np.unique(families[usable], return_counts=True)
    usable &= np.isin(families, names[counts > 1])
    for given in _GIVEN[:2]:
        points = profiles[usable]
        if given and len(points):
            design = regression.with_intercept(known.loc[usable, given].to_numpy(np.float64))
            points = points - design @ np.linalg.lstsq(design, points, rcond=None)[0]
        generator = np.random.default_rng(np.random.SeedSequence([choices.seed, *given.encode()]))
        own, null = permanova.shares(points, families[usable], choices.draws, generator)
        low, high = (own - np.quantile(null, q) if len(null) else _NAN for q in (0.975, 0.025))
        centre = own - null.mean() if len(null) else _NAN
        numbers = (np.array([one]) for one in (centre, low, high))
        how = f"share minus the shares of {choices.draws} re-labellings"
        yield _Found("permanova", given, int(usable.sum()), how, *numbers)
