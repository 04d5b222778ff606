"""Dissimilarities of all pairs of many stimuli, held in float32: `maths.pairs` takes distances twice, this once.

Of some objects at a time the squared distances are made, panel by panel, and in their place what is compared of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from homoplasy.maths.clouds import Clouds
from homoplasy.maths.compiled import Loop, compiled
from homoplasy.maths.pairs import FLAT, RUN, Sums, rank_table, unshifted

_AT_ONCE = 4  # objects whose distances stay in the cache
_PANEL = 128  # stimuli whose distances to all later ones are taken together
_SOME = 2**10  # entries among which the middle is found
_LEAST = 2.0**-31  # of the largest squared distance: smaller ones share a bin, so that bins stay narrow


@dataclass(frozen=True)
class Held:
    """Entries V_ij = A_ij - shift of some objects on the processor, i < j row after row, and their sums."""

    entries: Float[Tensor, "b m"]
    rows: Float[Tensor, "b n"]  # sum over j != i
    square: Float[Tensor, " b"]
    shift: Float[Tensor, " b"]
    flat: Bool[Tensor, " b"]  # whether all distances are alike

    def against(self, other: "Held") -> Sums:
        """Products of every object with every one of the other side."""
        cross = torch.zeros(len(self.entries), len(other.entries), dtype=torch.float64)
        for v, w in zip(self.entries.split(RUN, 1), other.entries.split(RUN, 1), strict=True):
            cross += v @ w.T
        return unshifted((self.rows, other.rows), (self.square, other.square), cross, (self.shift, other.shift))


def hold(points: Sequence[Float[Tensor, "n _"]], *, root: bool, ranked: bool) -> Held:
    """Make the entries of some objects: a rank, or the squared distance or its root less its middle."""
    b, n, wide = len(points), len(points[0]), torch.float64
    made = Held(
        torch.empty(b, n * (n - 1) // 2),
        torch.zeros(b, n, dtype=wide),
        torch.zeros(b, dtype=wide),
        torch.zeros(b, dtype=wide),
        torch.zeros(b, dtype=torch.bool),
    )
    for start in range(0, b, _AT_ONCE):
        some = range(start, min(start + _AT_ONCE, b))
        _distances(points[start : some.stop], made.entries[start : some.stop])
        for place in some:  # while they are in the cache
            _finish(made, place, root=root, ranked=ranked)
    return made


def _finish(made: Held, place: int, *, root: bool, ranked: bool) -> None:
    """Entries of one object from its squared distances, in place, and their sums."""
    entries = made.entries[place]
    low, high = entries.aminmax()
    made.flat[place] = high - low <= FLAT * high
    if ranked:
        squared = entries[None]
        rank_table(squared, torch.maximum(low, high * _LEAST), high).look(squared, squared)
    else:
        made.shift[place] = _less_middle(entries.sqrt_() if root else entries)
    made.square[place] = _summed(entries.numpy(), made.rows[place].numpy())


def _distances(points: Sequence[Float[Tensor, "n _"]], out: Float[Tensor, "b m"]) -> None:
    """Squared distances of some objects."""
    clouds = Clouds(points, torch.float32)
    n = clouds.n
    room = clouds.room(min(_PANEL, n), n)
    for start in range(0, n, _PANEL):
        clouds.tile(slice(start, min(start + _PANEL, n)), slice(start, n), room)
        _pack(room.numpy(), start, n, out.numpy())


def _less_middle(entries: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """Take the median of some entries away, in place, and give it back: what is left of most is small."""
    middle = entries[:: -(-len(entries) // _SOME)].median()
    entries -= middle
    return middle


def _summing(loop: Loop) -> Loop:
    """Compile a loop whose sums may be taken in any order."""
    return compiled(loop, frozenset({"contract", "reassoc"}))


@compiled
def _pack(panel: Any, start: int, n: int, out: Any) -> None:
    """Copy the pairs i < j of rows whose first pair is that of `start` with itself."""
    for place in range(len(out)):
        at = start * (2 * n - start - 1) // 2
        for i in range(min(_PANEL, n - start)):
            count = n - start - i - 1
            out[place, at : at + count] = panel[place, i, i + 1 : i + 1 + count]
            at += count


@_summing
def _summed(entries: Any, rows: Any) -> float:
    """Add entries to the sums of both of their rows, and give the sum of their squares."""
    at, square = 0, 0.0
    for i in range(rows.size):
        own = 0.0
        for j in range(i + 1, rows.size):
            entry = np.float64(entries[at])
            own += entry
            square += entry * entry
            rows[j] += entry
            at += 1
        rows[i] += own
    return square
