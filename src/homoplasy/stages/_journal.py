"""What stages did on this machine: when each began, how long it took, why it failed. Git ignores the file.

It is no output: nothing reads it but `homoplasy status`, and it may be deleted at any time.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from homoplasy.errors import HomoplasyError
from homoplasy.stages import _settings

_NAME = "stages.jsonl"
_RECENT = 1 << 20  # bytes from the end that are read: some thousand runs
_RUNS = 5  # of the latest ones, the longest says how long the next may take


@dataclass(frozen=True)
class Record:
    """One run of a stage; while it lasts it has no duration."""

    stage: str
    world: str
    experiment: str  # empty in the checkout itself
    pid: int
    began: float  # seconds since 1970
    seconds: float | None = None
    reason: str = ""  # why it failed

    @property
    def state(self) -> Literal["done", "failed", "running", "cut off"]:
        """How it stands."""
        if self.seconds is not None:
            return "failed" if self.reason else "done"
        return "running" if self._alive() else "cut off"

    def _alive(self) -> bool:
        try:
            return self.stage.encode() in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False


def checkout(params: Path) -> Path:
    """The main checkout, in an experiment's copy too."""
    return Path(os.environ.get("DVC_ROOT") or params.parent)


def age() -> float:
    """Seconds since this process began: what it has imported took its time too."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def kept(stage: str, params: Path, begun_since: float = 0.0) -> Iterator[None]:
    """Write down that a stage begins, or began some seconds ago, and how it ends."""
    log = checkout(params) / "logs" / _NAME
    begun = Record(stage, _world(params), os.environ.get("DVC_EXP_NAME", ""), os.getpid(), time.time() - begun_since)
    _append(log, begun)
    start = time.monotonic() - begun_since
    reason = ""
    try:
        yield
    except HomoplasyError as fault:
        reason = str(fault)
        raise
    except BaseException as fault:
        reason = f"{type(fault).__name__}: {fault}".removesuffix(": ")
        raise
    finally:
        _append(log, replace(begun, seconds=round(time.monotonic() - start, 1), reason=reason))


def read(root: Path) -> list[Record]:
    """The latest runs of a checkout, in the order in which they began."""
    try:
        with (root / "logs" / _NAME).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _RECENT))
            lines = log.read().splitlines()
    except OSError:
        return []
    found: dict[tuple[int, float], Record] = {}
    for line in lines:
        with suppress(ValueError, TypeError):  # a line that was cut short
            one = Record(**json.loads(line))
            found[one.pid, one.began] = one
    return sorted(found.values(), key=lambda one: one.began)


def last(records: list[Record]) -> dict[tuple[str, str], Record]:
    """The latest run of every stage, in the checkout and in each experiment."""
    return {(one.experiment, one.stage): one for one in records}


def expected(records: list[Record], stage: str, world: str) -> float | None:
    """The seconds that the stage took at most in its latest runs in this world; None where it never ended well."""
    taken = [
        one.seconds
        for one in records
        if (one.stage, one.world) == (stage, world) and one.seconds is not None and not one.reason
    ]
    return max(taken[-_RUNS:], default=None)


def _world(params: Path) -> str:
    try:
        return _settings.world(params)
    except HomoplasyError:  # the stage itself will say so
        return ""


def _append(log: Path, record: Record) -> None:
    """Add a line; a folder that cannot be written must not stop a stage."""
    with suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
