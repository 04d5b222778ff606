"""cka: every layer of every model against every region of every subject, by centred kernel alignment."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from homoplasy.datasets import _manifest, published
from homoplasy.errors import BadRequest
from homoplasy.measures import CKA
from homoplasy.progress import say, track
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.stages._pairs import Choice, Model, scored
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

    def measures(self) -> list[CKA]:
        """One measure a kind of width and estimator."""
        kinds: list[dict[str, Any]] = [{"kernel": "linear"}] if self.linear else []
        if self.kernel_sizes:
            kinds.append({"kernel": "rbf", "sigma": tuple(size * self.kernel_unit for size in self.kernel_sizes)})
        if self.relative_sizes:
            kinds.append({"kernel": "rbf", "sigma_relative": self.relative_sizes})
        if not kinds:
            raise BadRequest("cka has no kernel: set cka.linear to true, or name cka.kernel_sizes or relative_sizes.")
        if len(set(self.estimators)) < len(self.estimators):
            raise BadRequest(f"cka.estimators names '{self.estimators[0]}' twice; name each of them once.")
        rest: dict[str, Any] = {"standardise": self.standardise, "epsilon": self.epsilon}
        return [CKA(**kind, **rest, debiased=one == "debiased") for kind in kinds for one in self.estimators]


def run(settings: Settings, brain: Path, features: Path) -> pd.DataFrame:
    """Score every pair; those that the store holds are read from it."""
    choice = Choice(settings.images, settings.hemispheres, settings.measures())
    models = sorted((Model(path) for path in features.rglob("*.safetensors")), key=lambda one: one.name)
    patterns = sorted(brain.glob("*/patterns.safetensors"))
    kernels = sum(len(one.params) for one in choice.measures)
    say(f"cka: {len(models)} models against {len(patterns)} subjects; {kernels} scores for each layer and region.")
    pairs = track(scored(patterns, models, choice), "models x subjects", len(models) * len(patterns))
    parts = [frames.read(stored, SCORES) for *_, stored in sorted(pairs)]
    return pd.concat(parts, ignore_index=True) if parts else SCORES.empty()


def main(params: Path, raw: Path, brain: Path, features: Path, scores: Path, record: Path) -> None:
    """Read brains and features, write the scores; a published world has its own."""
    settings = _settings.read(params, "cka", Settings)
    table = published.scores(raw) if _manifest.read(raw).dataset == "published" else run(settings, brain, features)
    frames.write(files.fresh_folder(scores) / "scores.parquet", table, SCORES)
    _settings.record({"cka": settings}, record)
    missing = table.loc[table["reason"] != "", "reason"].value_counts()
    without = f"; {missing.sum()} have no value ({', '.join(missing.index)})" if len(missing) else ""
    say(f"cka: {len(table)} scores of {table['source'].nunique()} models{without}.")


if __name__ == "__main__":
    enter(main)
