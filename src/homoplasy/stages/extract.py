"""extract: every model of the roster answers every stimulus, layer by layer."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from homoplasy.datasets import nsd
from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _roster
from homoplasy.models._contract import Pool, Reading, Readout, Stimuli
from homoplasy.progress import say, track
from homoplasy.stages import _extraction, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.stages._extraction import Extraction, Placing, Source
from homoplasy.store import files, frames
from homoplasy.tables import MODELS, STIMULI


class Settings(_settings.Strict):
    """Which models are read, and how."""

    roster: str
    batch_size: int = Field(gt=0, description="above 0")
    pool: Pool
    readout: Readout
    pca_variance: float = Field(gt=0, le=1, description="above 0, at most 1; 1 for no components")
    pca_above: int = Field(gt=0, description="above 0")
    width_unit: float = Field(gt=0, description="the width here that stands for 1 in the real study")
    tolerate_failures: bool


def run(settings: Settings, sources: list[Source], placing: Placing) -> pd.DataFrame:
    """Place the features of every model; report those that fail, and fail with them unless they are tolerated."""
    rows: list[dict[str, Any]] = []
    for source in track(sources, "models"):
        try:
            rows.append(placing.place(source))
        except _extraction.FAILURES as failure:
            rows.append(_extraction.row(str(source.address), {}, 0, _extraction.reason_of(failure)))
    failed = [row for row in rows if row["reason"]]
    for row in failed:
        say(f"extract: {row['model']} failed: {row['reason']}")
    if failed and (not settings.tolerate_failures or len(failed) == len(rows)):
        raise WorkFailed(f"{len(failed)} of {len(rows)} models could not be read; the first: {failed[0]['reason']}")
    return _extraction.table(rows)


def main(params: Path, raw: Path, brain: Path, models: Path, rosters: Path, features: Path, record: Path) -> None:  # noqa: PLR0913 - one path an input
    """Read stimuli, roster and runs; write one container a model, and the table of models."""
    settings = _settings.read(params, "extract", Settings)
    torch.set_num_threads(threads())
    table = frames.read(brain / "stimuli.parquet", STIMULI)
    stimuli = Stimuli(table["stimulus_id"].to_numpy(np.int64), table["caption"].tolist(), nsd.open_tree(raw).pictures)
    reading = Reading(
        settings.pool, settings.readout, settings.batch_size,
        _extraction.stored_in(models), _extraction.code_allowed(params.parent / "local.yaml"),
    )  # fmt: skip
    roster = _roster.read(rosters, settings.roster)
    entries = [*roster.entries, *(_extraction.checkpoints(models) if roster.checkpoints else [])]
    work = Extraction(stimuli, reading)
    sources = [*(_extraction.planted(raw, stimuli.ids) if roster.planted else [])]
    sources += [Source(one.address, lambda one=one: work.computed(one)) for one in entries]  # type: ignore[misc]
    if sources and not stimuli.ids.size:
        raise BadRequest(f"this world has no stimuli for the models of roster '{settings.roster}'; choose roster none.")
    say(f"extract: {len(sources)} models answer {stimuli.ids.size} pictures or captions.")
    above = settings.pca_above * settings.width_unit
    found = run(settings, sources, Placing(files.fresh_folder(features), stimuli.ids, settings.pca_variance, above))
    frames.write(features / "models.parquet", found, MODELS)
    _settings.record({"extract": settings}, record)
    say(f"extract: {found['layers'].sum()} layers of {(found['reason'] == '').sum()} models.")


if __name__ == "__main__":
    enter(main)
