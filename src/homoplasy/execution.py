"""Spreads a command over processes or a cluster: the same words with `--shard i/n` behind them, once a shard.

A shard does every n-th piece of the work and only fills the keyed store, so it may die, be run again, or be run
elsewhere by hand; the command without a shard then finds everything there and assembles it.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, Literal, TypeVar

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.progress import say, track

Kind = Literal["serial", "local", "slurm"]
T = TypeVar("T")

_MEND = "mend the options under execution in local.yaml"
_DIED = -1  # the code of a shard whose process left none


@dataclass(frozen=True)
class Shard:
    """The i-th of n shares of some work, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read i/n."""
        number, _, count = text.partition("/")
        if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
            raise BadRequest(f"--shard is '{text}'; expected i/n with i from 1 to n, for example 3/40.")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, items: Sequence[T]) -> list[T]:
        """Every n-th item from the i-th on; neighbours, which cost alike, go to different shards."""
        return list(items[self.number - 1 :: self.count])


@dataclass(frozen=True)
class Place:
    """Where shards run: how many there are, how many at once, where their words go, what the scheduler is told."""

    kind: Kind = "serial"
    shards: int = 1
    at_once: int = 1
    logs: Path = Path("logs")
    options: Mapping[str, Any] = field(default_factory=dict)


def spread(command: Sequence[str], place: Place) -> None:
    """Run every shard of a command; one that was killed is run once more, then the work has failed."""
    if place.kind == "serial":
        return
    place.logs.mkdir(parents=True, exist_ok=True)
    shards = [Shard(number, place.shards) for number in range(1, place.shards + 1)]
    codes = _round(command, shards, place)
    killed = [shard for shard in shards if _killed(codes[shard])]
    if killed:
        say(f"  {len(killed)} of {len(shards)} shards were killed, the first {killed[0]}; they run once more.")
        codes |= _round(command, killed, place)
    failed = [shard for shard in shards if codes[shard] != 0]
    if failed:
        raise WorkFailed(
            f"{len(failed)} of {len(shards)} shards failed; the first, {failed[0]}, {_end(codes[failed[0]])}; it says "
            f"why in {_log(place, failed[0])}. What the others made is kept; run the same again to go on."
        )


def _round(command: Sequence[str], shards: Sequence[Shard], place: Place) -> dict[Shard, int]:
    """The exit code of each shard."""
    return dict(track(_RUN[place.kind](command, shards, place), "shards", len(shards)))


def _locally(command: Sequence[str], shards: Sequence[Shard], place: Place) -> Iterator[tuple[Shard, int]]:
    """A process a shard, a few at once."""
    calls = {one: partial(_process, [*command, "--shard", str(one)], _log(place, one)) for one in shards}
    yield from _as_they_end(calls, place.at_once)


def _on_slurm(command: Sequence[str], shards: Sequence[Shard], place: Place) -> Iterator[tuple[Shard, int]]:
    """One job array, a task a shard; whatever ends this process ends its tasks."""
    jobs = _submitted(command, shards, place)
    try:
        calls = {one: partial(_code, job) for one, job in zip(shards, jobs, strict=True)}
        yield from _as_they_end(calls, len(shards))  # each thread waits for one task
    finally:
        for job in jobs:
            job.cancel(check=False)


def _submitted(command: Sequence[str], shards: Sequence[Shard], place: Place) -> Sequence[Any]:
    """The tasks of an array, by submitit; what it or SLURM does not take is one sentence."""
    try:
        import submitit
    except ModuleNotFoundError:
        raise BadRequest("the executor 'slurm' needs submitit: pip install 'homoplasy[slurm]'.") from None
    commands = [[*command, "--shard", str(one)] for one in shards]
    try:
        executor = submitit.AutoExecutor(folder=place.logs / "slurm", cluster="slurm")
        executor.update_parameters(slurm_array_parallelism=place.at_once, **place.options)
        with redirect_stderr(StringIO()):  # submitit prints what it raises
            return list(executor.map_array(_process, commands, [_log(place, one) for one in shards]))
    except submitit.core.utils.FailedJobError as fault:
        said = " ".join(str(fault).replace("sbatch: error: ", "").split()).rstrip(".")
        raise BadRequest(f"SLURM does not take the tasks ({said}); {_MEND}.") from None
    except (AssertionError, NameError, TypeError, ValueError) as fault:
        said = str(fault).strip().partition("\n")[0].partition(" Valid arguments")[0].rstrip(".")
        raise BadRequest(f"submitit does not take the options of the tasks ({said}); {_MEND}.") from None
    except RuntimeError as fault:  # it looks for srun
        raise BadRequest(f"the executor is 'slurm', and there is none ({fault}); write executor: local.") from None


def _as_they_end(calls: Mapping[Shard, Callable[[], int]], at_once: int) -> Iterator[tuple[Shard, int]]:
    pool = ThreadPoolExecutor(at_once)
    try:
        running = {pool.submit(call): shard for shard, call in calls.items()}
        for done in as_completed(running):
            yield running[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _code(job: Any) -> int:
    """The exit code of a shard's command; a task that left none was killed by the scheduler."""
    return _DIED if job.exception() else int(job.result())


_RUN: dict[str, Callable[[Sequence[str], Sequence[Shard], Place], Iterator[tuple[Shard, int]]]] = {
    "local": _locally,
    "slurm": _on_slurm,
}


def _process(command: Sequence[str], log: Path) -> int:
    """Run one command to its end; its words go to a file."""
    with log.open("ab") as words:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, check=False).returncode


def _log(place: Place, shard: Shard) -> Path:
    return place.logs / f"shard-{shard.number}-of-{shard.count}.log"


def _killed(code: int) -> bool:
    """Whether a signal ended it (by a shell's account: 128 and its number), so that it may do better next time."""
    return code < 0 or code > 128


def _end(code: int) -> str:
    if code == _DIED:
        return "was killed by the scheduler"
    return f"was killed by signal {-code if code < 0 else code - 128}" if _killed(code) else f"ended with code {code}"
