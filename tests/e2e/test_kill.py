"""A pipeline that is killed at random moments ends in the bytes of one that was left alone; `make kills` does fifty."""

from itertools import islice

import numpy as np
import pytest

from tests.e2e import checkout as checkouts
from tests.e2e.kills import kills, outcome

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_run_that_is_killed_at_random_moments_ends_in_the_same_bytes(finished, tmp_path):
    killed = checkouts.make(tmp_path)
    moments = list(islice(kills(killed, np.random.default_rng(8)), 3))
    assert moments
    killed.dvc("repro")
    assert outcome(killed) == outcome(finished)


def test_a_run_that_was_not_killed_is_told_apart(finished, tmp_path):
    again = finished.copy(tmp_path / "again")
    assert not again.killed_after(300)
    assert outcome(again) == outcome(finished)
