"""A piece of the audit stage: tables that are made at once and kept in the keyed store; and what is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from homoplasy import tables
from homoplasy.measures import CKA
from homoplasy.stages import _pairs
from homoplasy.store import frames, keyed
from homoplasy.studies.convergence import matched

_SCHEMAS = {one.name: one for one in vars(tables).values() if isinstance(one, tables.Schema)}


@dataclass(frozen=True)
class Choice:
    """What is checked, and how often."""

    pairs: _pairs.Choice  # images and hemispheres
    measure: CKA  # the main kernel
    permutations: int
    top_share: float
    voxels: int  # of every region
    voxel_draws: int
    seed: int

    @property
    def kernel(self) -> str:
        """The main kernel as tables name it."""
        return self.measure.params[0].rpartition(" ")[0]

    @property
    def main(self) -> list[CKA]:
        """The main kernel under both estimators."""
        return _both(self.measure)

    @property
    def with_few_voxels(self) -> list[CKA]:
        """The kernels under which regions meet with equally many voxels, each under both estimators."""
        (kind, width), *_ = self.measure.kernels
        widths = {matched.NARROW, matched.WIDE} | ({width} if kind == "c" else set())
        plain = replace(self.measure, kernel="linear", sigma=(), sigma_relative=())
        relative = replace(self.measure, kernel="rbf", sigma=(), sigma_relative=tuple(sorted(widths)))
        return [one for of in (plain, relative, *([self.measure] if kind == "sigma" else [])) for one in _both(of)]


def _both(measure: CKA) -> list[CKA]:
    return [replace(measure, debiased=debiased) for debiased in (False, True)]


@dataclass(frozen=True)
class Piece:
    """Some tables that are made at once and kept under one key."""

    key: str
    names: tuple[str, ...]
    make: Callable[[], Mapping[str, pd.DataFrame]]

    def keep(self) -> None:
        """Make the tables if they are not there; the last of them is written when the others are."""
        if not self._path(self.names[-1]).exists():
            made = self.make()
            for name in self.names:
                keyed.keep(self.key, partial(frames.write, frame=made[name], schema=_SCHEMAS[name]), f".{name}.parquet")

    def read(self, name: str) -> pd.DataFrame:
        """One of the tables."""
        return frames.read(self._path(name), _SCHEMAS[name])

    def _path(self, name: str) -> Path:
        return keyed.path(self.key, f".{name}.parquet")
