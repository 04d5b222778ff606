"""What sweeps take: memory, by which blocks are cut; time, from a trial on this machine."""

import math
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize

from homoplasy.maths import tiles
from homoplasy.measures import CKA
from homoplasy.measures._pass import cloud
from homoplasy.scoring.request import Means

GROUPS = 20  # of stimuli, that are left out in turn for the standard error

_TRIAL, _UNITS = 512, 256  # stimuli of a trial, and units of the object that is made ready
_MEDIAN = 2000  # rows among which a median distance is taken (maths.kernels)
_TILE = {"cpu": 128, "cuda": 1024}  # stimuli along a side of a tile (maths.tiles)


@dataclass(frozen=True)
class Room:
    """Bytes that sweeps over n stimuli take, by what takes them; measured, tests hold them from below."""

    n: int
    kernels: int
    relative: bool  # whether widths are multiples of a median distance
    means: Means

    def held(self, units: int) -> float:
        """An object in a sweep: its points twice; shifts, sums and sums by group of its rows; its share of tiles."""
        points = 2 * self.means.itemsize * self.n * units
        rows = self.n * self.kernels * (8 * 44 + 4 * GROUPS + 8 * (self.means.threads + 1))
        tiles = 3 * self.means.itemsize * self.means.threads * min(self.n, _TILE[self.means.device.type]) ** 2
        return points + rows + tiles

    @property
    def pair(self) -> float:
        """A source with a target: their products by group, in every thread and while they are read."""
        return 8 * self.kernels * GROUPS * (self.means.threads + 6)

    def preparers(self, units: int) -> int:
        """How many objects are made ready at a time: one a thread, but in no more than a quarter of the memory."""
        return max(1, min(self.means.threads, int(self.means.memory / 4 / self._preparing(units))))

    def passing(self, units: int) -> float:
        """What making objects ready takes, the widest of which has so many units."""
        return self.preparers(units) * self._preparing(units)

    def _preparing(self, units: int) -> float:
        return 8 * (4 * self.n * units + 5 * self.relative * min(self.n, _MEDIAN) ** 2)


@dataclass(frozen=True)
class Work:
    """A table of scores of CKA: how many stimuli, the units of every object, how many kernels and estimators."""

    n: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    kernels: int
    estimators: int = 2
    relative: bool = True

    @property
    def values(self) -> int:
        """How many scores it has."""
        return len(self.sources) * len(self.targets) * self.kernels * self.estimators

    def sweeps(self, means: Means) -> int:
        """In how many sweeps the sources are taken, each of which goes over the targets."""
        room = Room(self.n, self.kernels, self.relative, means)
        beside = room.passing(max(self.sources + self.targets)) + 4 * self.n * sum(self.targets)
        free = means.memory - beside
        left = free - min(sum(map(room.held, self.targets)), free / 2)
        need = sum(room.held(units) + 4 * self.n * units + room.pair * len(self.targets) for units in self.sources)
        return max(1, math.ceil(need / left)) if left > 0 else len(self.sources)

    def memory(self, means: Means) -> float:
        """Bytes that it takes where it may take all of them, at most what is allowed."""
        room = Room(self.n, self.kernels, self.relative, means)
        every = self.sources + self.targets
        held = sum(room.held(units) + 4 * self.n * units for units in every)
        pairs = room.pair * len(self.sources) * len(self.targets)
        return min(means.memory, room.passing(max(every)) + held + pairs)


@dataclass(frozen=True)
class Speed:
    """Seconds of one core: of a pair of stimuli, times a unit, a kernel entry, a product; and to make objects ready."""

    distance: float
    entry: float
    product: float
    number: float  # of an object that is made ready
    median: float  # of the distances of one pair of stimuli

    def seconds(self, work: Work, means: Means) -> float:
        """How long a table takes where all threads have a core to themselves."""
        if not work.sources or not work.targets:
            return 0.0
        sweeps = work.sweeps(means)
        s, t = len(work.sources), len(work.targets)
        pair = (
            self.distance * (sum(work.sources) + sweeps * sum(work.targets))
            + self.entry * work.kernels * (s + sweeps * t)
            + self.product * work.kernels * s * t
        )
        ready = self.number * work.n * (sum(work.sources) + sum(work.targets))
        medians = work.relative * self.median * (s + t) * min(work.n, _MEDIAN) ** 2
        return (pair * _pairs(work.n) + ready + medians) / means.threads


NOMINAL = Speed(3e-11, 1e-9, 4e-11, 1e-8, 3e-8)  # to tell seconds from hours without a trial


def trial(means: Means) -> Speed:
    """Time small sweeps and solve for what each kind of work costs: some seconds, the first time also to compile.

    It is processor time that is taken, so that a busy machine tells the same as an idle one.
    """
    shapes = [(8, 16, 1), (8, 512, 1), (8, 16, 8), (48, 16, 8)]  # objects a side, units, kernels
    _sweep(*shapes[0], means)
    taken = [min(_sweep(*shape, means) for _ in range(2)) for shape in shapes]
    counts = [[1.0, 2 * side * units, 2 * side * kernels, side**2 * kernels] for side, units, kernels in shapes]
    scale = np.array([1.0, *[_pairs(_TRIAL)] * 3])
    _, distance, entry, product = optimize.nnls(np.array(counts), np.array(taken))[0] / scale
    plain, relative = (min(_ready(measure, means) for _ in range(2)) for measure in (CKA(sigma=1.0), CKA()))
    number, median = plain / (_TRIAL * _UNITS), max(relative - plain, 0) / _TRIAL**2
    return Speed(float(distance), float(entry), float(product), number, median)


def _pairs(n: int) -> float:
    """Pairs of stimuli in the tiles on and above the diagonal."""
    tiles = -(-n // _TILE["cpu"])
    return min(n**2, tiles * (tiles + 1) / 2 * _TILE["cpu"] ** 2)


def _sweep(side: int, units: int, kernels: int, means: Means) -> float:
    of = [_noise(units, means) for _ in range(side)]
    sigma = torch.full((kernels, side), float(units) ** 0.5, dtype=torch.float64)
    start = time.process_time()
    tiles.sweep(of, of, (sigma, sigma), memory=sys.maxsize, precision=means.precision)
    return time.process_time() - start


def _ready(measure: CKA, means: Means) -> float:
    of = _noise(_UNITS, means)
    start = time.process_time()
    cloud(of, [measure], means.precision)
    return time.process_time() - start


def _noise(units: int, means: Means) -> torch.Tensor:
    return torch.randn(_TRIAL, units, generator=torch.Generator().manual_seed(units)).to(means.device)
