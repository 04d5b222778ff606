"""homoplasy status: what is up to date, what would run and for how long, what failed and why."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from homoplasy.errors import HomoplasyError, listing
from homoplasy.progress import duration

EXAMPLE = "homoplasy status --json"
_REASONS = 3  # of one stage that are shown


def run(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Say which world and preset are chosen, what is up to date, what would run and for how long, what failed."""
    found = _status()
    typer.echo(json.dumps(asdict(found), indent=1) if as_json else "\n".join(found.lines()))


@dataclass(frozen=True)
class Status:
    """A checkout as it stands."""

    world: str
    preset: str
    busy: bool  # another DVC command holds the stages, so that nothing is known of them
    stages: Sequence[Mapping[str, Any]]  # stage, state, why, seconds; without seconds where it never ran here
    running: Sequence[Mapping[str, Any]]
    failed: Sequence[Mapping[str, Any]]  # the last run of a stage, if it failed or was cut off
    unread: Mapping[str, str]  # models without features, each with the reason

    def lines(self) -> Iterator[str]:
        """The status on a page."""
        yield f"world {self.world}, preset {self.preset}"
        yield from self._pipeline()
        for one in self.running:
            yield f"{_where(one)} has been running for {duration(time.time() - one['began'])}"
        for one in self.failed:
            yield f"{_where(one)} {'was cut off' if not one['reason'] else 'failed: ' + one['reason']}"
        if self.unread:
            yield f"{len(self.unread)} models could not be read:"
            yield from (f"  {model}: {reason}" for model, reason in self.unread.items())

    def _pipeline(self) -> Iterator[str]:
        if self.busy:
            yield "Another dvc command is at work here, so what is up to date will be known when it has ended."
            return
        waiting = [one for one in self.stages if one["state"] != "up to date"]
        yield f"{'stage':<26}{'for at most' if waiting else ''}".rstrip()
        for one in self.stages:
            takes = "" if one not in waiting else _about(one["seconds"])
            yield f"{one['stage']:<12}{one['state']:<14}{takes:<13}{listing(one['why'], _REASONS)}".rstrip()
        known = [one["seconds"] for one in waiting if one["seconds"] is not None]
        if not waiting:
            yield "Everything is up to date."
            return
        yield f"dvc repro would run {len(waiting)} of {len(self.stages)} stages. {_in_all(known, len(waiting))}."
        if any("not there" in why for one in waiting for why in one["why"]):
            yield "What is not there may lie in a remote: dvc pull --run-cache --allow-missing"


def _status() -> Status:
    from homoplasy.command import _pipeline
    from homoplasy.stages import _journal, _settings

    root = _pipeline.root()
    params = root / "params.yaml"
    world, preset = _settings.world(params), _settings.preset(params)
    found = _pipeline.stages()
    runs = _journal.read(root)
    last = [asdict(one) | {"state": one.state} for one in _journal.last(runs).values()]
    return Status(
        world,
        preset,
        busy=found is None,
        stages=[
            {
                "stage": one.name,
                "state": one.state,
                "why": list(one.why),
                "seconds": _journal.expected(runs, one.name, world),
            }
            for one in found or []
        ],
        running=[one for one in last if one["state"] == "running"],
        failed=[one for one in last if one["state"] in {"failed", "cut off"}],
        unread=_unread(root / "data" / "features" / "models.parquet"),
    )


def _unread(table: Path) -> dict[str, str]:
    """The models that have no features, and why."""
    if not table.exists():
        return {}
    from homoplasy.store import frames
    from homoplasy.tables import MODELS

    try:
        found = frames.read(table, MODELS, ["model", "reason"])
    except HomoplasyError as damage:
        return {str(table.name): str(damage)}
    lacking = found[found["reason"] != ""]
    return dict(zip(lacking["model"], lacking["reason"], strict=True))


def _where(one: Mapping[str, Any]) -> str:
    return f"{one['stage']} of experiment {one['experiment']}" if one["experiment"] else str(one["stage"])


def _about(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)


def _in_all(known: Sequence[float], count: int) -> str:
    """How long several stages take; what is not known of some is said."""
    if not known:
        return "How long is unknown: none of them has run here in this world"
    rest = f", without {count - len(known)} that have not run here" if len(known) < count else ""
    return f"At most about {duration(sum(known))}, as their latest runs here took{rest}"
