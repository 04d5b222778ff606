"""Trees: planted groups, the Newick text read back by another parser, agreement against scikit-learn."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet
from sklearn.metrics import adjusted_rand_score

from homoplasy.maths import trees


def parse(text):
    """A small recursive reader of Newick; returns the distance of every leaf from the root."""
    tokens = re.findall(r"'(?:[^']|'')*'|[(),;]|:[^(),;]+", text)
    place = 0

    def node():
        nonlocal place
        if tokens[place] == "(":
            below = []
            while tokens[place] in "(,":
                place += 1
                below += node()
            assert tokens[place] == ")"
            place += 1
        else:
            below = [(tokens[place][1:-1].replace("''", "'"), 0.0)]
            place += 1
        length = 0.0
        if tokens[place].startswith(":"):
            length = float(tokens[place][1:])
            place += 1
        return [(name, depth + length) for name, depth in below]

    depths = dict(node())
    assert tokens[place:] == [";"]
    return depths


def planted(seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 10))
    return trees.unit_rows(np.repeat(centres, 5, axis=0) + 0.05 * rng.normal(size=(15, 10)))


def test_planted_groups_are_found():
    linkage = trees.ward(planted())
    assert trees.adjusted_rand(trees.cut(linkage, 3), np.repeat(["x", "y", "z"], 5)) == 1.0
    assert trees.fidelity(linkage, planted()) > 0.9
    order = np.array(trees.leaf_order(linkage))
    assert len(set((order // 5)[[0, 5, 10]])) == 3
    assert sorted(order) == list(range(15))


def test_newick_keeps_names_and_heights():
    names = [f"planted:model {n}, (it's [{n}]);" for n in range(15)]
    linkage = trees.ward(planted())
    depths = parse(trees.newick(linkage, names))
    assert set(depths) == set(names)
    assert depths[names[3]] == pytest.approx(linkage[-1, 2], rel=1e-4)
    assert max(depths.values()) == pytest.approx(cophenet(linkage).max(), rel=1e-4)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_agreement_equals_scikit_learns(pairs):
    a, b = np.array(pairs).T
    assert trees.adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


def test_rows_have_length_one_and_a_row_of_zeros_stays():
    scaled = trees.unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(scaled, [[0.6, 0.8], [0, 0]])


def test_two_leaves_have_no_fidelity():
    profiles = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.isnan(trees.fidelity(trees.ward(profiles), profiles))


def test_clades_and_their_support():
    points = np.array([[0.0], [0.1], [5.0], [5.2], [9.0]])
    tree = trees.ward(points)
    found = trees.clades(tree)
    assert frozenset({0, 1}) in found
    assert found[-1] == frozenset(range(5))
    other = trees.ward(points[[0, 2, 1, 3, 4]])
    shares = dict(zip(found, trees.support(tree, [tree, other]), strict=True))
    assert shares[frozenset({0, 1})] == 0.5
    assert shares[frozenset(range(5))] == 1.0
