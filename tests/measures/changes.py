"""What one side of a comparison can suffer, and how far a measure moves by it: the machinery of the law tests."""

import math

import torch

from homoplasy.measures import CKA


def generator(seed):
    return torch.Generator().manual_seed(seed)


def _rotated(x, seed):
    q = torch.linalg.qr(torch.randn(x.shape[1], x.shape[1], generator=generator(seed), dtype=torch.float64)).Q
    return x @ q


def _powers(count, seed):
    """Factors from a billionth to a thousand: a rule that adds a small number to a scale shows itself."""
    return 10 ** (torch.rand(count, generator=generator(seed), dtype=torch.float64) * 12 - 9)


CHANGES = {
    "rotation": _rotated,
    "shift": lambda x, seed: x + torch.randn(x.shape[1], generator=generator(seed), dtype=torch.float64),
    "scale": lambda x, seed: x * _powers(1, seed),
    "unit_scale": lambda x, seed: x * (_powers(1, seed) * torch.linspace(1, 30, x.shape[1], dtype=torch.float64)),
    "unit_order": lambda x, seed: x[:, torch.randperm(x.shape[1], generator=generator(seed))],
    "warp": lambda x, seed: x**3,
}


def split(measures):
    """Pairs of measure and change: those that are declared to hold, and the others."""
    pairs = [(m, c) for m in measures for c in CHANGES]
    return [(m, c) for m, c in pairs if c in m.invariances], [(m, c) for m, c in pairs if c not in m.invariances]


def moved(measure, change, seed):
    x, y = torch.randn(2, 14, 5, generator=generator(seed), dtype=torch.float64) * torch.linspace(1, 3, 5).double()
    y = y + x
    difference = (measure(CHANGES[change](x, seed), y) - measure(x, y)).abs().max().item()
    return math.inf if math.isnan(difference) else difference  # a value that is lost has moved


CKAS = [
    CKA(kernel="linear"),
    CKA(kernel="linear", debiased=False),
    CKA(sigma=(1.0, 3.0)),
    CKA(sigma_relative=(0.5, 1.0), debiased=False),
    CKA(kernel="linear", standardise="none"),
    CKA(kernel="linear", standardise="none", debiased=False, epsilon=1e-3),
    CKA(sigma=2.0, standardise="none"),
    CKA(sigma_relative=1.0, standardise="none", debiased=False),
    CKA(sigma_relative=1.0, standardise="epsilon"),
]
