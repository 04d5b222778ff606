import pytest
import torch

from homoplasy.scoring import cost
from homoplasy.scoring.request import Means

SPEED = cost.Speed(1e-10, 1e-9, 1e-10, 1e-8, 1e-8)


def means(memory="2GB", threads=1):
    made = Means.of("cpu", memory, "float32")
    return Means(made.device, made.memory, made.precision, threads)


def work(n=1000, layers=10, regions=20, kernels=5, **more):
    return cost.Work(n, (100,) * layers, (50,) * regions, kernels, **more)


def test_values_are_counted():
    assert work(estimators=1).values == 10 * 20 * 5
    assert work().values == 2 * 10 * 20 * 5


@pytest.mark.parametrize("more", [{"n": 2000}, {"layers": 20}, {"regions": 40}, {"kernels": 10}])
def test_more_work_takes_longer_and_more_memory(more):
    assert SPEED.seconds(work(**more), means()) > 1.2 * SPEED.seconds(work(), means())
    assert work(**more).memory(means("2TB")) > work().memory(means("2TB"))


def test_threads_share_the_work_and_absolute_widths_need_no_median():
    assert SPEED.seconds(work(), means(threads=2)) == pytest.approx(SPEED.seconds(work(), means()) / 2)
    assert SPEED.seconds(work(relative=False), means()) < SPEED.seconds(work(), means())


def test_short_memory_takes_more_sweeps_and_more_time():
    assert work().sweeps(means()) == 1
    assert work(layers=100).sweeps(means("150MB")) > 1
    long, short = (SPEED.seconds(work(layers=100), means(memory)) for memory in ("150MB", "2GB"))
    assert long > short


def test_nothing_takes_no_time():
    assert SPEED.seconds(cost.Work(100, (), (5,), 1), means()) == 0


def test_a_trial_measures_every_kind_of_work():
    before = torch.get_num_threads()
    found = cost.trial(means())
    assert torch.get_num_threads() == before
    # caches shared with other programs may hide one of the three behind the others, not all
    assert 0 < found.distance + found.entry + found.product < 1e-5
    assert 0 < found.number < 1e-4
