"""Resampling: of stimuli without replacement, of subjects, and of whole families of models."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from homoplasy.maths.correlation import Method

Kind = Literal["permutation", "half", "split"]

_KINDS = {"permutation": 0, "half": 1}  # part of the seed: they never share a stream; `split` is made of half-samples


def permutation(n: int, seed: int, draw: int) -> Int[np.ndarray, " n"]:
    """The places of n stimuli in random order, the same for a seed and a draw however many draws are asked for."""
    return _stream("permutation", seed, draw).permutation(n)


def half_sample(n: int, seed: int, draw: int) -> Int[np.ndarray, " _"]:
    """The places of half of n stimuli, without replacement, in order.

    A stimulus that is drawn twice would be at distance 0 from its copy, which raises every likeness. A mean over half
    of n without replacement varies about the mean over all with variance (s^2 / (n/2)) (1 - 1/2) = s^2 / n: the spread
    of half-samples is the standard error at n, by a factor of exactly 1 (delete-half jackknife; Shao & Wu 1989).

    >>> len(half_sample(9, seed=1, draw=0))
    4
    """
    return np.sort(_stream("half", seed, draw).permutation(n)[: n // 2])


def split_sample(n: int, seed: int, draw: int) -> Int[np.ndarray, " _"]:
    """The places of one half of n stimuli, in order: draws 2b and 2b + 1 share no stimulus and hold all of them.

    >>> sorted([*split_sample(5, seed=1, draw=6), *split_sample(5, seed=1, draw=7)]) == list(range(5))
    True
    """
    first = half_sample(n, seed, draw // 2)
    return np.setdiff1d(np.arange(n), first) if draw % 2 else first


def draws(kind: Kind, n: int, count: int, seed: int) -> list[Int[np.ndarray, " _"]]:
    """The places of the stimuli in each of some draws."""
    one = {"permutation": permutation, "half": half_sample, "split": split_sample}[kind]
    return [one(n, seed, draw) for draw in range(count)]


def _stream(kind: str, seed: int, draw: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, _KINDS[kind], draw]))


def dual_draws(
    values: Float[np.ndarray, "draws subjects ..."], seed: int, reach: float = 1.0
) -> Float[np.ndarray, "draws ..."]:
    """How the mean over subjects moves when subjects and stimuli are both drawn anew, in each of some draws.

    `values` are those of each subject on each half-sample of stimuli, v_bs. With w_bs how often subject s is drawn in
    S draws with replacement, and v_b the mean over subjects,

        move_b = (v_b - mean_b v_b) + reach sqrt(S / (S - 1)) sum_s (w_bs / S) (v_bs - v_b).

    The first term has the variance of stimuli that all subjects share, the second that of subjects (the root makes up
    for S - 1 degrees of freedom). Noise of a subject's own on its own stimuli enters both, so the spread is at most
    sqrt(2) times too wide where that noise is all there is, never too narrow (as in Owen 2007, of rows and columns).
    """
    count, subjects = values.shape[:2]
    if subjects < 2:
        raise ValueError(f"subjects are drawn anew where there are two or more, found {subjects}.")
    even = np.full(subjects, 1 / subjects)
    streams = (np.random.default_rng(np.random.SeedSequence([seed, len(_KINDS), draw])) for draw in range(count))
    weights = np.stack([stream.multinomial(subjects, even) for stream in streams]) / subjects
    each = values.mean(1)
    apart = np.einsum("bs,bs...->b...", weights, values - each[:, None])
    return each - each.mean(0) + reach * np.sqrt(subjects / (subjects - 1)) * apart


def dual_interval(
    values: Float[np.ndarray, "draws subjects ..."],
    estimate: Float[np.ndarray, "..."],
    seed: int,
    level: float = 0.95,
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Interval of the mean over subjects about its estimate on all stimuli: over new subjects and new stimuli.

    The estimate plus the central share of `dual_draws`, whose reach is Student's quantile of S - 1 degrees of freedom
    over the normal one: few subjects tell their own spread badly. NaN where a value is.
    """
    tail = 0.5 + level / 2
    reach = _student(values.shape[1], level)
    low, high = np.quantile(dual_draws(values, seed, reach), [1 - tail, tail], axis=0)
    return estimate + low, estimate + high


def widening(count: int, level: float = 0.95) -> float:
    """What the spread of means of m units drawn anew falls short of: sqrt(m / (m - 1)) t_{m-1} / z; NaN for one unit.

    The first factor is for the variance of m units about their own mean, the second for how badly few units tell it.
    """
    return float(np.sqrt(count / (count - 1)) * _student(count, level)) if count > 1 else float("nan")


def _student(count: int, level: float) -> float:
    """Student's quantile of m - 1 degrees of freedom over the normal one."""
    tail = 0.5 + level / 2
    return float(stats.t.ppf(tail, count - 1) / stats.norm.ppf(tail))


def group_weights(groups: np.ndarray, draws: int, generator: np.random.Generator) -> Float[np.ndarray, "draws n"]:
    """How often each member occurs when as many groups as there are get drawn with replacement."""
    names, member = np.unique(groups, return_inverse=True)
    counts = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return counts[:, member].astype(np.float64)


def weighted_correlation(
    weights: Float[np.ndarray, "draws n"],
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    given: Float[np.ndarray, " n"] | None = None,
    method: Method = "pearson",
) -> Float[np.ndarray, " draws"]:
    """Correlate each resample; a draw in which it is not defined is NaN.

    A resample with multiplicities w has the moments of the weighted sample, so nothing is copied;
    r_xy.z = (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2)) equals the correlation of residuals.
    """
    columns = [x, y] if given is None else [x, y, given]
    ranked = method == "spearman"
    values = [weighted_ranks(weights, c) if ranked else np.broadcast_to(c, weights.shape) for c in columns]
    r = _pair(weights, values[0], values[1])
    if given is None:
        return r
    a, b = _pair(weights, values[0], values[2]), _pair(weights, values[1], values[2])
    return _quotient(r - a * b, np.sqrt(np.clip((1 - a * a) * (1 - b * b), 0, None)))


def weighted_ranks(weights: Float[np.ndarray, "draws n"], x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "draws n"]:
    """Mid-ranks inside each resample: weight below + (weight at this value + 1) / 2."""
    _, first, place = np.unique(np.sort(x), return_index=True, return_inverse=True)
    order = np.argsort(x, kind="stable")
    tied = np.add.reduceat(weights[:, order], first, axis=1)
    place = place[np.argsort(order, kind="stable")]
    below = np.cumsum(tied, axis=1) - tied
    return (below + (tied + 1) / 2)[:, place]


def percentile_interval(values: Float[np.ndarray, " draws"], level: float = 0.95) -> tuple[float, float]:
    """The central share of the resampled values (Efron's percentile interval); NaN when none is defined."""
    found = values[np.isfinite(values)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _pair(
    weights: Float[np.ndarray, "draws n"], x: Float[np.ndarray, "draws n"], y: Float[np.ndarray, "draws n"]
) -> Float[np.ndarray, " draws"]:
    total = weights.sum(axis=1, keepdims=True)
    a = x - (weights * x).sum(axis=1, keepdims=True) / total
    b = y - (weights * y).sum(axis=1, keepdims=True) / total
    return _quotient(
        (weights * a * b).sum(axis=1), np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    )


def _quotient(above: Float[np.ndarray, " draws"], below: Float[np.ndarray, " draws"]) -> Float[np.ndarray, " draws"]:
    defined = below > 1e-12
    return np.clip(np.where(defined, above / np.where(defined, below, 1.0), np.nan), -1.0, 1.0)
