"""Random weights from a seed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let initialisers draw from this seed.

    Those of timm and transformers take no generator: they draw from torch's own. It is lent to them here, seeded, and
    given back as it was, so that nothing outside this block can tell.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
