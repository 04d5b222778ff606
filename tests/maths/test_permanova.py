"""Differences between groups of points: the definition by distances, the null, and a planted difference."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from homoplasy.maths.permanova import permanova


def by_distances(points, groups):
    d = squareform(pdist(points)) ** 2
    total = d[np.triu_indices(len(d), 1)].sum() / len(d)
    within = 0.0
    for name in np.unique(groups):
        own = d[np.ix_(groups == name, groups == name)]
        within += own[np.triu_indices(len(own), 1)].sum() / len(own)
    a, m = len(np.unique(groups)), len(points)
    return 1 - within / total, ((total - within) / (a - 1)) / (within / (m - a))


def test_it_is_what_the_distances_say():
    rng = np.random.default_rng(0)
    points, groups = rng.normal(size=(20, 5)), rng.integers(0, 3, 20)
    share, f, _ = permanova(points, groups, 10, rng)
    assert (share, f) == pytest.approx(by_distances(points, groups))


def test_it_rejects_as_often_as_it_says_and_finds_a_shift():
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2], 6)
    p = np.array([permanova(rng.normal(size=(18, 4)), groups, 39, rng)[2] for _ in range(200)])
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert permanova(rng.normal(size=(18, 4)) + 5 * groups[:, None], groups, 99, rng)[2] == pytest.approx(0.01)


def test_one_group_or_only_groups_of_one_say_nothing():
    rng = np.random.default_rng(2)
    for groups in (np.zeros(5), np.arange(5)):
        assert np.isnan(permanova(rng.normal(size=(5, 2)), groups, 9, rng)).all()
    assert np.isnan(permanova(np.empty((0, 2)), np.array([], dtype=str), 9, rng)).all()
    assert np.isnan(permanova(np.ones((4, 2)), np.array([0, 0, 1, 1]), 9, rng)).all()
