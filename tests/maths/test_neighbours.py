import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import neighbours
from tests.maths import neighbourhoods as naive
from tests.maths.neighbourhoods import sample

METRICS = ("cosine", "inner")


def by_sorting(x, k, metric):
    z = neighbours.METRICS[metric](x).numpy()
    similar = z @ z.T
    np.fill_diagonal(similar, -np.inf)
    return np.argsort(-similar, axis=1, kind="stable")[:, :k]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 40), metric=st.sampled_from(METRICS), data=st.data())
def test_lists_are_those_of_a_stable_sort(seed, n, metric, data):
    k = data.draw(st.integers(1, n - 1))
    x = sample(seed, n)
    assert np.array_equal(neighbours.nearest(x, k, metric).lists, naive.lists(x, k, metric))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "k"), [(130, 129), (300, 1), (300, 280), (600, 60), (1100, 100)])
def test_a_guessed_threshold_changes_nothing(n, k, metric):
    x = sample(3, n, d=6)
    assert np.array_equal(neighbours.nearest(x, k, metric).lists, by_sorting(x, k, metric))


@pytest.mark.parametrize("far", [3.0, 1e6])
def test_a_sample_that_misleads_costs_time_but_no_neighbour(far):
    """The stimuli that the sample is taken from, every second, are far more alike, or far longer, than the others."""
    x = sample(4, 300, d=50)
    x[::2] += 3.0
    x[::4] *= far
    assert np.array_equal(neighbours.nearest(x, 20, "cosine").lists, by_sorting(x, 20, "cosine"))


def test_inner_products_of_very_different_sizes():
    """A giant stretches the range: all other similarities share few buckets, and still come in order."""
    x = sample(5, 400, d=3)
    x[7] *= 100
    x[8] = 0
    assert np.array_equal(neighbours.nearest(x, 50, "inner").lists, by_sorting(x, 50, "inner"))


@pytest.mark.parametrize("n", [12, 200, 900])
def test_of_equally_near_stimuli_the_earlier_comes_first(n):
    x = sample(5, n // 4).repeat_interleave(4, 0)
    found = neighbours.nearest(x, 3, "cosine").lists
    expected = [[j for j in range(4 * (i // 4), 4 * (i // 4) + 4) if j != i] for i in range(n)]
    assert np.array_equal(found, expected)
    assert np.array_equal(neighbours.nearest(torch.ones(n, 2).double(), 2, "inner").lists[:3], [[1, 2], [0, 2], [0, 1]])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), metric=st.sampled_from(METRICS))
def test_a_duplicate_is_an_equal_neighbour(seed, metric):
    """Stimuli in many copies: every list is that of the similarities of the originals, copies in order."""
    x = sample(seed, 30).repeat(3, 1)
    similar = np.tile(naive.similarity(x[:30].numpy(), metric), (3, 3))
    np.fill_diagonal(similar, -np.inf)
    expected = np.argsort(-similar, axis=1, kind="stable")[:, :40]
    assert np.array_equal(neighbours.nearest(x, 40, metric).lists, expected)


@pytest.mark.parametrize("metric", METRICS)
def test_opposite_and_equal_directions_are_the_ends_of_the_scale(metric):
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).double()
    assert neighbours.nearest(x, 4, metric).lists.tolist()[:2] == [[2, 3, 1, 4], [4, 3, 0, 2]]


def test_similarities_stand_beside_their_neighbours():
    x = sample(6, 50)
    near = neighbours.nearest(x, 9, "cosine")
    expected = np.take_along_axis(naive.similarity(x.numpy(), "cosine"), near.lists.astype(int), axis=1)
    assert near.similarity == pytest.approx(expected, abs=1e-14)
    assert (np.diff(near.similarity) <= 1e-12).all()


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_and_panels_change_nothing(threads, monkeypatch):
    x = sample(7, 500, d=20)
    alone = neighbours.nearest(x, 30, "cosine")
    monkeypatch.setattr(neighbours, "_ROOM", 500 * 130)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        shared = neighbours.nearest(x, 30, "cosine")
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(alone.lists, shared.lists)
    assert neighbours.room(500).shape == (130, 500)


def test_many_stimuli_take_four_bytes_an_index():
    assert neighbours.index_type(2**16) is np.uint16
    assert neighbours.index_type(2**16 + 1) is np.int32


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 60), data=st.data())
def test_seekers_and_degrees_are_those_of_the_matrix(seed, n, data):
    k = data.draw(st.integers(2, n - 1))
    lists = neighbours.nearest(sample(seed, n), k, "cosine").lists
    members, starts = neighbours.seekers(lists)
    a = naive.matrix(lists, n)
    assert [members[starts[i] : starts[i + 1]].tolist() for i in range(n)] == [np.flatnonzero(c).tolist() for c in a.T]
    smaller = naive.matrix(lists[:, : k - 1], n)
    assert neighbours.in_degrees(lists, (k, k - 1)).tolist() == [a.sum(0).tolist(), smaller.sum(0).tolist()]
