"""report: the page, the paper, and every figure and table with the numbers it shows."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from homoplasy.progress import say, track
from homoplasy.report.figures import drawings
from homoplasy.report.page import page, sections
from homoplasy.report.paper import paper
from homoplasy.stages import _reading, _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files


class Settings(_settings.Strict):
    """What the page is called, and the sentence that says what its data are."""

    title: str = Field(min_length=1, description="not empty")
    about: str = Field(min_length=1, description="not empty")


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, brain: Path, features: Path, scores: Path, stats: Path, taxonomy: Path, published: Path, claims: Path,
    printed: Path, models: Path, raw: Path, audit: Path, multiverse: Path, certificates: Path,
    settings: Path, reports: Path, record: Path,
) -> None:  # fmt: skip
    """Read the tables, write the report."""
    chosen = _settings.read(params, "report", Settings)
    places = _reading.Places(
        brain, features, scores, stats, taxonomy, published, claims, printed, models, settings, raw, audit, multiverse,
        certificates,
    )  # fmt: skip
    inputs = _reading.inputs(places, params, record, chosen.title, chosen.about)
    say(f"report: figures of {len(inputs.study['model_scores'])} model scores")
    drawn = drawings(inputs)
    files.fresh_folder(reports)
    _write(reports / "figures", track([one.files() for one in drawn], "writing figures"))
    _write(reports / "tables", (one.files() for one in sections(inputs)))
    _write(reports, [{"index.html": page(inputs, drawn).encode(), "report.pdf": paper(inputs, drawn)}])
    _settings.record({"report": chosen}, record)
    say(f"report: {len(drawn)} figures, {reports / 'index.html'} and {reports / 'report.pdf'}")


def _write(folder: Path, parts: Iterable[Mapping[str, bytes]]) -> None:
    for part in parts:
        for name, content in part.items():
            with files.whole(folder / name) as path:
                path.write_bytes(content)


if __name__ == "__main__":
    enter(main)
