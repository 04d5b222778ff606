"""Does likeness to the brain rise before performance in training? Half-rise times with intervals, not two curves.

Half-rise is not invariant under monotone transforms of either curve, so every lag comes for performance as it is, as
ranks, as logits and as logarithms, and a lead is claimed only where its sign is the same in all of them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from homoplasy.maths import correlation, lags
from homoplasy.studies.convergence.released_curves import RELEASED
from homoplasy.tables import CURVES, FACTS, LAGS

SCORE = "score"
BLOCK = 3  # points in a block of the permutation
_NEAREST = 1e-4  # a share closer to 0 or 1 than this is taken for this
_NAN = float("nan")
_CAVEAT = "half-rise moves under monotone transforms of either curve"


def _share(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Performance as a share; values above 1 are percent, and negative ones have no share."""
    shares = y / 100 if y.max() > 1 else y
    return np.clip(shares, _NEAREST, 1 - _NEAREST) if y.min() >= 0 and y.max() <= 100 else np.full(len(y), np.nan)


TRANSFORMS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "plain": lambda y: y,
    "rank": lambda y: stats.rankdata(y),
    "logit": lambda y: special.logit(_share(y)),
    "log_loss": lambda y: np.log(_share(y)),
}


def of_history(run: str, history: pd.DataFrame) -> pd.DataFrame:
    """What a network of ours performs along its training (`tables.CURVES`), from its `tables.HISTORY`.

    Held-out accuracies as they are; of perplexity minus the logarithm, which rises.
    """
    told = history[(history["split"] == "held_out") & history["metric"].isin(["accuracy", "top5", "perplexity"])]
    perplexed = told["metric"] == "perplexity"
    value = told["value"].where(~perplexed, -np.log(told["value"].clip(lower=1e-300)))
    quantity = told["metric"].where(~perplexed, "log_likelihood")
    found = told[["step", "weights"]].assign(run=run, quantity="held_out_" + quantity, unit="", value=value)
    return CURVES.check(found) if len(found) else CURVES.empty()


def measure_lags(curves: pd.DataFrame, modalities: Mapping[str, str], draws: int, seed: int) -> pd.DataFrame:
    """Lag of performance behind score by run, weights, benchmark and transform (`tables.LAGS`).

    `curves` is `tables.CURVES`: scores by unit (subject/region), performance by benchmark. A benchmark is compared with
    the score of the same weights; where there is none, with that of the others, and the note says so. `modalities`
    gives the modality of a run where it is known.
    """
    rows = []
    for run, group in CURVES.check(curves).groupby("run", sort=True):
        scores, released = (group[group["quantity"] == name] for name in (SCORE, RELEASED))
        of_performance = group[~group["quantity"].isin([SCORE, RELEASED])]
        for (weights, benchmark), performance in of_performance.groupby(["weights", "quantity"]):
            same = scores[scores["weights"] == weights]
            mine, note = (same, _CAVEAT) if len(same) else (scores, f"{_confounded(str(weights))}; {_CAVEAT}")
            if len(mine):
                generator = np.random.default_rng(np.random.SeedSequence([seed, *f"{run}/{benchmark}".encode()]))
                about = {"run": run, "modality": modalities.get(str(run), ""), "weights": weights}
                about |= {"benchmark": benchmark, "note": note}
                r = _released_r(released[released["weights"] == weights], performance)
                rows += [
                    about | {"r_released": r if row["transform"] == "plain" else _NAN} | row
                    for row in _compared(_wide(mine), performance, draws, generator)
                ]
    return LAGS.check(pd.DataFrame(rows)) if rows else LAGS.empty()


def _released_r(curve: pd.DataFrame, performance: pd.DataFrame) -> float:
    """Pearson's r of two curves on the steps that both have."""
    both = curve.merge(performance, on="step", suffixes=("_score", "")).dropna(subset=["value_score", "value"])
    x, y = (both[name].to_numpy(np.float64) for name in ("value_score", "value"))
    return correlation.correlation(x, y) if len(both) > 2 else _NAN


def _confounded(weights: str) -> str:
    other = {"ema": "raw", "raw": "averaged"}.get(weights, "other")
    return f"confounded: performance of {weights} weights beside the score of {other} ones"


def _wide(scores: pd.DataFrame) -> pd.DataFrame:
    """Steps by units; a unit that lacks a step is left out."""
    return scores.pivot(index="step", columns="unit", values="value").dropna(axis="columns")


