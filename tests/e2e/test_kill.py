"""A pipeline that is killed at random moments ends in the bytes of one that was left alone; `make kills` does fifty."""

from itertools import islice

import numpy as np
import pytest

from tests.e2e import checkout as checkouts
from tests.e2e.kills import kills, outcome

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The first stages on little, left alone."""
    made = checkouts.make_tiny(tmp_path_factory.mktemp("tiny"))
    made.dvc("repro")
    return made


def survives(killed, sound):
    moments = list(islice(kills(killed, sound, np.random.default_rng(8)), 3))
    assert moments
    killed.dvc("repro")
    assert outcome(killed) == outcome(sound)


def test_a_run_that_is_killed_at_random_moments_ends_in_the_same_bytes(tiny, tmp_path):
    survives(checkouts.make_tiny(tmp_path), tiny)


@pytest.mark.acceptance
def test_so_does_a_run_of_every_stage(finished, tmp_path):
    survives(checkouts.make(tmp_path), finished)


def test_a_run_that_was_not_killed_is_told_apart(tiny, tmp_path):
    again = tiny.copy(tmp_path / "again")
    assert not again.killed_after(300)
    assert outcome(again) == outcome(tiny)
