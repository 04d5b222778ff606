"""The false discovery rate: the classic example, the oracle, and what is not known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from homoplasy.maths.multiplicity import benjamini_hochberg

CLASSIC = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
           0.7590, 1.0]  # fmt: skip


def test_the_example_of_benjamini_and_hochberg_1995_rejects_four():
    p = np.array(CLASSIC)
    assert (benjamini_hochberg(p) <= 0.05).sum() == 4
    assert (p * len(p) <= 0.05).sum() == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_it_is_scipys(p):
    p = np.array(p)
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), atol=1e-12)


def test_what_is_not_known_stays_so_and_counts_for_nothing():
    q = benjamini_hochberg(np.array([0.01, np.nan, 0.02]))
    assert np.isnan(q[1])
    np.testing.assert_allclose(q[[0, 2]], [0.02, 0.02])
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()
