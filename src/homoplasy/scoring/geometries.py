"""Measures that make a geometry of every object and compare two: blocks of sources against blocks of targets."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from homoplasy.measures import ByGeometry, Footprint, Geometry, Prepared
from homoplasy.representation import Representation
from homoplasy.scoring.cells import Block
from homoplasy.scoring.drawn import Drawn, Sink, rows
from homoplasy.scoring.request import Means, blocks, tensor, too_little

_BLOCK = 16  # objects worked on at a time even where memory allows more: they stay near the processor


class Geometries:
    """The measures of this kind, and the geometries of the targets, which are kept where memory allows."""

    def __init__(self, targets: Sequence[Representation], measures: Sequence[ByGeometry], means: Means) -> None:
        self._targets, self._means = targets, means
        kinds = dict.fromkeys(one.preparation for one in measures)
        self._together = [[one for one in measures if one.preparation == kind] for kind in kinds]
        self._kept: dict[Hashable, _Side] = {}

    def fill(
        self,
        draws: Sequence[tuple[Drawn, Sink]],
        of: Sequence[Representation],
        at: tuple[list[int], list[int]],
        ids: NDArray[Any],
    ) -> None:
        """Score some sources against some targets over the stimuli they share, draw by draw."""
        for (drawn, sink), same in product(draws, self._together):
            n = len(ids) if drawn.target is None else len(drawn.target)
            measures = self._formed(same, n)
            labels = [(measure, label) for measure in measures for label in measure.params]
            for ours, theirs in self._sides(of, at, measures, _Stimuli(ids, drawn, n)):
                block = Block(ours.places, theirs.places, ours.units, theirs.units, n)
                for (measure, label), g, h in zip(labels, ours.geometries(), theirs.geometries(), strict=True):
                    sink.fill((measure.name, label), block, measure.compare(g, h), (g, h))

    def _sides(
        self, of: Sequence[Representation], at: tuple[list[int], list[int]], measures: list[ByGeometry], on: "_Stimuli"
    ) -> Iterator[tuple["_Side", "_Side"]]:
        """Blocks of sources against blocks of targets, such that both fit into memory."""
        s, t = at
        need, size = self._block(measures, on.n)
        if size < 1:
            raise too_little((need.passing + 2 * need.working) * 8 * on.n**2, self._means.memory, on.n)
        keep = len(t) * (need.held + need.working) <= size * need.working
        for t_block in [t] if keep else blocks(t, min(size, _BLOCK)):
            theirs = self._target_side(t_block, measures, on, keep=keep)
            for s_block in blocks(s, min(size, _BLOCK)):
                tensors = [
                    rows(tensor(of[place].select(on.ids), self._means.device), on.drawn.source) for place in s_block
                ]
                yield _Side(tensors, s_block, measures), theirs

    def _block(self, measures: Iterable[ByGeometry], n: int) -> tuple[Footprint, int]:
        """What the measures need, and how many objects of a side that leaves room for."""
        need, matrix = _together(measure.footprint(n) for measure in measures), 8 * n**2
        return need, int((self._means.memory - need.passing * matrix) // (2 * need.working * matrix))

    def _formed(self, measures: list[ByGeometry], n: int) -> list[ByGeometry]:
        """The measures in the form that computes least, where memory holds a block of objects a side in it."""
        lavish = [one.footprint(n).lavish or one for one in measures]
        fits = self._means.device.type == "cpu" and self._block(lavish, n)[1] >= _BLOCK
        return lavish if fits else measures

    def _target_side(self, t: list[int], measures: list[ByGeometry], on: "_Stimuli", *, keep: bool) -> "_Side":
        """A block of targets; when all of them fit, they are kept for the next sources."""
        key = (measures[0].preparation, tuple(t), on.ids.tobytes())
        if key in self._kept and on.drawn.whole:
            return self._kept[key]
        self._kept.clear()  # two would not fit
        of = [self._targets[place].select(on.ids) for place in t]
        side = _Side([rows(tensor(one, self._means.device), on.drawn.target) for one in of], t, measures)
        if keep:
            side.keep()
        if keep and on.drawn.whole:
            self._kept[key] = side
        return side


@dataclass(frozen=True)
class _Stimuli:
    """The shared stimuli, and which of them are drawn."""

    ids: NDArray[Any]
    drawn: Drawn
    n: int


class _Side:
    """Some objects over the shared stimuli: what is dear once, their geometries one parameter at a time."""

    def __init__(self, objects: Sequence[Tensor], places: list[int], measures: list[ByGeometry]) -> None:
        self.places = places
        self._measures = measures
        self._prepared: Prepared | None = measures[0].prepare(objects)
        self.units = self._prepared.units
        self._kept: list[Geometry] = []

    def geometries(self) -> Iterator[Geometry]:
        """One geometry a measure and parameter."""
        if self._prepared is None:
            yield from self._kept
            return
        for measure in self._measures:
            yield from measure.geometry(self._prepared)

    def keep(self) -> None:
        """Make every geometry now; what they are made of is not needed again."""
        self._kept = list(self.geometries())
        self._prepared = None


def _together(footprints: Iterable[Footprint]) -> Footprint:
    """Measures that share a preparation are worked on one after the other, and kept all."""
    every = list(footprints)
    return Footprint(
        max(one.passing for one in every), max(one.working for one in every), sum(one.held for one in every)
    )
