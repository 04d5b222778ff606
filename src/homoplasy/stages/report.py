"""report: one page and its figures, each figure with the numbers it draws."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from homoplasy import tables
from homoplasy.progress import say, track
from homoplasy.report.page import Inputs, drawings, page
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames


class Settings(_settings.Strict):
    """What the page is called, and the sentence that says what its data are."""

    title: str = Field(min_length=1, description="not empty")
    about: str = Field(min_length=1, description="not empty")


def histories(models: Path) -> dict[str, pd.DataFrame]:
    """The learning curve of every run that was trained."""
    return {path.parent.name: frames.read(path, tables.HISTORY) for path in sorted(models.glob("*/history.parquet"))}


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, brain: Path, features: Path, stats: Path, taxonomy: Path, models: Path, settings: Path,
    reports: Path, record: Path,
) -> None:  # fmt: skip
    """Read the tables, write the page."""
    chosen = _settings.read(params, "report", Settings)
    inputs = Inputs(
        title=chosen.title,
        about=chosen.about,
        world=_settings.world(params),
        preset=_settings.preset(params),
        model_scores=frames.read(stats / "model_scores.parquet", tables.MODEL_SCORES),
        correlations=frames.read(stats / "correlations.parquet", tables.CORRELATIONS),
        profiles=frames.read(stats / "profiles.parquet", tables.PROFILES),
        spreads=frames.read(stats / "spreads.parquet", tables.SPREADS),
        regions=frames.read(brain / "regions.parquet", tables.REGIONS),
        models=frames.read(features / "models.parquet", tables.MODELS),
        leaves=frames.read(taxonomy / "leaves.parquet", tables.LEAVES),
        linkage=frames.read(taxonomy / "linkage.parquet", tables.LINKAGE),
        tree=frames.read(taxonomy / "tree.parquet", tables.TREE),
        histories=histories(models),
        settings={path.stem: path.read_text(encoding="utf-8") for path in _recorded(settings, record)},
    )
    say(f"report: a page and figures of {len(inputs.model_scores)} model scores")
    drawn = drawings(inputs)
    files.fresh_folder(reports)
    for drawing in track(drawn, "writing figures"):
        for name, content in drawing.files().items():
            with files.whole(reports / "figures" / name) as part:
                part.write_bytes(content)
    files.write_text(reports / "index.html", page(inputs, drawn))
    _settings.record({"report": chosen}, record)
    say(f"report: {len(drawn)} figures and {reports / 'index.html'}")


def _recorded(settings: Path, record: Path) -> list[Path]:
    """The settings of the stages before this one, in the order of the pipeline."""
    places = [settings / f"{section}.yaml" for section in _settings.SECTIONS]
    return [path for path in places if path.exists() and path != record]


if __name__ == "__main__":
    enter(main)
