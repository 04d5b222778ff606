"""Random streams by name, so that a new model or region never moves the numbers of another."""

import hashlib

import numpy as np
from numpy.random import Generator, SeedSequence


def stream(seed: int, *names: str | int) -> Generator:
    """Return the generator of one named thing: the seed's child whose key is the SHA-256 of the name."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    key = tuple(np.frombuffer(digest, dtype=">u4").tolist())
    return np.random.default_rng(SeedSequence(seed, spawn_key=key))
