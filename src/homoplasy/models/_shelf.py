"""Pictures as a preprocessing leaves them, kept in memory for the next model that wants the same, within a bound."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
Geometry = Callable[[Pictures], Pictures]  # resize and crop: (n, height, width, 3) -> (n, h, w, 3)


@dataclass
class _Kept:
    values: Pictures
    there: NDArray[np.bool_]


@dataclass
class Shelf:
    """Prepared pictures by the name of their geometry; those of the longest unused one go first."""

    limit: int = 0  # bytes
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def take(
        self, name: str, rows: NDArray[np.intp], count: int, make: Callable[[NDArray[np.intp]], Pictures]
    ) -> Pictures:
        """Give the pictures of these rows out of `count`, making only those that are not kept."""
        kept = self._kept.pop(name, None)
        if kept is None:
            made = make(rows)
            kept = self._room(made, count)
            if kept is None:
                return made
            kept.values[rows], kept.there[rows] = made, True
        missing = rows[~kept.there[rows]]
        if missing.size:
            kept.values[missing], kept.there[missing] = make(missing), True
        self._kept[name] = kept  # the last used stand last
        return kept.values[rows]

    def _room(self, made: Pictures, count: int) -> _Kept | None:
        """Room for all pictures of a geometry, if that is within the bound at all."""
        needed = count * prod(made.shape[1:])
        if needed > self.limit:
            return None
        while needed + sum(one.values.nbytes for one in self._kept.values()) > self.limit:
            del self._kept[next(iter(self._kept))]
        return _Kept(np.empty((count, *made.shape[1:]), np.uint8), np.zeros(count, bool))
