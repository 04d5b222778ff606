"""fetch: the raw data of the world, generated or downloaded; `--dry-run --params … --raw …` lists what it takes."""

import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from homoplasy.datasets import _generation, _manifest, _open, published
from homoplasy.datasets._access import Access
from homoplasy.progress import say
from homoplasy.stages import _journal, _settings
from homoplasy.stages._entry import enter
from homoplasy.stages._settings import Strict
from homoplasy.store import arrays, files


class Settings(Strict):
    """Which trials are wanted, and the bucket they come from where they are downloaded."""

    dataset: Literal["pocket", "nsd", "published"]
    subjects: tuple[int, ...]
    sessions: int = Field(ge=0)
    beta_version: Literal["betas_assumehrf", "betas_fithrf", "betas_fithrf_GLMdenoise_RR"]
    beta_format: Literal["hdf5", "nifti"]
    bucket: str = ""
    region: str = ""
    anonymous: bool = True


class Truth(Strict):
    """What is planted in the pocket world."""

    truth: Literal["planted", "null", "width", "mixed", "scrambled", "short", "bad_responses"]
    seed: int = Field(ge=0)


def main(params: Path, raw: Path, printed: Path, open_data: Path, record: Path) -> None:
    """Make the folder of the world hold exactly its data; nothing where it does; copy what of it may be passed on."""
    settings, root = _settings.read(params, "fetch", Settings), raw / _settings.world(params)
    used: dict[str, Strict] = {"fetch": settings}
    if settings.dataset == "pocket":
        used["pocket"] = truth = _settings.read(params, "pocket", Truth)
        _generation.generate(
            root,
            _request(settings) | truth.model_dump(),
            write=lambda at, model: arrays.write(at, "features", model.layers, model.facts),
        )
    elif settings.dataset == "nsd":
        _access(params, root, settings).download()
    else:
        published.carry(printed, root, _request(settings))
    with _manifest.writing(open_data):
        _open.carry(root, files.fresh_folder(open_data) / root.name)
    _settings.record(used, record)


def dry_run(params: Path, raw: Path) -> None:
    """List what would be downloaded."""
    settings, root = _settings.read(params, "fetch", Settings), raw / _settings.world(params)
    if settings.dataset == "nsd":
        _access(params, root, settings).dry_run()
    else:
        say(f"fetch: the dataset '{settings.dataset}' is made on this machine; nothing would be downloaded")


def _request(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", include={"subjects", "sessions", "beta_version", "beta_format"})


def _access(params: Path, root: Path, settings: Settings) -> Access:
    place = settings.model_dump(include={"bucket", "region", "anonymous"})
    return Access(_request(settings), **place, root=root, local=_journal.checkout(params) / "local.yaml")


if __name__ == "__main__":
    dry = "--dry-run" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--dry-run"]
    enter(dry_run if dry else main)
