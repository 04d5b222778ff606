"""A pocket world carried through the stages in this process, with the planted models only, none of them in training."""

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import yaml

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import formats, planted, roster
from homoplasy.datasets.pocket.tree import MODELS as FOLDER
from homoplasy.datasets.pocket.tree import PERFORMANCE
from homoplasy.stages import _settings, _statistics, cka, extract, fetch, parcellate, stats, taxonomy, train
from homoplasy.store import arrays, files, frames
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
ACCESS = ("bucket", "region", "anonymous")  # what only a world that is downloaded has


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


def chosen(root: Path, truth: str, halves: int) -> World:
    """The choices of a world whose images are to be halved so often."""
    shutil.copytree(ROOT / "conf", root / "conf")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["pocket"]["truth"] = truth
    for section, values in CHANGES.items():
        params[section] |= values
    params["cka"]["halves"] = halves
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / "rosters").mkdir()
    (root / "rosters" / "planted.yaml").write_text("- planted: all\n")
    return World(root)


def fetched(root: Path, truth: str, halves: int = 0) -> World:
    """Choose, generate and parcellate a world."""
    world = chosen(root, truth, halves)
    fetch.main(world.params, root / "raw", ROOT / "data" / "published", root / "open", root / "settings" / "fetch.yaml")
    for path in (world.raw / FOLDER).glob("trajectory-*"):
        path.unlink()  # two thirds of all models, and no known answer here is about training
    parcellate.main(world.params, world.raw, root / "brain", root / "settings" / "parcellate.yaml")
    return world


def recast(of: World, root: Path, truth: str, halves: int = 0) -> World:
    """The world of another truth, which has the same pictures and brains, from one that is there."""
    world = chosen(root, truth, halves)
    shutil.copytree(of.raw, world.raw, ignore=shutil.ignore_patterns("planted", "evaluations", "truth"))
    shutil.copytree(of.root / "brain", root / "brain")
    asked = _settings.read(world.params, "fetch", fetch.Settings).model_dump(exclude={"dataset", *ACCESS})
    told = pocket.World(**asked, **_settings.read(world.params, "pocket", fetch.Truth).model_dump())
    formats.table(world.raw / PERFORMANCE, roster.performance(told))
    for model in planted.models(told):
        arrays.write(world.raw / FOLDER / f"{model.name}.safetensors", "features", model.layers, model.facts)
    return world


def scored(world: World) -> World:
    """Carry a world to its statistics and its tree."""
    root, settings = world.root, world.root / "settings"
    models, features, scores = root / "models", root / "features", root / "scores"
    train.main(world.params, world.raw, models, settings / "train.yaml")
    extract.main(
        world.params,
        world.raw,
        root / "brain",
        models,
        root / "rosters",
        features,
        root / "twins",
        settings / "x.yaml",
    )
    cka.main(world.params, world.raw, root / "brain", features, scores, settings / "cka.yaml")
    analysed = _settings.read(world.params, "stats", stats.Settings)
    found = stats.run(analysed, world.raw, root / "brain", models, features, scores)
    _statistics.write(root / "stats", found.tables)  # all that stats writes, but for the published points
    files.write_json(root / "metrics.json", found.metrics)
    taxonomy.main(world.params, features, scores, root / "taxonomy", settings / "taxonomy.yaml")
    return world
