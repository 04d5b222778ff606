import threading
import time

import pytest
import torch

from homoplasy.maths.workers import in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_work(threads):
    def work(item):
        time.sleep(0.01 * (3 - item % 3))
        return item, torch.get_num_threads()

    before = torch.get_num_threads()
    assert list(in_order(work, range(7), threads)) == [(item, 1) for item in range(7)]
    assert torch.get_num_threads() == before


def test_no_more_work_waits_than_there_are_threads():
    begun, lock = [], threading.Lock()

    def work(item):
        with lock:
            begun.append(item)
        return item

    for result in in_order(work, range(20), 2):
        time.sleep(0.005)
        assert max(begun) <= result + 2


def test_what_goes_wrong_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 // item, [1, 0], 2))
