"""The pairs of the cka stage: one model against one subject, each kept in the keyed store as soon as it is scored."""

import hashlib
import inspect
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy import scoring
from homoplasy.datasets._manifest import digest
from homoplasy.errors import BadRequest
from homoplasy.execution import Shard
from homoplasy.maths.tiles import Precision
from homoplasy.measures import CKA, Measure
from homoplasy.representation import Representation
from homoplasy.scoring import cells, geometries, scorer, sweeps
from homoplasy.store import arrays, frames, keyed
from homoplasy.tables import SCORES

MEMORY = "8GB"  # HOMOPLASY_MEMORY allows another amount
_NUMBERS = ("homoplasy.maths.", "homoplasy.measures.")  # the rooms that numbers come from
LEAST = 4  # images: debiasing divides by n - 3


@dataclass(frozen=True)
class Choice:
    """Which images and which hemispheres of a subject are scored, by which measures, in which precision."""

    images: str  # own | shared | all
    hemispheres: str  # pooled | split | both
    measures: Sequence[Measure]
    precision: Precision

    @property
    def size(self) -> int:
        """How many there are of each layer and region."""
        return sum(len(one.params) for one in self.measures)

    @cached_property
    def code(self) -> str:
        """A digest of the code and the choices that decide the numbers, for the key of the store."""
        made = (*behind(*self.measures), cells, scorer, *engines(self.measures), sys.modules[__name__])
        return code_of(made, self)


def code_of(modules: Iterable[ModuleType], choice: object) -> str:
    """A digest of the source of some modules and of what is chosen, for the key of the store."""
    source = "".join(map(inspect.getsource, modules))
    return hashlib.sha256(f"{source}{choice!r}".encode()).hexdigest()


def engines(measures: Iterable[Measure]) -> list[ModuleType]:
    """What computes these measures for blocks of objects."""
    swept = {isinstance(one, CKA) for one in measures}
    return [sweeps] * (True in swept) + [geometries] * (False in swept)


def behind(*measures: Measure) -> list[ModuleType]:
    """The modules of the measures, and the measures and maths that they stand on, by name."""
    found: dict[str, ModuleType] = {}
    waiting = [sys.modules[type(one).__module__] for one in measures]
    while waiting:
        one = waiting.pop()
        found[one.__name__] = one
        homes = (getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in vars(one).values())
        names = {str(home) for home in homes} - set(found)
        waiting += [sys.modules[name] for name in names if name.startswith(_NUMBERS)]
    return [found[name] for name in sorted(found)]


@dataclass(frozen=True)
class Model:
    """The features of one model: its layers are the sources."""

    path: Path

    @cached_property
    def name(self) -> str:
        """Its address."""
        return str(self._container.facts["model"])

    @cached_property
    def run(self) -> str:
        """The training run of a checkpoint, else empty."""
        return str(self._container.facts.get("run", ""))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return digest(self.path)

    def __len__(self) -> int:
        """The number of its layers."""
        return len(self._container.names())

    @cached_property
    def _container(self) -> arrays.Container:
        return arrays.Container(self.path, "features")

    def layers(self, images: NDArray[Any]) -> Iterator[Representation]:
        """Every layer over these images."""
        for layer in self._container.names():
            found = self._container[layer].select(images)
            facts = {"layer": layer, "depth": found.facts.get("depth")}
            yield Representation(found.values, found.stimulus_ids, self.name, facts=facts)


def patterns(brain: Path) -> list[Path]:
    """The patterns of every subject, in order."""
    return sorted(brain.rglob("patterns.safetensors"))


def models(features: Path, shard: Shard | None = None) -> list[Model]:
    """Every model that has features, by name, or those of a shard."""
    found = sorted((Model(path) for path in features.rglob("*.safetensors")), key=lambda one: one.name)
    return shard.of(found) if shard else found


def read(stored: Iterable[Path]) -> pd.DataFrame:
    """All stored scores in one table."""
    columns = list(SCORES.columns)  # named, they are not checked one by one: the whole table is, when it is written
    parts = [frames.read(path, SCORES, columns) for path in stored]
    return pd.concat(parts, ignore_index=True) if parts else SCORES.empty()


def summary(table: pd.DataFrame) -> str:
    """How many scores there are, and why some have no value."""
    missing = table.loc[table["reason"] != "", "reason"].value_counts()
    without = f"; {missing.sum()} have no value ({', '.join(missing.index)})" if len(missing) else ""
    return f"{len(table)} scores of {table['source'].nunique()} models{without}"


def allowed() -> str:
    """The memory that scoring may take, all threads together."""
    return os.environ.get("HOMOPLASY_MEMORY", MEMORY)


