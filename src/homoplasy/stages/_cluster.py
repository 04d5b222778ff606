"""What the whole roster takes as job arrays: how many tasks, with how much memory, for how many hours; an estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch

from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadRequest
from homoplasy.execution import Place, Shard
from homoplasy.measures import CKA
from homoplasy.models import _effort, _roster
from homoplasy.models._effort import Effort
from homoplasy.progress import duration, track
from homoplasy.scoring import cost
from homoplasy.scoring.request import Means
from homoplasy.stages import _pairs, _place, _placing, _plan, _settings, cka, extract, fetch
from homoplasy.stages._entry import device, threads
from homoplasy.store import arrays, frames
from homoplasy.tables import STIMULI

_LIBRARIES = 2e9  # bytes of a process before it has read anything
_SLACK = 1.25  # of memory, and twice the time: an estimate that is too small ends a task
_ALONE = 1.25  # of what the largest model takes: its task has others too
_VOXELS = 225  # of a region, on average, where no brain has been read yet
_IMAGES = 0.9  # of a subject's images are its own


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
        *_sizes(root),
        _settings.read(params, "cka", cka.Settings).choice(),
        reading.picture_memory * 1e9,
    )


def _sizes(root: Path) -> tuple[int, Sequence[tuple[int, Sequence[int]]]]:
    """Stimuli in all; images and regions of each subject: as they are, or as NSD promises."""
    brain = root / "data" / "brain"
    wanted = _settings.read(root / "params.yaml", "fetch", fetch.Settings)
    here = wanted.dataset != "nsd" or (root / "data" / "raw" / "nsd" / "MANIFEST.json").exists()
    patterns = [arrays.Container(path, "patterns") for path in _pairs.patterns(brain)] if here else []
    if patterns:
        regions = [[one.shape(name)[1] for name in one.names()] for one in patterns]
        stimuli = len(frames.read(brain / "stimuli.parquet", STIMULI, ["stimulus_id"]))
        return stimuli, [(len(one.stimulus_ids), voxels) for one, voxels in zip(patterns, regions, strict=True)]
    if wanted.dataset != "nsd":
        raise BadRequest("there are no patterns under data/brain yet, and only NSD promises how many; run dvc repro.")
    share = wanted.sessions / FACTS.sessions
    seen = [ceil(FACTS.people[one].seen[0] * share) for one in wanted.subjects if one in FACTS.people]
    own = sum(round(one * _IMAGES) for one in seen)
    return own + FACTS.shared, [(round(one * _IMAGES), [_VOXELS] * FACTS.regions) for one in seen]


def reading(root: Path) -> dict[str, Any]:
    """What extract has still to read of the roster in force, and how long that takes here."""
    roster = _roster.read(root / "rosters", _settings.read(root / "params.yaml", "extract", extract.Settings).roster)
    waiting = [one for one in roster.entries if not _placing.place_of(root / "data" / "features", one.address).exists()]
    found = [effort for one in waiting if (effort := _effort.effort(one))]
    torch.set_num_threads(threads())
    flops = sum(one.flops for one in found) * _sizes(root)[0]
    seconds = flops / _effort.trial(device()) if found else 0.0
    return {"models": len(waiting), "unknown": len(waiting) - len(found), "seconds": seconds}


def reading_text(facts: Mapping[str, Any]) -> str:
    """The same in words."""
    if not facts["models"]:
        return "extract  nothing to read: the features of every model of the roster are here."
    rest = f", {facts['unknown']} of unknown size not counted" if facts["unknown"] else ""
    return f"extract  {facts['models']} models to read, about {duration(facts['seconds'])} by their sizes{rest}."


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


def facts(root: Path, roster: str | None, hours: float, at_once: int) -> dict[str, Any]:
    """The whole plan: what there is, the arrays, the lines for local.yaml, what those that are there lack."""
    found = study(root, roster)
    if not found.models:
        raise BadRequest(f"the roster '{found.roster}' names no model whose size is known; choose one with --roster.")
    speed = speeds(found)
    place = _place.read(root / "params.yaml", "extract")
    tasks = place.shards if place.kind == "slurm" else fewest(found, speed, hours)
    stages = [one.facts() for one in arrays_of(found, speed, tasks)]
    return {
        "roster": found.roster,
        "models": len(found.models),
        "unknown": list(found.unknown),
        "stimuli": found.stimuli,
        "subjects": len(found.subjects),
        "weights_gb": round(sum(one.weights for one in found.models.values()) / 1e9, 1),
        "device": device(),
        "threads": speed.means.threads,
        "stages": stages,
        "largest": _largest(found),
        "write": _line(stages, speed.means.threads, min(at_once, tasks)),
        "lacks": _lacks(place, stages) if place.kind == "slurm" else [],
    }


def _largest(study: Study, count: int = 3) -> list[dict[str, Any]]:
    """The models that take most memory."""
    order = sorted(study.models, key=lambda name: memory(study, study.models[name]), reverse=True)[:count]
    return [{"model": name, "memory_gb": gigabytes(memory(study, study.models[name]))} for name in order]


def _line(stages: Sequence[Mapping[str, Any]], cores: int, at_once: int) -> str:
    """The section of local.yaml that does it."""
    asked = {"cpus_per_task": cores, "mem_gb": _most(stages, "memory_gb"), "timeout_min": _minutes(stages)}
    options = ", ".join(["slurm_partition: YOUR-PARTITION", *(f"{key}: {value}" for key, value in asked.items())])
    return f"execution: {{executor: slurm, shards: {stages[0]['tasks']}, at_once: {at_once}, options: {{{options}}}}}"


def _most(stages: Sequence[Mapping[str, Any]], key: str) -> Any:
    return max(one[key] for one in stages)


def _minutes(stages: Sequence[Mapping[str, Any]]) -> int:
    """Twice what the longest task takes, in tens of minutes."""
    return 10 * ceil(2 * 60 * _most(stages, "hours_longest") / 10)


def _lacks(place: Place, stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the options in local.yaml allow too little of."""
    needs = {"mem_gb": _most(stages, "memory_gb"), "timeout_min": ceil(60 * _most(stages, "hours_longest"))}
    given = {key: place.options.get(key) for key in needs}
    return [
        f"local.yaml allows {key} {given[key]}, and a task takes about {need}"
        for key, need in needs.items()
        if isinstance(given[key], int | float) and given[key] < need
    ]


def text(plan: Mapping[str, Any]) -> str:
    """The plan on a page."""
    lines = [
        f"roster {plan['roster']}: {plan['models']} models, {plan['weights_gb']:,.0f} GB of weights to download; "
        f"{plan['stimuli']:,} stimuli, {plan['subjects']} subjects"
    ]
    for one in plan["stages"]:
        longest, every = (duration(3600 * one[key]) for key in ("hours_longest", "hours_all"))
        lines.append(
            f"{one['stage']:<8} {one['tasks']} tasks of up to {longest} ({every} in all), {one['memory_gb']} GB each"
        )
    lines.append("most memory: " + ", ".join(f"{one['model']} {one['memory_gb']} GB" for one in plan["largest"]))
    if plan["unknown"]:
        lines.append(f"not counted, since their sizes are not known here: {len(plan['unknown'])} models")
    lines.append(
        f"An estimate: by the models' sizes and a trial of this machine ({plan['device']}, {plan['threads']} threads); "
        "run it on a node of the kind that will do the work. Downloads are not in it."
    )
    return "\n".join([*lines, *plan["lacks"], "In local.yaml:", f"  {plan['write']}"])
