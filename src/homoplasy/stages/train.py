"""train: small networks learn on pictures that no subject saw, and leave checkpoints."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from homoplasy.datasets import pocket
from homoplasy.models._contract import digest
from homoplasy.progress import say, track
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames, keyed, weights
from homoplasy.tables import HISTORY
from homoplasy.training import vision


class Settings(_settings.Strict):
    """Which runs there are, and the plan that they share."""

    runs: tuple[Literal["glyphs"], ...]
    architecture: str
    steps: int = Field(gt=0, description="above 0")
    batch_size: int = Field(gt=1, description="above 1")
    learning_rate: float = Field(gt=0, description="above 0")
    seed: int = Field(ge=0, description="0 or more")


def checkpoints(
    config: Mapping[str, Any], plan: vision.Plan, pictures: NDArray[np.uint8], glyphs: NDArray[np.uint8]
) -> Iterator[tuple[int, Path]]:
    """Yield each step with its stored weights. Nothing is trained where all are stored; else from the start."""
    trained = vision.train(plan, pictures, glyphs)
    code = {"version": vision.VERSION, "torch": str(torch.__version__), "data": digest([pictures, glyphs])}

    def fill(part: Path, step: int) -> None:
        found = next(one for one in trained if one.step == step)
        judged = {column: getattr(found, column) for column in HISTORY.columns}
        weights.write(part, found.weights, {**config, "history": judged})

    for step in vision.checkpoint_steps(plan.steps):
        name = keyed.key({"checkpoint": step, "config": dict(config), **code})
        yield step, keyed.keep(name, lambda part, step=step: fill(part, step))  # type: ignore[misc] # binds the step


def run(settings: Settings, raw: Path, folder: Path, name: str) -> pd.DataFrame:
    """Train one run, or take it from the store; place its checkpoints, configuration and history."""
    pictures, glyphs = pocket.training(raw)
    plan = vision.Plan(**settings.model_dump(exclude={"runs"}))
    config = vision.configuration(plan, pictures, glyphs)
    steps, rows = len(vision.checkpoint_steps(plan.steps)), []
    for step, stored in track(checkpoints(config, plan, pictures, glyphs), f"checkpoints of {name}", steps):
        keyed.place(stored, folder / f"step-{step:06d}.safetensors")
        rows.append(weights.read(stored)[0]["history"])
    files.write_json(folder / "config.json", config)
    history = pd.DataFrame(rows)
    frames.write(folder / "history.parquet", history, HISTORY)
    return history


def main(params: Path, raw: Path, models: Path, record: Path) -> None:
    """Read the training pictures of the world, write the runs."""
    settings = _settings.read(params, "train", Settings)
    torch.set_num_threads(vision.THREADS)
    say(f"train: {', '.join(settings.runs)}, {settings.steps} steps each." if settings.runs else "train: no runs.")
    files.fresh_folder(models)
    for name in settings.runs:
        accuracy = run(settings, raw, models / name, name)["held_out_accuracy"].iloc[-1]
        say(f"train: {name} names {accuracy:.1%} of the glyphs in pictures that it was not trained on.")
    files.write_json(models / "runs.json", list(settings.runs))
    _settings.record({"train": settings}, record)


if __name__ == "__main__":
    enter(main)
