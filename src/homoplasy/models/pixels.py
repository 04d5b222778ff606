"""An honest extractor of what the eye meets first: the low spatial frequencies of the picture, and nothing learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from homoplasy.address import Address
from homoplasy.errors import BadRequest
from homoplasy.models import _contract
from homoplasy.models._contract import Reading, Stimuli, layer
from homoplasy.representation import Representation

VERSION = 1
FREQUENCIES = 6  # of cosines a side: the finest makes two and a half waves across the picture

Options = _contract.Options


def cosines(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Project grey pictures on the first 6 x 6 two-dimensional cosines (discrete cosine transform II), mean left out.

    >>> cosines(np.full((2, 16, 16, 3), 7, dtype=np.uint8)).shape
    (2, 35)
    """
    grey = pictures.mean(-1, dtype=np.float64) / 255
    low = dctn(grey, axes=(1, 2), norm="ortho")[:, :FREQUENCIES, :FREQUENCIES]
    return low.reshape(len(grey), -1)[:, 1:].astype(np.float32)


@dataclass(frozen=True)
class Pixels:
    """The one such extractor."""

    options: Options
    stimuli: Stimuli
    reading: Reading
    modality: str = "vision"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Nothing but the number of cosines decides it."""
        return {"frequencies": FREQUENCIES}

    def represent(self) -> tuple[list[Representation], dict[str, Any]]:
        """Give its only layer."""
        values = np.concatenate([cosines(batch) for batch in self.stimuli.picture_batches(self.reading.batch_size)])
        facts = {"family": "pixels", "architecture": "cosine projection", "parameters": 0}
        return [layer(values, self.stimuli, "cosines", (0, 1), pooling="none")], facts


def load(address: Address, options: Options, stimuli: Stimuli, reading: Reading) -> Pixels:
    """Name it; there is only `pixels:cosine`."""
    if address.rest != "cosine":
        raise BadRequest(f"expected 'pixels:cosine', found '{address}'.")
    return Pixels(options, stimuli, reading)
