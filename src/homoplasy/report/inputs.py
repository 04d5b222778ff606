"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from homoplasy.report.atlas import Atlas


class Source(NamedTuple):
    """A file that was read, as dvc.lock names it."""

    path: str
    size: int
    md5: str


@dataclass(frozen=True)
class Inputs:
    """The tables of every stage before this one, and what is known of them."""

    title: str
    about: str
    world: str
    preset: str
    study: Mapping[str, pd.DataFrame]  # stats and taxonomy of this world, by the name of the schema
    again: Mapping[str, pd.DataFrame]  # the published points, analysed again
    points: pd.DataFrame  # the published points, in the columns of `tables.MODEL_SCORES`
    claims: Sequence[Mapping[str, Any]]  # the ledger, as stage claims wrote it
    source: str  # what the claims were printed in
    regions: pd.DataFrame
    models: pd.DataFrame
    histories: Mapping[str, pd.DataFrame]
    atlas: Atlas | None
    settings: Mapping[str, str]
    read: Sequence[Source] = ()
    versions: Mapping[str, str] | None = None
