"""Many correlations at once are those of one at a time."""

import numpy as np
import pytest

from homoplasy.maths import correlation
from homoplasy.maths.correlated_rows import between_columns, intervals, with_each

RNG = np.random.default_rng(3)
ROWS, Y, GIVEN = RNG.normal(size=(6, 15)), RNG.normal(size=15), RNG.normal(size=(15, 2))
HELD = {"nothing": None, "a column": GIVEN[:, 0], "two columns": GIVEN}


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("method", correlation.METHODS)
def test_every_row_has_the_correlation_that_it_has_alone(held, method):
    alone = [correlation.correlation(row, Y, HELD[held], method) for row in ROWS]
    assert with_each(ROWS, Y, HELD[held], method) == pytest.approx(alone, abs=1e-12)


def test_rows_that_are_constant_not_finite_or_what_is_held_fixed_have_none():
    rows = np.vstack([np.full(15, 0.1), np.where(np.arange(15) == 3, np.nan, Y), 2 * GIVEN[:, 0] + 1, Y])
    found = with_each(rows, Y, GIVEN[:, 0])
    assert np.isnan(found[:3]).all()
    assert found[3] == pytest.approx(1.0)
    assert np.isnan(with_each(ROWS[:, :2], Y[:2])).all()
    assert np.isnan(with_each(ROWS, np.where(np.arange(15) == 0, np.inf, Y))).all()


@pytest.mark.parametrize("method", correlation.METHODS)
def test_the_mean_over_pairs_of_columns_is_that_of_the_pairs(method):
    tables = RNG.normal(size=(4, 9, 3))
    pairs = [
        np.mean([correlation.correlation(t[:, a], t[:, b], method=method) for a, b in ((0, 1), (0, 2), (1, 2))])
        for t in tables
    ]
    assert between_columns(tables, method) == pytest.approx(pairs, abs=1e-12)
    tables[0, :, 1], tables[1, 2, 2] = 5.0, np.nan
    assert np.isnan(between_columns(tables, method)).tolist() == [True, True, False, False]


@pytest.mark.parametrize("method", correlation.METHODS)
def test_intervals_are_fishers(method):
    r = np.array([-0.9, 0.0, 0.4, 1.0, np.nan])
    low, high = intervals(r, 20, 1, method)
    expected = np.array([correlation.fisher_interval(float(one), 20, 1, method) for one in r])
    assert np.column_stack([low, high]) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(intervals(r, 3)[0]).all()
