"""Which picture is shown when: the experiment's design and the behaviour that was recorded beside it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from homoplasy.datasets.pocket import sizes
from homoplasy.datasets.pocket.streams import stream


@dataclass(frozen=True)
class Design:
    """The trial order, the same for all subjects, and the pictures that fill it for each; all numbers are 1-based."""

    ordering: NDArray[np.int64]  # (trials,): column of `pictures`
    pictures: NDArray[np.int64]  # (subjects, images): picture id; the first columns are shared
    pattern: NDArray[np.uint8]  # (sessions, runs, slots): 1 where a picture is shown

    @property
    def shared(self) -> NDArray[np.int64]:
        """The 1-based ids of the pictures that all subjects see, sorted."""
        return self.pictures[0, : sizes.SHARED]

    def images(self, subject: int) -> NDArray[np.int64]:
        """The 0-based ids of the pictures of one subject, by column of the design."""
        return self.pictures[subject - 1] - 1

    def columns(self, session: int) -> NDArray[np.int64]:
        """The 0-based design columns of the trials of one session (counted from 1)."""
        return self.ordering[(session - 1) * sizes.TRIALS : session * sizes.TRIALS] - 1

    def repeats(self) -> NDArray[np.int64]:
        """The 1-based trials (images, 3) in which each design column is shown."""
        return np.argsort(self.ordering, kind="stable").reshape(sizes.IMAGES, sizes.REPEATS) + 1

    def seen(self) -> NDArray[np.int64]:
        """Count the distinct images shown at least once, twice, thrice by the end of each session: (3, sessions)."""
        last = np.arange(1, sizes.SESSIONS + 1) * sizes.TRIALS
        return (self.repeats()[:, :, None] <= last).sum(axis=0)


def draw(seed: int) -> Design:
    """Draw the design of all eight subjects."""
    return Design(
        _ordering(stream(seed, "design", "ordering")),
        _pictures(stream(seed, "design", "pictures")),
        _pattern(stream(seed, "design", "pattern")),
    )


def _ordering(rng: Generator) -> NDArray[np.int64]:
    """A random order without immediate repetition, in which no image waits for the last session."""
    slots = np.repeat(np.arange(1, sizes.IMAGES + 1), sizes.REPEATS)
    while True:
        order = rng.permutation(slots)
        early = order[: (sizes.SESSIONS - 1) * sizes.TRIALS]
        if np.unique(early).size == sizes.IMAGES and (order[1:] != order[:-1]).all():
            return order


def _pictures(rng: Generator) -> NDArray[np.int64]:
    ids = rng.permutation(sizes.PICTURES) + 1
    shared, own = np.sort(ids[: sizes.SHARED]), ids[sizes.SHARED :].reshape(sizes.DESIGNED_SUBJECTS, sizes.OWN)
    return np.hstack([np.tile(shared, (sizes.DESIGNED_SUBJECTS, 1)), own])


def _pattern(rng: Generator) -> NDArray[np.uint8]:
    shown = np.arange(sizes.SLOTS) < sizes.STIMULI_PER_RUN
    rows = [rng.permutation(shown) for _ in range(sizes.SESSIONS * sizes.RUNS)]
    return np.array(rows, dtype=np.uint8).reshape(sizes.SESSIONS, sizes.RUNS, sizes.SLOTS)


def matlab(plan: Design) -> dict[str, NDArray[np.integer]]:
    """The variables of `nsd_expdesign.mat`, in the integer types that reading the real file gives."""
    return {
        "basiccnt": plan.seen().astype(np.uint16),
        "masterordering": plan.ordering[None, :].astype(np.uint16),
        "sharedix": plan.shared[None, :].astype(np.int32),
        "stimpattern": plan.pattern,
        "subjectim": plan.pictures.astype(np.int32),
    }


def stimulus_columns(plan: Design) -> dict[str, NDArray[np.generic]]:
    """The columns of the stimulus table that follow from the design: who sees a picture, and in which trials."""
    subjects = range(1, sizes.DESIGNED_SUBJECTS + 1)
    seen = {f"subject{s}": np.zeros(sizes.PICTURES, dtype=np.int64) for s in subjects}
    trials = {s: np.zeros((sizes.PICTURES, sizes.REPEATS), dtype=np.int64) for s in subjects}
    for s in subjects:
        seen[f"subject{s}"][plan.images(s)] = 1
        trials[s][plan.images(s)] = plan.repeats()
    repeats = {f"subject{s}_rep{r}": trials[s][:, r] for s in subjects for r in range(sizes.REPEATS)}
    return {**seen, **repeats}


def responses(plan: Design, subject: int, rng: Generator) -> pd.DataFrame:
    """The behaviour file of one subject: one row a trial, over all sessions."""
    trial = np.arange(plan.ordering.size)
    first = plan.repeats()[:, 0]
    old = (trial + 1 > first[plan.ordering - 1]).astype(np.int64)
    correct = (rng.random(trial.size) < 0.85).astype(np.float64)
    missed = rng.random(trial.size) < 0.01
    day = trial // sizes.TRIALS * 7 + trial % sizes.TRIALS * 4 / 86400
    return pd.DataFrame(
        {
            "SUBJECT": subject,
            "SESSION": trial // sizes.TRIALS + 1,
            "RUN": trial % sizes.TRIALS // sizes.STIMULI_PER_RUN + 1,
            "TRIAL": trial % sizes.STIMULI_PER_RUN + 1,
            "73KID": plan.pictures[subject - 1][plan.ordering - 1],
            "10KID": plan.ordering,
            "TIME": 737000 + subject + day,
            "ISOLD": old,
            "ISCORRECT": np.where(missed, np.nan, correct),
            "RT": np.where(missed, np.nan, np.round(rng.normal(900, 150, trial.size), 2)),
            "MISSINGDATA": missed.astype(np.int64),
        }
    )


def misread(behaviour: pd.DataFrame, rng: Generator) -> dict[str, int]:
    """Alter the 73KID of one trial of the first session in place; return what was done."""
    row = int(rng.integers(sizes.TRIALS))
    true = int(behaviour["73KID"].to_numpy()[row])
    written = true % sizes.PICTURES + 1
    behaviour.loc[row, "73KID"] = written
    return {"trial": row + 1, "true": true, "written": written}
