"""stats: the brain score of every model, in two readings, and what the scores go with."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from homoplasy.datasets import _manifest, nsd, published
from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence.analysis import Choices, analyse, require
from homoplasy.studies.convergence.readings import Estimator, Kernel, Reading
from homoplasy.tables import CORRELATIONS, MODEL_SCORES, MODELS, PROFILES, SCORES, SPREADS


class Settings(_settings.Strict):
    """What counts as the score of a model, and how its correlations are judged."""

    depth_bins: int = Field(gt=0, description="at least 1")
    binning: Literal["block", "released"]
    depth: int = Field(ge=0, description="a depth bin")
    top_share: float = Field(gt=0, le=1, description="above 0 and at most 1")
    kernel: Kernel
    size: float = Field(gt=0, description="above 0")
    estimator: Estimator
    draws: int = Field(ge=100, description="at least 100")
    seed: int = Field(ge=0, description="at least 0")
    kernel_unit: float = Field(gt=0, description="above 0")

    def choices(self, *, binning: str) -> Choices:
        """The same as the study takes them."""
        unit = self.kernel_unit if self.kernel == "absolute" else 1.0
        reading = Reading(self.kernel, self.size * unit, self.estimator, self.top_share)
        return Choices(reading, self.kernel_unit, self.depth_bins, binning, self.depth, self.draws, self.seed)


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, raw: Path, features: Path, scores: Path, tables: Path, metrics: Path, record: Path
) -> None:
    """Read the scores and what is known of the models, write the tables."""
    settings = _settings.read(params, "stats", Settings)
    points = _manifest.read(raw).dataset == "published"
    known = published.models(raw) if points else frames.read(features / "models.parquet", MODELS)
    performance = published.performance(raw) if points else nsd.open_tree(raw).performance()
    table = frames.read(scores / "scores.parquet", SCORES)
    # The published points were taken at 6/8 before they were printed, in one reading.
    choices = settings.choices(binning="block" if points else settings.binning)
    if not points and len(table):
        require(choices.reading, table)
    say(f"stats: the scores of {len(known)} models in two readings, and {settings.draws} draws over their families")
    found = analyse(choices, table, known, performance)
    files.fresh_folder(tables)
    for frame, schema in (
        (found.model_scores, MODEL_SCORES),
        (found.correlations, CORRELATIONS),
        (found.profiles, PROFILES),
        (found.spreads, SPREADS),
    ):
        frames.write(tables / f"{schema.name}.parquet", frame, schema)
    files.write_json(metrics, found.metrics)
    _settings.record({"stats": settings}, record)
    say(f"stats: {found.model_scores['score'].notna().sum()} brain scores, {len(found.correlations)} correlations")


if __name__ == "__main__":
    enter(main)
