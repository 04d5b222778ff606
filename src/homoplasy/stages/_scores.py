"""All that the cka stage scores: every measure on all images, and one kernel on halves of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from homoplasy.execution import Shard
from homoplasy.progress import say, track
from homoplasy.stages import _halves, _pairs, _plan


@dataclass(frozen=True)
class Plan:
    """What is scored on all images, and what on halves of them."""

    choices: Sequence[_pairs.Choice]  # the kernels first
    halving: _halves.Halving


@dataclass(frozen=True)
class Stored:
    """The stored files, in the order of models, subjects and choices."""

    scores: list[Path]
    halves: list[Path]


def fill(plan: Plan, brain: Path, features: Path, shard: Shard | None = None) -> Stored:
    """The stored scores of every pair, computed where they are not there yet; of a shard of the models."""
    patterns, models = _pairs.patterns(brain), _pairs.models(features, shard)
    count = sum(one.size for one in plan.choices)
    say(f"cka: {len(models)} models against {len(patterns)} subjects; {count} scores for each layer and region.")
    _plan.announce(patterns, models, plan.choices[0])
    pairs = len(models) * len(patterns)

    def every() -> Iterator[tuple[str, str, int, Path]]:
        for place, choice in enumerate(plan.choices):
            for model, subject, path in _pairs.scored(patterns, models, choice):
                yield model, subject, place, path

    scores = sorted(track(every(), "models x subjects", pairs * len(plan.choices)))
    if not plan.halving.splits:
        return Stored([path for *_, path in scores], [])
    say(f"cka: both halves of the images, {plan.halving.splits} times, at the depth that counts")
    whole = sum(not model.run for model in models)
    halves = sorted(track(_halves.halved(patterns, models, plan.halving), "models x subjects", whole * len(patterns)))
    return Stored([path for *_, path in scores], [path for *_, path in halves])
