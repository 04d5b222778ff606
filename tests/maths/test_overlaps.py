import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import neighbours, overlaps
from tests.maths.neighbourhoods import matrix, sample


def side(seed, count, n, k):
    return np.stack([neighbours.nearest(sample(seed + one, n), k, "cosine").lists for one in range(count)])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 140), data=st.data())
def test_counts_are_those_of_the_matrices(seed, n, data):
    widest = data.draw(st.integers(1, n - 2))
    k = data.draw(st.integers(1, widest))
    ours, theirs = side(seed, 2, n, widest), side(seed + 9, 3, n, widest)
    a, b = ([matrix(one[:, :k], n) for one in lists] for lists in (ours, theirs))
    assert overlaps.shared(ours, theirs, k).tolist() == [[(one * other).sum() for other in b] for one in a]
    met = [[((one.T * other).sum(1) > 0).sum() for other in b] for one in a]
    assert overlaps.met(ours, theirs, k).tolist() == met


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 140), data=st.data())
def test_mutual_pairs_are_those_of_the_matrix(seed, n, data):
    ks = data.draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=4, unique=True))
    (lists,) = side(seed, 1, n, max(ks))
    a = {k: matrix(lists[:, :k], n) for k in ks}
    assert overlaps.mutual_pairs(lists, ks).tolist() == [(a[k] * a[k].T).sum() for k in ks]
    expected = np.take_along_axis(a[ks[0]].T, lists[:, : ks[0]].astype(int), axis=1) > 0
    assert np.array_equal(overlaps.returned(lists, ks[0]), expected)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(threads):
    ours, theirs = side(1, 2, 101, 12), side(5, 3, 101, 12)
    alone = overlaps.shared(ours, theirs, 7), overlaps.met(ours, theirs, 7)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = overlaps.shared(ours, theirs, 7), overlaps.met(ours, theirs, 7)
    finally:
        torch.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_four_bytes_an_index_say_the_same():
    ours, theirs = side(1, 1, 80, 9), side(5, 1, 80, 9)
    wide = [one.astype(np.int32) for one in (ours, theirs)]
    assert np.array_equal(overlaps.shared(ours, theirs, 9), overlaps.shared(*wide, 9))