def scored(subjects: Iterable[Path], sources: Sequence[Model], choice: Choice) -> Iterator[tuple[str, str, Path]]:
    """Score every model against every subject; yield model, subject and the stored file as each is done."""
    for path in subjects:
        subject = Subject(path, choice)  # one at a time: what is made of its regions is large
        for model, stored in subject.scored(sources):
            yield model.name, subject.name, stored


class Subject:
    """The patterns of one subject: its regions are the targets."""

    def __init__(self, path: Path, choice: Choice) -> None:
        self.path, self._choice = path, choice
        self.name = path.parent.name
        self.digest = digest(path)

    def scored(self, models: Sequence[Model]) -> Iterator[tuple[Model, Path]]:
        """The stored scores of the models: those that are there, then the others, each stored as it is done."""
        missing = self.missing(models)
        for model in models:
            if model not in missing:
                yield model, keyed.path(self._key(model), ".parquet")
        for batch in self._batches(missing):
            for model, table in self._score(batch):
                yield model, keyed.keep(self._key(model), partial(frames.write, frame=table, schema=SCORES), ".parquet")

    def missing(self, models: Sequence[Model]) -> list[Model]:
        """The models whose scores are not stored yet."""
        return [model for model in models if not keyed.holds(self._key(model), ".parquet")]

    def _key(self, model: Model) -> str:
        return keyed.key({"scores": self._choice.code, "source": model.digest, "target": self.digest})

    def _batches(self, models: list[Model]) -> list[list[Model]]:
        """All models share the sweeps, which move no bit in float32; otherwise each has its own."""
        together = models and self._choice.precision == "float32"
        return [models] if together else [[model] for model in models]

    def _score(self, models: Sequence[Model]) -> Iterator[tuple[Model, pd.DataFrame]]:
        """The rows of each model, as soon as its last layer is scored."""
        waiting = deque((model, len(model) * self._choice.size * len(self._scorer.targets)) for model in models)
        parts: list[pd.DataFrame] = []
        for rows in self._scorer.stream(layer for model in models for layer in model.layers(self.images)):
            start = 0
            while start < len(rows):
                model, whole = waiting[0]
                parts.append(rows.iloc[start : start + whole - sum(map(len, parts))])
                start += len(parts[-1])
                if sum(map(len, parts)) == whole:
                    yield model, pd.concat(parts, ignore_index=True)
                    waiting.popleft()
                    parts.clear()

    @cached_property
    def images(self) -> NDArray[Any]:
        """The images that are scored."""
        container = arrays.Container(self.path, "patterns")
        ids = container.stimulus_ids
        shared = np.isin(ids, container.facts["shared"])
        chosen: NDArray[Any] = ids[{"own": ~shared, "shared": shared, "all": shared | ~shared}[self._choice.images]]
        if len(chosen) < LEAST:
            raise BadRequest(
                f"cka.images is '{self._choice.images}', and {self.name} has {len(chosen)} such images; a score needs "
                f"{LEAST} or more. Choose own, shared or all."
            )
        return chosen

    @cached_property
    def _scorer(self) -> scoring.Scorer:
        device = os.environ.get("HOMOPLASY_DEVICE", "cpu")  # the bits of stored scores are those of a CPU unless told
        return scoring.Scorer(self.targets(), self._choice.measures, device, allowed(), self._choice.precision)

    def targets(self) -> Iterator[Representation]:
        """Every region that has patterns, pooled or by hemisphere."""
        container = arrays.Container(self.path, "patterns")
        for region in container.names():
            found = container[region].select(self.images)
            if self._choice.hemispheres in {"pooled", "both"}:
                yield self._target(found, region, region, "")
            if self._choice.hemispheres in {"split", "both"}:
                yield from self._halves(found, region)

    def _halves(self, pooled: Representation, region: str) -> Iterator[Representation]:
        """The hemispheres of a region that have voxels enough; the table of regions says why another has not."""
        left = int(pooled.facts["left"])
        for side, mark, columns in (("left", "lh", slice(left)), ("right", "rh", slice(left, None))):
            if not pooled.facts[f"reason_{side}"]:
                half = Representation(pooled.values[:, columns], pooled.stimulus_ids, region, facts=pooled.facts)
                yield self._target(half, region, f"{mark}.{region}", f"_{side}")

    def _target(self, of: Representation, region: str, name: str, side: str) -> Representation:
        facts: Mapping[str, Any] = {
            "region": region,
            "subject": self.name,
            "ceiling": of.facts.get(f"ceiling{side}"),
        }
        return Representation(of.values, of.stimulus_ids, f"{self.name}/{name}", facts=facts)
