"""Where shards of a stage run: `local.yaml`, which git ignores, since a partition's name must never change a result.

    execution: {executor: slurm, shards: 40, at_once: 20, options: {slurm_partition: gpu, mem_gb: 32, timeout_min: 240}}

HOMOPLASY_EXECUTOR, where it is set, wins over the file's executor.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field

from homoplasy import execution, written
from homoplasy.errors import BadRequest
from homoplasy.execution import Place
from homoplasy.stages import _journal, _settings

_EXAMPLE = "execution: {executor: local, shards: 4, at_once: 2}"


class Execution(_settings.Strict):
    """The section `execution` of local.yaml; `options` are those of submitit's executor."""

    executor: execution.Kind = "serial"
    shards: int = Field(default=2, gt=0, description="above 0")
    at_once: int = Field(default=2, gt=0, description="above 0")
    options: dict[str, Any] = Field(default_factory=dict)


def read(params: Path, logs: str) -> Place:
    """The place that this machine's user chose for shards; serial where nothing is said."""
    root = _journal.checkout(params)
    given = _section(root / "local.yaml")
    executor = os.environ.get("HOMOPLASY_EXECUTOR")
    found = _settings.check(given | ({"executor": executor} if executor else {}), Execution, "execution")
    return Place(found.executor, found.shards, found.at_once, root / "logs" / logs, found.options)


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
