"""Shares of variance over a factorial: known functions, and the law that they add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths.variance_components import shares


def test_an_additive_function_is_taken_apart_exactly():
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0])
    found = shares(a[:, None, None] + b[None, :, None] + np.zeros((1, 1, 4)))
    whole = a.var() + b.var()
    assert found.first == pytest.approx([a.var() / whole, b.var() / whole, 0.0])
    assert found.total == pytest.approx(found.first)


def test_a_pure_interaction_belongs_to_no_choice_alone():
    found = shares(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert found.first == pytest.approx([0.0, 0.0])
    assert found.total == pytest.approx([1.0, 1.0])


def test_eta_squared_is_that_of_an_analysis_of_variance():
    y = np.random.default_rng(1).normal(size=(3, 4))
    between = 4 * ((y.mean(axis=1) - y.mean()) ** 2).sum()
    assert shares(y).first[0] == pytest.approx(between / ((y - y.mean()) ** 2).sum())


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), shape=st.lists(st.integers(2, 4), min_size=1, max_size=4))
def test_shares_lie_in_order_and_add_up_to_one_at_most(seed, shape):
    found = shares(np.random.default_rng(seed).normal(size=shape))
    assert (found.first >= -1e-12).all()
    assert (found.first <= found.total + 1e-12).all()
    assert found.first.sum() <= 1 + 1e-12


def test_values_that_are_all_alike_have_no_shares():
    assert np.isnan(shares(np.ones((2, 3))).first).all()
