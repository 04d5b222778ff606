"""Standard errors of CKA from the sums of one pass: stimuli are left out group by group, nothing is computed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

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
        for g, (start, stop) in enumerate(pairwise(groups.bounds)):
            norms = [side.leave(w, g, slice(start, stop)).sqrt() for side in (ours, theirs)]
            whole = cross[w] - groups.cross[g, w]
            if not debiased:
                whole = whole + (ours.diagonal @ theirs.diagonal.mT)[:s, :t]
            dot, totals = (ours.margins @ theirs.margins.mT)[:s, :t], outer(ours.total, theirs.total)
            hsic = less_means(whole, dot, totals, k.n - (stop - start), debiased=debiased)
            without[g, w] = aligned(hsic, norms, epsilon)
    return without


class _Side:
    """One side while group after group is left out of it, in the precision of the entries and in rooms of its own."""

    def __init__(self, of: Sums, touched: Touched, block: int, *, debiased: bool) -> None:
        self._touched, self._debiased, (b, n) = touched, debiased, of.rows.shape[1:]
        self._rows, self._peaks = (whole.to(touched.rows.dtype) for whole in (of.rows, of.diagonal))
        self._square = of.square
        self.margins, self.diagonal = touched.rows.new_zeros(2, b + -b % block, n)  # whole blocks, as in cka.dots
        self.total = self._square[0]

    def leave(self, w: int, g: int, out: slice) -> Float[Tensor, " b"]:
        """Take away a group, and give the square norm of what is left of each kernel of a width."""
        b, n = self._rows.shape[1:]
        p, d = self.margins[:b], self.diagonal[:b]
        torch.sub(self._rows[w], self._touched.rows[w, :, g], out=p)
        square, dot = self._square[w] - self._touched.square[g, w], torch.linalg.vecdot
        if not self._debiased:
            p += d.copy_(self._peaks[w])
            d[:, out] = 0
            square += dot(d, d)
        p[:, out] = 0
        self.total = p.sum(-1)
        left = n - (out.stop - out.start)
        return less_means(square, dot(p, p), self.total * self.total, left, debiased=self._debiased)
