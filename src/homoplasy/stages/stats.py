"""stats: the brain score of every model, in two readings, and what the scores go with."""

from pathlib import Path

from pydantic import Field

from homoplasy.datasets import _manifest
from homoplasy.datasets import published as _points
from homoplasy.datasets.performance import known as results
from homoplasy.datasets.performance.leaderboard import Rule
from homoplasy.progress import say
from homoplasy.stages import _settings, _statistics
from homoplasy.stages._depth import AtDepth
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence.analysis import Choices, Results, analyse, require
from homoplasy.studies.convergence.readings import Estimator, Kernel, Reading
from homoplasy.tables import DRAWS, JOINS, MODELS, SCORES


class Settings(AtDepth):
    """What counts as the score of a model, and how its correlations are judged."""

    top_share: float = Field(gt=0, le=1, description="above 0 and at most 1")
    kernel: Kernel
    size: float = Field(gt=0, description="above 0")
    estimator: Estimator
    draws: int = Field(ge=100, description="at least 100")
    seed: int = Field(ge=0, description="at least 0")
    umap: int = Field(ge=0, description="at least 0")
    duplicates: Rule
    kernel_unit: float = Field(gt=0, description="above 0")

    def choices(self, *, binning: str) -> Choices:
        """The same as the study takes them."""
        unit = self.kernel_unit if self.kernel == "absolute" else 1.0
        reading = Reading(self.kernel, self.size * unit, self.estimator, self.top_share)
        rest = (self.depth_bins, binning, self.depth, self.draws, self.seed, self.umap)
        return Choices(reading, self.kernel_unit, *rest)


def run(settings: Settings, raw: Path, brain: Path, models: Path, features: Path, scores: Path) -> Results:
    """Read the scores and what is known of the models, and analyse them; no file is written."""
    points = _manifest.read(raw).dataset == "published"
    known = _points.models(raw) if points else frames.read(features / "models.parquet", MODELS)
    performance, joins = (
        (_points.performance(raw), JOINS.empty()) if points else results.of(raw, known, settings.duplicates)
    )
    table, halves = frames.read(scores / "scores.parquet", SCORES), frames.read(scores / "halves.parquet", DRAWS)
    # The published points were taken at 6/8 before they were printed, in one reading.
    choices = settings.choices(binning="block" if points else settings.binning)
    if not points and len(table):
        require(choices.reading, table)
    say(f"stats: the scores of {len(known)} models in two readings, and {settings.draws} draws over their families")
    beside = None if points else _statistics.around(raw, brain, models, known, performance)
    return analyse(choices, table, known, performance, beside, halves).beside(joins=joins)


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, raw: Path, brain: Path, models: Path, features: Path, scores: Path, printed: Path,
    tables: Path, published: Path, plots: Path, metrics: Path, record: Path,
) -> None:  # fmt: skip
    """Analyse the scores and the published points, write the tables."""
    settings = _settings.read(params, "stats", Settings)
    found = run(settings, raw, brain, models, features, scores)
    _statistics.write(tables, found.tables)
    _statistics.write_plots(plots, found)
    say("stats: the published points, analysed again")
    _statistics.analyse_printed(printed, published, settings.draws, settings.seed)
    files.write_json(metrics, found.metrics)
    _settings.record({"stats": settings}, record)
    say(f"stats: {found.model_scores['score'].notna().sum()} brain scores, {len(found.correlations)} correlations")


if __name__ == "__main__":
    enter(main)
