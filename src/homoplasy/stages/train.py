"""train: networks learn from pictures and captions that no subject saw, and leave checkpoints."""

from pathlib import Path
from typing import Any

import torch
from pydantic import Field

from homoplasy.execution import Shard
from homoplasy.progress import say
from homoplasy.stages import _runs, _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files
from homoplasy.training import loop


class Settings(_runs.How):
    """Which runs there are, what they learn from, and how all of them are trained unless they say otherwise."""

    runs: tuple[dict[str, Any], ...]
    folder: str = Field(description="a folder of pictures, one subfolder a class; empty for the world's own")
    side: int = Field(gt=0, description="above 0")
    save_every: int = Field(gt=0, description="above 0")


def main(params: Path, raw: Path, models: Path, record: Path, shard: Shard | None = None) -> None:
    """Read what there is to learn from in this world, write the runs; a shard of them fills the store alone."""
    settings = _settings.read(params, "train", Settings)
    chosen = _runs.runs(settings.runs, settings)
    torch.set_num_threads(loop.THREADS)
    mine = shard.of(chosen) if shard else chosen
    say(f"train: {', '.join(run.name for run in mine)}." if mine else "train: no runs.")
    source = _runs.Source(raw, settings.folder, settings.side)
    for run in _runs.carry_out(mine, source, None if shard else files.fresh_folder(models), settings.save_every):
        say(f"train: {run.name} has learned for {run.steps} steps.")
    if shard:
        return
    files.write_json(models / "runs.json", [run.name for run in chosen])
    _settings.record({"train": settings}, record)


if __name__ == "__main__":
    enter(main)
