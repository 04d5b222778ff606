"""Whether several subjects agree on which way a quantity moves, region by region."""

from itertools import product

import numpy as np
from jaxtyping import Float


def consistency(change: Float[np.ndarray, "s r"]) -> float:
    """Mean over regions of the share of subjects whose change has the sign of the mean over subjects."""
    return float(shares(change).mean())


def shares(change: Float[np.ndarray, "s r"]) -> Float[np.ndarray, " r"]:
    """The share of subjects whose change has the sign of the mean over subjects, of every region."""
    same: Float[np.ndarray, " r"] = (np.sign(change) == np.sign(change.mean(axis=0))).mean(axis=0)
    return same


def chance(subjects: int) -> float:
    """What `consistency` is for independent Gaussian changes: 1/2 + arcsin(1 / sqrt(s)) / pi; 2/3 for four subjects.

    >>> round(chance(4), 10)
    0.6666666667
    """
    return float(0.5 + np.arcsin(1 / np.sqrt(subjects)) / np.pi)


def flip_p(change: Float[np.ndarray, "s r"]) -> float:
    """How rarely turning the signs of whole subjects round gives as much consistency; at best 1 / 2^(s-1).

    All 2^(s-1) distinct choices are counted: turning every subject round changes nothing.
    """
    own = consistency(change)
    flips = [np.array([1, *rest])[:, None] for rest in product((1, -1), repeat=len(change) - 1)]
    return float(np.mean([consistency(change * flip) >= own - 1e-12 for flip in flips]))
