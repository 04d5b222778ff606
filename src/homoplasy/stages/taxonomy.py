"""taxonomy: Ward's tree of the models by where in the brain, and how deep in them, they resemble it."""

from pathlib import Path

from pydantic import Field

from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.readings import Estimator, Kernel, Reading
from homoplasy.studies.convergence.taxonomy import grow
from homoplasy.tables import LEAVES, LINKAGE, MODELS, SCORES, TREE


class Settings(_settings.Strict):
    """Which scores make the profile of a model."""

    kernel: Kernel
    size: float = Field(gt=0, description="above 0")
    estimator: Estimator
    depth_bins: int = Field(gt=0, description="at least 1")
    kernel_unit: float = Field(gt=0, description="above 0")

    def reading(self) -> Reading:
        """The reading that these settings ask for; every region counts."""
        unit = self.kernel_unit if self.kernel == "absolute" else 1.0
        return Reading(self.kernel, self.size * unit, self.estimator, 1.0)


def main(params: Path, features: Path, scores: Path, tables: Path, record: Path) -> None:
    """Read the scores, write the tree."""
    settings = _settings.read(params, "taxonomy", Settings)
    models = frames.read(features / "models.parquet", MODELS)
    table = frames.read(scores / "scores.parquet", SCORES)
    known = table[table["source"].isin(models["model"])]
    say(f"taxonomy: the tree of {len(models)} models by their profiles over regions and {settings.depth_bins} depths")
    found = grow(
        with_bins(known, models, settings.depth_bins, "block"), models, settings.reading(), settings.depth_bins
    )
    files.fresh_folder(tables)
    frames.write(tables / "leaves.parquet", found.leaves, LEAVES)
    frames.write(tables / "linkage.parquet", found.linkage, LINKAGE)
    frames.write(tables / "tree.parquet", found.tree, TREE)
    files.write_text(tables / "tree.newick", found.newick + "\n" if found.newick else "")
    _settings.record({"taxonomy": settings}, record)
    say(f"taxonomy: no tree; {found.why}" if found.why else f"taxonomy: a tree of {len(found.linkage) + 1} models")


if __name__ == "__main__":
    enter(main)
