"""homoplasy plan: how much there is to compute, with how much memory and in how long."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from homoplasy.errors import BadRequest

EXAMPLE = "homoplasy plan --n 8859 --layers 7560 --regions 180 --widths 17 --subjects 4"


def run(  # noqa: PLR0913 - one option a size
    n: Annotated[int | None, typer.Option(help="Stimuli; without it the project in this folder is planned.")] = None,
    layers: Annotated[int, typer.Option(help="Layers of all models together.")] = 12,
    regions: Annotated[int, typer.Option(help="Regions of a subject.")] = 180,
    widths: Annotated[int, typer.Option(help="Kernels, the linear one included.")] = 17,
    subjects: Annotated[int, typer.Option(help="Subjects.")] = 1,
    units: Annotated[int, typer.Option(help="Units of a layer.")] = 1000,
    voxels: Annotated[int, typer.Option(help="Voxels of a region.")] = 225,
    memory: Annotated[str | None, typer.Option(help="What scoring may take, such as 8GB (HOMOPLASY_MEMORY).")] = None,
    slurm: Annotated[bool, typer.Option("--slurm", help="Plan job arrays for the whole roster.")] = False,
    roster: Annotated[str | None, typer.Option(help="With --slurm: another roster than the one in force.")] = None,
    hours: Annotated[float, typer.Option(help="With --slurm: what a task may take.")] = 4.0,
    at_once: Annotated[int, typer.Option(help="With --slurm: how many tasks may run at a time.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Say how many scores there are to compute, with how much memory and in how long, after a short trial."""
    if slurm:
        _for_cluster(roster, hours, at_once, as_json=as_json)
    elif n is None:
        _of_project(memory, as_json=as_json)
    else:
        sizes = {"n": n, "layers": layers, "regions": regions, "widths": widths, "subjects": subjects}
        _of_sizes(sizes | {"units": units, "voxels": voxels}, memory, as_json=as_json)


def _of_sizes(sizes: Mapping[str, int], memory: str | None, *, as_json: bool) -> None:
    from homoplasy.scoring.cost import Work
    from homoplasy.stages import _plan

    for name, size in sizes.items():
        if size < 1:
            raise BadRequest(f"--{name} is {size}; expected one or more.")
    sources, targets = (sizes["units"],) * sizes["layers"], (sizes["voxels"],) * sizes["regions"]
    table = Work(sizes["n"], sources, targets, sizes["widths"])
    facts = _plan.planned([table] * sizes["subjects"], "float32", memory).facts()
    typer.echo(json.dumps(facts, indent=2) if as_json else _plan.text(facts))


def _of_project(memory: str | None, *, as_json: bool) -> None:
    from homoplasy.stages import _plan, _settings, _unread, cka

    here = Path()
    choice = _settings.read(here / "params.yaml", "cka", cka.Settings).choice()
    facts = _plan.of_project(here, choice, memory).facts()
    unread = _unread.facts(here)
    typer.echo(
        json.dumps({**facts, "extract": unread}, indent=2)
        if as_json
        else f"{_unread.text(unread)}\n{_plan.text(facts)}"
    )


def _for_cluster(roster: str | None, hours: float, at_once: int, *, as_json: bool) -> None:
    from homoplasy.stages import _jobs

    if hours <= 0 or at_once < 1:
        raise BadRequest(f"--hours is {hours:g} and --at-once {at_once}; expected more than 0 and 1 or more.")
    found = _jobs.facts(Path(), roster, hours, at_once)
    typer.echo(json.dumps(found, indent=2) if as_json else _jobs.text(found))
