"""cka: every layer of every model against every region of every subject, by centred kernel alignment."""

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from homoplasy.datasets import _manifest, published
from homoplasy.errors import BadRequest
from homoplasy.execution import Shard
from homoplasy.maths.tiles import Precision
from homoplasy.measures import CKA
from homoplasy.progress import say, track
from homoplasy.stages import _pairs, _plan, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.store import files, frames
from homoplasy.tables import SCORES

Width = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(_settings.Strict):
    """Which kernels, which estimators, over which images and hemispheres."""

    kernel_unit: float = Field(gt=0, allow_inf_nan=False, description="above 0")
    kernel_sizes: tuple[Width, ...] = Field(description="each above 0")
    relative_sizes: tuple[Width, ...] = Field(description="each above 0")
    linear: bool
    estimators: tuple[Literal["biased", "debiased"], ...] = Field(
        min_length=1, max_length=2, description="one or both of biased, debiased"
    )
    images: Literal["own", "shared", "all"]
    hemispheres: Literal["pooled", "split", "both"]
    standardise: Literal["drop_constant", "epsilon"]
    epsilon: float = Field(ge=0, allow_inf_nan=False, description="0 or more")
    precision: Precision

    def choice(self) -> _pairs.Choice:
        """What is scored: one measure a kind of width and estimator."""
        scaled = tuple(size * self.kernel_unit for size in self.kernel_sizes)
        sizes = {"sigma": scaled, "sigma_relative": self.relative_sizes}
        kinds: list[dict[str, Any]] = [{"kernel": "linear"}] if self.linear else []
        kinds += [{name: widths} for name, widths in sizes.items() if widths]
        if not kinds:
            raise BadRequest("cka has no kernel: set cka.linear to true, or name cka.kernel_sizes or relative_sizes.")
        if len(set(self.estimators)) < len(self.estimators):
            raise BadRequest(f"cka.estimators names '{self.estimators[0]}' twice; name each of them once.")
        rest: dict[str, Any] = {"standardise": self.standardise, "epsilon": self.epsilon}
        made = [CKA(**kind, **rest, debiased=one == "debiased") for kind in kinds for one in self.estimators]
        return _pairs.Choice(self.images, self.hemispheres, made, self.precision)


def run(settings: Settings, brain: Path, features: Path, shard: Shard | None = None) -> list[Path]:
    """The stored scores of every pair, computed where they are not there yet; of a shard of the models."""
    choice, patterns, models = settings.choice(), _pairs.patterns(brain), _pairs.models(features, shard)
    say(f"cka: {len(models)} models against {len(patterns)} subjects; {choice.size} scores for each layer and region.")
    _plan.announce(patterns, models, choice)
    pairs = track(_pairs.scored(patterns, models, choice), "models x subjects", len(models) * len(patterns))
    return [path for *_, path in sorted(pairs)]


def main(  # noqa: PLR0913 - one path an input
    params: Path, raw: Path, brain: Path, features: Path, scores: Path, record: Path, shard: Shard | None = None
) -> None:
    """Read brains and features, write the scores; a published world has its own. A shard fills the store alone."""
    settings = _settings.read(params, "cka", Settings)
    torch.set_num_threads(threads())
    printed = _manifest.read(raw).dataset == "published"
    stored = [] if printed else run(settings, brain, features, shard)
    if not shard:
        table = published.scores(raw) if printed else _pairs.read(stored)
        frames.write(files.fresh_folder(scores) / "scores.parquet", table, SCORES)
        _settings.record({"cka": settings}, record)
        say(f"cka: {_pairs.summary(table)}.")


if __name__ == "__main__":
    enter(main)
