"""How much of a noisy response can be explained at all: voxel by voxel, and for the CKA of a whole region.

Notation: x_ik is the response to image i when it is shown for the k-th time; an image is shown m_i times.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor


def mean_response(repeats: Float[ndarray, "r n v"], shown: Bool[ndarray, "r n"]) -> Float[ndarray, "n v"]:
    """Average every image over the times it was shown; what was not shown may hold any finite value."""
    weights = shown / shown.sum(axis=0)
    total = np.zeros_like(repeats[0])
    for weight, values in zip(weights, repeats, strict=True):
        total += weight.astype(values.dtype)[:, None] * values
    return total


def noise_variance(
    repeats: Float[ndarray, "r n v"], shown: Bool[ndarray, "r n"], mean: Float[ndarray, "n v"]
) -> Float[ndarray, " v"]:
    """Mean over images of the variance (ddof 1) of their repeats; NaN where none is repeated  (Allen et al. 2022)."""
    times = shown.sum(axis=0)
    repeated = times >= 2
    if not repeated.any():
        return np.full(mean.shape[1], np.nan)
    weights = np.where(repeated, 1.0 / np.maximum(times - 1, 1), 0.0) / repeated.sum()
    out = np.zeros(mean.shape[1])
    for now, values in zip(shown, repeats, strict=True):
        weight = (weights * now).astype(mean.dtype)[:, None]
        out += (weight * (values - mean) ** 2).sum(axis=0, dtype=np.float64)
    return out


def ncsnr(noise: Float[ndarray, " v"], total: Float[ndarray, " v"]) -> Float[ndarray, " v"]:
    """Noise-ceiling signal-to-noise ratio: s_s / s_n with s_s^2 = max(0, s^2 - s_n^2)  (Allen et al. 2022).

    `total` is the variance s^2 over trials: 1 for betas that were z-scored in each session.
    """
    signal = np.sqrt(np.maximum(0.0, total - noise))
    return np.divide(signal, np.sqrt(noise), out=np.full_like(signal, np.inf), where=noise != 0)


def variance_ceiling(snr: Float[ndarray, " v"], times: ndarray) -> Float[ndarray, " v"]:
    """Explainable share of the variance of the image means, in percent: 100 r^2 / (r^2 + mean_i 1/m_i).

    The mean of 1/m is 1/3 for three trials of every image, (A/3 + B/2 + C)/(A + B + C) in general (Allen et al. 2022).

    >>> variance_ceiling(np.array([0.5]), np.array([3, 3])).round(3)
    array([42.857])
    """
    left = (1.0 / np.asarray(times)).mean()
    return 100.0 * (1.0 - left / (snr**2 + left))


def linear_hsic(x: Float[Tensor, "n v"], y: Float[Tensor, "n w"]) -> Float[Tensor, ""]:
    """Unbiased HSIC of two linear kernels, from the features: O(n v w), no n x n matrix  (Song et al. 2012, eq. 5).

    Columns are centred first, which leaves HSIC_u as it is and makes the row sums of the kernels vanish, so that with
    k_i = |x_i|^2, l_i = |y_i|^2:  n(n-3) HSIC_u = |X'Y|^2 - n/(n-2) sum_i k_i l_i + sum k sum l / ((n-1)(n-2)).
    """
    n = x.shape[0]
    x, y = x - x.mean(0), y - y.mean(0)
    k, l = x.square().sum(1), y.square().sum(1)
    inner = (x.T @ y).square().sum() - n / (n - 2) * (k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2))
    return inner / (n * (n - 3))


@dataclass(frozen=True)
class Ceiling:
    """The linear CKA_u that the noise of a region leaves within reach; NaN comes with a reason."""

    value: float
    reason: str = ""
    z: float = float("nan")  # h(Y_a, Y_b) in its own standard errors under re-pairing


@dataclass(frozen=True)
class Reliability:
    """What repeats of a region share, and what its mean patterns hold: h = linear HSIC_u."""

    shared: float  # h(Y_a, Y_b), averaged over pairs of repeats
    sd: float  # of that, under re-pairing
    whole: float  # h(Y, Y)

    @property
    def ceiling(self) -> Ceiling:
        """Ceiling of CKA_u: sqrt(h(Y_a, Y_b) / h(Y, Y)); where h(Y_a, Y_b) is within two sd of 0 there is no signal."""
        z = self.shared / self.sd if self.sd > 0 else float("nan")
        if not self.shared > 2.0 * self.sd:
            return Ceiling(float("nan"), "no_signal", z)
        return Ceiling((self.shared / self.whole) ** 0.5, z=z)


def reliability(
    repeats: Float[Tensor, "r n v"], shown: Bool[Tensor, "r n"], mean: Float[Tensor, "n v"]
) -> Reliability | None:
    """Likeness of the repeats of a region; None where no four images were shown twice.

    h(Y_a, Y_b) has its own standard error under re-pairing, sqrt(2 h_aa h_bb / (n (n-3))), exact for U-centred kernels;
    the terms of different pairs are uncorrelated.
    """
    together = {(a, b): shown[a] & shown[b] for a, b in combinations(range(len(repeats)), 2)}
    pairs = {pair: both for pair, both in together.items() if int(both.sum()) >= 4}
    if not pairs:
        return None
    alone = {k: float(linear_hsic(*2 * (repeats[k][shown[k]].double(),))) for k in {k for pair in pairs for k in pair}}
    shared, variance = 0.0, 0.0
    for (a, b), both in pairs.items():
        n = int(both.sum())
        shared += float(linear_hsic(repeats[a][both].double(), repeats[b][both].double())) / len(pairs)
        variance += 2.0 * alone[a] * alone[b] / (n * (n - 3)) / len(pairs) ** 2
    return Reliability(shared, variance**0.5, float(linear_hsic(*2 * (mean.double(),))))


def cka_ceiling(repeats: Float[Tensor, "r n v"], shown: Bool[Tensor, "r n"], mean: Float[Tensor, "n v"]) -> Ceiling:
    """Ceiling of CKA_u: sqrt(h(Y_a, Y_b) / h(Y, Y)), h = linear HSIC_u, averaged over pairs of repeats.

    Noise that is independent between repeats inflates h(Y, Y), never h(X, Y) or h(Y_a, Y_b): exact for linear kernels.
    """
    found = reliability(repeats, shown, mean)
    return found.ceiling if found else Ceiling(float("nan"), "no_repeats")


def corrected(cka: float, ceiling: float) -> float:
    """CKA_u that noise-free patterns would give: h(X, Y) / sqrt(h(X, X) h(Y_a, Y_b)) = CKA_u / ceiling."""
    return cka / ceiling


def agreement(a: Float[Tensor, "n v"], b: Float[Tensor, "n v"]) -> tuple[float, float]:
    """Mean over units of the correlation of two repeats across images, and its exact sd when images are re-paired.

    With z-scored columns A, B the mean is tr(AB')/(v(n-1)); G = AB'/(v(n-1)) has zero row and column sums, so a random
    permutation gives it mean 0 and variance |G|^2/(n-1)  (Hoeffding 1951), where |AB'|^2 = <A'A, B'B>.
    """
    n, v = a.shape
    a, b = ((one - one.mean(0)) / one.std(0) for one in (a.double(), b.double()))
    scale = v * (n - 1)
    spread = ((a.T @ a) * (b.T @ b)).sum() / scale**2 / (n - 1)
    return float((a * b).sum() / scale), float(torch.sqrt(spread))
