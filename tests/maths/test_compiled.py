import functools

import numpy as np
import pytest
import torch

from homoplasy.maths.compiled import bit_count, compiled, in_threads


@compiled
def counted(words):
    total = 0
    for word in words:
        total += bit_count(word)
    return total


def test_ones_are_counted():
    words = np.array([0, 1, 2**63, 2**64 - 1, 0b1011], np.uint64)
    assert counted(words) == 0 + 1 + 1 + 64 + 3


def test_a_wrapped_loop_is_compiled_as_it_was_written():
    def plain(x):
        return 2 * x

    @functools.wraps(plain)
    def checked(*args, **kwargs):
        raise AssertionError

    assert compiled(checked).py_func is plain


@pytest.mark.parametrize(("threads", "count"), [(1, 5), (2, 5), (4, 3), (3, 0)])
def test_parts_cover_everything_once(threads, count):
    before, parts = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        in_threads(lambda start, stop: parts.append((start, stop)), count)
    finally:
        torch.set_num_threads(before)
    assert sorted(i for start, stop in parts for i in range(start, stop)) == list(range(count))
    assert len(parts) <= max(1, min(threads, count))


def test_what_a_thread_raises_is_raised():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError):
            in_threads(lambda start, _: 1 / start, 4)
    finally:
        torch.set_num_threads(before)
