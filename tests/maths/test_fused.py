import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import _fused, compiled


@settings(max_examples=30, deadline=None)
@given(y=st.floats(-200, 0), less=st.sampled_from([0.0, 1.0]))
def test_a_compiled_entry_is_a_power_of_two_to_the_last_digits(y, less):
    d, v = np.full(16, y, np.float32), np.zeros(16, np.float32)
    _fused._gaussian(v, d, np.float32(1), np.float32(less), np.zeros(16, np.float32))
    exact = math.expm1(float(d[0]) * math.log(2)) if less else 2.0 ** float(d[0])
    assert v[0] == pytest.approx(exact, rel=3e-7, abs=2e-38)


@pytest.mark.parametrize(("sources", "targets", "length"), [(1, 1, 16), (4, 3, 512), (5, 7, 48), (12, 20, 160)])
def test_products_are_those_of_the_rows_whatever_the_counts(sources, targets, length):
    rng = np.random.default_rng(1)
    high, wide = _fused.padded(sources, targets)
    v, w = (np.zeros((count, 512), np.float32) for count in (high, wide))
    v[:sources, :length], w[:targets, :length] = rng.random((sources, length)), rng.random((targets, length))
    cross = np.ones((sources, targets))
    _fused.products(v, w, length, cross)
    np.testing.assert_allclose(cross, 1 + v[:sources].astype(float) @ w[:targets].astype(float).T, rtol=1e-6)


def test_code_is_compiled_where_it_cannot_be_kept(monkeypatch):
    real = numba.njit

    def nowhere(*args, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert compiled.compiled(lambda x: x + 1)(1) == 2
