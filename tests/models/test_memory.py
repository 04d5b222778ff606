"""Batches that memory does not do for are halved, and nothing is read twice or left out."""

import pytest
import torch

from homoplasy.errors import WorkFailed
from homoplasy.models._memory import in_batches


class Little:
    """Memory for so many rows at a time."""

    def __init__(self, most, failure):
        self.most, self.failure, self.read = most, failure, []

    def __call__(self, rows):
        if rows.stop - rows.start > self.most:
            raise self.failure
        self.read += range(rows.start, rows.stop)


FAILURES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=["python", "accelerator", "cpu"])
@pytest.mark.parametrize("most", [1, 3, 5, 16])
def test_every_row_is_read_once_and_in_order(failure, most):
    read = Little(most, failure)
    in_batches(21, 16, read)
    assert read.read == list(range(21))


def test_the_size_that_fits_is_kept(capsys):
    sizes = []
    read = Little(4, MemoryError())
    in_batches(20, 16, lambda rows: (sizes.append(rows.stop - rows.start), read(rows)))
    assert sizes == [16, 8, 4, 4, 4, 4, 4]
    assert capsys.readouterr().err.count("not enough memory") == 2


def test_a_machine_without_memory_for_one_is_told():
    with pytest.raises(WorkFailed, match="not enough memory to read one stimulus at a time; use a machine with more"):
        in_batches(3, 4, Little(0, MemoryError()))


def test_another_failure_is_not_taken_for_one_of_memory():
    with pytest.raises(RuntimeError, match="shapes"):
        in_batches(3, 4, Little(0, RuntimeError("shapes do not fit")))
