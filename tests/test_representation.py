import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.errors import BadData
from homoplasy.representation import Representation


def make(ids, address="a", d=2):
    ids = np.asarray(ids)
    values = np.arange(ids.size)[:, None] * 10.0 + np.arange(d)
    return Representation(values, ids, address)


ids = st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=True)


@given(left=ids, right=ids)
def test_align_pairs_rows_by_id_whatever_their_order(left, right):
    a, b = make(left), make(right, "b")
    shared = sorted(set(left) & set(right))
    if not shared:
        with pytest.raises(BadData, match="share no stimulus"):
            a.align(b)
        return
    c, d = a.align(b)
    assert c.stimulus_ids.tolist() == d.stimulus_ids.tolist() == shared
    for row, stimulus in enumerate(shared):
        assert np.array_equal(c.values[row], a.values[left.index(stimulus)])
        assert np.array_equal(d.values[row], b.values[right.index(stimulus)])


def test_a_duplicated_id_is_refused_on_either_side():
    for pair in [(make([1, 1, 2], "twice"), make([1, 2])), (make([1, 2]), make([1, 2, 2], "twice"))]:
        with pytest.raises(BadData, match="twice: stimulus id .* more than once"):
            pair[0].align(pair[1])


def test_ids_of_different_types_are_not_compared():
    with pytest.raises(BadData, match="different types"):
        make([1, 2]).align(make(["1", "2"]))


def test_select_takes_rows_in_the_order_asked_and_names_what_is_missing():
    chosen = make([5, 3, 9]).select(np.array([9, 5]))
    assert chosen.stimulus_ids.tolist() == [9, 5]
    assert chosen.values[:, 0].tolist() == [20.0, 0.0]
    with pytest.raises(BadData, match=r"a: 1 stimuli are missing, the first is .*7"):
        make([5, 3, 9]).select(np.array([9, 7]))


@pytest.mark.parametrize(
    ("values", "stimulus_ids", "units"),
    [(np.zeros(3), [1, 2, 3], None), (np.zeros((3, 2)), [1, 2], None), (np.zeros((3, 2)), [1, 2, 3], [1])],
)
def test_shapes_that_do_not_fit_are_refused(values, stimulus_ids, units):
    with pytest.raises(BadData, match="expected"):
        Representation(values, stimulus_ids, "odd", units)
