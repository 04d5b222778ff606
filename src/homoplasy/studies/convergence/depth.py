"""Where in a model a layer stands: eight bins of relative depth, as we count them and as the released code does."""

from collections.abc import Callable, Mapping
from fractions import Fraction

import pandas as pd

_FINEST = 4096  # more layers than any model has: a depth is taken back to the fraction it was computed from


def block_bin(position: int, layers: int, bins: int, modality: str) -> int:
    """Bin 1 ... bins of the layer at position 1 ... layers: k = ceil(bins position / layers).

    >>> [block_bin(position, 4, 8, "vision") for position in (1, 2, 3, 4)]
    [2, 4, 6, 8]
    """
    del modality  # the same for both
    return -(-bins * position // layers)


def released_bin(position: int, layers: int, bins: int, modality: str) -> int:
    """Bin of the released code: floor(bins i / N) with i = position - 1, language floor(bins l / (L - .001)).

    Here l = position, and language has one bin more than the others, which holds the last layer alone.

    >>> [released_bin(position, 4, 8, "vision") for position in (1, 2, 3, 4)]
    [0, 2, 4, 6]
    >>> released_bin(28, 28, 8, "language")
    8
    """
    if modality == "vision":
        return bins * (position - 1) // layers
    return 1000 * bins * position // (1000 * layers - 1)


BINNINGS: Mapping[str, Callable[[int, int, int, str], int]] = {"block": block_bin, "released": released_bin}


def scored_bin(bins: int) -> int:
    """The bin that holds three quarters of the depth: ceil(3 bins / 4).

    >>> [scored_bin(bins) for bins in (4, 8, 12)]
    [3, 6, 9]
    """
    return -(-3 * bins // 4)


def layer_bins(layers: pd.DataFrame, bins: int, binning: str) -> pd.Series:
    """Bin of each row of a table with the columns `source`, `layer`, `depth` and `modality`; depth is in (0, 1]."""
    steps = layers.groupby("source")["depth"].transform("nunique")
    return pd.Series(
        [
            BINNINGS[binning](*_position(depth, count), bins, modality)
            for depth, count, modality in zip(layers["depth"], steps, layers["modality"], strict=True)
        ],
        index=layers.index,
        dtype="int64",
    )


def _position(depth: float, layers: int) -> tuple[int, int]:
    """Position and number of layers behind a depth; they differ from the count where some layers were not kept."""
    exact = Fraction(depth).limit_denominator(_FINEST)
    if layers % exact.denominator == 0:
        return exact.numerator * (layers // exact.denominator), layers
    return exact.numerator, exact.denominator
