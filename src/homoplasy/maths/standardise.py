"""Z-scores of the units of a representation, with a stated answer for units that do not vary."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_FAINT = 1e-6  # of the median sd: a unit that varies less carries rounding noise, which z-scoring would blow up
_RELEASED_EPSILON = 1e-8  # the published code adds it to every sd


def varying(x: Float[Tensor, "n d"]) -> Bool[Tensor, " d"]:
    """The units whose sd is above the rounding of their own numbers and above 1e-6 of the median sd of those."""
    return _varying(x, _centred(x)[1])


def drop_constant(x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
    """Z-score, (x - mean) / sd with ddof 1, of the units that vary."""
    centred, sd = _centred(x)
    kept = _varying(x, sd)
    if not kept.all():
        centred, sd = centred[:, kept], sd[kept]
    return centred.div_(sd)


def add_epsilon(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Z-score, (x - mean) / (sd + 1e-8) with ddof 1, every unit kept; a constant one becomes zero."""
    centred, sd = _centred(x)
    return centred.div_(sd.add_(_RELEASED_EPSILON))


def centre_only(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Subtract the mean only: for units that share a scale which should count."""
    wide = x.double()
    return wide - wide.mean(0)


RULES: dict[str, Callable[..., Tensor]] = {
    "drop_constant": drop_constant,
    "epsilon": add_epsilon,
    "none": centre_only,
}


def _centred(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, " d"]]:
    """Units about their mean, in float64, and their sd: sqrt(sum (x - mean)^2 / (n - 1))."""
    wide = x.double()
    centred = wide - wide.mean(0)
    return centred, centred.square().sum(0).div_(len(x) - 1).sqrt_()  # torch's std is ten times slower


def _varying(x: Float[Tensor, "n d"], sd: Float[Tensor, " d"]) -> Bool[Tensor, " d"]:
    varies = sd > torch.finfo(x.dtype).eps * x.abs().amax(0)
    return varies & (sd > _FAINT * sd[varies].median()) if varies.any() else varies
