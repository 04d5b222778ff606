"""An honest extractor of what a caption says: which words it has, and nothing learned."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy.address import Address
from homoplasy.errors import BadRequest
from homoplasy.models import _contract
from homoplasy.models._contract import Reading, Stimuli, layer
from homoplasy.representation import Representation

VERSION = 1

Options = _contract.Options


def split(caption: str) -> list[str]:
    """The words of a caption, in lower case.

    >>> split("A dog's red ball.")
    ['a', "dog's", 'red', 'ball']
    """
    return re.findall(r"\w+(?:'\w+)*", caption.lower())


def bag(captions: Sequence[str]) -> NDArray[np.float32]:
    """Count words: one column a word that at least two captions have, in alphabetical order.

    >>> bag(["a red ball", "a red red box"]).tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    counts = [Counter(split(caption)) for caption in captions]
    spread = Counter(word for one in counts for word in one)
    words = sorted(word for word, captions_with in spread.items() if captions_with > 1)
    place = {word: column for column, word in enumerate(words)}
    values = np.zeros((len(counts), len(words)), dtype=np.float32)
    for row, one in enumerate(counts):
        for word in one.keys() & place.keys():
            values[row, place[word]] = one[word]
    return values


@dataclass(frozen=True)
class Words:
    """The one such extractor."""

    options: Options
    stimuli: Stimuli
    modality: str = "language"

    @property
    def identity(self) -> Mapping[str, Any]:
        """The captions alone decide it."""
        return {}

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give its only layer."""
        facts = {"family": "words", "architecture": "bag of words", "parameters": 0}
        return [layer(bag(self.stimuli.captions), self.stimuli, "counts", (0, 1), readout="caption")], facts


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Words:  # noqa: ARG001 - contract
    """Name it; there is only `words:bag`."""
    if address.rest != "bag":
        raise BadRequest(f"expected 'words:bag', found '{address}'.")
    return Words(options, stimuli)
