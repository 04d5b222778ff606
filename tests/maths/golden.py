"""The small arrays whose answers are known to ten digits."""

import torch
from torch import Tensor


def raw() -> tuple[Tensor, Tensor]:
    """X_ij = sin(.7 i j + j), Y_ij = cos(.9 i j) + .3 sin(i), i = 1..12."""
    i = torch.arange(1, 13, dtype=torch.float64)[:, None]
    j = torch.arange(1, 6, dtype=torch.float64)[None, :]
    k = torch.arange(1, 4, dtype=torch.float64)[None, :]
    return torch.sin(0.7 * i * j + j), torch.cos(0.9 * i * k) + 0.3 * torch.sin(i)
