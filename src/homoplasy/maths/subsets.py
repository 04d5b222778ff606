"""What the repeats of many subsets of the same voxels share, and how sure that is: the subsets overlap."""

from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from homoplasy.maths.ceilings import Reliability


def linear_hsic_between(x: Float[Tensor, "n d v"], y: Float[Tensor, "n d v"]) -> Float[Tensor, "d d"]:
    """HSIC_u of the linear kernels of every subset of x and every subset of y, as `ceilings.linear_hsic`."""
    n, d, v = x.shape
    x, y = x - x.mean(0), y - y.mean(0)
    k, l = x.square().sum(2), y.square().sum(2)
    inner = (x.reshape(n, -1).T @ y.reshape(n, -1)).square().reshape(d, v, d, v).sum((1, 3))
    inner += torch.outer(k.sum(0), l.sum(0)) / ((n - 1) * (n - 2)) - n / (n - 2) * (k.T @ l)
    return inner / (n * (n - 3))


def reliability_of_subsets(
    repeats: Float[Tensor, "r n d v"], shown: Bool[Tensor, "r n"], mean: Float[Tensor, "n d v"]
) -> tuple[Reliability | None, Float[Tensor, " d"]]:
    """Mean over subsets of what `ceilings.reliability` says of one, with its own sd; and h(Y, Y) of every subset.

    Re-pairing the images of one repeat gives h(Y_da, Y_db) and h(Y_ea, Y_eb) the covariance
    2 h(Y_da, Y_ea) h(Y_db, Y_eb) / (n (n-3)), exact for U-centred kernels; the variance of the mean over subsets is the
    mean of these over all d and e. Pairs of repeats are uncorrelated.
    """
    pairs = [(a, b, shown[a] & shown[b]) for a, b in combinations(range(len(repeats)), 2)]
    pairs = [(a, b, both) for a, b, both in pairs if int(both.sum()) >= 4]
    whole = linear_hsic_between(mean.double(), mean.double()).diagonal()
    if not pairs:
        return None, whole
    shared, variance = 0.0, 0.0
    for a, b, both in pairs:
        of, to = repeats[a][both].double(), repeats[b][both].double()
        shared += linear_hsic_between(of, to).diagonal().mean().item() / len(pairs)
        n, together = len(of), linear_hsic_between(of, of) * linear_hsic_between(to, to)
        variance += 2 * together.mean().item() / (n * (n - 3)) / len(pairs) ** 2
    return Reliability(shared, max(variance, 0.0) ** 0.5, whole.mean().item()), whole
