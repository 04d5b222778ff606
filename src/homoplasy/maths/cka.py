"""Centred kernel alignment, biased and debiased: of two kernels, and of many from the sums of their entries."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from homoplasy.maths import moments
from homoplasy.maths.kernels import centre, u_centre

BLOCKS = 16, 48  # rows of either side that a product of matrices takes at a time; what is left over it sums otherwise
_FLAT = 1e-10  # a centred kernel of less than this share of the kernel's norm carries no information


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


@dataclass(frozen=True)
class Sums:
    """Sums over the entries V_ij = f_ij - a_i - a_j, i != j, of b kernels of w widths: all that centring needs.

    f is the kernel itself, or the kernel less 1 where that keeps more digits, or -D / 2 of a linear one (sigma = inf);
    a is any vector, for centring takes it away.
    """

    sigma: Float[Tensor, "w b"]
    peak: Float[Tensor, "w b"]  # f_ii
    shift: Float[Tensor, "w b n"]  # a_i
    rows: Float[Tensor, "w b n"]  # sum of V_ij over j
    square: Float[Tensor, "w b"]  # sum of V_ij^2 over i and j
    rounding: float  # relative, of an entry

    @property
    def n(self) -> int:
        """The number of stimuli."""
        return self.rows.shape[-1]

    def at(self, some: slice) -> "Sums":
        """The same for some of the widths."""
        parts = self.sigma[some], self.peak[some], self.shift[some], self.rows[some], self.square[some]
        return Sums(*parts, self.rounding)

    @property
    def diagonal(self) -> Float[Tensor, "w b n"]:
        """V_ii = f_ii - 2 a_i."""
        return self.peak[..., None] - 2 * self.shift

    @property
    def off_diagonal(self) -> Float[Tensor, "w b"]:
        """Mean kernel entry over i != j; that of the centred Gram matrix where the kernel is linear."""
        pairs, linear = self.n * (self.n - 1), self.sigma.isinf()
        return torch.where(linear, -self._centred_diagonal.sum(-1), self._total + self._less * pairs) / pairs

    def invariants(self) -> list[moments.Invariants]:
        """What re-pairing leaves alone in the centred kernels, one a width."""
        diagonal, square = self._centred_diagonal, self.norm_square(debiased=False)
        parts = zip(diagonal.sum(-1), square, (diagonal**2).sum(-1), strict=True)
        return [moments.Invariants(*part) for part in parts]

    def norm_square(self, *, debiased: bool) -> Float[Tensor, "w b"]:
        """|K_c|^2, or |K~|^2 of the U-centred kernel."""
        p = self.margins(debiased=debiased)
        total, dot = p.sum(-1), torch.linalg.vecdot
        whole = self.square if debiased else self.square + dot(self.diagonal, self.diagonal)
        return less_means(whole, dot(p, p), total * total, self.n, debiased=debiased)

    def margins(self, *, debiased: bool) -> Float[Tensor, "w b n"]:
        """Row sums: with the diagonal, which the debiased score leaves out."""
        return self.rows if debiased else self.rows + self.diagonal

    def flat(self, *, debiased: bool) -> Bool[Tensor, "w b"]:
        """Whether the centred kernel is nothing but the rounding of the kernel: it has no alignment."""
        entries = (
            self.square
            + 4 * (self.shift * self.rows).sum(-1)
            + 2 * (self.n - 2) * (self.shift**2).sum(-1)
            + 2 * self.shift.sum(-1) ** 2
        )  # sum of f_ij^2 over i != j
        off_diagonal = entries + self._less * (2 * self._total + self.n * (self.n - 1))
        kernel = off_diagonal + self.n * ~self.sigma.isinf()
        noise = torch.maximum(_FLAT**2 * kernel, (8 * self.rounding) ** 2 * entries)
        noise = torch.maximum(noise, 16 * self.rounding * self.square)  # which is a sum of rounded numbers itself
        return self.norm_square(debiased=debiased) <= noise

    @property
    def _total(self) -> Tensor:
        """Sum of f_ij over i != j."""
        return self.rows.sum(-1) + 2 * (self.n - 1) * self.shift.sum(-1)

    @property
    def _less(self) -> Tensor:
        """k_ij - f_ij: 1 where the kernel is held less 1."""
        return ((self.peak == 0) & ~self.sigma.isinf()).double()

    @property
    def _centred_diagonal(self) -> Tensor:
        """(H V H)_ii = V_ii - 2 p_i / n + 1'p / n^2 with p = V 1."""
        p = self.rows + self.diagonal
        return self.diagonal - 2 * p / self.n + p.sum(-1, keepdim=True) / self.n**2


def from_sums(
    cross: Float[Tensor, "w s t"], k: Sums, l: Sums, *, debiased: bool, epsilon: float = 0.0
) -> Float[Tensor, "w s t"]:
    """CKA of every kernel of one side and every one of the other from the sums of V_ij W_ij over i != j.

    `epsilon` is added to the denominator of the biased score. Flat kernels have no score: NaN.
    """
    norms = [
        side.norm_square(debiased=debiased).masked_fill(side.flat(debiased=debiased), torch.nan).sqrt()
        for side in (k, l)
    ]
    p, q = (side.margins(debiased=debiased) for side in (k, l))
    whole = cross if debiased else cross + dots(k.diagonal, l.diagonal)
    hsic = less_means(whole, dots(p, q), outer(p.sum(-1), q.sum(-1)), k.n, debiased=debiased)
    return aligned(hsic, norms, 0.0 if debiased else epsilon)


def less_means(whole: Tensor, dot: Tensor, totals: Tensor, n: int, *, debiased: bool) -> Tensor:
    """<H V H, W> = <V, W> - 2/n p'q + (1'p)(1'q) / n^2, with p = V 1 and q = W 1.

    Debiased, without diagonals: <V, W> - 2/(n-2) p'q + (1'p)(1'q) / ((n-1)(n-2))  (Song et al. 2012, eq. 5).
    """
    if debiased:
        return whole - dot * (2 / (n - 2)) + totals / ((n - 1) * (n - 2))
    return whole - dot * (2 / n) + totals / n**2


def aligned(hsic: Tensor, norms: Sequence[Tensor], epsilon: float) -> Tensor:
    """<K, L> / (|K| |L| + epsilon) of every kernel of one side and every one of the other."""
    return hsic / (outer(*norms) + epsilon)


def outer(a: Float[Tensor, "*w s"], b: Float[Tensor, "*w t"]) -> Float[Tensor, "*w s t"]:
    """All products of a number of one side and one of the other."""
    return a[..., :, None] * b[..., None, :]


def dots(a: Float[Tensor, "*w s k"], b: Float[Tensor, "*w t k"]) -> Float[Tensor, "*w s t"]:
    """A b', by whole blocks of the matrix product: no last bit depends on which other rows are there."""
    if a.ndim > 2:
        return torch.stack([dots(*one) for one in zip(a, b, strict=True)])
    p, q = (functional.pad(side, (0, 0, 0, -len(side) % block)) for side, block in zip((a, b), BLOCKS, strict=True))
    return (p @ q.mT)[: len(a), : len(b)]
