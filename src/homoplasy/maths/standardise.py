"""Z-scores of the units of a representation, with a stated answer for units that do not vary."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_FAINT = 1e-6  # of the median sd: a unit that varies less carries rounding noise, which z-scoring would blow up
_RELEASED_EPSILON = 1e-8  # the published code adds it to every sd


def varying(x: Float[Tensor, "n d"]) -> Bool[Tensor, " d"]:
    """The units whose sd is above the rounding of their own numbers and above 1e-6 of the median sd of those."""
    wide = x.double()
    sd = wide.std(0, correction=1)
    varies = sd > torch.finfo(x.dtype).eps * wide.abs().amax(0)
    return varies & (sd > _FAINT * sd[varies].median()) if varies.any() else varies


def drop_constant(x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
    """Z-score, (x - mean) / sd with ddof 1, of the units that vary."""
    kept = x[:, varying(x)].double()
    return (kept - kept.mean(0)) / kept.std(0, correction=1)


def add_epsilon(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Z-score, (x - mean) / (sd + 1e-8) with ddof 1, every unit kept; a constant one becomes zero."""
    wide = x.double()
    return (wide - wide.mean(0)) / (wide.std(0, correction=1) + _RELEASED_EPSILON)


def centre_only(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Subtract the mean only: for units that share a scale which should count."""
    wide = x.double()
    return wide - wide.mean(0)


RULES: dict[str, Callable[..., Tensor]] = {
    "drop_constant": drop_constant,
    "epsilon": add_epsilon,
    "none": centre_only,
}
