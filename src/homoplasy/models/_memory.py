"""Batches that shrink where the memory does not do for them."""

from collections.abc import Callable

from homoplasy.errors import WorkFailed
from homoplasy.progress import say

# What allocators say; torch has an error of its own for accelerators only, also a RuntimeError.
_SAID = ("out of memory", "can't allocate memory", "not enough memory")


def in_batches(count: int, size: int, read: Callable[[slice], None]) -> None:
    """Read rows 0 to `count`, `size` at a time; a batch that memory does not do for is halved from there on."""
    start = 0
    while start < count:
        rows = slice(start, min(start + size, count))
        try:
            read(rows)
        except (MemoryError, RuntimeError) as failure:
            if not _is_memory(failure):
                raise
            size = _halved(min(size, count - start))
            say(f"  not enough memory; {size} at a time from here on.")
        else:
            start = rows.stop


def _halved(size: int) -> int:
    if size == 1:
        raise WorkFailed("there is not enough memory to read one stimulus at a time; use a machine with more.")
    return size // 2


def _is_memory(failure: BaseException) -> bool:
    return isinstance(failure, MemoryError) or any(words in str(failure).lower() for words in _SAID)
