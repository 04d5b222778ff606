"""All inner products of the rows of a matrix."""

import torch
from jaxtyping import Float
from torch import Tensor


def gram(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """G = X X'; on the processor through numpy, whose BLAS call makes one half and mirrors it."""
    if x.device.type != "cpu":
        return x @ x.T
    rows = x.contiguous().numpy()
    return torch.from_numpy(rows @ rows.T)
