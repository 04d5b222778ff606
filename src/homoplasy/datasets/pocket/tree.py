"""The pocket tree: every file of NSD that the study needs, in NSD's place and format, and a truth beside them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.nsd import keys
from homoplasy.datasets.pocket import (
    captions,
    design,
    formats,
    pictures,
    planted,
    regions,
    roster,
    training_set,
    trajectories,
    truth,
)
from homoplasy.datasets.pocket.brain import Brain, session_order
from homoplasy.datasets.pocket.streams import stream
from homoplasy.datasets.pocket.world import World
from homoplasy.progress import track

PERFORMANCE = "pocket/performance.csv"
MODELS = "pocket/planted"  # containers of their features

_MEAN_SIGNAL = 1000.0


def generate(  # noqa: PLR0913 - the six choices of a world, named as the settings name them
    root: Path,
    *,
    truth: str,
    seed: int,
    subjects: Sequence[int],
    sessions: int,
    beta_version: str,
    beta_format: str,
) -> Iterator[planted.PlantedModel]:
    """Write the pocket world into a folder, and give back the planted models for the caller to store."""
    world = World(truth, seed, tuple(subjects), sessions, beta_version, beta_format)
    steps = [partial(step, root, world) for step in _COMMON]
    for subject in world.subjects:
        brain = Brain(world, subject)
        steps += [partial(_anatomy, root, brain)]
        steps += [partial(_betas, root, brain, place) for place in range(world.sessions_written)]
    for step in track(steps, "writing the pocket world"):
        step()
    return chain(planted.models(world), trajectories.models(world))


def _design(root: Path, world: World) -> None:
    formats.matlab(formats.place(root, keys.DESIGN), design.matlab(world.design))
    labels = {"Unknown": 0, **regions.label_table()}
    text = "".join(f"{number} {name}\n" for name, number in labels.items())
    formats.place(root, keys.LABELS).write_text(text, encoding="utf-8")


def _stimuli(root: Path, world: World) -> None:
    """The picture brick, the stimulus table and the captions."""
    photos = captions.photographs(stream(world.seed, "photographs"))
    count = len(photos)
    rng = stream(world.seed, "stimulus table")
    plan = photos[["cocoId", "cocoSplit", "cropBox", "loss"]].assign(
        nsdId=np.arange(count),
        flagged=np.where(rng.random(count) < 0.01, "TRUE", "FALSE"),  # some booleans are text, in either case
        BOLD5000=rng.random(count) < 0.05,
        shared1000=np.isin(np.arange(count), world.design.shared - 1),
        **design.stimulus_columns(world.design),
    )
    formats.table(formats.place(root, keys.STIMULUS_TABLE), plan, index=True)
    formats.hdf5(formats.place(root, keys.PICTURES), {"imgBrick": pictures.render(world.latents)})
    told = captions.annotations(photos, pictures.levels(world.latents.semantic), stream(world.seed, "captions"))
    for split, file in told.items():
        formats.to_json(formats.place(root, keys.CAPTIONS[split]), file)


def _behaviour(root: Path, world: World) -> None:
    """The responses of every subject, one of them misread in that variant; then the truth, which names the trial."""
    misread = None
    for subject in world.subjects:
        rows = design.responses(world.design, subject, stream(world.seed, "behaviour", subject))
        if world.truth == "bad_responses" and subject == world.subjects[0]:
            misread = {"subject": subject, **design.misread(rows, stream(world.seed, "misread"))}
        formats.table(formats.place(root, keys.responses(subject)), rows, separator="\t")
    truth.write(root, world, misread)


def _models(root: Path, world: World) -> None:
    """What the planted models perform, and the pictures and captions that networks are trained on."""
    formats.table(formats.place(root, PERFORMANCE), roster.performance(world))
    trajectories.write(root, world)
    training_set.write(root, world.seed)


_COMMON: Sequence[Callable[[Path, World], None]] = (_design, _stimuli, _behaviour, _models)


def _anatomy(root: Path, brain: Brain) -> None:
    body, subject = brain.anatomy, brain.subject
    rng = stream(brain.world.seed, "mean", subject)
    mean = np.where(body.mask, _MEAN_SIGNAL * (1.6 - body.dropout) + 50 * rng.standard_normal(body.mask.shape), 0)
    volumes: dict[str, NDArray[Any]] = {
        keys.volume(subject, "brainmask"): body.mask.astype(np.int16),
        keys.volume(subject, "mean"): mean.astype(np.float32),
        keys.volume(subject, "signaldropout"): body.dropout,
        keys.atlas(subject): body.labels,
        keys.atlas(subject, "lh."): body.hemisphere("lh"),
        keys.atlas(subject, "rh."): body.hemisphere("rh"),
        keys.ncsnr(subject, brain.world.beta_version): brain.ncsnr(),
    }
    for key, volume in volumes.items():
        formats.nifti(formats.place(root, key), volume)


def _betas(root: Path, brain: Brain, place: int) -> None:
    """Write one session's file; in a scrambled world it holds another session's trials."""
    world = brain.world
    key = keys.betas(brain.subject, place + 1, world.beta_version, world.beta_format)
    trials = brain.betas(int(session_order(world)[place]))
    formats.BETAS[world.beta_format](formats.place(root, key), trials)
