"""extract: every model of the roster answers every stimulus, layer by layer."""

from pathlib import Path

import torch
from pydantic import Field

from homoplasy.errors import BadRequest
from homoplasy.execution import Shard
from homoplasy.models import _roster
from homoplasy.models._contract import Granularity, MemoryFormat, Pool, Precision, Readout, States
from homoplasy.models._shelf import Shelf
from homoplasy.progress import say
from homoplasy.stages import _extraction, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.stages._placing import Placing, answers, of_models
from homoplasy.store import files, frames
from homoplasy.tables import MODELS, UNTRAINED


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
    untrained_twins: bool
    tolerate_failures: bool


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, raw: Path, brain: Path, models: Path, rosters: Path, features: Path, twins: Path, record: Path,
    shard: Shard | None = None,
) -> None:  # fmt: skip
    """Read stimuli, roster and runs; write one container a model and one an untrained twin, and a table of each."""
    settings = _settings.read(params, "extract", Settings)
    torch.set_num_threads(threads())
    stimuli = _extraction.stimuli(brain, raw, Shelf(int(settings.picture_memory * 1e9)))
    reading = _extraction.reading(settings.model_dump(), models, params.parent / "local.yaml")
    roster = _roster.read(rosters, settings.roster)
    sources = _extraction.sources(roster, stimuli, reading, raw, models)
    if sources and not stimuli.ids.size:
        raise BadRequest(f"this world has no stimuli for the models of roster '{settings.roster}'; choose roster none.")
    untrained = _extraction.untrained(roster) if settings.untrained_twins else {}
    ignorant = _extraction.ignorant(untrained, stimuli, reading)
    share, above = settings.pca_variance, settings.pca_above * settings.width_unit
    placing, beside = (Placing(folder, stimuli.ids, share, above) for folder in (features, twins))
    say(f"extract: {len(sources)} models and {len(ignorant)} twins answer {stimuli.ids.size} pictures or captions.")
    if shard is not None:
        mine = shard.of([*sources, *ignorant])
        answers(mine, placing.keep, len(mine), "models")
        return
    files.fresh_folder(features)
    files.fresh_folder(twins)
    tolerated = (max(len(sources) - 1, 0), len(ignorant)) if settings.tolerate_failures else (0, 0)
    found = answers(sources, placing.place, tolerated[0], "models")
    frames.write(features / "models.parquet", found, MODELS)
    unlearnt = answers(ignorant, beside.place, tolerated[1], "untrained twins")
    frames.write(twins / "untrained.parquet", of_models(untrained, unlearnt), UNTRAINED)
    _settings.record({"extract": settings}, record)
    say(f"extract: {found['layers'].sum()} layers of {(found['reason'] == '').sum()} models.")


if __name__ == "__main__":
    enter(main)
