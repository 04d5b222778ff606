"""Centred kernel alignment, biased and debiased: of two kernels, and of many from the sums of their entries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from homoplasy.maths import moments
from homoplasy.maths.kernels import centre, u_centre

_BLOCKS = 16, 48  # rows of either side that a product of matrices takes at a time; what is left over it sums otherwise
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
        return _norm_square(self, debiased=debiased)

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


@dataclass(frozen=True)
class Touched:
    """Sums over the pairs of which at least one stimulus is of a group."""

    square: Float[Tensor, "g w b"]
    rows: Float[Tensor, "w b g n"]  # sum of V_ij over j of the group


@dataclass(frozen=True)
class Groups:
    """Groups of consecutive stimuli and the sums over the pairs that touch them: what leaving one out takes away."""

    bounds: tuple[int, ...]  # where each begins, and n
    cross: Float[Tensor, "g w s t"]
    sources: Touched
    targets: Touched


@dataclass(frozen=True)
class _Rest:
    """The sums of one width over the stimuli that are not of a group, in the precision of the entries."""

    n: int
    rows: Float[Tensor, "b n"]  # 0 for the stimuli left out
    whole: Float[Tensor, "b n"]  # the diagonal of all
    out: slice
    square: Float[Tensor, " b"]

    @property
    def diagonal(self) -> Float[Tensor, "b n"]:
        """V_ii, 0 for the stimuli left out."""
        diagonal = self.whole.clone()
        diagonal[:, self.out] = 0
        return diagonal


_Summed = Sums | _Rest


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
    return _divided(_hsic(cross, k, l, debiased=debiased), norms, debiased=debiased, epsilon=epsilon)


def _hsic(cross: Tensor, k: _Summed, l: _Summed, *, debiased: bool) -> Tensor:
    centred = _u_centred if debiased else _centred
    return centred(cross, k, l, dots, lambda p, q: p[..., :, None] * q[..., None, :])


def dots(a: Float[Tensor, "*w s k"], b: Float[Tensor, "*w t k"]) -> Float[Tensor, "*w s t"]:
    """A b', by whole blocks of the matrix product: no last bit depends on which other rows are there."""
    if a.ndim > 2:
        return torch.stack([dots(*one) for one in zip(a, b, strict=True)])
    p, q = (functional.pad(side, (0, 0, 0, -len(side) % block)) for side, block in zip((a, b), _BLOCKS, strict=True))
    return (p @ q.mT)[: len(a), : len(b)]


def _norm_square(k: _Summed, *, debiased: bool) -> Tensor:
    centred = _u_centred if debiased else _centred
    return centred(k.square, k, k, torch.linalg.vecdot, torch.mul)


def _divided(hsic: Tensor, norms: Sequence[Tensor], *, debiased: bool, epsilon: float) -> Tensor:
    return hsic / (norms[0][..., :, None] * norms[1][..., None, :] + (0.0 if debiased else epsilon))


def _centred(cross: Tensor, k: _Summed, l: _Summed, dot: Callable[..., Tensor], outer: Callable[..., Tensor]) -> Tensor:
    """<H V H, W> = <V, W> - 2/n p'q + (1'p)(1'q) / n^2, rows p and q with their diagonals."""
    d, e = k.diagonal, l.diagonal
    p, q = k.rows + d, l.rows + e
    whole = cross + dot(d, e)
    return whole - dot(p, q) * (2 / k.n) + outer(p.sum(-1), q.sum(-1)) / k.n**2


def _u_centred(
    cross: Tensor, k: _Summed, l: _Summed, dot: Callable[..., Tensor], outer: Callable[..., Tensor]
) -> Tensor:
    """<V, W> - 2/(n-2) r's + (1'r)(1's) / ((n-1)(n-2)) off the diagonal  (Song et al. 2012, eq. 5)."""
    n, r, s = k.n, k.rows, l.rows
    return cross - dot(r, s) * (2 / (n - 2)) + outer(r.sum(-1), s.sum(-1)) / ((n - 1) * (n - 2))


def left_out(
    cross: Float[Tensor, "w s t"], k: Sums, l: Sums, groups: Groups, *, debiased: bool, epsilon: float = 0.0
) -> Float[Tensor, "g w s t"]:
    """The scores of the stimuli without each group, at the same absolute widths; NaN where a kernel is flat."""
    without = torch.empty_like(groups.cross)
    sides = [_rests(of, touched, groups.bounds) for of, touched in ((k, groups.sources), (l, groups.targets))]
    for (w, g, of), (_, _, to) in zip(*sides, strict=True):
        hsic = _hsic(cross[w] - groups.cross[g, w], of, to, debiased=debiased)
        norms = [_norm_square(side, debiased=debiased).sqrt() for side in (of, to)]
        without[g, w] = _divided(hsic, norms, debiased=debiased, epsilon=epsilon)
    flat = k.flat(debiased=debiased)[..., :, None] | l.flat(debiased=debiased)[..., None, :]
    return without.masked_fill_(flat, torch.nan)


def _rests(k: Sums, touched: Touched, bounds: tuple[int, ...]) -> Iterator[tuple[int, int, _Rest]]:
    """What is left of the sums of each width when each group is taken away."""
    rows, diagonal = (of.to(touched.rows.dtype) for of in (k.rows, k.diagonal))
    for w in range(len(rows)):
        for g, (start, stop) in enumerate(pairwise(bounds)):
            others = rows[w] - touched.rows[w, :, g]
            others[:, start:stop] = 0
            square = k.square[w] - touched.square[g, w]
            yield w, g, _Rest(k.n - (stop - start), others, diagonal[w], slice(start, stop), square)


def jackknife(
    cross: Float[Tensor, "w s t"], k: Sums, l: Sums, groups: Groups, *, debiased: bool, epsilon: float = 0.0
) -> Float[Tensor, "w s t"]:
    """Standard errors from leaving out each of G groups, of m_g stimuli  (Busing, Meijer & van der Leeden 1999).

    v = 1/G sum_g (p_g - p)^2 / (h_g - 1) with h_g = n / m_g, p_g = h_g c - (h_g - 1) c_g and p = sum_g p_g / h_g.
    """
    score = from_sums(cross, k, l, debiased=debiased, epsilon=epsilon)
    without = left_out(cross, k, l, groups, debiased=debiased, epsilon=epsilon)
    h = k.n / torch.tensor(groups.bounds, device=score.device).diff()[:, None, None, None]
    pseudo = h * score - (h - 1) * without
    mean = reduce(torch.add, pseudo / h)  # group by group: no last bit depends on which other pairs are there
    return (reduce(torch.add, (pseudo - mean).square() / (h - 1)) / len(h)).sqrt()
