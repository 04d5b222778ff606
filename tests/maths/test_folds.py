"""Folds leave out every row once, and say so when they do not."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.maths import folds


@given(n=st.integers(2, 40), k=st.integers(2, 40), seed=st.integers(0, 99))
def test_every_row_is_left_out_once_and_parts_are_of_like_size(n, k, seed):
    k = min(n, k)
    for found in (folds.blocks(n, k), folds.shuffled(n, k, torch.Generator().manual_seed(seed))):
        folds.check(found, n)
        assert len(found) == k
        assert max(map(len, found)) - min(map(len, found)) <= 1
        assert all(torch.equal(fold, fold.sort().values) for fold in found)


def test_a_shuffle_is_its_generator():
    one, same, other = (folds.shuffled(30, 3, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert all(map(torch.equal, one, same))
    assert not all(map(torch.equal, one, other))


def test_labels_are_left_out_one_at_a_time():
    found = folds.by_label(torch.tensor([3, 1, 3, 2]))
    assert [fold.tolist() for fold in found] == [[1], [3], [0, 2]]


@pytest.mark.parametrize("k", [1, 6])
def test_a_number_of_folds_that_cannot_be_is_refused(k):
    with pytest.raises(ValueError, match=f"5 rows make 2 to 5 folds, found {k}"):
        folds.blocks(5, k)


@pytest.mark.parametrize("parts", [[], [[0, 1, 2]], [[0, 1], [1, 2]], [[0], [1]], [[0, 1, 2], []], [[0, 1], [3]]])
def test_folds_that_do_not_part_the_rows_are_refused(parts):
    with pytest.raises(ValueError, match="each of 3 rows once, in two or more parts"):
        folds.check([torch.tensor(part, dtype=torch.int64) for part in parts], 3)
