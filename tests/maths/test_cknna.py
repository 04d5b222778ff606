from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import cknna, neighbours, overlaps
from tests.maths import neighbourhoods as naive
from tests.maths.neighbourhoods import sample


def around(objects, k, metric="cosine"):
    near = [neighbours.nearest(x, k, metric) for x in objects]
    lists, similarity = (np.stack(part) for part in zip(*near, strict=True))
    return cknna.Neighbourhoods(lists, similarity, np.stack([overlaps.returned(one, k) for one in lists]))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(6, 40), metric=st.sampled_from(["cosine", "inner"]), data=st.data())
def test_alignments_are_those_of_dense_matrices(seed, n, metric, data):
    k = data.draw(st.integers(2, n - 2))
    x, y = sample(seed, n), sample(seed + 1, n, d=3)
    ours, theirs = around([x], k, metric), around([x, y], k, metric)
    masks = [naive.matrix(one, n) for one in theirs.lists]
    kernels = [one @ one.T for one in (neighbours.METRICS[metric](x).numpy(), neighbours.METRICS[metric](y).numpy())]
    expected = [
        naive.hsic_song(masks[0] * mask * kernels[0], masks[0] * mask * kernel)
        for mask, kernel in zip(masks, kernels, strict=True)
    ]
    assert cknna.alignments(ours, theirs)[0] == pytest.approx(expected, rel=1e-9, abs=1e-14)
    own = [naive.hsic_song(mask * kernel, mask * kernel) for mask, kernel in zip(masks, kernels, strict=True)]
    assert cknna.self_alignments(theirs) == pytest.approx(np.maximum(own, 0), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("n", "k"), [(5, 2), (6, 2), (7, 3)])
def test_the_mean_is_that_of_all_re_pairings(n, k):
    ours, theirs = around([sample(1, n)], k), around([sample(2, n)], k)
    a, b = (naive.matrix(one.lists[0], n) for one in (ours, theirs))
    p, q = (neighbours.unit_rows(sample(seed, n)).numpy() for seed in (1, 2))
    every = []
    for order in permutations(range(n)):
        at = np.ix_(order, order)
        both = a * b[at]
        every.append(naive.hsic_song(both * (p @ p.T), both * (q @ q.T)[at]))
    found = cknna.mean_alignments(cknna.sums(ours), cknna.sums(theirs), n, k)
    assert found == pytest.approx(np.mean(every), abs=1e-15)


def test_what_rounding_leaves_is_no_alignment():
    """All pairs are neighbours and equally alike, as in a simplex: Song's terms cancel."""
    regular = around([sample(1, 12)], 11)
    regular.similarity[:] = 1 / 3
    assert cknna.self_alignments(regular).tolist() == [0.0]


def test_threads_change_nothing():
    ours, theirs = around([sample(1, 60), sample(2, 60)], 8), around([sample(3, 60), sample(4, 60)], 8)
    alone = cknna.alignments(ours, theirs)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert np.array_equal(cknna.alignments(ours, theirs), alone)
    finally:
        torch.set_num_threads(before)
