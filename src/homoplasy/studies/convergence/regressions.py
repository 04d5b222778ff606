"""Performance on the score, as a straight line and as a logarithm: which fits, and is the choice stable."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import correlation, regression, resampling
from homoplasy.studies.convergence.associations import FEW, draw_families
from homoplasy.tables import REGRESSIONS

_LEAST = 5  # models: AICc divides by n - 4
_NO_GAIN = dict.fromkeys(("log_wins", "log_gain", "log_gain_low", "log_gain_high"), float("nan"))
_MEANING = "a logarithm here means that performance levels off as the score grows, not the reverse"


def regressions(models: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Both fits by reading, modality and benchmark (`tables.REGRESSIONS`); columns as in `tables.MODEL_SCORES`.

    A benchmark on which all models do equally well has none.
    """
    rows = []
    known = models[models["counted"]].dropna(subset=["score", "performance"])
    for (reading, modality, benchmark), group in known.groupby(["reading", "modality", "benchmark"], sort=True):
        about = {"reading": reading, "modality": modality, "benchmark": benchmark}
        if len(group) >= _LEAST and not correlation.constant(group["performance"].to_numpy(np.float64)):
            rows += [about | row for row in _both(group.sort_values("model"), draws, seed, str(modality))]
    return REGRESSIONS.check(pd.DataFrame(rows)) if rows else REGRESSIONS.empty()


def _both(models: pd.DataFrame, draws: int, seed: int, name: str) -> list[dict[str, object]]:
    """Rows of one group; without the logarithm where a score is not above 0."""
    x, y = models["score"].to_numpy(np.float64), models["performance"].to_numpy(np.float64)
    if not (x > 0).all():
        return [_row("linear", x, y, _NO_GAIN, f"{int((x <= 0).sum())} scores are not above 0: no logarithm")]
    drawn = draw_families(models, draws, seed, name)
    families = len(set(drawn.families.tolist()))
    gain = _gain(drawn.weights, x, y) if families > 1 else _NO_GAIN
    note = _MEANING + (f"; {families} families, too few to trust the draws" if families < FEW else "")
    return [_row("linear", x, y, gain, note), _row("log", np.log(x), y, gain, note)]


def _row(
    form: str, x: NDArray[np.float64], y: NDArray[np.float64], gain: dict[str, float], note: str
) -> dict[str, object]:
    found = regression.fit(y, regression.with_intercept(x))
    numbers = {name: getattr(found, name) for name in ("r2", "aic", "bic", "aicc", "loo_r2")}
    intercept, slope = found.coefficients
    about = {"form": form, "n": len(y), "intercept": float(intercept), "slope": float(slope)}
    return about | numbers | gain | {"note": note}


def _gain(weights: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, float]:
    """How much better the logarithm fits, r^2 minus r^2, and in what share of the draws; both have two parameters."""
    log, line = (resampling.weighted_correlation(weights, one, y) ** 2 for one in (np.log(x), x))
    low, high = resampling.percentile_interval(log - line)
    own = correlation.correlation(np.log(x), y) ** 2 - correlation.correlation(x, y) ** 2
    defined = np.isfinite(log - line)
    return dict(zip(_NO_GAIN, (float((log > line)[defined].mean()), own, low, high), strict=True))
