"""The one noun: stimuli by units, with the ids of both. A brain region and a model layer are the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy.errors import BadData


@dataclass(frozen=True, eq=False)
class Representation:
    """Values (n, d) with the stimulus ids of the rows and, where they exist, the unit ids of the columns.

    `address` names the thing in every table; `facts` are plain JSON values (depth, pooling, network, ...).
    """

    values: NDArray[Any]
    stimulus_ids: NDArray[Any]
    address: str
    unit_ids: NDArray[Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take any sequence of ids; refuse shapes that do not fit."""
        values, ids = np.asarray(self.values), np.asarray(self.stimulus_ids)
        if values.ndim != 2:
            raise BadData(f"{self.address}: expected values of shape (stimuli, units), found {values.shape}.")
        if ids.shape != (values.shape[0],):
            raise BadData(f"{self.address}: expected {values.shape[0]} stimulus ids, one a row, found {ids.shape}.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "stimulus_ids", ids)
        if self.unit_ids is not None:
            units = np.asarray(self.unit_ids)
            if units.shape != (values.shape[1],):
                raise BadData(f"{self.address}: expected {values.shape[1]} unit ids, found {units.shape}.")
            object.__setattr__(self, "unit_ids", units)

    @property
    def n_stimuli(self) -> int:
        """The number of rows."""
        return int(self.values.shape[0])

    @property
    def n_units(self) -> int:
        """The number of columns."""
        return int(self.values.shape[1])

    def select(self, stimulus_ids: NDArray[Any]) -> "Representation":
        """Take the rows of these ids, in this order; every id must be there once."""
        order = _sorter(self)
        sorted_ids = self.stimulus_ids[order]
        wanted = np.asarray(stimulus_ids)
        if sorted_ids.size == 0:
            raise BadData(f"{self.address}: it has no stimuli, {wanted.size} were asked for.")
        place = np.clip(np.searchsorted(sorted_ids, wanted), 0, sorted_ids.size - 1)
        missing = wanted[sorted_ids[place] != wanted]
        if missing.size:
            raise BadData(f"{self.address}: {missing.size} stimuli are missing, the first is {missing[0]!r}.")
        return replace(self, values=self.values[order[place]], stimulus_ids=wanted)

    def align(self, other: "Representation") -> tuple["Representation", "Representation"]:
        """Join two representations on stimulus id: the shared stimuli, sorted by id, on both sides."""
        if self.stimulus_ids.dtype.kind != other.stimulus_ids.dtype.kind:
            raise BadData(
                f"{self.address} and {other.address}: stimulus ids of different types "
                f"({self.stimulus_ids.dtype} and {other.stimulus_ids.dtype}) cannot be joined."
            )
        _sorter(self), _sorter(other)
        shared = np.intersect1d(self.stimulus_ids, other.stimulus_ids)
        if shared.size == 0:
            raise BadData(f"{self.address} and {other.address} share no stimulus; check that their ids mean the same.")
        return self.select(shared), other.select(shared)


def _sorter(of: Representation) -> NDArray[np.intp]:
    """The order that sorts the ids; duplicates are refused, since a join on them would multiply rows."""
    order = np.argsort(of.stimulus_ids, kind="stable")
    ids = of.stimulus_ids[order]
    twice = ids[1:][ids[1:] == ids[:-1]]
    if twice.size:
        raise BadData(f"{of.address}: stimulus id {twice[0]!r} occurs more than once; average the rows first.")
    return order
