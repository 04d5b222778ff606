from itertools import permutations

import numpy as np
import pytest

from homoplasy.maths import neighbour_chance, neighbours, overlaps
from tests.maths.neighbourhoods import matrix, sample


@pytest.mark.parametrize(("n", "k"), [(5, 1), (6, 2), (7, 3)])
def test_moments_are_those_of_all_re_pairings(n, k):
    lists = [neighbours.nearest(sample(seed, n), k, "inner").lists for seed in (1, 2)]
    a, b = (matrix(one, n) for one in lists)
    every = [b[np.ix_(order, order)] for order in permutations(range(n))]
    degrees = [neighbours.in_degrees(one, (k,))[0] for one in lists]
    spreads = [
        neighbour_chance.spread(d, k, int(overlaps.mutual_pairs(one, (k,))[0]))
        for d, one in zip(degrees, lists, strict=True)
    ]
    overlap = [(a * one).sum() / (n * k) for one in every]
    assert np.mean(overlap) == pytest.approx(k / (n - 1), abs=1e-12)
    sd = neighbour_chance.overlap_sd([spreads[0]], [spreads[1]], n, k)[0, 0]
    assert np.std(overlap) == pytest.approx(sd, abs=1e-12)
    cycles = [((a.T * one).sum(1) > 0).mean() for one in every]
    assert np.mean(cycles) == pytest.approx(neighbour_chance.cycle_chance(degrees[0], k), abs=1e-12)
