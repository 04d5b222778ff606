"""Which rows of the shared stimuli stand on either side: all of them in order, or some drawn anew."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from homoplasy.measures import Comparison
from homoplasy.scoring.cells import Block, Health


@dataclass(frozen=True)
class Drawn:
    """Places among the sorted stimuli; None for all in order."""

    source: NDArray[Any] | None = None
    target: NDArray[Any] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is drawn."""
        return self.source is None and self.target is None


class Sink(Protocol):
    """What takes the scores of a draw."""

    def fill(self, label: tuple[str, str], block: Block, compared: Comparison, health: tuple[Health, Health]) -> None:
        """Write what one parameter of one measure says of a block."""


def rows(values: Tensor, places: NDArray[Any] | None) -> Tensor:
    """The rows at some places."""
    return values if places is None else values.index_select(0, torch.from_numpy(places).to(values.device))
