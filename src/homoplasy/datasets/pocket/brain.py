"""What a subject's brain answers: a signal of known reliability in each region, then noise, gains and offsets."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.pocket import anatomy, regions, sizes
from homoplasy.datasets.pocket.anatomy import Anatomy
from homoplasy.datasets.pocket.latents import DIMENSIONS, SHARED_SCALES, Latents, unit
from homoplasy.datasets.pocket.regions import Region
from homoplasy.datasets.pocket.streams import stream
from homoplasy.datasets.pocket.world import World

_GAIN = (0.8, 1.25)  # of a voxel in a session
_BANDWIDTH = 1.5  # of the waves in the fine region, in units of the semantic latents


@dataclass(frozen=True)
class Mixing:
    """The weights of V and of S in the voxels of a region, A and B; of a wave also its phase."""

    visual: NDArray[np.float64]
    semantic: NDArray[np.float64]
    phase: NDArray[np.float64]


@dataclass(frozen=True)
class Brain:
    """One subject of a world."""

    world: World
    subject: int

    @cached_property
    def anatomy(self) -> Anatomy:
        """Where everything lies."""
        return anatomy.draw(self.world.seed, self.subject)

    @cached_property
    def latents(self) -> Latents:
        """V and S of the subject's pictures, by design column."""
        return self.world.latents.rows(self.world.design.images(self.subject))

    def mixing(self, region: Region) -> Mixing:
        """Draw the weights of a region's voxels."""
        rng = stream(self.world.seed, "mixing", self.subject, region.name)
        shape = (DIMENSIONS, self.anatomy.voxels[region.name].size)
        return Mixing(rng.standard_normal(shape), rng.standard_normal(shape), rng.uniform(0, 2 * np.pi, shape[1]))

    def signal(self, region: Region) -> NDArray[np.float64]:
        """The noise-free answer (images, voxels), each voxel at standard deviation 1: KINDS[region.kind]."""
        return KINDS[region.kind](region, self.latents, self.mixing(region))

    def ncsnr(self) -> NDArray[np.float32]:
        """The planted noise-ceiling signal-to-noise ratio of every voxel (X, Y, Z)."""
        volume = np.zeros(self.anatomy.labels.shape, dtype=np.float32)
        for region in regions.REGIONS:
            volume.flat[self.anatomy.voxels[region.name]] = region.ncsnr * self.anatomy.carries(region)
        return volume

    @cached_property
    def _answers(self) -> NDArray[np.float64]:
        """The expected answer (images, volume) of all voxels: signal times ncsnr, zero elsewhere."""
        expected = np.zeros((sizes.IMAGES, self.anatomy.labels.size))
        for region in regions.REGIONS:
            expected[:, self.anatomy.voxels[region.name]] = self.signal(region)
        return expected * self.ncsnr().ravel()

    def gains(self, session: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and offset of every voxel in one session, flat over the volume."""
        rng = stream(self.world.seed, "gains", self.subject, session)
        size = self.anatomy.labels.size
        return rng.uniform(*_GAIN, size), rng.standard_normal(size)

    def betas(self, session: int) -> NDArray[np.int16]:
        """The trials of a session (X, Y, Z, trials): percent signal change times 300, 0 where nothing is measured."""
        rng = stream(self.world.seed, "noise", self.subject, session)
        columns = self.world.design.columns(session)
        gain, offset = self.gains(session)
        trials = gain * (self._answers[columns] + rng.standard_normal((columns.size, gain.size))) + offset
        measured = (self.anatomy.mask & ~self.anatomy.constant).ravel()
        scaled = np.where(measured, np.rint(trials * sizes.SCALE), 0).astype(np.int16)
        return scaled.T.reshape(*self.anatomy.labels.shape, columns.size)


def _linear(region: Region, latents: Latents, mixing: Mixing) -> NDArray[np.float64]:
    """u(√(1−h)·u(V·A) + √h·u(S·B))."""
    h = region.hierarchy
    return unit(
        np.sqrt(1 - h) * unit(latents.visual @ mixing.visual) + np.sqrt(h) * unit(latents.semantic @ mixing.semantic)
    )


def _wave(_: Region, latents: Latents, mixing: Mixing) -> NDArray[np.float64]:
    """u(cos(1.5·Ŝ·Ω + b)), Ŝ at unit sd, Ω ~ N(0, 1/12): neighbours in S answer alike, strangers do not."""
    turns = (latents.semantic / SHARED_SCALES) @ mixing.semantic / np.sqrt(DIMENSIONS)
    return unit(np.cos(_BANDWIDTH * turns + mixing.phase))


def _none(_: Region, latents: Latents, mixing: Mixing) -> NDArray[np.float64]:
    """No signal at all."""
    return np.zeros((len(latents.visual), mixing.phase.size))


KINDS = {"linear": _linear, "wave": _wave, "none": _none}


def session_order(world: World) -> NDArray[np.int64]:
    """Which session lies in the file of each session: the right one, but the next one in a scrambled world."""
    order = np.arange(1, world.sessions_written + 1)
    return np.roll(order, -1) if world.truth == "scrambled" else order