def _compared(
    scores: pd.DataFrame, performance: pd.DataFrame, draws: int, generator: np.random.Generator
) -> list[dict[str, object]]:
    """Rows of one run and benchmark, on the steps that both have; units are drawn anew for the interval."""
    known = performance.set_index("step")["value"].dropna()
    steps = scores.index.intersection(known.index).sort_values()
    x = np.log2(steps.to_numpy(np.float64) + 1)
    units = scores.loc[steps].to_numpy(np.float64)
    if not units.size:
        return []
    raw = known[steps].to_numpy(np.float64)
    picks = generator.integers(units.shape[1], size=(draws, units.shape[1]))
    halves = np.array([lags.half_rise(x, units[:, pick].mean(axis=1)) for pick in picks])
    mean = units.mean(axis=1)
    about = {"points": len(steps), "units": units.shape[1], "score_half": lags.half_rise(x, mean)}
    return [
        about | _row(name, mean, transform(raw), x, halves, generator) | {"transform": name}
        for name, transform in TRANSFORMS.items()
    ]


def _row(
    name: str,
    mean: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    halves: NDArray[np.float64],
    generator: np.random.Generator,
) -> dict[str, object]:
    half = lags.half_rise(x, y)
    shifts = half - halves[np.isfinite(halves)]
    enough = len(shifts) > 0.9 * len(halves) and np.isfinite(half)
    low, high = np.quantile(shifts, [0.025, 0.975]) if enough else (_NAN, _NAN)
    finite = bool(np.isfinite(y).all())
    series = TRANSFORMS["rank"](mean) if name == "rank" else mean
    changes = lags.difference_correlation(series, y) if finite else _NAN
    bounds = correlation.fisher_interval(changes, len(y) - 1)
    return {
        "performance_half": half,
        "lag": half - lags.half_rise(x, mean),
        "low": float(low),
        "high": float(high),
        "r": correlation.correlation(series, y) if finite else _NAN,
        "r_changes": changes,
        "r_changes_low": bounds[0],
        "r_changes_high": bounds[1],
        "p_shift": lags.circular_shift_p(series, y) if finite else _NAN,
        "p_block": lags.block_permutation_p(series, y, BLOCK, 999, generator) if finite else _NAN,
    }


def leads(found: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Mean lag over runs by weights, modality and transform, runs drawn anew (`tables.FACTS`).

    `reading` is the weights, `item` the benchmark and the transform.

    `lead` is 1 where the score comes first in every transform with an interval above 0, -1 where performance does, 0
    where neither is shown.
    """
    rows = []
    for (weights, modality, benchmark), group in found.groupby(["weights", "modality", "benchmark"], sort=True):
        about = {"reading": str(weights), "modality": str(modality)}
        parts: dict[str, tuple[float, float, float, str, int]] = {}
        for transform, lag in group.dropna(subset=["lag"]).groupby("transform")["lag"]:
            values = lag.to_numpy(np.float64)
            generator = np.random.default_rng(np.random.SeedSequence([seed, *str(benchmark).encode()]))
            means = values[generator.integers(len(values), size=(draws, len(values)))].mean(axis=1)
            low, high = np.quantile(means, [0.025, 0.975]) if len(values) > 1 else (_NAN, _NAN)
            note = f"mean of {len(values)} runs, runs drawn anew; in doublings of steps"
            parts[str(transform)] = (float(values.mean()), float(low), float(high), note, len(values))
            rows.append(about | _fact("lag", f"{benchmark} {transform}", parts[str(transform)]))
        rows.append(about | _fact("lead", str(benchmark), (*_lead(parts), len(group["run"].unique()))))
    return FACTS.check(pd.DataFrame(rows)) if rows else FACTS.empty()


def _lead(parts: Mapping[str, tuple[float, float, float, str, int]]) -> tuple[float, float, float, str]:
    signs = {int(np.sign(low)) for _, low, high, _, _ in parts.values() if low * high > 0}
    shown = len(parts) == len(TRANSFORMS) and all(low * high > 0 for _, low, high, _, _ in parts.values())
    if shown and len(signs) == 1:
        return float(signs.pop()), _NAN, _NAN, "the interval of every transform lies on one side of 0"
    lacking = sorted(set(TRANSFORMS) - set(parts))
    return 0.0, _NAN, _NAN, f"no lag for {', '.join(lacking)}" if lacking else "transforms or their intervals disagree"


def _fact(name: str, item: str, numbers: tuple[float, float, float, str, int]) -> dict[str, object]:
    value, low, high, note, n = numbers
    return {"fact": name, "item": item, "value": value, "low": low, "high": high, "p": _NAN, "n": n, "note": note}
