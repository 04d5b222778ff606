"""The pairs of the cka stage: one model against one subject, each kept in the keyed store as soon as it is scored."""

import hashlib
import inspect
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from homoplasy import scoring
from homoplasy.datasets._manifest import digest
from homoplasy.errors import BadRequest
from homoplasy.maths import kernels, moments, standardise
from homoplasy.measures import Measure, _contract, cka
from homoplasy.representation import Representation
from homoplasy.stages._entry import threads
from homoplasy.store import arrays, frames, keyed
from homoplasy.tables import SCORES

MEMORY = "8GB"  # HOMOPLASY_MEMORY allows another amount
_LEAST = 4  # images: debiasing divides by n - 3
_CODE = (kernels, moments, standardise, _contract, cka, scoring)  # what the numbers come from


@dataclass(frozen=True)
class Choice:
    """Which images and which hemispheres of a subject are scored, by which measures."""

    images: str  # own | shared | all
    hemispheres: str  # pooled | split | both
    measures: Sequence[Measure]

    @cached_property
    def code(self) -> str:
        """A digest of the code and the choices that decide the numbers, for the key of the store."""
        source = "".join(map(inspect.getsource, (*_CODE, sys.modules[__name__])))
        return hashlib.sha256(f"{source}{self!r}".encode()).hexdigest()


@dataclass(frozen=True)
class Model:
    """The features of one model: its layers are the sources."""

    path: Path

    @cached_property
    def name(self) -> str:
        """Its address."""
        return str(arrays.Container(self.path, "features").facts["model"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return digest(self.path)

    def layers(self, images: NDArray[Any]) -> Iterator[Representation]:
        """Every layer over these images."""
        container = arrays.Container(self.path, "features")
        for layer in container.names():
            found = container[layer].select(images)
            facts = {"layer": layer, "depth": found.facts.get("depth")}
            yield Representation(found.values, found.stimulus_ids, self.name, facts=facts)


def scored(patterns: Iterable[Path], models: Sequence[Model], choice: Choice) -> Iterator[tuple[str, str, Path]]:
    """Score every model against every subject; yield model, subject and the stored file as each is done.

    Models are shared out to threads, each with one thread of torch: scores have the same bits on any number of cores.
    """
    with _one_thread_each():
        for path in patterns:
            subject = Subject(path, choice)  # one at a time: what is made of its regions is large
            pool = ThreadPoolExecutor(threads())
            try:
                for model, stored in zip(models, pool.map(subject.scored, models), strict=True):
                    yield model.name, subject.name, stored
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Subject:
    """The patterns of one subject: its regions are the targets."""

    def __init__(self, path: Path, choice: Choice) -> None:
        self.path, self._choice = path, choice
        self.name = path.parent.name
        self.digest = digest(path)
        self._making = threading.Lock()  # several models may be the first

    def scored(self, model: Model) -> Path:
        """The stored scores of a model against this subject, computed only if they are not there yet."""
        name = keyed.key({"scores": self._choice.code, "source": model.digest, "target": self.digest})
        return keyed.keep(name, lambda part: frames.write(part, self._score(model), SCORES), ".parquet")

    def _score(self, model: Model) -> pd.DataFrame:
        with self._making:
            scorer = self._scorer
        return scorer.score(model.layers(self.images))

    @cached_property
    def images(self) -> NDArray[Any]:
        """The images that are scored."""
        container = arrays.Container(self.path, "patterns")
        ids = container.stimulus_ids
        shared = np.isin(ids, container.facts["shared"])
        chosen: NDArray[Any] = ids[{"own": ~shared, "shared": shared, "all": shared | ~shared}[self._choice.images]]
        if len(chosen) < _LEAST:
            raise BadRequest(
                f"cka.images is '{self._choice.images}', and {self.name} has {len(chosen)} such images; a score needs "
                f"{_LEAST} or more. Choose own, shared or all."
            )
        return chosen

    @cached_property
    def _scorer(self) -> scoring.Scorer:
        memory = os.environ.get("HOMOPLASY_MEMORY", MEMORY)
        return scoring.Scorer(self.targets(), self._choice.measures, memory=memory)

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
