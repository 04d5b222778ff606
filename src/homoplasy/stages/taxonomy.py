"""taxonomy: Ward's tree of the models by where in the brain, and how deep in them, they resemble it."""

from pathlib import Path

from pydantic import Field

from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.readings import Estimator, Kernel, Reading
from homoplasy.studies.convergence.taxonomy import Resampling, grow
from homoplasy.tables import LEAVES, LINKAGE, MODELS, SCORES, SUPPORT, TREE


class Settings(_settings.Strict):
    """Which scores make the profile of a model."""

    kernel: Kernel
    size: float = Field(gt=0, description="above 0")
    estimator: Estimator
    depth_bins: int = Field(gt=0, description="at least 1")
    draws: int = Field(ge=20, description="at least 20")
    seed: int = Field(ge=0, description="at least 0")
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
    again = Resampling(settings.draws, settings.seed)
    binned = with_bins(known, models, settings.depth_bins, "block")
    found = grow(binned, models, settings.reading(), settings.depth_bins, again)
    files.fresh_folder(tables)
    frames.write(tables / "leaves.parquet", found.leaves, LEAVES)
    frames.write(tables / "linkage.parquet", found.linkage, LINKAGE)
    frames.write(tables / "tree.parquet", found.tree, TREE)
    frames.write(tables / "support.parquet", found.support, SUPPORT)
    files.write_text(tables / "tree.newick", found.newick + "\n" if found.newick else "")
    _settings.record({"taxonomy": settings}, record)
    say(f"taxonomy: no tree; {found.why}" if found.why else f"taxonomy: a tree of {len(found.linkage) + 1} models")


if __name__ == "__main__":
    enter(main)
