"""A pocket world carried through the stages in this process, with the planted models only, none of them in training."""

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import yaml

from homoplasy.stages import cka, extract, fetch, parcellate, stats, taxonomy, train
from homoplasy.store import frames
from homoplasy.tables import MODEL_SCORES, MODELS, REGIONS, SCORES
from tests.conftest import ROOT

# The widths that the known answers speak of, and few draws: none of them speaks of an interval.
CHANGES = {
    "train": {"runs": []},
    "extract": {"roster": "planted"},
    "cka": {"kernel_sizes": [28, 36, 68], "relative_sizes": [0.5, 1.0, 2.0]},
    "stats": {"draws": 100},
    "taxonomy": {"draws": 20},
}


@dataclass(frozen=True)
class World:
    """The folders of one run."""

    root: Path

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def raw(self) -> Path:
        return self.root / "raw" / "pocket"

    @cached_property
    def scores(self) -> pd.DataFrame:
        return frames.read(self.root / "scores" / "scores.parquet", SCORES)

    @cached_property
    def model_scores(self) -> pd.DataFrame:
        return frames.read(self.root / "stats" / "model_scores.parquet", MODEL_SCORES)

    @cached_property
    def models(self) -> pd.DataFrame:
        return frames.read(self.root / "features" / "models.parquet", MODELS)

    @cached_property
    def regions(self) -> pd.DataFrame:
        return frames.read(self.root / "brain" / "regions.parquet", REGIONS)

    @cached_property
    def metrics(self) -> dict:
        return json.loads((self.root / "metrics.json").read_text())

    @cached_property
    def truth(self) -> dict:
        return json.loads((self.raw / "pocket" / "truth" / "truth.json").read_text())


def fetched(root: Path, truth: str, preset: str = "calibrated", halves: int = 0) -> World:
    """Choose and generate a world; its images are to be halved so often."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "conf", root / "conf", dirs_exist_ok=True)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["preset"] = preset
    params["pocket"]["truth"] = truth
    for section, values in CHANGES.items():
        params[section] |= values
    params["cka"]["halves"] = halves
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / "rosters").mkdir(exist_ok=True)
    (root / "rosters" / "planted.yaml").write_text("- planted: all\n")
    world = World(root)
    fetch.main(world.params, root / "raw", ROOT / "data" / "published", root / "open", root / "settings" / "fetch.yaml")
    for path in (world.raw / "pocket" / "planted").glob("trajectory-*"):
        path.unlink()  # two thirds of all models, and no known answer here is about training
    return world


def parcellated(world: World) -> World:
    parcellate.main(world.params, world.raw, world.root / "brain", world.root / "settings" / "parcellate.yaml")
    return world


def scored(world: World) -> World:
    """Carry a world to its statistics and its tree."""
    root, settings = world.root, world.root / "settings"
    parcellated(world)
    train.main(world.params, world.raw, root / "models", settings / "train.yaml")
    extract.main(
        world.params,
        world.raw,
        root / "brain",
        root / "models",
        root / "rosters",
        root / "features",
        root / "twins",
        settings / "x.yaml",
    )
    cka.main(world.params, world.raw, root / "brain", root / "features", root / "scores", settings / "cka.yaml")
    stats.main(
        world.params,
        world.raw,
        root / "brain",
        root / "models",
        root / "features",
        root / "scores",
        ROOT / "data" / "published",
        root / "stats",
        root / "published",
        root / "plots",
        root / "metrics.json",
        settings / "s.yaml",
    )
    taxonomy.main(world.params, root / "features", root / "scores", root / "taxonomy", settings / "taxonomy.yaml")
    return world
