"""Where shards of a stage run: `local.yaml`, which git ignores, since a partition's name must never change a result.

    execution: {executor: slurm, shards: 40, at_once: 20, options: {slurm_partition: gpu, mem_gb: 32, timeout_min: 240}}

`stages` lays over this what one stage has of its own, for example a GPU:

    stages: {extract: {shards: 120, options: {slurm_partition: gpu, gpus_per_node: 1}}}

HOMOPLASY_EXECUTOR, where it is set, wins over the file's executor.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field

from homoplasy import execution, written
from homoplasy.errors import BadRequest, listing, nearest
from homoplasy.execution import Place
from homoplasy.stages import _journal, _settings

SPREAD = ("train", "extract", "cka", "audit", "certify")  # the stages that take shards
_EXAMPLE = "execution: {executor: local, shards: 4, at_once: 2}"


class Shares(_settings.Strict):
    """How many shards there are, how many run at a time; `options` are those of submitit's executor."""

    shards: int = Field(default=2, gt=0, description="above 0")
    at_once: int = Field(default=2, gt=0, description="above 0")
    options: dict[str, Any] = Field(default_factory=dict)


class Execution(Shares):
    """The section `execution` of local.yaml."""

    executor: execution.Kind = "serial"
    stages: dict[str, dict[str, Any]] = Field(default_factory=dict, description="such as {extract: {shards: 9}}")


def read(params: Path, stage: str) -> Place:
    """The place that this machine's user chose for the shards of a stage; serial where nothing is said."""
    root = _journal.checkout(params)
    given = _section(root / "local.yaml")
    executor = os.environ.get("HOMOPLASY_EXECUTOR")
    found = _settings.check(given | ({"executor": executor} if executor else {}), Execution, "execution")
    own = {name: _own(name, values) for name, values in found.stages.items()}.get(stage, {})
    shares = Shares(**found.model_dump(include=set(Shares.model_fields)) | own)
    options = {**found.options, **own.get("options", {})}
    return Place(found.executor, shares.shards, shares.at_once, root / "logs" / stage, options)


def _own(stage: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the user said of one stage; every stage that can be named has shards."""
    if stage not in SPREAD:
        raise BadRequest(f"execution.stages names '{stage}'; it can be {listing(SPREAD)}.{nearest(stage, SPREAD)}")
    return _settings.check(values, Shares, f"execution.stages.{stage}").model_dump(exclude_unset=True)


def _section(local: Path) -> dict[str, Any]:
    try:
        given = written.read_yaml(local)
    except FileNotFoundError:
        return {}
    except written.Damaged as fault:
        raise BadRequest(f"{local} is not valid YAML {fault}; expected a line such as {_EXAMPLE}.") from None
    section = given.get("execution", {}) if isinstance(given, dict) else {}
    if not isinstance(section, dict):
        raise BadRequest(f"{local}: execution is {section!r}; expected a line such as {_EXAMPLE}.")
    return section
