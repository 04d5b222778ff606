"""All sources against all targets by every measure: rows of Scores. Rows are joined by stimulus id."""

import re
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from homoplasy.errors import BadData, BadRequest
from homoplasy.measures import Footprint, Geometry, Measure, Prepared
from homoplasy.representation import Representation
from homoplasy.tables import SCORES

_LEAST = 4  # stimuli in common: debiasing divides by n - 3
_BLOCK = 16  # objects worked on at a time even where memory allows more: they stay near the processor
_NUMBERS = ("value", "null_mean", "null_sd", "source_offdiagonal", "target_offdiagonal", "source_pr", "target_pr")
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def score(
    sources: Iterable[Representation],
    targets: Iterable[Representation],
    measures: Iterable[Measure],
    device: str = "cpu",
    memory: str = "2GB",
) -> pd.DataFrame:
    """Score every source against every target by every measure: one row a pair and a parameter.

    Facts of a representation fill the columns of the same name: `layer` and `depth` of a source, `region`, `subject`
    and `ceiling` of a target. A value that cannot be is NaN, with a reason.
    """
    return Scorer(targets, measures, device, memory).score(sources)


class Scorer:
    """Targets and measures that meet many sources; the geometry of the targets is kept where memory allows."""

    def __init__(
        self, targets: Iterable[Representation], measures: Iterable[Measure], device: str = "cpu", memory: str = "2GB"
    ) -> None:
        self._targets, self._measures = list(targets), list(measures)
        _distinct(map(_name, self._targets), "targets are")
        _distinct((f"{one.name} {label}" for one in self._measures for label in one.params), "measures are")
        self._device, self._memory = _device(device), _bytes(memory)
        self._kept: dict[Hashable, _Side] = {}
        self._making = threading.Lock()  # several threads may score; one makes what all of them use

    def score(self, sources: Iterable[Representation]) -> pd.DataFrame:
        """Rows in the order of sources, then targets, then measures."""
        of = list(sources)
        _distinct(map(_name, of), "sources are")
        table = _Table(of, self._targets, self._measures)
        for s, t in product(_alike(of), _alike(self._targets)):
            shared = _shared(of[s[0]], self._targets[t[0]])
            for measures in self._by_preparation():
                for ours, theirs in self._sides(of, s, t, measures, shared):
                    table.fill(ours, theirs, measures, len(shared))
        return table.rows()

    def _by_preparation(self) -> list[list[Measure]]:
        """Measures that share their distances, together."""
        kinds = dict.fromkeys(one.preparation for one in self._measures)
        return [[one for one in self._measures if one.preparation == kind] for kind in kinds]

    def _sides(
        self, of: Sequence[Representation], s: list[int], t: list[int], measures: list[Measure], shared: NDArray[Any]
    ) -> Iterator[tuple["_Side", "_Side"]]:
        """Blocks of sources against blocks of targets, such that both fit into memory."""
        matrix = 8 * len(shared) ** 2
        need = _together(measure.footprint(len(shared)) for measure in measures)
        size = int((self._memory - need.passing * matrix) // (2 * need.working * matrix))  # half for each side
        if size < 1:
            raise BadRequest(
                f"a score over {len(shared)} stimuli needs "
                f"{(need.passing + 2 * need.working) * matrix / 1e9:.1f} GB of memory, "
                f"{self._memory / 1e9:g} GB are allowed; score fewer stimuli, or allow more (memory=..., which the "
                "pipeline takes from HOMOPLASY_MEMORY)."
            )
        keep = len(t) * (need.held + need.working) <= size * need.working
        for t_block in [t] if keep else _blocks(t, size):
            theirs = self._target_side(t_block, measures, shared, keep=keep)
            for s_block in _blocks(s, size):
                yield _Side([of[place] for place in s_block], s_block, measures, shared, self._device), theirs

    def _target_side(self, t: list[int], measures: list[Measure], shared: NDArray[Any], *, keep: bool) -> "_Side":
        """A block of targets; when all of them fit, they are kept for the next sources."""
        key = (measures[0].preparation, tuple(t), shared.tobytes())
        with self._making:
            if key not in self._kept:
                self._kept.clear()  # two would not fit
                side = _Side([self._targets[place] for place in t], t, measures, shared, self._device)
                if not keep:
                    return side
                side.keep()
                self._kept[key] = side
            return self._kept[key]


class _Side:
    """Some objects over the shared stimuli: what is dear once, their geometries one parameter at a time."""

    def __init__(
        self,
        objects: Sequence[Representation],
        places: list[int],
        measures: list[Measure],
        shared: NDArray[Any],
        device: torch.device,
    ) -> None:
        self.places = places
        self._measures = measures
        self._prepared: Prepared | None = measures[0].prepare([_tensor(one.select(shared), device) for one in objects])
        self.units = np.array(self._prepared.units)
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


class _Table:
    """The cells of all sources x targets x parameters while they are filled."""

    def __init__(
        self, sources: Sequence[Representation], targets: Sequence[Representation], measures: Sequence[Measure]
    ) -> None:
        self._sources, self._targets = sources, targets
        self._labels = [(one.name, label, one.estimator) for one in measures for label in one.params]
        shape = (len(sources), len(targets), len(self._labels))
        self._numbers = {name: np.full(shape, np.nan) for name in _NUMBERS}
        self._counts = {name: np.zeros(shape, dtype=np.int64) for name in ("n", "source_units", "target_units")}
        self._reason = np.full(shape, "", dtype=object)

    def fill(self, ours: _Side, theirs: _Side, measures: Sequence[Measure], n: int) -> None:
        """Compare two sides under every parameter of some measures."""
        each = [(measure, label) for measure in measures for label in measure.params]
        for (measure, label), g, h in zip(each, ours.geometries(), theirs.geometries(), strict=True):
            m = self._labels.index((measure.name, label, measure.estimator))
            at = np.ix_(ours.places, theirs.places, [m])
            compared = measure.compare(g, h)
            reason = _either(g.reasons, h.reasons)
            self._reason[at] = reason[..., None]
            for name in ("value", "null_mean", "null_sd"):
                numbers = getattr(compared, name).numpy(force=True)
                self._numbers[name][at] = np.where(reason == "", numbers, np.nan)[..., None]
            for side, geometry, axes in (
                ("source", g, (slice(None), None, None)),
                ("target", h, (None, slice(None), None)),
            ):
                self._numbers[f"{side}_offdiagonal"][at] = geometry.off_diagonal.numpy(force=True)[axes]
                self._numbers[f"{side}_pr"][at] = geometry.participation_ratio.numpy(force=True)[axes]
            self._counts["n"][at] = n
            self._counts["source_units"][at] = ours.units[:, None, None]
            self._counts["target_units"][at] = theirs.units[None, :, None]

    def rows(self) -> pd.DataFrame:
        """One row a cell, in the schema."""
        s, t, m = (axis.ravel() for axis in np.indices(self._reason.shape))
        names, labels, estimators = zip(*self._labels, strict=True) if self._labels else ((), (), ())
        columns = {
            "source": _words([one.address for one in self._sources], s),
            "layer": _words([_fact(one, "layer", "") for one in self._sources], s),
            "depth": np.array([_fact(one, "depth", np.nan) for one in self._sources], dtype=float)[s],
            "target": _words([one.address for one in self._targets], t),
            "region": _words([_fact(one, "region", "") for one in self._targets], t),
            "subject": _words([_fact(one, "subject", "") for one in self._targets], t),
            "ceiling": np.array([_fact(one, "ceiling", np.nan) for one in self._targets], dtype=float)[t],
            "measure": _words(names, m),
            "params": _words(labels, m),
            "estimator": _words(estimators, m),
            "reason": pd.array(self._reason.ravel(), dtype="str"),
        }
        cells = {name: array.ravel() for name, array in (self._numbers | self._counts).items()}
        return SCORES.check(pd.DataFrame(columns | cells))


def _either(ours: Sequence[str], theirs: Sequence[str]) -> NDArray[Any]:
    """Why a pair has no value: the source's reason, else the target's."""
    left, right = np.array(ours, dtype=object)[:, None], np.array(theirs, dtype=object)[None, :]
    return np.where(left != "", left, right)


def _together(footprints: Iterable[Footprint]) -> Footprint:
    """Measures that share a preparation are worked on one after the other, and kept all."""
    every = list(footprints)
    return Footprint(
        max(one.passing for one in every), max(one.working for one in every), sum(one.held for one in every)
    )


def _words(words: Sequence[str], at: NDArray[np.intp]) -> Any:
    return pd.array(words, dtype="str").take(at)


def _fact(of: Representation, name: str, missing: Any) -> Any:
    found = of.facts.get(name)
    return missing if found is None else found


def _name(of: Representation) -> str:
    return f"{of.address} {_fact(of, 'layer', '')}".strip()


def _distinct(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadRequest(f"score: two {what} named '{name}'; a row of the table must be named once.")
        seen.add(name)


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


def _blocks(places: list[int], memory_holds: int) -> list[list[int]]:
    size = min(memory_holds, _BLOCK)
    return [places[start : start + size] for start in range(0, len(places), size)]


def _tensor(of: Representation, device: torch.device) -> Tensor:
    values = of.values
    if values.dtype.kind not in "fiu":
        raise BadData(f"{of.address}: expected numbers, found values of type {values.dtype}.")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    return torch.from_numpy(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))).to(device)


def _device(name: str) -> torch.device:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise BadRequest(f"device is '{name}', which is not here; 'cpu' always is.") from None
    return torch.device(name)


def _bytes(memory: str) -> int:
    """Read an amount such as 2GB."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MGT]B)\s*", memory)
    if not found:
        raise BadRequest(f"memory is '{memory}'; expected an amount such as '2GB' or '500MB'.")
    return int(float(found[1]) * _BYTES[found[2]])
