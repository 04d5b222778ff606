"""Where the time of ours goes: processor seconds of some of its functions while a task runs; `--profile`."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

Parts = Mapping[str, Sequence[tuple[Any, str]]]  # what it is called; the functions, by their module or class


def split(parts: Parts, task: Callable[[], object]) -> str:
    """A line a part: seconds and share; no part may call another one. What is in none of them is the rest."""
    seconds = dict.fromkeys(parts, 0.0)
    with ExitStack() as stack:
        for name, functions in parts.items():
            for owner, function in functions:
                stack.enter_context(_timed(owner, function, seconds, name))
        start = time.process_time()
        task()
        whole = time.process_time() - start
    rest = {"the rest": whole - sum(seconds.values())}
    return "\n".join(f"{name:44}{one:9.2f} CPU-s{one / whole:8.0%}" for name, one in (seconds | rest).items())


@contextmanager
def _timed(owner: Any, function: str, seconds: dict[str, float], name: str) -> Iterator[None]:
    plain = getattr(owner, function)

    def timed(*given: Any, **named: Any) -> Any:
        start = time.thread_time()
        try:
            return plain(*given, **named)
        finally:
            seconds[name] += time.thread_time() - start

    setattr(owner, function, timed)
    try:
        yield
    finally:
        setattr(owner, function, plain)
