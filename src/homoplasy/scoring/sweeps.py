"""CKA of blocks of sources with blocks of targets, each block pair in one sweep; blocks are cut by memory alone.

Which objects stand in one sweep changes no bit of a score, so blocks may differ from call to call.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray

from homoplasy.maths.workers import one_thread
from homoplasy.measures import CKA
from homoplasy.measures._pass import Cloud, Sweeping, cloud, compared
from homoplasy.representation import Representation
from homoplasy.scoring import cost
from homoplasy.scoring.cells import Block
from homoplasy.scoring.drawn import Drawn, Sink, rows
from homoplasy.scoring.request import Means, tensor, too_little


class Sweeps:
    """The CKA measures, and the targets made ready for sweeps, which are kept where memory allows."""

    def __init__(
        self, targets: Sequence[Representation], measures: Sequence[CKA], means: Means, *, errors: bool
    ) -> None:
        self._targets, self._means = targets, means
        self._how = Sweeping(means.precision, means.threads, cost.GROUPS if errors else 0)
        rules = dict.fromkeys(one.standardise for one in measures)
        self._together = [[one for one in measures if one.standardise == rule] for rule in rules]
        self._kernels = max((len({k for one in same for k in one.kernels}) for same in self._together), default=0)
        self._relative = any(kind == "c" for one in measures for kind, _ in one.kernels)
        self._kept: dict[tuple[str, tuple[int, ...], bytes], list[Cloud]] = {}

    def blocks(self, sources: Iterable[Representation]) -> Iterator[list[Representation]]:
        """Sources in order, as many at a time as memory holds beside the targets."""
        if not self._together:
            yield list(sources)
            return
        block: list[Representation] = []
        used = 0.0
        for one in sources:
            room = self._room(one.n_stimuli)
            need = room.held(one.n_units) + one.values.nbytes + room.pair * len(self._targets)
            left = self._free(room, one.n_units) - self._taken(room, one.n_units)
            if need > left:
                raise too_little(self._means.memory + need - left, self._means.memory, one.n_stimuli)
            if block and used + need > left:
                yield block
                block, used = [], 0.0
            block.append(one)
            used += need
        if block:
            yield block

    def fill(
        self,
        draws: Sequence[tuple[Drawn, Sink]],
        of: Sequence[Representation],
        at: tuple[list[int], list[int]],
        ids: NDArray[Any],
    ) -> None:
        """Score some sources against some targets over the stimuli they share, draw by draw."""
        s, t = at
        for measures in self._together:
            ours = self._clouds([of[place] for place in s], measures, ids)
            for some in self._target_blocks(t, len(ids), max(of[place].n_units for place in s)):
                theirs = self._target_clouds(some, measures, ids, keep=len(some) == len(t))
                for drawn, sink in draws:
                    sides = _taken(ours, drawn.source), _taken(theirs, drawn.target)
                    self._compare(sink, measures, (s, some), sides)

    def _compare(
        self, sink: Sink, measures: list[CKA], at: tuple[list[int], list[int]], sides: tuple[list[Cloud], list[Cloud]]
    ) -> None:
        with one_thread():
            results = list(compared(measures, *sides, self._how))
        units, target_units = ([one.units for one in side] for side in sides)
        block = Block(*at, units, target_units, sides[0][0].n)
        for label, (found, g, h) in zip(_labels(measures), results, strict=True):
            sink.fill(label, block, found, (g, h))

    def _room(self, n: int) -> cost.Room:
        return cost.Room(n, self._kernels, self._relative, self._means)

    def _free(self, room: cost.Room, units: int) -> float:
        """What is left for sweeps beside the arrays of the targets, while an object is made ready."""
        widest = max([units, *(one.n_units for one in self._targets)])
        return self._means.memory - sum(one.values.nbytes for one in self._targets) - room.passing(widest)

    def _taken(self, room: cost.Room, units: int) -> float:
        """What the targets of one sweep take."""
        need = [room.held(one.n_units) for one in self._targets]
        return max(min(sum(need), self._free(room, units) / 2), max(need, default=0.0))

    def _target_blocks(self, t: list[int], n: int, units: int) -> Iterator[list[int]]:
        """All targets, or as many at a time as half of the memory holds."""
        room = self._room(n)
        half = self._free(room, units) / 2
        block: list[int] = []
        used = 0.0
        for place in t:
            need = room.held(self._targets[place].n_units)
            if block and used + need > half:
                yield block
                block, used = [], 0.0
            block.append(place)
            used += need
        yield block

    def _target_clouds(self, t: list[int], measures: list[CKA], ids: NDArray[Any], *, keep: bool) -> list[Cloud]:
        rule = measures[0].standardise
        key = (rule, tuple(t), ids.tobytes())
        if key not in self._kept:
            self._kept = {old: clouds for old, clouds in self._kept.items() if old[:2] != key[:2]}
            made = self._clouds([self._targets[place] for place in t], measures, ids)
            if not keep:
                return made
            self._kept[key] = made
        return self._kept[key]

    def _clouds(self, of: Sequence[Representation], measures: list[CKA], ids: NDArray[Any]) -> list[Cloud]:
        """Objects made ready, each by one thread, so that their bits do not depend on how many there are."""

        def made(one: Representation) -> Cloud:
            return cloud(tensor(one.select(ids), self._means.device), measures, self._means.precision)

        with (
            one_thread(),
            ThreadPoolExecutor(
                self._room(len(ids)).preparers(max(one.n_units for one in of)),
                initializer=torch.set_num_threads,
                initargs=(1,),
            ) as pool,
        ):
            return list(pool.map(made, of))


def _taken(clouds: list[Cloud], places: NDArray[Any] | None) -> list[Cloud]:
    """The same clouds over some of their stimuli, with the widths of all."""
    if places is None:
        return clouds
    return [
        replace(one, n=len(places), points=None if one.points is None else rows(one.points, places)) for one in clouds
    ]


def _labels(measures: Sequence[CKA]) -> list[tuple[str, str]]:
    return [(one.name, label) for one in measures for label in one.params]
