import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import _fused, compiled
from homoplasy.maths._lanes import LANES, load, splat, store


@compiled.compiled
def _written(v, d, less):
    one, nothing = splat(np.float32(1)), splat(np.float32(0))
    store(v, 0, _fused._entry(load(d, 0), one, splat(less), nothing, False))


@settings(max_examples=30, deadline=None)
@given(y=st.floats(-200, 0), less=st.sampled_from([0.0, 1.0]))
def test_a_compiled_entry_is_a_power_of_two_to_the_last_digits(y, less):
    d, v = np.full(16, y, np.float32), np.zeros(16, np.float32)
    _written(v, d, np.float32(less))
    exact = math.expm1(float(d[0]) * math.log(2)) if less else 2.0 ** float(d[0])
    assert v[0] == pytest.approx(exact, rel=3e-7, abs=2e-38)


@pytest.mark.parametrize(("sources", "targets", "length"), [(1, 1, 16), (4, 6, 512), (5, 7, 48), (12, 20, 160)])
def test_products_are_those_of_the_rows_whatever_the_counts(sources, targets, length):
    rng = np.random.default_rng(1)
    high, wide = _fused.padded(sources, targets)
    v, w = (np.zeros((count, 512), np.float32) for count in (high, wide))
    v[:sources, :length], w[:targets, :length] = rng.random((sources, length)), rng.random((targets, length))
    cross = np.ones((sources, targets))
    _fused.products(v, w, length, cross)
    np.testing.assert_allclose(cross, 1 + v[:sources].astype(float) @ w[:targets].astype(float).T, rtol=1e-6)


@pytest.mark.parametrize(("own", "to"), [((0, 8), (0, 8)), ((0, 5), (0, 5)), ((2, 9), (30, 61)), ((16, 33), (16, 33))])
@pytest.mark.parametrize(("sources", "targets", "widths"), [(1, 1, 1), (3, 8, 2), (150, 2, 3)])
def test_the_sums_of_a_rectangle_are_those_of_its_entries_wherever_it_stands(own, to, sources, targets, widths):
    rng, b, height = np.random.default_rng(2), sources + targets, own[1] - own[0]
    squared = rng.random((b, 64 + _fused.TALL, 64 + LANES), np.float32)
    factor, shift = -rng.random((widths, b), np.float32), rng.random((widths, b, 64 + LANES), np.float32)
    linear = np.arange(widths * b).reshape(widths, b) % 3 == 0
    kernels = _fused.Kernels(factor, np.zeros((widths, b), np.float32), linear, shift)
    sizes = (widths, sources, targets), (widths, b), (widths, b, 32), (widths, b, 32)
    part = _fused.Part(*(np.zeros(size, kind) for size, kind in zip(sizes, "ddff", strict=True)))
    _fused.add(squared, kernels, (*own, *to), (0, 0), _fused.room(sources, widths), part)

    scaled = factor[..., None, None] * squared[:, slice(*own), slice(*to)].astype(float)
    v = np.where(linear[..., None, None], scaled, np.exp2(scaled))
    v -= shift[..., slice(*own), None].astype(float) + shift[..., None, slice(*to)]
    if own == to:
        v[..., np.arange(height), np.arange(height)] = 0
    cross = np.einsum("wsij,wtij->wst", v[:, :sources], v[:, sources:])
    known = cross, (v**2).sum((2, 3)), v.sum(3), v.sum(2)
    for found, truth in zip(
        part, (*known[:2], *(np.pad(one, [(0, 0), (0, 0), (0, 32 - one.shape[2])]) for one in known[2:])), strict=True
    ):
        np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-4)


def test_code_is_compiled_where_it_cannot_be_kept(monkeypatch):
    real = numba.njit

    def nowhere(*args, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert compiled.compiled(lambda x: x + 1)(1) == 2
