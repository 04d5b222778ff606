"""What the scores of models go with in each subject alone, and in their mean."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from homoplasy.maths import correlation
from homoplasy.studies.convergence.associations import METHODS

MEAN, ALONE = "score_by_subject", "score_in_"  # what x is called: the mean over subjects, and one subject's name after
_FEWEST = 3  # models: a correlation of so few says nothing
_LEAST = 1e-300  # an error of nothing is divided by
_NAN = float("nan")


def over_subjects(
    models: pd.DataFrame, people: Mapping[str, pd.DataFrame], by: Sequence[str]
) -> list[dict[str, object]]:
    """The relation of score and performance in each subject alone and its mean, for every group of models.

    Models that know the same things share what chance makes of a subject's images; if better models know them better,
    that alone goes with performance, whatever its sign. It differs from subject to subject, so the mean has Student's
    interval over subjects. `people` has the scores by reading: models in rows, subjects in columns.
    """
    rows = []
    for place, group in models.dropna(subset=["performance"]).groupby(list(by), sort=True):
        about: dict[str, object] = dict(zip(by, place, strict=True))
        table = group.set_index("model").sort_index()
        known = people[str(about["reading"])].reindex(table.index).dropna()
        if len(known) <= _FEWEST:
            continue
        about |= {"y": "performance", "given": "", "n": len(known), "families": table["family"][known.index].nunique()}
        for method in METHODS:
            found = _subjects(known, table["performance"][known.index], method)
            rows += [about | {"method": method, "family_low": _NAN, "family_high": _NAN} | one for one in found]
    return rows


def _subjects(known: pd.DataFrame, performance: pd.Series, method: correlation.Method) -> list[dict[str, object]]:
    """The mean first, then every subject with its correlation and Fisher's interval."""
    y, n = performance.to_numpy(np.float64), len(known)
    rows = [_mean(known.to_numpy(np.float64).T, y, method)]
    for subject in known:
        r = correlation.correlation(known[subject].to_numpy(np.float64), y, None, method)
        low, high = correlation.fisher_interval(r, n, 0, method)
        found = {"r": r, "p": correlation.p_value(r, n), "fisher_low": low, "fisher_high": high}
        rows.append({"x": f"{ALONE}{subject}", **found, "interval": ""})
    return rows


def _mean(x: np.ndarray, y: np.ndarray, method: correlation.Method) -> dict[str, object]:
    """The mean over subjects p of b_p = r_p s_p / s, with s_p the spread of scores and s^2 the mean of s_p^2.

    That is the slope in each subject, in one unit. Of correlations alone, chance that all models share makes numbers
    near 1 and -1 whatever its size, and four of them have one sign in one of eight worlds.
    """
    if method == "spearman":
        x, y = stats.rankdata(x, axis=1), stats.rankdata(y)
    spread = np.sqrt(x.var(axis=1).mean()) * y.std()
    centred = x - x.mean(axis=1, keepdims=True)
    slope = centred @ (y - y.mean()) / len(y) / spread if spread > 0 else np.full(len(x), _NAN)
    count, mean = len(slope), float(slope.mean())
    low, high, p = _NAN, _NAN, _NAN
    if count > 1 and np.isfinite(mean):
        error = max(float(stats.sem(slope)), _LEAST)
        half = float(stats.t.ppf(0.975, count - 1)) * error
        low, high = max(-1.0, mean - half), min(1.0, mean + half)
        p = float(2 * stats.t.sf(abs(mean) / error, count - 1))
    about = {"x": MEAN, "r": mean, "p": p, "fisher_low": low, "fisher_high": high}
    return about | {"interval": f"Student's t over {count} subjects"}
