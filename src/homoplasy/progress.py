"""What long work tells a person: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

_QUIET_SECONDS = 20.0  # off a terminal, at most one line in this time


def say(line: str) -> None:
    """Print one line about the work to standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this function is the one place that prints


def duration(seconds: float) -> str:
    """A time as people say it."""
    for size, word in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield the items, showing count and time left."""
    count = total if total is not None else len(items)  # type: ignore[arg-type] # Sized when no total is given
    if sys.stderr.isatty():
        yield from _bar(items, what, count)
    else:
        yield from _lines(items, what, count)


def _bar(items: Iterable[T], what: str, count: int) -> Iterator[T]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=count)
        for item in items:
            yield item
            progress.advance(task)


def _lines(items: Iterable[T], what: str, count: int) -> Iterator[T]:
    start = spoken = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - spoken > _QUIET_SECONDS and done < count:
            say(f"  {what}: {done}/{count}{_left(now - start, done, count)}")
            spoken = now


def _left(elapsed: float, done: int, count: int) -> str:
    # the first item pays for getting ready, so it alone is no rate
    return f", about {duration(elapsed / done * (count - done))} left" if done > 1 else ""
