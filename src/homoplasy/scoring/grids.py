"""Values alone of all sources against very many targets, without a table of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from homoplasy.measures import Comparison, Measure
from homoplasy.representation import Representation
from homoplasy.scoring.cells import Block, Health
from homoplasy.scoring.drawn import Drawn
from homoplasy.scoring.scorer import Scorer


@dataclass(frozen=True)
class Grid:
    """A sink: the values of some sources against all targets, NaN where there is none."""

    labels: Sequence[tuple[str, str]]
    values: Float[np.ndarray, "s t m"]

    def fill(self, label: tuple[str, str], block: Block, compared: Comparison, health: tuple[Health, Health]) -> None:
        """Write what one parameter of one measure says of a block."""
        at = np.ix_(block.sources, block.targets, [self.labels.index(label)])
        lost = np.logical_or.outer(*([bool(reason) for reason in side.reasons] for side in health))
        self.values[at] = np.where(lost, np.nan, compared.value.numpy(force=True))[..., None]


def grids(
    sources: Iterable[Representation],
    targets: Sequence[Representation],
    measures: Sequence[Measure],
    device: str = "cpu",
    memory: str = "2GB",
) -> Float[np.ndarray, "s t m"]:
    """The values of every source, target and parameter of the measures, in their order, and without their errors."""
    scorer = Scorer(targets, measures, device, memory, errors=False)
    labels = [(one.name, label) for one in measures for label in one.params]

    def sink(of: list[Representation]) -> list[Grid]:
        return [Grid(labels, np.full((len(of), len(targets), len(labels)), np.nan))]

    made = [grid.values for (grid,) in scorer.fill(sources, sink, lambda _: [Drawn()])]
    return np.concatenate(made) if made else np.empty((0, len(targets), len(labels)))
