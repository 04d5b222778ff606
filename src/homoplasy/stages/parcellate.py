"""parcellate: single trials become image patterns, one array a region, with what is known of their noise."""

from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from pydantic import Field

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd.patterns import Brain, Output, parcellate
from homoplasy.datasets.nsd.regions import Rules
from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import arrays, files, frames
from homoplasy.tables import REGIONS, STIMULI, VOXELS


class Settings(_settings.Strict):
    """How trials are averaged, which voxels and regions are kept, and what is said of them."""

    sessions: int = Field(ge=0, description="0 for all that were fetched")
    first_release: bool
    session_zscore: bool
    unit: Literal["percent", "int16"]
    min_voxels: int = Field(ge=1, description="1 or more")
    voxel_unit: float = Field(gt=0, description="the voxels here that stand for one of the real study")
    ncsnr_min: float = Field(ge=0, description="0 to keep every voxel")
    dropout_max: float = Field(gt=0, description="above 0, .inf to keep every voxel")
    pairing_sd: float = Field(ge=0, description="0 for no check")
    networks: Literal["xcpd", "study"]
    caption_pick: Literal["lowest_id", "file_order"]
    repeats: Literal["float16", "float32"]


def run(settings: Settings, tree: nsd.Tree, brain: Path) -> pd.DataFrame:
    """Write every subject's patterns below `brain`; return the table of regions."""
    rules = Rules(**settings.model_dump(include=set(Rules.__dataclass_fields__)))
    frames.write(brain / "stimuli.parquet", tree.stimuli(settings.caption_pick), STIMULI)
    voxels, tables = files.fresh_folder(brain / "voxels"), [REGIONS.empty()]  # voxels may not be passed on
    for subject, sessions in tree.chosen_sessions(settings.sessions, first_release=settings.first_release).items():
        with parcellate(tree, subject, sessions, rules, scratch=brain) as found:
            tables.append(write(voxels / found.subject, found, settings.repeats))
    frames.write(brain / "regions.parquet", pd.concat(tables, ignore_index=True), REGIONS)
    return pd.concat(tables, ignore_index=True)


def write(folder: Path, found: Brain, precision: str) -> pd.DataFrame:
    """Write the voxels of a subject, its mean patterns and every repeat, side by side; return its regions."""
    frames.write(folder / "voxels.parquet", found.voxels, VOXELS)
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(folder, found, output)) for output in found.outputs(precision)]
        for values in found.arrays(precision):
            for writer, one in zip(writers, values, strict=True):
                writer.write(one)
    return found.table


def _writer(folder: Path, found: Brain, to: Output) -> arrays.Writer:
    shapes = [(one, (len(to.images), len(one.units))) for one in found.regions]
    declared = [arrays.Declared(one.name, to.dtype, shape, one.facts, one.units.tolist()) for one, shape in shapes]
    return arrays.Writer(folder / f"{to.name}.safetensors", to.kind, to.images, declared, to.facts)


def main(params: Path, raw: Path, brain: Path, record: Path) -> None:
    """Read the raw data of a world, write its brains."""
    settings = _settings.read(params, "parcellate", Settings)
    torch.set_num_threads(1)  # the last bits of a ceiling depend on how its sums are shared out
    tree = nsd.open_tree(raw)
    say(f"parcellate: {'trials become image patterns of regions' if tree.subjects else 'no subjects, empty tables'}.")
    table = run(settings, tree, files.fresh_folder(brain))
    _settings.record({"parcellate": settings}, record)
    kept = table[(table["hemisphere"] == "both") & (table["reason"] == "")]
    say(f"parcellate: {len(kept)} regions of {len(tree.subjects)} subjects, {kept['voxels'].sum()} voxels.")


if __name__ == "__main__":
    enter(main)
