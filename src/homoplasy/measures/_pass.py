"""CKA of many objects by many measures from one sweep over the pairs of stimuli: widths are pooled, sums are shared."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from homoplasy.maths import moments, standardise, tiles
from homoplasy.maths.cka import Sums, from_sums
from homoplasy.maths.jackknife import jackknife, left_out
from homoplasy.maths.workers import in_order
from homoplasy.measures._contract import Comparison, enough, ready

if TYPE_CHECKING:
    from homoplasy.measures.cka import CKA

Width = tuple[str, float]  # ("sigma", 9.0), ("c", 1.0) or ("linear", inf)


@dataclass(frozen=True)
class Cloud:
    """An object ready for a sweep: its z-scored points and their median distance; no points where it is hopeless."""

    points: Float[Tensor, "n k"] | None
    median: float  # NaN where no width is relative to it
    n: int
    units: int
    reason: str


@dataclass(frozen=True)
class Health:
    """What a kernel makes of each object."""

    off_diagonal: Float[Tensor, " b"]
    participation_ratio: Float[Tensor, " b"]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Sweeping:
    """How a sweep is made."""

    precision: tiles.Precision = "float32"
    threads: int = 1
    groups: int = 0  # of stimuli, that are left out in turn for the standard error


def cloud(values: Float[Tensor, "n d"], measures: Sequence["CKA"], precision: tiles.Precision) -> Cloud:
    """Standardise an object as the measures, which agree on it, say."""
    enough("CKA", len(values))
    z, units, reason = ready(values, measures[0].standardise, standardise.centre_only)
    if z is None:
        return Cloud(None, math.nan, len(values), units, reason)
    relative = any(kind == "c" for kind, _ in _widths(measures))
    median = tiles.median_distances([z]).item() if relative else math.nan
    return Cloud(z if precision == "float64" else z.float(), median, len(z), units, "")


def compared(
    measures: Sequence["CKA"], ours: Sequence[Cloud], theirs: Sequence[Cloud], how: Sweeping
) -> Iterator[tuple[Comparison, Health, Health]]:
    """Every source against every target, one result a measure and width, in order."""
    widths = _widths(measures)
    sides = _Side(ours, widths), _Side(theirs, widths)
    swept = _Swept(*sides, how)
    for measure in measures:
        read = swept.read(debiased=measure.debiased, epsilon=measure.epsilon)
        healths = [side.healths(sums, debiased=measure.debiased) for side, sums in zip(sides, swept.sums, strict=True)]
        for width in measure.kernels:
            w = widths.index(width)
            yield read[w], healths[0][w], healths[1][w]


def _widths(measures: Sequence["CKA"]) -> list[Width]:
    return list(dict.fromkeys(width for measure in measures for width in measure.kernels))


class _Side:
    """Some objects, of which only the sound ones are swept."""

    def __init__(self, clouds: Sequence[Cloud], widths: Sequence[Width]) -> None:
        self.clouds, self.widths = clouds, widths
        self.sound = [place for place, one in enumerate(clouds) if one.points is not None]
        medians = torch.tensor([clouds[place].median for place in self.sound], dtype=torch.float64)
        sigma = torch.stack(
            [medians * factor if kind == "c" else torch.full_like(medians, factor) for kind, factor in widths]
        )
        self.lost = sigma == 0  # more than half of the distances are zero
        self.sigma = torch.where(self.lost, 1.0, sigma)

    @property
    def points(self) -> list[Tensor]:
        return [one.points for one in self.clouds if one.points is not None]

    def healths(self, sums: Sums | None, *, debiased: bool) -> list[Health]:
        """One a width."""
        shape = len(self.widths), len(self.sound)
        if sums is None:
            off_diagonal = ratio = torch.full(shape, math.nan, dtype=torch.float64)
            flat = torch.zeros(shape, dtype=torch.bool)
        else:
            off_diagonal, flat = sums.off_diagonal.cpu(), sums.flat(debiased=debiased).cpu()
            ratio = torch.stack([one.participation_ratio.cpu() for one in sums.invariants()])
        return [
            Health(self._all(off_diagonal[w], w), self._all(ratio[w], w), self._reasons(w, flat[w]))
            for w in range(len(self.widths))
        ]

    def _all(self, numbers: Float[Tensor, " sound"], w: int) -> Float[Tensor, " b"]:
        """A number for every object, NaN for one without a kernel."""
        whole = torch.full((len(self.clouds),), math.nan, dtype=torch.float64)
        whole[self.sound] = numbers.masked_fill(self.lost[w], math.nan)
        return whole

    def _reasons(self, w: int, flat: Bool[Tensor, " sound"]) -> tuple[str, ...]:
        reasons = [one.reason for one in self.clouds]
        for place, is_lost, is_flat in zip(self.sound, self.lost[w].tolist(), flat.tolist(), strict=True):
            reasons[place] = "zero_median_distance" if is_lost else "constant_kernel" if is_flat else ""
        return tuple(reasons)


class _Swept:
    """The sums of one sweep, and what each estimator reads from them."""

    def __init__(self, ours: _Side, theirs: _Side, how: Sweeping) -> None:
        self._sides, self._threads = (ours, theirs), how.threads
        self._pass: tiles.Pass | None = None
        self.sums: tuple[Sums | None, Sums | None] = (None, None)
        if ours.sound and theirs.sound:
            self._pass = tiles.sweep(
                ours.points,
                theirs.points,
                (ours.sigma, theirs.sigma),
                memory=sys.maxsize,  # tiles keep their size, on which the last bit of a sum depends
                threads=how.threads,
                precision=how.precision,
                groups=how.groups,
            )
            self.sums = self._pass.sources, self._pass.targets

    def read(self, *, debiased: bool, epsilon: float) -> list[Comparison]:
        """One comparison a width."""
        if self._pass is None:
            nothing = torch.full([len(side.clouds) for side in self._sides], math.nan, dtype=torch.float64)
            return [Comparison(nothing, nothing, nothing)] * len(self._sides[0].widths)
        cross, k, l, groups = self._pass.cross, self._pass.sources, self._pass.targets, self._pass.jackknife
        value = from_sums(cross, k, l, debiased=debiased, epsilon=epsilon)
        mean, sd = _by_chance(k, l, debiased=debiased, epsilon=epsilon)
        spread = torch.full_like(value, math.nan)
        if groups is not None:

            def errors(w: int) -> Tensor:
                only = slice(w, w + 1)
                alone = cross[only], k.at(only), l.at(only), groups.at(only)
                without = left_out(*alone, debiased=debiased, epsilon=epsilon)
                return jackknife(value[only], without, groups.bounds)

            spread = torch.cat(list(in_order(errors, range(len(value)), self._threads)))
        return [Comparison(*map(self._all, parts)) for parts in zip(value, mean, sd, spread, strict=True)]

    def _all(self, numbers: Float[Tensor, "sound sound"]) -> Float[Tensor, "s t"]:
        """A number for every pair, NaN for one with a hopeless side."""
        ours, theirs = self._sides
        whole = torch.full((len(ours.clouds), len(theirs.clouds)), math.nan, dtype=torch.float64)
        whole[torch.tensor(ours.sound)[:, None], torch.tensor(theirs.sound)[None, :]] = numbers.cpu()
        return whole


def _by_chance(k: Sums, l: Sums, *, debiased: bool, epsilon: float) -> tuple[Tensor, Tensor]:
    """Exact mean and standard deviation under re-pairing, w s t."""
    shape = (len(k.sigma), k.sigma.shape[1], l.sigma.shape[1])
    if debiased:
        zero = torch.zeros(shape, dtype=torch.float64)
        return zero, zero + moments.sd_debiased(k.n)
    norms = [side.norm_square(debiased=False).sqrt() for side in (k, l)]
    product = norms[0][..., :, None] * norms[1][..., None, :]
    damp = product / (product + epsilon)
    pairs = list(zip(k.invariants(), l.invariants(), strict=True))
    mean, sd = (
        torch.stack([moment(p, q, k.n) for p, q in pairs]) for moment in (moments.mean_biased, moments.sd_biased)
    )
    return mean * damp, sd * damp
