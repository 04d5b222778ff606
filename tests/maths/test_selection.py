import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import selection


def smallest(keys, ks):
    out = np.empty(len(keys), np.int64)
    selection.smallest(keys, len(keys), np.array(ks), np.empty(selection.BUCKETS, np.int64), out)
    return out.tolist()


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(st.integers(0, 2**62), min_size=1, max_size=300), data=st.data())
def test_the_first_are_the_smallest_for_every_size_asked_for(keys, data):
    ks = sorted(data.draw(st.sets(st.integers(1, len(keys)), min_size=1, max_size=5)))
    found = smallest(np.array(keys, np.int64), ks)
    for k in ks:
        assert sorted(found[:k]) == sorted(keys)[:k]
        assert found[k - 1] == max(found[:k])


def test_they_come_in_order_where_every_size_is_asked_for():
    keys = np.random.default_rng(1).integers(0, 2**62, 200)
    assert smallest(keys, range(1, 151))[:150] == sorted(keys.tolist())[:150]


@pytest.mark.parametrize("count", [1, 33, 5000])
def test_a_crowd_in_one_bucket(count):
    rng = np.random.default_rng(count)
    keys = np.concatenate([rng.integers(0, 2**20, count), [2**62]])
    assert smallest(keys, [1, count])[:count] == sorted(keys.tolist())[:count]


def test_equal_keys_are_all_there():
    assert smallest(np.array([5, 3, 5, 3, 5], np.int64), [4])[:4] == [3, 3, 5, 5]


def test_what_passes_keeps_its_order():
    out = np.empty(6, np.int64)
    found = selection.passing(np.array([4, 9, 2, 7, 4, 1], np.int64), 5, 4, out)
    assert out[:found].tolist() == [4, 2, 4]
