"""What the pipeline still has to do here: which scores are not stored yet, and what they take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from homoplasy.errors import BadRequest
from homoplasy.maths.tiles import Precision
from homoplasy.measures import CKA
from homoplasy.progress import duration, say
from homoplasy.scoring import cost
from homoplasy.scoring.request import Means
from homoplasy.stages import _pairs
from homoplasy.stages._entry import threads
from homoplasy.stages._pairs import Choice, Model, Subject
from homoplasy.store import arrays

_LONG = 20.0  # seconds: less is not worth a line


@dataclass(frozen=True)
class Plan:
    """Tables of scores, and what they take on this machine."""

    work: tuple[cost.Work, ...]
    means: Means
    speed: cost.Speed

    def facts(self) -> Mapping[str, Any]:
        """The numbers, named."""
        return {
            "tables": len(self.work),
            "stimuli": max((one.n for one in self.work), default=0),
            "layers": sum(len(one.sources) for one in self.work),
            "regions": sum(len(one.targets) for one in self.work),
            "kernels": max((one.kernels for one in self.work), default=0),
            "values": sum(one.values for one in self.work),
            "sweeps": sum(one.sweeps(self.means) for one in self.work),
            "memory_bytes": max((one.memory(self.means) for one in self.work), default=0.0),
            "memory_allowed_bytes": self.means.memory,
            "threads": self.means.threads,
            "seconds": sum(self.speed.seconds(one, self.means) for one in self.work),
        }


def missing(patterns: Sequence[Path], models: Sequence[Model], choice: Choice) -> tuple[cost.Work, ...]:
    """What is not stored yet: one table a subject."""
    kernels, estimators, relative = counted([one for one in choice.measures if isinstance(one, CKA)])
    made = []
    for path in patterns:
        subject = Subject(path, choice)
        layers = tuple(units for model in subject.missing(models) for units in _units(model.path, "features"))
        if layers:
            regions = _units(path, "patterns") * (1 if choice.hemispheres == "pooled" else 2)
            made.append(cost.Work(len(subject.images), layers, regions, kernels, estimators, relative))
    return tuple(made)


def of_project(root: Path, choice: Choice, memory: str | None = None) -> Plan:
    """The plan of the cka stage of a project, as its data stand."""
    patterns, models = _pairs.patterns(root / "data" / "brain"), _pairs.models(root / "data" / "features")
    if not patterns or not models:
        raise BadRequest(
            f"found {len(patterns)} subjects and {len(models)} models under {root / 'data'}; run dvc repro "
            "extract parcellate first, or say how much there is with --n, --layers and --regions."
        )
    return planned(missing(patterns, models, choice), choice.precision, memory)


def planned(work: Sequence[cost.Work], precision: Precision, memory: str | None = None) -> Plan:
    """The plan of some tables, after a trial of this machine."""
    torch.set_num_threads(threads())
    means = Means.of("cpu", memory or _pairs.allowed(), precision)
    return Plan(tuple(work), means, cost.trial(means))


def announce(patterns: Sequence[Path], models: Sequence[Model], choice: Choice) -> None:
    """Say what long work will take, before it begins."""
    means = Means.of("cpu", _pairs.allowed(), choice.precision)
    work = missing(patterns, models, choice)
    if sum(cost.NOMINAL.seconds(one, means) for one in work) < _LONG / 4:
        return
    facts = Plan(work, means, cost.trial(means)).facts()
    if facts["seconds"] > _LONG:
        say(f"cka: {sentence(facts)}")


def sentence(facts: Mapping[str, Any]) -> str:
    """The plan in words."""
    return (
        f"{facts['values']:,} values in {facts['sweeps']} sweeps, about {duration(facts['seconds'])} on this machine "
        f"({facts['threads']} threads) with up to {facts['memory_bytes'] / 1e9:.1f} GB of memory."
    )


def text(facts: Mapping[str, Any]) -> str:
    """The plan on a page."""
    if not facts["values"]:
        return "Nothing to score: every score of this project is stored."
    return "\n".join(
        [
            f"cka  {facts['tables']} tables of up to {facts['stimuli']:,} stimuli: {facts['layers']:,} layers against "
            f"{facts['regions']:,} regions, {facts['kernels']} kernels",
            f"     {sentence(facts)}",
            f"     {facts['memory_allowed_bytes'] / 1e9:g} GB are allowed (HOMOPLASY_MEMORY).",
        ]
    )


def counted(measures: Sequence[CKA]) -> tuple[int, int, bool]:
    """Different kernels, estimators of each, whether any width is relative."""
    kernels = {kernel for one in measures for kernel in one.kernels}
    return len(kernels), len({one.estimator for one in measures}), any(kind == "c" for kind, _ in kernels)


def _units(path: Path, kind: str) -> tuple[int, ...]:
    container = arrays.Container(path, kind)
    return tuple(container.shape(name)[1] for name in container.names())
