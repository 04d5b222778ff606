"""Which picture was shown in which trial: the design file, checked against what the subject was seen to do."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets.nsd import _formats
from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.datasets.nsd.keys import subject as spelt
from homoplasy.errors import BadData

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Design:
    """The plan of the experiment, with every index 0-based (the file's are 1-based)."""

    order: Ids  # (trials,) the column of `pictures` that a trial shows
    pictures: Ids  # (subjects, images) stimulus ids; the shared ones first
    shared: Ids  # sorted stimulus ids that every subject is to see
    sessions: int

    @property
    def trials_a_session(self) -> int:
        """Trials of one session."""
        return self.order.size // self.sessions

    def shown(self, subject: int, sessions: int) -> Ids:
        """Stimulus id of every trial of a subject's first sessions: subjectim[s, masterordering[t]]."""
        return self.pictures[subject - 1, self.order[: sessions * self.trials_a_session]]

    @property
    def full_size(self) -> bool:
        """Whether this is the real experiment, which is then held to its published counts."""
        trials = FACTS.sessions * FACTS.trials_a_session
        return self.pictures.shape == (len(FACTS.people), FACTS.images_a_subject) and self.order.size == trials


def read(path: Path) -> Design:
    """Read nsd_expdesign.mat and check that its parts fit each other."""
    found = _formats.matlab(path, ["masterordering", "subjectim", "sharedix", "stimpattern"])
    design = Design(
        order=found["masterordering"].ravel() - 1,
        pictures=found["subjectim"] - 1,
        shared=np.sort(found["sharedix"].ravel() - 1),
        sessions=found["stimpattern"].shape[0],
    )
    if not design.sessions or not all(one.size for one in (design.order, design.pictures, design.shared)):
        raise BadData(f"{path}: expected trials, pictures, shared pictures and sessions, found none of one of them.")
    columns, first = design.pictures.shape[1], design.pictures[:, : design.shared.size]
    if design.order.size % design.sessions:
        raise BadData(f"{path}: {design.order.size} trials do not divide into {design.sessions} sessions.")
    if design.order.min() < 0 or design.order.max() >= columns:
        raise BadData(f"{path}: masterordering points outside the {columns} columns of subjectim (they count from 1).")
    if not np.array_equal(np.sort(first, axis=1), np.broadcast_to(design.shared, first.shape)):
        raise BadData(f"{path}: the first {design.shared.size} columns of subjectim are not the pictures of sharedix.")
    return design


def check_responses(design: Design, subject: int, sessions: int, path: Path) -> None:
    """Hold the behaviour file against the design, trial by trial, in file order."""
    rows = _formats.table(path, ["SESSION", "73KID", "10KID"], "\t")
    ids = design.shown(subject, sessions)
    if len(rows) < ids.size:
        raise BadData(f"{path}: expected a row for each of {ids.size} trials, found {len(rows)}; fetch it again.")
    each = design.trials_a_session
    expected = {"SESSION": np.arange(ids.size) // each + 1, "73KID": ids + 1, "10KID": design.order[: ids.size] + 1}
    for column, planned in expected.items():
        found = rows[column].to_numpy()[: ids.size]
        wrong = np.flatnonzero(found != planned)
        if wrong.size:
            raise BadData(
                _mismatch(subject, int(wrong[0]), each, f"{column} {found[wrong[0]]}", planned[wrong[0]], path)
            )


def check_plan(design: Design, subject: int, sessions: int, stimuli: pd.DataFrame, path: Path) -> None:
    """Hold the `subjectS_rep` columns of the stimulus table (trials from 1, 0: none) against the design."""
    ids = design.shown(subject, sessions)
    planned = np.full(ids.size, -1, dtype=np.int64)
    for column in stimuli.columns[stimuli.columns.str.match(rf"subject{subject}_rep\d+$")]:
        trial = stimuli[column].to_numpy(dtype=np.int64)
        held = (trial > 0) & (trial <= ids.size)  # trials are planned beyond the sessions that were held
        planned[trial[held] - 1] = stimuli["nsdId"].to_numpy()[held]
    wrong = np.flatnonzero(planned != ids)
    if wrong.size:
        t = int(wrong[0])
        found = f"nsdId {planned[t]}" if planned[t] >= 0 else "no picture"
        raise BadData(_mismatch(subject, t, design.trials_a_session, found, ids[t], path))


def _mismatch(subject: int, trial: int, each: int, found: str, planned: object, path: Path) -> str:
    place = f"{spelt(subject)}, trial {trial + 1} (session {trial // each + 1}, trial {trial % each + 1} of it)"
    return f"{place}: the design says {planned}, {path.name} says {found}; fetch both again, they belong together."


def check_counts(design: Design, subject: int, sessions: int) -> None:
    """Hold the full-size experiment to the counts that NSD publishes (Allen et al. 2022)."""
    if not design.full_size:
        return
    person = FACTS.people[subject]
    ids, times = np.unique(design.shown(subject, sessions), return_counts=True)
    shared = np.isin(ids, design.shared)
    if sessions == person.sessions:
        found = (*(int((times >= least).sum()) for least in (1, 2, 3)), int(shared.sum()))
        _same(
            subject,
            sessions,
            "images seen once, twice, three times and shared",
            found,
            (*person.seen, person.shared_seen),
        )
    elif sessions == FACTS.first_sessions and person.sessions == FACTS.sessions:
        found = (ids.size, int(times[~shared].sum()), int(shared.sum()), int(times[shared].sum()))
        _same(subject, sessions, "images, own trials, shared images and shared trials", found, FACTS.first_counts)


def _same(subject: int, sessions: int, what: str, found: tuple[int, ...], facts: tuple[int, ...]) -> None:
    if found != facts:
        raise BadData(
            f"{spelt(subject)}, {sessions} sessions: NSD counts {facts} {what}, the design file gives {found}; "
            "fetch it again."
        )
