"""One tree of NSD files, real or pocket: which subjects and sessions are there, and the ways to read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.datasets import _manifest
from homoplasy.datasets.nsd import _formats, betas, design, keys, stimuli
from homoplasy.datasets.nsd.atlas import Atlas, read_atlas, read_names
from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadData, BadRequest
from homoplasy.tables import PERFORMANCE, STIMULI

_PERFORMANCE = "pocket/performance.csv"


@dataclass(frozen=True, eq=False)
class Tree:
    """A raw folder with its manifest's request; files are read when they are asked for."""

    root: Path
    version: str
    form: str
    sessions: Mapping[int, int]  # how many are there, by subject

    @property
    def subjects(self) -> list[int]:
        """The numbers of the subjects whose betas are there."""
        return list(self.sessions)

    @cached_property
    def design(self) -> design.Design:
        """The plan of the experiment."""
        return design.read(self.root / keys.DESIGN)

    @cached_property
    def names(self) -> dict[int, str]:
        """The names of the regions, by label."""
        return read_names(self.root / keys.LABELS)

    @cached_property
    def _pictures(self) -> pd.DataFrame:
        return stimuli.read_table(self.root / keys.STIMULUS_TABLE, self.subjects)

    def chosen_sessions(self, most: int, *, first_release: bool) -> dict[int, int]:
        """How many sessions to read of each subject: at most `most` (0: all), or those that were public at first."""
        there = max(self.sessions.values(), default=0)
        if self.sessions and most > there:
            raise BadRequest(
                f"parcellate.sessions is {most}, but {there} were fetched; choose at most {there}, 0 for all."
            )
        limits = [most or there]
        if self.sessions and first_release:
            limits.append(self.design.sessions * FACTS.first_sessions // FACTS.sessions)
        return {subject: min(count, *limits) for subject, count in self.sessions.items()}

    def shown(self, subject: int, sessions: int) -> NDArray[np.int64]:
        """Stimulus id of every trial of the first sessions, after all that is written of them was held against it."""
        table = self.root / keys.STIMULUS_TABLE
        design.check_counts(self.design, subject, sessions)
        design.check_responses(self.design, subject, sessions, self.root / keys.responses(subject))
        design.check_plan(self.design, subject, sessions, self._pictures, table)
        ids = self.design.shown(subject, sessions)
        stimuli.check_shared(self._pictures, np.unique(ids), self.design.shared, table)
        return ids

    def stimuli(self, caption_pick: str) -> pd.DataFrame:
        """Every picture that the subjects saw in the sessions that are there, sorted by id, with one caption each."""
        if not self.subjects:
            return STIMULI.empty()
        seen = np.unique(np.concatenate([self.shown(subject, count) for subject, count in self.sessions.items()]))
        captions = {split: self.root / key for split, key in keys.CAPTIONS.items()}
        return stimuli.describe(self._pictures, seen, captions, caption_pick)

    def pictures(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pictures of these ids (n, height, width, 3), in their order."""
        return stimuli.read_pictures(self.root / keys.PICTURES, np.asarray(ids))

    def performance(self) -> pd.DataFrame:
        """What the planted models are said to perform; empty for a tree without planted models."""
        path = self.root / _PERFORMANCE
        if not path.exists():
            return PERFORMANCE.empty()
        with _formats.guarded(path, "table"):
            frame = pd.read_csv(path, dtype={"model": str, "benchmark": str, "performance": float})
        return PERFORMANCE.check(frame)

    def atlas(self, subject: int) -> Atlas:
        """The labelled voxels of a subject."""
        both, left, right = (self.root / keys.atlas(subject, side) for side in keys.SIDES)
        found = read_atlas(both, left, right, self.names)
        if self.design.full_size and found.shape != FACTS.people[subject].volume:
            raise BadData(f"{both}: expected the volume {FACTS.people[subject].volume} of NSD, found {found.shape}.")
        return found

    def values(self, subject: int, name: str, of: Atlas) -> NDArray[np.float32]:
        """A map of the subject at the labelled voxels: `brainmask`, `signaldropout` or `ncsnr`."""
        key = keys.ncsnr(subject, self.version) if name == "ncsnr" else keys.volume(subject, name)
        found = _formats.volume(self.root / key)
        if found.shape != of.shape:
            raise BadData(f"{self.root / key}: expected the shape {of.shape} of the label volume, found {found.shape}.")
        return found.ravel()[of.voxels]

    def responses(self, subject: int, session: int, shape: betas.Shape, voxels: NDArray[np.int64]) -> NDArray[np.int16]:
        """The stored int16 betas (trials, voxels) of one session (1-based)."""
        path = self.root / keys.betas(subject, session, self.version, self.form)
        return betas.read(path, self.design.trials_a_session, shape, voxels)


def open_tree(root: Path) -> Tree:
    """Open a raw folder by its manifest; one without subjects (the published world) has nothing to show."""
    manifest = _manifest.read(root)
    request = manifest.request
    numbers = request.get("subjects", [])
    if not isinstance(numbers, list) or not all(type(number) is int and number > 0 for number in numbers):
        raise BadData(f"{root / _manifest.NAME}: its subjects are {numbers!r}; delete it and run dvc repro fetch.")
    version, form = str(request.get("beta_version", "")), str(request.get("beta_format", ""))
    sessions = {number: _sessions(root, number, version, form, set(manifest.files)) for number in numbers}
    return Tree(root, version, form, sessions)


def _sessions(root: Path, subject: int, version: str, form: str, files: set[str]) -> int:
    """Count the sessions 1..n that the manifest lists; a gap would shift every trial behind it."""
    first = keys.betas(subject, 1, version, form)
    listed = {key for key in files if key.startswith(first[: first.index("session01")]) and key.endswith(first[-4:])}
    expected = {keys.betas(subject, session, version, form) for session in range(1, len(listed) + 1)}
    absent = sorted(expected - listed) or ([] if listed else [first])
    if absent:
        raise BadData(f"{root / _manifest.NAME} does not list {absent[0]}; fetch it again (dvc repro fetch).")
    return len(listed)
