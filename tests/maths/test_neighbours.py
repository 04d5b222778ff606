from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import neighbours


def sample(seed, n, d=4):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive_lists(x, k, metric):
    """Row by row, a stable sort of similarities."""
    rows = x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
    out = []
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        out.append(sorted(others, key=lambda j, i=i: -float(rows[i] @ rows[j]))[:k])
    return np.array(out)


def matrix(lists, n):
    out = np.zeros((n, n))
    np.put_along_axis(out, lists, 1.0, axis=1)
    return out


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 40), metric=st.sampled_from(["cosine", "inner"]), data=st.data())
def test_lists_are_those_of_a_stable_sort(seed, n, metric, data):
    k = data.draw(st.integers(1, n - 1))
    x = sample(seed, n)
    assert np.array_equal(neighbours.nearest(x, k, metric), naive_lists(x.numpy(), k, metric))


@pytest.mark.parametrize(("n", "k"), [(130, 1), (130, 12), (600, 60), (1100, 100)])
def test_a_guessed_threshold_changes_nothing(n, k):
    x = sample(3, n, d=6)
    similarity = (neighbours.unit_rows(x) @ neighbours.unit_rows(x).T).fill_diagonal_(-torch.inf)
    every = np.argsort(-similarity.numpy(), axis=1, kind="stable")[:, :k]
    assert np.array_equal(neighbours.nearest(x, k, "cosine"), every)
    assert np.array_equal(neighbours._top(similarity, k).numpy(), every)


def test_a_sample_that_misleads_costs_time_but_no_neighbour():
    """Every second stimulus, which the sample is taken from, is far more alike than the others."""
    x = sample(4, 300, d=50)
    x[::2] += 3.0
    found = neighbours.nearest(x, 20, "inner")
    assert np.array_equal(found, naive_lists(x.numpy(), 20, "inner"))


@pytest.mark.parametrize("n", [12, 200, 900])
def test_of_equally_near_stimuli_the_earlier_comes_first(n):
    x = sample(5, n // 4).repeat_interleave(4, 0)
    found = neighbours.nearest(x, 3, "cosine")
    expected = [[j for j in range(4 * (i // 4), 4 * (i // 4) + 4) if j != i] for i in range(n)]
    assert np.array_equal(found, expected)
    assert np.array_equal(neighbours.nearest(torch.ones(n, 2).double(), 2, "inner")[:3], [[1, 2], [0, 2], [0, 1]])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 80), data=st.data())
def test_counts_are_those_of_the_matrices(seed, n, data):
    k = data.draw(st.integers(1, n - 2))
    lists = [neighbours.nearest(sample(seed + one, n), k, "cosine") for one in (0, 1)]
    tables = [neighbours.rank_table(one) for one in lists]
    a, b = (matrix(one, n) for one in lists)
    forward = [neighbours.bits(one, k) for one in tables]
    assert neighbours.shared(*forward) == (a * b).sum()
    assert neighbours.met(neighbours.reverse_bits(tables[0], k), forward[1]).tolist() == ((a.T * b).sum(1) > 0).tolist()
    assert neighbours.in_degrees(lists[0], k).tolist() == a.sum(0).tolist()
    mutual = [(matrix(lists[0][:, :j], n) * matrix(lists[0][:, :j], n).T).sum() for j in range(1, k + 1)]
    assert neighbours.mutual_pairs(lists[0], tables[0]).tolist() == mutual


@pytest.mark.parametrize(("n", "k"), [(5, 1), (6, 2), (7, 3)])
def test_moments_are_those_of_all_re_pairings(n, k):
    lists = [neighbours.nearest(sample(seed, n), k, "inner") for seed in (1, 2)]
    tables = [neighbours.rank_table(one) for one in lists]
    a, b = (matrix(one, n) for one in lists)
    every = [b[np.ix_(order, order)] for order in permutations(range(n))]
    degrees = [neighbours.in_degrees(one, k) for one in lists]
    spreads = [
        neighbours.spread(d, k, int(neighbours.mutual_pairs(one, table)[k - 1]))
        for d, one, table in zip(degrees, lists, tables, strict=True)
    ]
    overlaps = [(a * one).sum() / (n * k) for one in every]
    assert np.mean(overlaps) == pytest.approx(k / (n - 1), abs=1e-12)
    assert np.std(overlaps) == pytest.approx(neighbours.overlap_sd([spreads[0]], [spreads[1]], n, k)[0, 0], abs=1e-12)
    cycles = [((a.T * one).sum(1) > 0).mean() for one in every]
    assert np.mean(cycles) == pytest.approx(neighbours.cycle_chance(degrees[0], k), abs=1e-12)
