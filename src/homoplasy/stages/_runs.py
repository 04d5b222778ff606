"""The runs of the train stage: what each learns, its checkpoints in the keyed store, how it goes on after a kill."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from homoplasy.datasets import image_folder, pocket
from homoplasy.datasets.pocket.pictures import LEVELS
from homoplasy.errors import BadRequest
from homoplasy.models._contract import digest
from homoplasy.models._factories import VERSIONS
from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import threads
from homoplasy.store import files, frames, keyed, weights
from homoplasy.tables import HISTORY
from homoplasy.training import language, loop, vision

KINDS = ("raw", "ema")


class How(_settings.Strict):
    """How a run is trained: the section's values, or a run's own."""

    steps: int = Field(gt=0, description="above 0")
    checkpoints: int = Field(gt=2, description="3 or more")
    batch_size: int = Field(gt=1, description="above 1")
    learning_rate: float = Field(gt=0, description="above 0")
    weight_decay: float = Field(ge=0, description="0 or more")
    optimiser: str
    schedule: str
    warm_up: float = Field(ge=0, lt=1, description="a share of the steps")
    ema_decay: float = Field(ge=0, lt=1, description="at least 0, below 1")
    judged: int = Field(gt=0, description="above 0")
    seed: int = Field(ge=0, description="0 or more")


class Run(How):
    """One network that is trained."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="of small letters, digits and hyphens")
    kind: Literal["vision", "language"]
    architecture: str
    options: dict[str, Any] = Field(default_factory=dict, description="what the architecture is built with")

    @property
    def plan(self) -> loop.Plan:
        """The part that the training loop is given."""
        return loop.Plan(**self.model_dump(include={field.name for field in fields(loop.Plan)}))


@dataclass(frozen=True)
class Source:
    """Where there is something to learn from: the world's own training set, or a folder of pictures."""

    raw: Path
    folder: str
    side: int

    def lesson(self, run: Run) -> tuple[loop.Lesson, dict[str, Any], str]:
        """What a run learns, the configuration of its network, and a digest of the examples."""
        if run.kind == "language":
            captions = pocket.training_captions(self.raw)
            config = language.configuration(run.architecture, run.options, captions, run.seed)
            told = np.frombuffer("\n".join("\t".join(own) for own in captions).encode(), np.uint8)
            return language.Continuing(config, captions), config, digest([told])
        pictures = self._pictures()
        config = vision.configuration(run.architecture, run.options, pictures, run.seed)
        return vision.Naming(config, pictures), config, pictures.digest

    def _pictures(self) -> vision.Pictures:
        if self.folder:
            found = image_folder.open_folder(Path(self.folder))
            return vision.photographs(found.read, self.side, found.labels, len(found.classes), found.digest)
        shown, levels = pocket.training(self.raw)
        return vision.glyphs(shown, levels, LEVELS, digest([shown, levels]))


def runs(lines: Sequence[Mapping[str, Any]], shared: How) -> list[Run]:
    """Check the runs, each with the values that all share where it has none of its own."""
    common = shared.model_dump(include=set(How.model_fields))
    found = [_settings.check({**common, **line}, Run, f"train.runs.{place}") for place, line in enumerate(lines)]
    names = [run.name for run in found]
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"train.runs has two runs called '{name}'; give each a name of its own.")
    return found


def carry_out(chosen: Sequence[Run], source: Source, models: Path | None, save_every: int) -> Iterator[Run]:
    """Train every run, several at a time where there are cores; each on one thread, so that its bytes stay the same.

    Without a folder for them the runs fill the store alone.
    """
    for run in chosen:  # what cannot be built is refused before anything is trained
        source.lesson(run)[0].network()
    jobs = [(run, source, models and models / run.name, save_every) for run in chosen]
    workers = min(threads(), len(jobs))
    if workers < 2:
        for job in jobs:
            _carry_out(*job)
            yield job[0]
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker)
    try:
        for run, done in [(job[0], pool.submit(_carry_out, *job)) for job in jobs]:
            done.result()
            yield run
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """One thread of torch; and end with the parent, also when that is killed and can tell nobody."""
    torch.set_num_threads(loop.THREADS)
    parent = parent_process()
    assert parent is not None  # this runs in a child

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _carry_out(run: Run, source: Source, folder: Path | None, save_every: int) -> None:
    """Train one run, or take it from the store; place its checkpoints, configuration and history."""
    lesson, config, examples = source.lesson(run)
    checkpoints = list(Work(run, lesson, config, examples, save_every).checkpoints())
    if folder is None:
        return
    rows = []
    for step, stored in checkpoints:
        for kind, path in stored.items():
            keyed.place(path, folder / f"step-{step:06d}{'-ema' * (kind == 'ema')}.safetensors")
            rows += weights.read(path)[0]["history"]
    files.write_json(folder / "config.json", {**config, "plan": asdict(run.plan)})
    frames.write(folder / "history.parquet", pd.DataFrame(rows), HISTORY)


@dataclass(frozen=True)
class Work:
    """A run and the store: checkpoints are kept for good, the state of a run until it is done."""

    run: Run
    lesson: loop.Lesson
    config: Mapping[str, Any]
    examples: str
    save_every: int

    def checkpoints(self) -> Iterator[tuple[int, dict[str, Path]]]:
        """Yield each step with its stored weights. Nothing is trained where all are stored."""
        begun: list[loop.Training] = []

        def fill(part: Path, step: int, kind: str) -> None:
            if not begun:
                begun.append(self._begun(step))
            self._advance(begun[0], step)
            self._write(part, begun[0], kind)

        for step in loop.checkpoint_steps(self.run.steps, self.run.checkpoints):
            yield step, {kind: keyed.keep(self._key(step, kind), partial(fill, step=step, kind=kind)) for kind in KINDS}
        self._state.unlink(missing_ok=True)

    def _identity(self) -> dict[str, Any]:
        code = {"version": loop.VERSION, "libraries": VERSIONS, "examples": self.examples}
        return {"plan": asdict(self.run.plan), "config": dict(self.config), **code}

    def _key(self, step: int, kind: str) -> str:
        return keyed.key({"checkpoint": step, "weights": kind, **self._identity()})

    @property
    def _state(self) -> Path:
        """Where the run is saved while it lasts."""
        return keyed.root() / "training" / f"{keyed.key(self._identity())}.safetensors"

    def _begun(self, step: int) -> loop.Training:
        """The run at its start, or where it was saved, unless that is past the step that is wanted."""
        training = loop.Training(self.run.plan, self.lesson)
        if self._state.exists():
            facts, arrays = weights.read(self._state)
            if facts["step"] <= step:
                training.restore(loop.State(arrays, facts))
        return training

    def _advance(self, training: loop.Training, step: int) -> None:
        while training.step < step:
            training.advance()
            if training.step % self.save_every == 0:
                arrays, facts = training.state()
                weights.write(self._state, arrays, facts)

    def _write(self, part: Path, training: loop.Training, kind: str) -> None:
        """Write the weights or their average, and how they were judged."""
        about = {"step": training.step, "weights": kind, "seen": training.seen}
        judged = [about | one._asdict() for one in training.judge(kind)]
        weights.write(part, training.weights()[kind], {**self.config, "seen": training.seen, "history": judged})
        if kind == "raw":
            right = next(one for one in judged if one["split"] == "held_out" and one["metric"] == "accuracy")
            say(f"train: {self.run.name}, step {training.step}: held-out accuracy {right['value']:.3f}")
