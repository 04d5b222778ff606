"""Inner products of rows and what they are decomposed into; on the processor through numpy, whose BLAS halves them."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_COLUMNS = 2048  # taken at a time where columns are centred on the way


def gram(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """G = X X'."""
    if x.device.type != "cpu":
        return x @ x.T
    rows = x.contiguous().numpy()
    return torch.from_numpy(rows @ rows.T)


def centred_gram(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """G = X_c X_c' in float64, columns about their means, some at a time: X is never held in float64."""
    total = torch.zeros(len(x), len(x), dtype=torch.float64, device=x.device)
    for some in x.split(_COLUMNS, 1):
        wide = some.double()
        total += gram(wide - wide.mean(0))
    return total


def eigh(g: Float[Tensor, "m m"]) -> tuple[Float[Tensor, " m"], Float[Tensor, "m m"]]:
    """Eigenvalues of a symmetric matrix, rising, and their vectors."""
    if g.device.type != "cpu":
        return torch.linalg.eigh(g)
    values, vectors = np.linalg.eigh(g.numpy())
    return torch.from_numpy(values), torch.from_numpy(vectors)
