"""What the report stage reads: the tables of every stage before it, and how dvc.lock knows them."""

import hashlib
from collections.abc import Collection, Iterable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from homoplasy import tables
from homoplasy.datasets import fsaverage5, published
from homoplasy.report.atlas import Atlas, pack
from homoplasy.report.cortex import Cortex
from homoplasy.report.inputs import Inputs, Source
from homoplasy.stages import _settings
from homoplasy.store import files, frames

_SCHEMAS = {one.name: one for one in vars(tables).values() if isinstance(one, tables.Schema)}
_OF_SCORES = ["source", "layer", "depth", "target", "region", "subject", "measure", "params", "value"]
_OF_AUDIT = ("ceilings", "twins", "null_scores", "matched_scales")
_APART = "certify"  # has a pipeline of its own, so its settings are there or not
_PACKAGES = ("homoplasy", "numpy", "scipy", "pandas", "torch", "matplotlib", "typst")
_BLOCK = 1 << 20


class Places(NamedTuple):
    """Where the results of the other stages lie."""

    brain: Path
    features: Path
    scores: Path
    stats: Path
    taxonomy: Path
    published: Path
    claims: Path
    printed: Path
    models: Path
    settings: Path
    raw: Path
    audit: Path
    multiverse: Path
    certificates: Path


def inputs(places: Places, params: Path, own: Path, title: str, about: str) -> Inputs:
    """Read everything that the report shows; `own` is the record of the report's settings, which is no input."""
    study = _every(places.stats) | _every(places.taxonomy)
    ledger = files.read_json(places.claims / "claims.json")
    return Inputs(
        title=title,
        about=about,
        world=_settings.world(params),
        preset=_settings.preset(params),
        study=study,
        again=_every(places.published),
        points=published.points(places.printed),
        claims=ledger["claims"],
        source=ledger["source"],
        regions=frames.read(places.brain / "regions.parquet", tables.REGIONS),
        models=frames.read(places.features / "models.parquet", tables.MODELS),
        histories={path.parent.name: frames.read(path, tables.HISTORY) for path in _histories(places.models)},
        atlas=_atlas(places.scores / "scores.parquet", study["model_scores"]),
        settings={path.stem: path.read_text(encoding="utf-8") for path in _recorded(places.settings, own)},
        audit=_every(places.audit, _OF_AUDIT),
        multiverse=_every(places.multiverse),
        certificates=_optional(places.certificates),
        cortex=Cortex(*fsaverage5.read(places.raw)),
        read=[_source(path) for path in _all(places)],
        versions={name: metadata.version(name) for name in _PACKAGES},
    )


def _every(folder: Path, only: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Every table of a folder by the name of its schema, or only some; none where there is no folder."""
    paths = [path for path in sorted(folder.glob("*.parquet")) if not only or path.stem in only]
    return {path.stem: frames.read(path, _SCHEMAS[path.stem]) for path in paths}


def _optional(path: Path) -> pd.DataFrame | None:
    return frames.read(path, _SCHEMAS[path.stem]) if path.is_file() else None


def _atlas(path: Path, model_scores: pd.DataFrame) -> Atlas | None:
    scores = frames.read(path, tables.SCORES, _OF_SCORES)
    return pack(scores, model_scores["params"].unique().tolist())


def _histories(models: Path) -> list[Path]:
    return sorted(models.glob("*/history.parquet"))


def _recorded(settings: Path, own: Path) -> list[Path]:
    """The settings of the stages before this one, in the order of the pipeline."""
    places = [settings / f"{section}.yaml" for section in _settings.SECTIONS if section != _APART]
    return [path for path in places if path.exists() and path != own]


def _all(places: Places) -> Iterable[Path]:
    yield from (places.brain / "regions.parquet", places.features / "models.parquet", places.scores / "scores.parquet")
    for folder in (places.stats, places.taxonomy, places.published):
        yield from sorted(folder.glob("*.parquet"))
    yield from (path for path in sorted(places.audit.glob("*.parquet")) if path.stem in _OF_AUDIT)
    yield from sorted(places.multiverse.glob("*.parquet"))
    yield from (path for path in (places.certificates,) if path.is_file())
    yield places.claims / "claims.json"
    yield from sorted(places.printed.glob("*.csv"))
    yield from _histories(places.models)


def _source(path: Path) -> Source:
    """A file by its folder and name, with the hash that DVC would give it."""
    seen = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            seen.update(block)
    return Source(f"{path.parent.name}/{path.name}", path.stat().st_size, seen.hexdigest())
