"""Small pictures and captions, unlike each other, and the way they are read."""

from dataclasses import replace

import numpy as np
import pytest

from homoplasy.models._contract import Reading, Stimuli
from homoplasy.models._roster import entry

COUNT = 6


@pytest.fixture(scope="session")
def stimuli() -> Stimuli:
    ids = np.arange(COUNT) * 7 + 3
    pictures = np.random.default_rng(5).integers(0, 256, (COUNT, 48, 48, 3), dtype=np.uint8)
    words = ["a red ball.", "two small dogs, running.", "a tree", "it's raining on the old bridge again.", "a", "a cat"]
    return Stimuli(ids, words, lambda wanted: pictures[np.searchsorted(ids, wanted)])


@pytest.fixture(scope="session")
def reading() -> Reading:
    return Reading(pool="patch_mean", readout="last", batch_size=4)


@pytest.fixture
def load(stimuli, reading):
    """Load a model from a roster line."""

    def loaded(address, options=None, **changed):
        return entry({"model": address} | (options or {}), "a test").load(stimuli, replace(reading, **changed))

    return loaded
