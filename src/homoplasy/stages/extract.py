"""extract: every model of the roster answers every stimulus, layer by layer."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from pydantic import Field

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.execution import Shard
from homoplasy.models import _roster
from homoplasy.models._contract import Granularity, MemoryFormat, Pool, Precision, Readout, States
from homoplasy.models._shelf import Shelf
from homoplasy.progress import say, track
from homoplasy.stages import _extraction, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.stages._extraction import Source
from homoplasy.stages._placing import Placing, Row, attempted, table
from homoplasy.store import files, frames
from homoplasy.tables import MODELS


class Settings(_settings.Strict):
    """Which models are read, and how."""

    roster: str
    batch_size: int = Field(gt=0, description="above 0")
    pool: Pool
    granularity: Granularity
    project: int = Field(ge=0, description="0 or more; 0 for no projection")
    seed: int = Field(ge=0, description="0 or more")
    precision: Precision
    memory_format: MemoryFormat
    readout: Readout
    states: States
    pca_variance: float = Field(gt=0, le=1, description="above 0, at most 1; 1 for no components")
    pca_above: int = Field(gt=0, description="above 0")
    width_unit: float = Field(gt=0, description="the width here that stands for 1 in the real study")
    picture_memory: float = Field(ge=0, allow_inf_nan=False, description="gigabytes, 0 or more")
    tolerate_failures: bool


def run(settings: Settings, sources: list[Source], step: Callable[[Source], Row], *, whole: bool) -> pd.DataFrame:
    """Read every model; report those that fail, and fail with them unless they are tolerated."""
    rows = [attempted(step, source) for source in track(sources, "models")]
    failed = [row for row in rows if row["reason"]]
    for row in failed:
        say(f"extract: {row['model']} failed: {row['reason']}")
    if whole and failed and (not settings.tolerate_failures or len(failed) == len(rows)):
        raise WorkFailed(f"{len(failed)} of {len(rows)} models could not be read; the first: {failed[0]['reason']}")
    return table(rows)


def main(  # noqa: PLR0913 - one path an input
    params: Path, raw: Path, brain: Path, models: Path, rosters: Path, features: Path, record: Path,
    shard: Shard | None = None,
) -> None:  # fmt: skip
    """Read stimuli, roster and runs; write one container a model, and the table of models."""
    settings = _settings.read(params, "extract", Settings)
    torch.set_num_threads(threads())
    stimuli = _extraction.stimuli(brain, raw, Shelf(int(settings.picture_memory * 1e9)))
    reading = _extraction.reading(settings.model_dump(), models, params.parent / "local.yaml")
    sources = _extraction.sources(_roster.read(rosters, settings.roster), stimuli, reading, raw, models)
    if sources and not stimuli.ids.size:
        raise BadRequest(f"this world has no stimuli for the models of roster '{settings.roster}'; choose roster none.")
    placing = Placing(features, stimuli.ids, settings.pca_variance, settings.pca_above * settings.width_unit)
    say(f"extract: {len(sources)} models answer {stimuli.ids.size} pictures or captions.")
    if shard is not None:
        run(settings, shard.of(sources), placing.keep, whole=False)
        return
    files.fresh_folder(features)
    found = run(settings, sources, placing.place, whole=True)
    frames.write(features / "models.parquet", found, MODELS)
    _settings.record({"extract": settings}, record)
    say(f"extract: {found['layers'].sum()} layers of {(found['reason'] == '').sum()} models.")


if __name__ == "__main__":
    enter(main)
