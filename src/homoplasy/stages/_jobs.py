"""The plan of a study for a cluster: its job arrays, what local.yaml must say for them, what it lacks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from homoplasy.errors import BadRequest
from homoplasy.execution import Place
from homoplasy.progress import duration
from homoplasy.stages import _cluster, _journal, _place, _settings, certify, train
from homoplasy.stages._cluster import Study
from homoplasy.stages._entry import device

_ON_A_GPU = {"slurm_partition": "YOUR-GPU-PARTITION", "gpus_per_node": 1}
_TOLD = {"slurm_setup": ["export HOMOPLASY_DEVICE=cuda"]}  # scores are a CPU's unless their tasks are told


def facts(root: Path, roster: str | None, hours: float, at_once: int) -> dict[str, Any]:
    """The whole plan: what there is, the arrays, the lines for local.yaml, what those that are there lack."""
    found = _cluster.study(root, roster)
    if not found.models:
        raise BadRequest(f"the roster '{found.roster}' names no model whose size is known; choose one with --roster.")
    speed = _cluster.speeds(found)
    places = {stage: _place.read(root / "params.yaml", stage) for stage in ("extract", "cka")}
    asked = places["extract"].shards if places["extract"].kind == "slurm" else _cluster.fewest(found, speed, hours)
    stages = [one.facts() for one in _cluster.arrays_of(found, speed, asked)]
    others = list(_others(root, asked))
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
        "others": others,
        "largest": _largest(found),
        "write": _section(stages, others, speed.means.threads, min(at_once, asked)),
        "lacks": [lack for one in stages for lack in _lacks(places[one["stage"]], one)],
    }


def _others(root: Path, asked: int) -> Iterator[dict[str, Any]]:
    """The other stages that take shards: into how many at most, and how long they took here on their own."""
    params = root / "params.yaml"
    runs, world = _journal.read(root), _settings.world(params)
    shares = {
        "train": len(_settings.read(params, "train", train.Settings).runs),
        "audit": asked,
        "certify": _settings.read(params, "certify", certify.Settings).seeds,
    }
    for stage, count in shares.items():
        if count:
            yield {"stage": stage, "tasks": min(asked, count), "seconds": _journal.expected(runs, stage, world)}


def _largest(study: Study, count: int = 3) -> list[dict[str, Any]]:
    """The models that take most memory."""
    taken = {name: _cluster.memory(study, model) for name, model in study.models.items()}
    order = sorted(taken, key=lambda name: taken[name], reverse=True)[:count]
    return [{"model": name, "memory_gb": _cluster.gigabytes(taken[name])} for name in order]


def _section(
    stages: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], cores: int, at_once: int
) -> dict[str, Any]:
    """The section of local.yaml that does it: what all stages are given, then what one has of its own."""
    memory, minutes = (max(one[key] for one in stages) for key in ("memory_gb", "hours_longest"))
    asked = {"cpus_per_task": cores, "mem_gb": memory, "timeout_min": 10 * ceil(2 * 60 * minutes / 10)}
    tasks = stages[0]["tasks"]
    own: dict[str, Any] = {one["stage"]: {"shards": one["tasks"]} for one in others if one["tasks"] < tasks}
    if device().startswith("cuda"):
        own["extract"] = {"options": _ON_A_GPU}
    if os.environ.get("HOMOPLASY_DEVICE", "cpu").startswith("cuda"):
        for stage in ("cka", "audit"):
            own[stage] = own.get(stage, {}) | {"options": _ON_A_GPU | _TOLD}
    every = {"executor": "slurm", "shards": tasks, "at_once": at_once}
    every["options"] = {"slurm_partition": "YOUR-PARTITION", **asked}
    return {"execution": every | ({"stages": own} if own else {})}


def _lacks(place: Place, stage: Mapping[str, Any]) -> list[str]:
    """What the options in local.yaml allow a stage too little of."""
    if place.kind != "slurm":
        return []
    needs = {"mem_gb": stage["memory_gb"], "timeout_min": ceil(60 * stage["hours_longest"])}
    given = {key: place.options.get(key) for key in needs}
    return [
        f"local.yaml allows {key} {given[key]}, and a task of {stage['stage']} takes about {need}"
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
    for one in plan["others"]:
        took = "not known before it has run here" if one["seconds"] is None else f"{duration(one['seconds'])} here"
        lines.append(f"{one['stage']:<8} {one['tasks']} tasks; how long in all: {took}")
    lines.append("most memory: " + ", ".join(f"{one['model']} {one['memory_gb']} GB" for one in plan["largest"]))
    if plan["unknown"]:
        lines.append(f"not counted, since their sizes are not known here: {len(plan['unknown'])} models")
    lines.append(
        f"An estimate: by the models' sizes and a trial of this machine (networks on {plan['device']}, scores on "
        f"{plan['threads']} threads); run it on a node of the kind that will do the work. Downloads are not in it."
    )
    written = yaml.safe_dump(plan["write"], sort_keys=False, default_flow_style=None, width=100).rstrip()
    return "\n".join([*lines, *plan["lacks"], "In local.yaml:", *(f"  {line}" for line in written.splitlines())])
