"""Means over models and their spread when whole families of models, and subjects, are drawn anew."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from homoplasy.maths import resampling
from homoplasy.studies.convergence.associations import FEW


class Drawn(NamedTuple):
    """Mean over models, and the same in every draw of families and subjects."""

    mean: NDArray[np.float64]  # k
    draws: NDArray[np.float64]  # draws x k
    families: int
    subjects: int  # 0: these were not drawn

    def interval(self, place: int) -> tuple[float, float]:
        """The central 95 % of the draws of one column."""
        return resampling.percentile_interval(self.draws[:, place])

    @property
    def note(self) -> str:
        """How the interval was made, and its weakness."""
        few = f"; fewer than {FEW}, too few to trust" if self.families < FEW else ""
        people = f" and {self.subjects} subjects" if self.subjects else ""
        return f"percentile of {len(self.draws)} draws over {self.families} families{people}{few}"


def mean_of_families(
    values: NDArray[np.float64],
    families: NDArray[np.str_],
    draws: int,
    seed: int,
    name: str,
    people: NDArray[np.float64] | None = None,
) -> Drawn:
    """Average the rows of `values` (models x k), skipping NaN; the stream hangs on the seed and a name alone.

    `people` are the means of each subject over models (subjects x k). Models that know the same things share what
    chance makes of the images of a subject, however many they are; it differs between subjects, and so they are drawn
    too, the same for every name. The two kinds of draws add: what one pair of family and subject has for itself
    enters both, so that the spread is rather too wide than too narrow (Owen 2007).
    """
    generator = np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
    weights = resampling.group_weights(families, draws, generator)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore"):
        drawn = (weights @ filled) / (weights @ known)
        mean = filled.sum(axis=0) / known.sum(axis=0)
    count = len(set(families.tolist()))
    drawn = mean + resampling.widening(count) * (drawn - mean)
    subjects = 0 if people is None or len(people) < 2 else len(people)
    if people is not None and subjects:
        drawn = drawn + _moves(people, draws, seed)
    return Drawn(mean, drawn, count, subjects)


def _moves(people: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    """How the mean over subjects moves when they are drawn anew; a subject without a value moves nothing."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, *b"subjects"]))
    weights = resampling.group_weights(np.arange(len(people)), draws, generator) / len(people)
    known = np.isfinite(people)
    mean = np.where(known, people, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, people - mean, 0.0)
    return resampling.widening(len(people)) * (weights @ apart)
