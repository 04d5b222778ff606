"""Loops that numba compiles for the processor they run on, at their first use, and keeps on disk."""

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba
import torch
from numba.extending import intrinsic

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop, flags: frozenset[str] = frozenset(), *, inside: bool = False) -> Loop:
    """Compile; the interpreter's lock is free while it runs, so that threads may run several.

    `flags` name what may be done to sums and products of floating-point numbers, as LLVM calls it. A loop that is to
    stand `inside` those that call it spares the handing over of its arguments, which takes longer than a short loop.
    """
    plain = inspect.unwrap(loop)  # shape checks wrap functions in tests, and numba cannot read the wrapper
    options: dict[str, Any] = {"nogil": True, "fastmath": set(flags) or False, "forceinline": inside}
    try:
        return cast("Loop", numba.njit(cache=True, **options)(plain))
    except RuntimeError:  # nowhere to keep it
        return cast("Loop", numba.njit(**options)(plain))


def _bit_count(_context: Any, word: Any) -> Any:
    return word(word), lambda _context, builder, _signature, args: builder.ctpop(args[0])


bit_count = cast("Callable[[Any], Any]", intrinsic(_bit_count))  # ones in a word, by one instruction where there is one


def in_threads(work: Callable[[int, int], None], count: int) -> None:
    """Call work(start, stop) for parts of range(count), one a thread that torch may use."""
    threads = max(1, min(torch.get_num_threads(), count))
    cuts = [count * part // threads for part in range(threads + 1)]
    if threads == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, cuts[:-1], cuts[1:]):
            pass
