"""Scores of one half of the images and of the other, so that regions are chosen on images that do not judge them.

Only some layers have them, those that the score of a model is made of: halving ten times costs as much as five times
all images, for one kernel.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import pandas as pd

from homoplasy import scoring
from homoplasy.errors import BadRequest
from homoplasy.maths import resampling as draws
from homoplasy.representation import Representation
from homoplasy.scoring import cells, drawn, resampling, scorer, sweeps
from homoplasy.stages._pairs import LEAST, Choice, Model, Subject, allowed, behind, code_of
from homoplasy.store import frames, keyed
from homoplasy.tables import DRAWS

_BATCH = 64  # models whose layers share a sweep: what a kill can lose


@dataclass(frozen=True)
class Halving:
    """How often the images are halved at random, what is scored on the halves, and which layers by their depth."""

    choice: Choice
    splits: int
    seed: int
    above: float
    to: float

    @cached_property
    def code(self) -> str:
        """A digest of the code and the choices that decide the numbers, for the key of the store."""
        engine = (cells, drawn, draws, resampling, scorer, sweeps, sys.modules[__name__])
        return code_of((*behind(*self.choice.measures), *engine), self)


def halved(subjects: Iterable[Path], models: Sequence[Model], how: Halving) -> Iterator[tuple[str, str, Path]]:
    """Score both halves for every model but checkpoints, of which no statistic is made, and every subject.

    Yield model, subject and the stored file as each is done.
    """
    whole = [model for model in models if not model.run]
    for path in subjects:
        subject = Subject(path, how.choice)
        _enough(subject, how)
        keys = {model: _key(model, subject, how) for model in whole}
        missing = [model for model, key in keys.items() if not keyed.holds(key, ".parquet")]
        for batch in _batches(missing, how):
            for model, table in _scored(batch, subject, how):
                keyed.keep(keys[model], partial(frames.write, frame=table, schema=DRAWS), ".parquet")
        for model, key in keys.items():
            yield model.name, subject.name, keyed.path(key, ".parquet")


def read(stored: Iterable[Path]) -> pd.DataFrame:
    """All stored halves in one table."""
    columns = list(DRAWS.columns)
    parts = [part for path in stored if len(part := frames.read(path, DRAWS, columns))]
    return pd.concat(parts, ignore_index=True) if parts else DRAWS.empty()


def _enough(subject: Subject, how: Halving) -> None:
    if len(subject.images) < 2 * LEAST:
        raise BadRequest(
            f"cka.halves is {how.splits}, and {subject.name} has {len(subject.images)} images of the kind "
            f"'{how.choice.images}'; each half needs {LEAST} or more. Choose other images, or set cka.halves to 0."
        )


def _key(model: Model, subject: Subject, how: Halving) -> str:
    return keyed.key({"halves": how.code, "source": model.digest, "target": subject.digest})


def _batches(models: Sequence[Model], how: Halving) -> list[Sequence[Model]]:
    """Layers share a sweep where that moves no bit."""
    size = _BATCH if how.choice.precision == "float32" else 1
    return [models[start : start + size] for start in range(0, len(models), size)]


def _scored(models: Sequence[Model], subject: Subject, how: Halving) -> Iterator[tuple[Model, pd.DataFrame]]:
    """The rows of every model; none of one without a layer at that depth."""
    device = os.environ.get("HOMOPLASY_DEVICE", "cpu")
    choice = how.choice
    made = scoring.Scorer(subject.targets(), choice.measures, device, allowed(), choice.precision, errors=False)
    layers = (layer for model in models for layer in model.layers(subject.images) if _there(layer, how))
    parts = list(resampling.stream(made, layers, "split", 2 * how.splits, how.seed))
    table = pd.concat(parts, ignore_index=True) if parts else DRAWS.empty()
    rows = dict(list(table.groupby("source", sort=False)))
    nothing = DRAWS.empty()
    for model in models:
        yield model, rows.get(model.name, nothing)


def _there(layer: Representation, how: Halving) -> bool:
    depth = layer.facts.get("depth")
    return depth is not None and how.above < depth <= how.to
