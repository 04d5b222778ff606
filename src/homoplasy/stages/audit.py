"""audit: beside every score what chance, noise, voxel counts and ignorant twins make of it."""

from pathlib import Path
from typing import Any, Literal

import torch
from pandas import DataFrame
from pydantic import Field

from homoplasy.execution import Shard
from homoplasy.measures import CKA
from homoplasy.progress import say
from homoplasy.stages import _audit, _checks, _pairs, _pieces, _settings, cka
from homoplasy.stages._depth import AtDepth
from homoplasy.stages._entry import enter, threads
from homoplasy.store import files, frames
from homoplasy.studies.convergence.readings import Kernel
from homoplasy.tables import MODELS, SCORES


class Settings(AtDepth):
    """The main kernel, the depth that is scored, and how often what is drawn anew."""

    kernel: Kernel
    size: float = Field(gt=0, description="above 0")
    kernel_unit: float = Field(gt=0, description="above 0")
    layers: Literal["scored", "all"]
    steps: Literal["last", "all"]
    top_share: float = Field(gt=0, le=1, description="above 0 and at most 1")
    permutations: int = Field(ge=1, description="at least 1")
    voxel_share: float = Field(ge=0, le=1, description="from 0 to 1")
    voxel_draws: int = Field(ge=1, description="at least 1")
    units: Literal["none", "brain", "both"]
    seed: int = Field(ge=0, description="at least 0")

    def choice(self, scored: cka.Settings, voxels: int) -> _pieces.Choice:
        """What is checked, on the images and with the z-scores of the scores themselves."""
        absolute = self.size * self.kernel_unit
        width = {"linear": {}, "absolute": {"sigma": absolute}, "relative": {"sigma_relative": self.size}}[self.kernel]
        kind: Any = {"kernel": "linear" if self.kernel == "linear" else "rbf"} | width
        measure = CKA(**kind, standardise=scored.standardise, epsilon=scored.epsilon)
        drawn = (self.permutations, self.top_share, voxels, self.voxel_draws, self.seed)
        return _pieces.Choice(scored.choice(), measure, *drawn)

    def chosen(self, layers: DataFrame, models: DataFrame) -> DataFrame:
        """The layers that are checked."""
        kept = _audit.of_last_steps(layers, models) if self.steps == "last" else layers
        if self.layers == "all":
            return kept
        return _audit.at_depth(kept, models, self.depth_bins, self.binning, self.depth)


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, brain: Path, features: Path, twins: Path, scores: Path, scored_with: Path, tables: Path, record: Path,
    shard: Shard | None = None,
) -> None:  # fmt: skip
    """Read brains, features and scores, write the tables of checks; a shard fills the store alone."""
    settings = _settings.read(params, "audit", Settings)
    torch.set_num_threads(threads())
    known, models = frames.read(features / "models.parquet", MODELS), _pairs.models(features)
    subjects = _pairs.patterns(brain)
    scored = _audit.scored_with(scored_with)
    voxels = _audit.voxels(subjects, scored.choice(), settings.voxel_share)
    chosen = settings.chosen(_audit.layers(models), known)
    layers, untrained = _checks.Layers(models, chosen), _audit.untrained(twins)
    work = _audit.Work(subjects, layers, untrained, settings.choice(scored, voxels))
    say(f"audit: {len(chosen)} layers against the regions of {len(subjects)} subjects, {settings.permutations} draws")
    work.do(shard)
    if shard is None:
        columns = list(SCORES.columns)  # named, they are not checked one by one: the table of the audit is
        made = work.tables(frames.read(scores / "scores.parquet", SCORES, columns), known, settings.units)
        _audit.write(files.fresh_folder(tables), made)
        _settings.record({"audit": settings}, record)
        say(f"audit: {_audit.summary(made)}.")


if __name__ == "__main__":
    enter(main)
