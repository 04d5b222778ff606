"""cka: every layer of every model against every region of every subject, by centred kernel alignment."""

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from homoplasy.datasets import _manifest, published
from homoplasy.execution import Shard
from homoplasy.maths.tiles import Precision
from homoplasy.measures import CKA
from homoplasy.progress import say
from homoplasy.stages import _halves, _kinds, _pairs, _scores, _settings
from homoplasy.stages._entry import enter, threads
from homoplasy.store import files, frames
from homoplasy.tables import DRAWS, SCORES

Width = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
_RULE = {"standardise", "epsilon"}  # what every measure is told


class Settings(_settings.Strict):
    """Which kernels, which estimators, over which images and hemispheres; what is scored on halves of the images."""

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
    neighbours: tuple[Annotated[int, Field(ge=1)], ...] = Field(description="each 1 or more")
    metric: Literal["cosine", "inner"]
    halves: int = Field(ge=0, description="0 or more")
    halves_size: Width
    halves_depths: tuple[Share, Share] = Field(description="two shares of the depth")
    seed: int = Field(ge=0, description="at least 0")

    def choice(self) -> _pairs.Choice:
        """The kernels: one measure a kind of width and estimator."""
        scaled = tuple(size * self.kernel_unit for size in self.kernel_sizes)
        sizes = (scaled, self.relative_sizes)
        return self._of(_kinds.kernels(*sizes, self.estimators, self.model_dump(include=_RULE), linear=self.linear))

    def plan(self) -> _scores.Plan:
        """All that is scored: kernels, neighbourhoods where any are asked for, halves of the images."""
        halved = self._of([CKA(sigma_relative=(self.halves_size,), **self.model_dump(include=_RULE))])
        halving = _halves.Halving(halved, self.halves, self.seed, *self.halves_depths)
        around = self._of(_kinds.neighbourhoods(self.neighbours, self.metric, self.model_dump(include=_RULE)))
        return _scores.Plan([self.choice(), *([around] if self.neighbours else [])], halving)

    def _of(self, measures: Any) -> _pairs.Choice:
        return _pairs.Choice(self.images, self.hemispheres, measures, self.precision)


def main(  # noqa: PLR0913 - one path an input
    params: Path, raw: Path, brain: Path, features: Path, scores: Path, record: Path, shard: Shard | None = None
) -> None:
    """Read brains and features, write the scores; a published world has its own. A shard fills the store alone."""
    settings = _settings.read(params, "cka", Settings)
    torch.set_num_threads(threads())
    printed = _manifest.read(raw).dataset == "published"
    stored = _scores.Stored([], []) if printed else _scores.fill(settings.plan(), brain, features, shard)
    if not shard:
        table = published.scores(raw) if printed else _pairs.read(stored.scores)
        frames.write(files.fresh_folder(scores) / "scores.parquet", table, SCORES)
        frames.write(scores / "halves.parquet", _halves.read(stored.halves), DRAWS)
        _settings.record({"cka": settings}, record)
        say(f"cka: {_pairs.summary(table)}.")


if __name__ == "__main__":
    enter(main)
