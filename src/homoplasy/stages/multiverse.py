"""multiverse: the headline claims under every combination of choices that the scores allow."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from homoplasy.progress import say
from homoplasy.stages import _multiverse, _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence import multiverse
from homoplasy.studies.convergence.specifications import Choices, specifications
from homoplasy.tables import COMPONENTS, SPECIFICATIONS


class Settings(_settings.Strict):
    """What is varied beside kernels and estimators, which are those of the scores."""

    depth_bins: tuple[Annotated[int, Field(ge=4, multiple_of=4)], ...] = Field(
        min_length=1, description="multiples of 4"
    )
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(description="each above 0 and at most 1")
    draws: int = Field(ge=100, description="at least 100")
    seed: int = Field(ge=0, description="at least 0")
    kernel_unit: float = Field(gt=0, description="above 0")

    def choices(self) -> Choices:
        """The same as the study takes them."""
        return Choices(self.depth_bins, self.shares, self.draws, self.seed, self.kernel_unit)


def main(params: Path, brain: Path, features: Path, scores: Path, stats: Path, tables: Path, record: Path) -> None:  # noqa: PLR0913 - one path an input
    """Read the scores and what is known of models, write the specifications and what moves them."""
    settings = _settings.read(params, "multiverse", Settings)
    found = specifications(_multiverse.study(brain, features, scores, stats), settings.choices())
    parts = multiverse.components(found)
    files.fresh_folder(tables)
    frames.write(tables / "specifications.parquet", found, SPECIFICATIONS)
    frames.write(tables / "components.parquet", parts, COMPONENTS)
    _settings.record({"multiverse": settings}, record)
    say(f"multiverse: {len(found)} specifications, {int(found['supports'].sum())} support their claim")


if __name__ == "__main__":
    enter(main)
