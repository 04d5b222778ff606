"""Pictures are prepared once for all models of a geometry, within a bound of memory."""

import numpy as np
import pytest

from homoplasy.models._contract import Stimuli
from homoplasy.models._shelf import Shelf

IDS = np.array([11, 3, 7, 5])
PICTURES = np.arange(4 * 6 * 6 * 3, dtype=np.uint8).reshape(4, 6, 6, 3)
ROW = {stimulus: row for row, stimulus in enumerate(IDS)}
BYTES = 4 * 3 * 3 * 3  # of all pictures, halved in height and width


class Halving:
    """A geometry that counts the pictures it was given."""

    def __init__(self):
        self.made = 0

    def __call__(self, pictures):
        self.made += len(pictures)
        return pictures[:, ::2, ::2]


def stimuli(limit):
    return Stimuli(IDS, [""] * 4, lambda wanted: PICTURES[[ROW[one] for one in wanted]], Shelf(limit))


@pytest.mark.parametrize("limit", [0, BYTES - 1, BYTES, 10 * BYTES])
@pytest.mark.parametrize("size", [1, 3, 4])
def test_what_is_given_does_not_depend_on_the_shelf(limit, size):
    shown = stimuli(limit).shown("half", Halving())
    for _ in range(2):
        assert np.array_equal(np.concatenate(list(shown.picture_batches(size))), PICTURES[:, ::2, ::2])


def test_a_picture_is_prepared_once_for_two_models():
    given, half = stimuli(BYTES), Halving()
    for size in (3, 2):
        list(given.shown("half", half).picture_batches(size))
    assert half.made == 4


def test_pictures_that_do_not_fit_are_prepared_each_time():
    given, half = stimuli(BYTES - 1), Halving()
    for _ in range(2):
        list(given.shown("half", half).picture_batches(2))
    assert half.made == 8


def test_the_longest_unused_geometry_goes_first():
    given = stimuli(2 * BYTES)
    halves = {name: Halving() for name in "abc"}
    for name in "abac":  # c pushes b out
        given.shown(name, halves[name]).pictures(IDS)
    for name in "ca":
        given.shown(name, halves[name]).pictures(IDS)
    assert [halves[name].made for name in "abc"] == [4, 4, 4]
    given.shown("b", halves["b"]).pictures(IDS)
    assert halves["b"].made == 8
