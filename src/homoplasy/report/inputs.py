"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from homoplasy.report.atlas import Atlas
from homoplasy.report.cortex import Cortex


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
    cortex: Cortex | None = None
    audit: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # tables of stage audit, by name; empty without it
    multiverse: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # of stage multiverse, likewise
    certificates: pd.DataFrame | None = None
    read: Sequence[Source] = ()
    versions: Mapping[str, str] | None = None
