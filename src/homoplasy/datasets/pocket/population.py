"""The linear CKA of a planted layer and a region in an endless sample, from their weights alone.

Linear CKA of standardised features is ‖Σ_xy‖²/(‖Σ_xx‖‖Σ_yy‖) with Σ correlation matrices (Kornblith et al. 2019,
eq. 4). All of them are loadings on independent unit latents plus a diagonal: Σ_xx = L·Lᵀ + t·I. So only small Gram
matrices are needed: ‖L·Lᵀ + t·I‖² = ‖Lᵀ·L‖² + 2t·tr(LᵀL) + t²d.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from homoplasy.datasets.pocket import sizes
from homoplasy.datasets.pocket.brain import Brain
from homoplasy.datasets.pocket.latents import DIMENSIONS, PRIVATE_SCALES, SHARED_SCALES
from homoplasy.datasets.pocket.planted import NOISE, layer_stream, mixing
from homoplasy.datasets.pocket.regions import Region
from homoplasy.datasets.pocket.roster import Spec
from homoplasy.datasets.pocket.world import World


@dataclass(frozen=True)
class Moments:
    """What the CKA of an object with others needs: the Gram matrix of its shared loadings, and ‖Σ‖."""

    shared: NDArray[np.float64]  # (24, 24), V then S
    norm: float


def layer(world: World, spec: Spec, index: int) -> Moments:
    """The moments of a planted layer (before any flaw)."""
    w, g, q = mixing(layer_stream(world, spec, index), spec.width), spec.places[index], spec.quality
    total = 1 + NOISE**2
    visual = np.sqrt(q * (1 - g)) * _loadings(w.visual, SHARED_SCALES)
    semantic = np.sqrt(q * g) * _loadings(w.semantic, SHARED_SCALES)
    private = np.sqrt(1 - q) * _loadings(w.private, PRIVATE_SCALES)
    return _moments(np.vstack([visual, semantic, private]) / np.sqrt(total), NOISE**2 / total)


def region(brain: Brain, one: Region) -> Moments:
    """The moments of a linear region's sound voxels, averaged over three repeats."""
    w, h, keeps = brain.mixing(one), one.hierarchy, brain.anatomy.carries(one)
    reliable = one.ncsnr**2 / (one.ncsnr**2 + 1 / sizes.REPEATS)
    visual = np.sqrt(1 - h) * _loadings(w.visual[:, keeps], SHARED_SCALES)
    semantic = np.sqrt(h) * _loadings(w.semantic[:, keeps], SHARED_SCALES)
    return _moments(np.vstack([visual, semantic]) * np.sqrt(reliable), 1 - reliable)


def cka(x: Moments, y: Moments) -> float:
    """‖Σ_xy‖²/(‖Σ_xx‖‖Σ_yy‖)."""
    return float((x.shared * y.shared).sum() / (x.norm * y.norm))


def _loadings(weights: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """The correlations (latents, units) of u(latents · weights) with its latents."""
    scaled = weights * sd[:, None]
    return scaled / np.sqrt((scaled**2).sum(axis=0))


def _moments(loadings: NDArray[np.float64], rest: float) -> Moments:
    gram = loadings @ loadings.T
    square = (gram**2).sum() + 2 * rest * np.trace(gram) + rest**2 * loadings.shape[1]
    shared = 2 * DIMENSIONS
    return Moments(gram[:shared, :shared], float(np.sqrt(square)))
