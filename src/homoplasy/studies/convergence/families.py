"""Means over models and their spread when whole families of models are drawn anew."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from homoplasy.maths import resampling
from homoplasy.studies.convergence.associations import FEW


class Drawn(NamedTuple):
    """Mean over models, and the same in every draw of families."""

    mean: NDArray[np.float64]  # k
    draws: NDArray[np.float64]  # draws x k
    families: int

    def interval(self, place: int) -> tuple[float, float]:
        """The central 95 % of the draws of one column."""
        return resampling.percentile_interval(self.draws[:, place])

    @property
    def note(self) -> str:
        """How the interval was made, and its weakness."""
        few = f"; fewer than {FEW}, too few to trust" if self.families < FEW else ""
        return f"percentile of {len(self.draws)} draws over {self.families} families{few}"


def mean_of_families(
    values: NDArray[np.float64], families: NDArray[np.str_], draws: int, seed: int, name: str
) -> Drawn:
    """Average the rows of `values` (models x k), skipping NaN; the stream hangs on the seed and a name alone."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
    weights = resampling.group_weights(families, draws, generator)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore"):
        drawn = (weights @ filled) / (weights @ known)
        mean = filled.sum(axis=0) / known.sum(axis=0)
    return Drawn(mean, drawn, len(set(families.tolist())))
