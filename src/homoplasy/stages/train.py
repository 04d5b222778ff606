"""train: networks learn from pictures and captions that no subject saw, and leave checkpoints."""

from pathlib import Path
from typing import Any

import torch
from pydantic import Field

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


def main(params: Path, raw: Path, models: Path, record: Path) -> None:
    """Read what there is to learn from in this world, write the runs."""
    settings = _settings.read(params, "train", Settings)
    chosen = _runs.runs(settings.runs, settings)
    torch.set_num_threads(loop.THREADS)
    say(f"train: {', '.join(run.name for run in chosen)}." if chosen else "train: no runs.")
    files.fresh_folder(models)
    source = _runs.Source(raw, settings.folder, settings.side)
    for run in _runs.carry_out(chosen, source, models, settings.save_every):
        say(f"train: {run.name} has learned for {run.steps} steps.")
    files.write_json(models / "runs.json", [run.name for run in chosen])
    _settings.record({"train": settings}, record)


if __name__ == "__main__":
    enter(main)
