"""What the whole roster takes as job arrays: how many tasks, with how much memory, for how many hours; an estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch

from homoplasy.execution import Shard
from homoplasy.measures import CKA
from homoplasy.models import _effort, _roster
from homoplasy.models._effort import Effort
from homoplasy.progress import track
from homoplasy.scoring import cost
from homoplasy.scoring.request import Means
from homoplasy.stages import _pairs, _plan, _settings, cka, extract
from homoplasy.stages._entry import device, threads
from homoplasy.stages._sizes import sizes

_LIBRARIES = 2e9  # bytes of a process before it has read anything
_SLACK = 1.25  # of memory, and twice the time: an estimate that is too small ends a task
_ALONE = 1.25  # of what the largest model takes: its task has others too


@dataclass(frozen=True)
class Study:
    """The models of a roster, the stimuli that they read, the regions that they are scored against."""

    roster: str
    models: Mapping[str, Effort]
    unknown: Sequence[str]  # models whose sizes nothing says
    stimuli: int
    subjects: Sequence[tuple[int, Sequence[int]]]  # images of each, and voxels of its regions
    choice: _pairs.Choice
    pictures: float  # bytes that are kept of them


@dataclass(frozen=True)
class Speeds:
    """How quick this machine is."""

    flops: float
    scoring: cost.Speed
    means: Means


@dataclass(frozen=True)
class Array:
    """A stage as a job array: seconds of every task, bytes of the largest."""

    stage: str
    seconds: Sequence[float]
    memory: float

    def facts(self) -> dict[str, Any]:
        """The numbers, named."""
        return {
            "stage": self.stage,
            "tasks": len(self.seconds),
            "hours_longest": max(self.seconds, default=0.0) / 3600,
            "hours_all": sum(self.seconds) / 3600,
            "memory_gb": gigabytes(self.memory),
        }


def study(root: Path, roster: str | None) -> Study:
    """The study of a checkout: its own roster, or another."""
    params = root / "params.yaml"
    reading = _settings.read(params, "extract", extract.Settings)
    name = roster or reading.roster
    entries = _roster.read(root / "rosters", name).entries
    found = {str(one.address): _effort.effort(one) for one in track(entries, "models")}
    known = {address: effort for address, effort in found.items() if effort}
    return Study(
        name,
        known,
        [address for address, effort in found.items() if not effort],
        *sizes(root),
        _settings.read(params, "cka", cka.Settings).choice(),
        reading.picture_memory * 1e9,
    )


def speeds(study: Study) -> Speeds:
    """Try this machine: a small network, small sweeps."""
    torch.set_num_threads(threads())
    means = Means.of("cpu", _pairs.allowed(), study.choice.precision)
    return Speeds(_effort.trial(device()), cost.trial(means), means)


def arrays_of(study: Study, speed: Speeds, count: int) -> tuple[Array, Array]:
    """The two stages that spread over models, each in so many tasks."""
    shares = [Shard(number, count).of(list(study.models.values())) for number in range(1, count + 1)]
    read = [sum(one.flops for one in share) * study.stimuli / speed.flops for share in shares]
    scores = [[_work(study, subject, share) for subject in study.subjects] for share in shares]
    scored = [sum(speed.scoring.seconds(one, speed.means) for one in works) for works in scores]
    held = max((one.memory(speed.means) for works in scores for one in works if one.sources), default=0.0)
    largest = max((memory(study, one) for one in study.models.values()), default=0.0)
    return Array("extract", read, largest), Array("cka", scored, _LIBRARIES + held)


def memory(study: Study, model: Effort) -> float:
    """Bytes of a process that reads a model: libraries, weights, features twice while they are written, pictures."""
    features = 4.0 * study.stimuli * sum(model.units)
    return _LIBRARIES + model.weights + 2 * features + (study.pictures if model.modality == "vision" else 0)


def _work(study: Study, subject: tuple[int, Sequence[int]], share: Sequence[Effort]) -> cost.Work:
    images, voxels = subject
    kernels, estimators, relative = _plan.counted([one for one in study.choice.measures if isinstance(one, CKA)])
    sources = tuple(units for model in share for units in model.units)
    return cost.Work(images, sources, tuple(voxels), kernels, estimators, relative)


def fewest(study: Study, speed: Speeds, hours: float) -> int:
    """The fewest tasks of which none takes longer, in either stage, unless the largest model alone nearly does."""
    alone = _ALONE * max(one.flops for one in study.models.values()) * study.stimuli / speed.flops
    low, high = 1, len(study.models)
    while low < high:
        middle = (low + high) // 2
        longest = max(max(one.seconds) for one in arrays_of(study, speed, middle))
        low, high = (low, middle) if longest <= max(hours * 3600, alone) else (middle + 1, high)
    return low


def gigabytes(size: float) -> int:
    """Memory to ask for, with some to spare."""
    return ceil(size * _SLACK / 1e9)
