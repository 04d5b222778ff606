"""certify: how often each preset announces each claim in generated worlds where it is false, and where it is true."""

from pathlib import Path
from typing import Literal

import torch
import yaml
from pydantic import Field

from homoplasy.errors import BadData
from homoplasy.execution import Shard
from homoplasy.progress import say, track
from homoplasy.stages import _certify, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.store import files, frames
from homoplasy.studies.convergence import certificates as study
from homoplasy.studies.convergence import claims
from homoplasy.tables import ANNOUNCEMENTS, CERTIFICATES


class Settings(_settings.Strict):
    """How many worlds of each truth, and which presets."""

    seeds: int = Field(gt=0, description="above 0")
    truths: tuple[Literal["planted", "null", "width"], ...] = Field(min_length=1, description="at least one")
    presets: tuple[Literal["as_written", "as_released", "calibrated"], ...] = Field(
        min_length=1, description="at least one"
    )


def run(settings: Settings, inputs: _certify.Inputs, shard: Shard | None = None) -> list[Path]:
    """The stored announcements of every world, of a shard of the seeds; made where they are not there yet."""
    seeds = list(range(1, settings.seeds + 1))
    mine = shard.of(seeds) if shard else seeds
    return [path for seed in track(mine, "seeds") for path in _certify.announced(seed, inputs)]


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, claims_file: Path, scope: Path, conf: Path, certificates: Path, record: Path,
    shard: Shard | None = None,
) -> None:  # fmt: skip
    """Run every world under every preset, and count. A shard fills the store alone."""
    settings = _settings.read(params, "certify", Settings)
    torch.set_num_threads(threads())
    stated = claims.parse(_yaml(claims_file), claims_file.name, _certify.kernel_unit(conf))
    limits = study.parse(_yaml(scope), scope.name, stated)
    inputs = _certify.Inputs(stated, limits, conf, settings.presets, settings.truths)
    worlds = f"{settings.seeds} seeds x {len(settings.truths)} truths x {len(settings.presets)} presets"
    say(f"certify: {worlds}; {len(limits.certified)} claims")
    stored = run(settings, inputs, shard)
    if shard:
        return
    found = study.stacked([frames.read(path, ANNOUNCEMENTS) for path in stored])
    counted = study.certificates(found, limits, inputs.estimators)
    files.fresh_folder(certificates)
    frames.write(certificates / "announcements.parquet", found, ANNOUNCEMENTS)
    frames.write(certificates / "certificates.parquet", counted, CERTIFICATES)
    files.write_text(certificates / "certificates.md", study.page(stated, counted))
    _settings.record({"certify": settings}, record)
    say(f"certify: {len(counted)} rates of {len(found)} announcements")


def _yaml(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, FileNotFoundError) as fault:
        raise BadData(f"{path} cannot be read ({fault}); restore it with git checkout.") from None


if __name__ == "__main__":
    enter(main)
