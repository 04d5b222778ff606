"""homoplasy doctor: what this machine and this checkout lack, and what to do about it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from homoplasy.command._line import Here, Line

EXAMPLE = "homoplasy doctor --json"


def run(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Examine the machine and the checkout; each line is ok, note or wrong, with what to do. Exit 1 if any is wrong."""
    lines = []
    for line in _lines():
        lines.append(line)
        if not as_json:
            typer.echo(_text(line))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=1))
    if any(line.state == "wrong" for line in lines):
        raise typer.Exit(1)


def _lines() -> Iterator[Line]:
    """Look at one thing after the other; the checkout, its world and its DVC must be readable for most of them."""
    from homoplasy.command import _disk, _machine, _outside, _pipeline
    from homoplasy.stages import _settings

    of_machine: list[Callable[[], Line]] = [_machine.python, _machine.torch_, _machine.torchvision, _machine.numba]
    of_checkout: list[Callable[[Here], Line]] = [
        *(_machine.packages, _machine.memory, _disk.disk, _disk.writing, _disk.links),
        *(_outside.identity, _outside.remote, _outside.agreement, _outside.cluster),
    ]
    root = _pipeline.root()
    here = Here(root, _settings.world(root / "params.yaml"))
    for look in of_machine:
        yield look()
    for examine in of_checkout:
        yield examine(here)


def _text(line: Line) -> str:
    after = f"\n{'':<19}-> {line.do}" if line.do else ""
    return f"{line.state:<6}{line.what:<13}{line.says}{after}"
