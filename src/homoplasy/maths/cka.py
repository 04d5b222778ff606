"""Centred kernel alignment of two kernels over the same stimuli, biased and debiased."""

from jaxtyping import Float
from torch import Tensor

from homoplasy.maths.kernels import centre, u_centre


def hsic_biased(k: Float[Tensor, "n n"], l: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """HSIC_b = tr(K H L H)  (Gretton et al. 2005, eq. 9, without the 1/(n-1)^2, which cancels in CKA)."""
    return (centre(k) * centre(l)).sum()


def hsic_debiased(k: Float[Tensor, "n n"], l: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """HSIC_u = sum_{i != j} K~_ij L~_ij / (n (n-3))  (Song et al. 2012, eq. 5, by U-centring)."""
    n = k.shape[-1]
    return (u_centre(k) * u_centre(l)).sum() / (n * (n - 3))


def cka_biased(k: Float[Tensor, "n n"], l: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """CKA_b = <K_c, L_c> / (|K_c| |L_c|)  (Kornblith et al. 2019, eq. 4)."""
    return _cosine(centre(k), centre(l))


def cka_debiased(k: Float[Tensor, "n n"], l: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """CKA_u = <K~, L~> / (|K~| |L~|): zero on average for unrelated stimuli, so it may be negative.

    K~ is the U-centred kernel (Székely & Rizzo 2014).
    """
    return _cosine(u_centre(k), u_centre(l))


def _cosine(k: Tensor, l: Tensor) -> Tensor:
    return (k * l).sum() / (k.norm() * l.norm())
