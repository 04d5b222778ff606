"""One pocket world: its choices, checked, and what follows from them alone."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.pocket import design, latents, sizes
from homoplasy.datasets.pocket.design import Design
from homoplasy.datasets.pocket.latents import Latents
from homoplasy.errors import BadRequest, listing, nearest

VARIANTS = ("planted", "null", "width", "mixed", "scrambled", "short", "bad_responses")
SHORT_SESSIONS = 9  # stands for the 37 of 40 sessions that were public at first
VERSION = 3  # rises when the same choices give other bytes


@dataclass(frozen=True)
class World:
    """The choices that fix every byte of a pocket tree."""

    truth: str
    seed: int
    subjects: tuple[int, ...]
    sessions: int
    beta_version: str
    beta_format: str

    def __post_init__(self) -> None:
        """Refuse what cannot be generated."""
        _one_of("pocket.truth", self.truth, VARIANTS)
        _one_of("fetch.beta_version", self.beta_version, sizes.BETA_VERSIONS)
        _one_of("fetch.beta_format", self.beta_format, sizes.BETA_FORMATS)
        if self.seed < 0:
            raise BadRequest(f"pocket.seed is {self.seed}; expected a whole number that is not negative.")
        if not 1 <= self.sessions <= sizes.SESSIONS:
            raise BadRequest(
                f"fetch.sessions is {self.sessions}; the pocket world has 1 to {sizes.SESSIONS} sessions a subject."
            )
        known = tuple(sizes.VOLUMES)
        if not self.subjects or len(set(self.subjects)) < len(self.subjects) or not set(self.subjects) <= set(known):
            raise BadRequest(
                f"fetch.subjects is {list(self.subjects)}; the pocket world has betas of the subjects "
                f"{', '.join(map(str, known))}: name at least one of them, each once."
            )

    @property
    def sessions_written(self) -> int:
        """The sessions that have a betas file: the variant `short` lacks the last ones."""
        return min(self.sessions, SHORT_SESSIONS) if self.truth == "short" else self.sessions

    @cached_property
    def design(self) -> Design:
        """Which picture is shown in which trial."""
        return design.draw(self.seed)

    @cached_property
    def latents(self) -> Latents:
        """What the pictures, the captions and the brains are made of."""
        return latents.draw(self.seed, "shown", sizes.PICTURES)

    @cached_property
    def model_latents(self) -> Latents:
        """What the planted models are made of: the same, but in the null world nothing that a brain knows."""
        return latents.draw(self.seed, "null", sizes.PICTURES) if self.truth == "null" else self.latents

    def seen(self, subjects: tuple[int, ...]) -> NDArray[np.int64]:
        """The 0-based ids of the pictures that these subjects see, sorted."""
        return np.unique(np.concatenate([self.design.images(subject) for subject in subjects]))


def _one_of(name: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise BadRequest(f"{name} is {word!r}; it can be {listing(known)}.{nearest(str(word), known)}")
