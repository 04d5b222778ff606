"""All sources against all targets by every measure: rows of Scores. Rows are joined by stimulus id."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeVar, cast

import pandas as pd
from numpy.typing import NDArray

from homoplasy.errors import BadData
from homoplasy.maths.tiles import Precision
from homoplasy.measures import CKA, ByGeometry, Measure
from homoplasy.representation import Representation
from homoplasy.scoring.cells import Cells
from homoplasy.scoring.drawn import Drawn, Sink
from homoplasy.scoring.geometries import Geometries
from homoplasy.scoring.request import Means, distinct, name
from homoplasy.scoring.sweeps import Sweeps
from homoplasy.tables import SCORES

S = TypeVar("S", bound=Sink)

_LEAST = 4  # stimuli in common: debiasing divides by n - 3


def score(
    sources: Iterable[Representation],
    targets: Iterable[Representation],
    measures: Iterable[Measure],
    device: str = "cpu",
    memory: str = "2GB",
    precision: Precision = "float32",
) -> pd.DataFrame:
    """Score every source against every target by every measure: one row a pair and a parameter.

    Facts of a representation fill the columns of the same name: `layer` and `depth` of a source, `region`, `subject`
    and `ceiling` of a target. A value that cannot be is NaN, with a reason. `memory` bounds what is held at a time, the
    arrays that are given included. `precision` is that of the sums of CKA (maths.tiles); other measures use float64.
    """
    return Scorer(targets, measures, device, memory, precision).score(sources)


class Scorer:
    """Targets and measures that meet many sources; what is made of the targets is kept where memory allows."""

    def __init__(
        self,
        targets: Iterable[Representation],
        measures: Iterable[Measure],
        device: str = "cpu",
        memory: str = "2GB",
        precision: Precision = "float32",
        *,
        errors: bool = True,
    ) -> None:
        self.targets, self.measures = list(targets), list(measures)
        distinct(map(name, self.targets), "targets are")
        distinct((f"{one.name} {label}" for one in self.measures for label in one.params), "measures are")
        means = Means.of(device, memory, precision).possible()
        swept = [one for one in self.measures if isinstance(one, CKA)]
        others = [cast("ByGeometry", one) for one in self.measures if not isinstance(one, CKA)]
        self._sweeps = Sweeps(self.targets, swept, means, errors=errors)
        self._geometries = Geometries(self.targets, others, means)

    def score(self, sources: Iterable[Representation]) -> pd.DataFrame:
        """Rows in the order of sources, then targets, then measures."""
        parts = list(self.stream(sources))
        return pd.concat(parts, ignore_index=True) if parts else SCORES.empty()

    def stream(self, sources: Iterable[Representation]) -> Iterator[pd.DataFrame]:
        """The same rows, some sources at a time: as many as memory holds, so they may be read while they are scored."""
        for (cells,) in self.fill(sources, lambda of: [Cells(of, self.targets, self.measures)], lambda _: [Drawn()]):
            yield cells.rows()

    def fill(
        self,
        sources: Iterable[Representation],
        sinks: Callable[[list[Representation]], list[S]],
        draws: Callable[[int], list[Drawn]],
    ) -> Iterator[list[S]]:
        """Fill a sink a draw with the scores of some sources at a time; `draws` takes the number of shared stimuli."""
        seen: list[str] = []
        for block in self._sweeps.blocks(sources):
            seen += map(name, block)
            distinct(seen, "sources are")
            made = sinks(block)
            for s, t in product(_alike(block), _alike(self.targets)):
                ids = _shared(block[s[0]], self.targets[t[0]])
                every = list(zip(draws(len(ids)), made, strict=True))
                self._sweeps.fill(every, block, (s, t), ids)
                self._geometries.fill(every, block, (s, t), ids)
            yield made


def _alike(of: Sequence[Representation]) -> list[list[int]]:
    """The places of representations that have the same stimuli, together."""
    groups: dict[Hashable, list[int]] = {}
    for place, one in enumerate(of):
        groups.setdefault((one.stimulus_ids.dtype.str, one.stimulus_ids.tobytes()), []).append(place)
    return list(groups.values())


def _shared(source: Representation, target: Representation) -> NDArray[Any]:
    shared = source.align(target)[0].stimulus_ids
    if len(shared) < _LEAST:
        raise BadData(
            f"{source.address} and {target.address} have {len(shared)} stimuli in common; expected {_LEAST} or more."
        )
    return shared
