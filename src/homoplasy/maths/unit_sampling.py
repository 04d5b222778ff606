"""Linear kernels of some units out of many: what their small number adds to HSIC, and CKA without it.

Let k_u = x_u x_u' be the kernel of unit u, and K = sum_u k_u / d that of d units drawn at random; with all units it is
its mean, K*. HSIC is linear in either kernel, so <K, L> of two independent draws has the mean <K*, L*>. But

    <K, K> = 1/d^2 sum_{u, w} <k_u, k_w>

counts every unit with itself: its mean is (1 - 1/d) <K*, K*> + 1/d E <k_u, k_u>, too large by the more the fewer units
there are. The sum over u != w, over d (d - 1), has the mean <K*, K*>  (a U-statistic; Chun et al. 2025 take the same
terms away). With HSIC_u for < , > it is unbiased in stimuli and units at once.
"""

from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from homoplasy.maths.ceilings import linear_hsic

_FEWEST = 3  # units: leaving one out must leave a pair
_CLEAR = 2.0  # standard errors that the likeness of units must lie above 0, as that of repeats must


def own_terms(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"]) -> Float[Tensor, " d"]:
    """HSIC_u(x_u x_u', y_u y_u'): every unit with itself, or its two repeats with each other.

    With centred columns, n(n-3) HSIC_u = (x_u'y_u)^2 - n/(n-2) sum_i x_iu^2 y_iu^2 + |x_u|^2 |y_u|^2 / ((n-1)(n-2)).
    """
    n = x.shape[0]
    x, y = x - x.mean(0), y - y.mean(0)
    k, l = x.square(), y.square()
    each = (x * y).sum(0).square() - n / (n - 2) * (k * l).sum(0) + k.sum(0) * l.sum(0) / ((n - 1) * (n - 2))
    return each / (n * (n - 3))


def with_all(x: Float[Tensor, "n d"], y: Float[Tensor, "n v"]) -> Float[Tensor, " d"]:
    """HSIC_u(x_u x_u', y y'): every unit of x with all of y; their sum is `linear_hsic`."""
    n = x.shape[0]
    x, y = x - x.mean(0), y - y.mean(0)
    k, l = x.square(), y.square().sum(1)
    inner = (y @ y.T @ x if n < y.shape[1] else y @ (y.T @ x)) * x  # its columns add up to |Y'x_u|^2
    each = inner.sum(0) - n / (n - 2) * (l @ k) + k.sum(0) * l.sum() / ((n - 1) * (n - 2))
    return each / (n * (n - 3))


def between_units(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """Mean of HSIC_u(x_u x_u', y_w y_w') over u != w: unbiased for <K*, L*> of units drawn together; NaN for one."""
    d = x.shape[1]
    if d < 2:
        return torch.tensor(float("nan"), dtype=x.dtype)
    return (linear_hsic(x, y) - own_terms(x, y).sum()) / (d * (d - 1))


def without_each(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"]) -> Float[Tensor, " d"]:
    """`between_units` when each unit in turn is left out of both sides."""
    d = x.shape[1]
    own = own_terms(x, y)
    pairs = with_all(x, y).sum() - own.sum()
    return (pairs - (with_all(x, y) + with_all(y, x) - 2 * own)) / ((d - 1) * (d - 2))


def _sure(value: Tensor, left_out: Tensor) -> Tensor:
    """The value, or NaN where it lies within two standard errors of 0, by the jackknife over units (Efron 1982)."""
    d = len(left_out)
    error = ((d - 1) / d * (left_out - left_out.mean()).square().sum()).sqrt()
    return torch.where(value > _CLEAR * error, value, torch.nan)


def cka_of_all_units(x: Float[Tensor, "n d"], y: Float[Tensor, "n v"]) -> Float[Tensor, ""]:
    """CKA_u of the kernels that all units would give: <K, L> / sqrt(<K*, K*> <L*, L*>), each without bias.

    The ratio itself is biased in the second order only; it may leave [-1, 1], and is NaN where a side has no likeness
    between its units.
    """
    across = linear_hsic(x, y) / (x.shape[1] * y.shape[1])
    return across / (between_units(x, x).sqrt() * between_units(y, y).sqrt())


def growth(x: Float[Tensor, "n d"]) -> float:
    """sqrt(<K, K> / <K*, K*>): CKA_u times this is that of all units; NaN where their likeness is not sure."""
    if x.shape[1] < _FEWEST:
        return float("nan")
    return float((linear_hsic(x, x) / x.shape[1] ** 2 / _sure(between_units(x, x), without_each(x, x))).sqrt())


def noise_free_growth(repeats: Float[Tensor, "r n v"], shown: Bool[Tensor, "r n"], mean: Float[Tensor, "n v"]) -> float:
    """sqrt(<L, L> / <L*_a, L*_b>) with L of the mean patterns: CKA_u times this is without noise and of all voxels.

    The sum over u != w is taken between two repeats, averaged over their pairs, so that noise falls out with it. Of few
    voxels it may be anything: NaN where it is not sure.
    """
    pairs = [(a, b, shown[a] & shown[b]) for a, b in combinations(range(len(repeats)), 2)]
    seen = [(repeats[a][both].double(), repeats[b][both].double()) for a, b, both in pairs if both.sum() > 3]
    if not seen or mean.shape[1] < _FEWEST:
        return float("nan")
    free, left_out = (torch.stack([of(*pair) for pair in seen]).mean(0) for of in (between_units, without_each))
    whole = linear_hsic(mean.double(), mean.double()) / mean.shape[1] ** 2
    return float((whole / _sure(free, left_out)).sqrt())
