"""Standard errors of CKA from the sums of one pass: stimuli are left out group by group, nothing is computed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from homoplasy.maths.cka import BLOCKS, Sums, aligned, less_means, outer


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

    def at(self, some: slice) -> "Groups":
        """The same for some of the widths."""
        of, to = (Touched(side.square[:, some], side.rows[some]) for side in (self.sources, self.targets))
        return Groups(self.bounds, self.cross[:, some], of, to)


def jackknife(
    score: Float[Tensor, "*w s t"], without: Float[Tensor, "g *w s t"], bounds: Sequence[int]
) -> Float[Tensor, "*w s t"]:
    """Standard errors of scores from those without each of G groups, of m_g stimuli  (Busing et al. 1999).

    v = 1/G sum_g (p_g - p)^2 / (h_g - 1) with h_g = n / m_g, p_g = h_g c - (h_g - 1) c_g and p = sum_g p_g / h_g.
    """
    h = bounds[-1] / torch.tensor(bounds, device=score.device).diff().view(-1, *[1] * score.ndim)
    pseudo = h * score - (h - 1) * without
    mean = reduce(torch.add, pseudo / h)  # group by group: no last bit depends on which other pairs are there
    return (reduce(torch.add, (pseudo - mean).square() / (h - 1)) / len(h)).sqrt()


def left_out(
    cross: Float[Tensor, "w s t"], k: Sums, l: Sums, groups: Groups, *, debiased: bool, epsilon: float = 0.0
) -> Float[Tensor, "g w s t"]:
    """The scores of the stimuli without each group, at the same absolute widths; noise where a kernel is flat."""
    without = torch.empty_like(groups.cross)
    epsilon, (s, t) = 0.0 if debiased else epsilon, cross.shape[1:]
    ours = _Side(k, groups.sources, BLOCKS[0], debiased=debiased)
    theirs = _Side(l, groups.targets, BLOCKS[1], debiased=debiased)
    for w in range(len(cross)):
        peaks = cross[w] if debiased else cross[w] + ours.with_peaks(theirs, w, slice(None))[:s, :t]
        for g, (start, stop) in enumerate(pairwise(groups.bounds)):
            out = slice(start, stop)
            norms = [side.leave(w, g, out).sqrt() for side in (ours, theirs)]
            whole = peaks - groups.cross[g, w]
            if not debiased:
                whole = whole - ours.with_peaks(theirs, w, out)[:s, :t]
            dot, totals = (ours.margins @ theirs.margins.mT)[:s, :t], outer(ours.total, theirs.total)
            hsic = less_means(whole, dot, totals, k.n - (stop - start), debiased=debiased)
            without[g, w] = aligned(hsic, norms, epsilon)
    return without


class _Side:
    """One side while group after group is left out of it, in the precision of the entries and in a room of its own."""

    def __init__(self, of: Sums, touched: Touched, block: int, *, debiased: bool) -> None:
        self._touched, self._debiased, (b, n) = touched, debiased, of.rows.shape[1:]
        self._rows, self._square = of.margins(debiased=debiased).to(touched.rows.dtype), of.square
        whole = 0, 0, 0, -b % block  # whole blocks of rows, as in cka.dots
        self._peaks = touched.rows.new_zeros(0) if debiased else pad(of.diagonal.to(touched.rows.dtype), whole)
        self.margins = touched.rows.new_zeros(b + -b % block, n)
        self.total = self._square[0]

    def with_peaks(self, other: "_Side", w: int, some: slice) -> Float[Tensor, "s t"]:
        """The part of the diagonal in the products, of some stimuli."""
        return self._peaks[w, :, some] @ other._peaks[w, :, some].mT

    def leave(self, w: int, g: int, out: slice) -> Float[Tensor, " b"]:
        """Take away a group, and give the square norm of what is left of each kernel of a width."""
        b, n = self._rows.shape[1:]
        p, dot = self.margins[:b], torch.linalg.vecdot
        torch.sub(self._rows[w], self._touched.rows[w, :, g], out=p)
        p[:, out] = 0
        square = self._square[w] - self._touched.square[g, w]
        if not self._debiased:
            d = self._peaks[w, :b]
            square = square + (dot(d, d) - dot(d[:, out], d[:, out]))
        self.total = p.sum(-1)
        left = n - (out.stop - out.start)
        return less_means(square, dot(p, p), self.total * self.total, left, debiased=self._debiased)
