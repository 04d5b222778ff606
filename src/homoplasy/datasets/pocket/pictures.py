"""Pictures: twelve soft waves weighted by V, and a grid of twelve glyphs that spell S in four levels."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from homoplasy.datasets.pocket import sizes
from homoplasy.datasets.pocket.latents import DIMENSIONS, SHARED_SCALES, Latents

LEVELS = 4
_QUARTILES = ndtri(np.arange(1, LEVELS) / LEVELS)  # so that the four levels are equally common
_AMPLITUDE = 20.0  # grey levels for a latent of 1: the waves then hardly ever leave 0..255
_GREY = 128.0
_ROWS, _COLUMNS = 3, 4  # of the grid of glyphs
_TILE = 8  # pixels of a glyph's tile
_INK, _PAPER = 235, 20  # of a glyph: the same contrast on every background


def levels(semantic: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The quartile 0..3 of each semantic latent in its own Gaussian."""
    return np.digitize(semantic / SHARED_SCALES, _QUARTILES).astype(np.uint8)


def waves() -> NDArray[np.float64]:
    """The twelve coloured cosines (12, pixels, pixels, 3): the lowest two-dimensional frequencies, each with a hue."""
    frequencies = sorted(
        ((y, x) for y in range(4) for x in range(4) if y or x), key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair)
    )
    place = np.pi * (np.arange(sizes.PIXELS) + 0.5) / sizes.PIXELS
    planes = [np.outer(np.cos(y * place), np.cos(x * place)) for y, x in frequencies[:DIMENSIONS]]
    turns = np.arange(DIMENSIONS)[:, None] / DIMENSIONS + np.arange(3) / 3
    hues = (1 + 0.8 * np.cos(2 * np.pi * turns)) / 1.8
    return np.stack(planes)[..., None] * hues[:, None, None, :]


def glyphs() -> NDArray[np.uint8]:
    """The four signs (4, tile, tile): a lying bar, a standing bar, a cross, a ring."""
    y, x = np.indices((_TILE, _TILE)) - (_TILE - 1) / 2
    radius = np.hypot(y, x)
    inside = (abs(y) < 3) & (abs(x) < 3)
    signs = [abs(y) < 1, abs(x) < 1, abs(abs(y) - abs(x)) < 1, (radius > 2) & (radius < 3.4)]
    return np.where(np.stack(signs) & inside, _INK, _PAPER).astype(np.uint8)


def render(latents: Latents) -> NDArray[np.uint8]:
    """Draw the pictures (n, pixels, pixels, 3) of these latents."""
    count = len(latents.visual)
    light = _GREY + _AMPLITUDE * np.tensordot(latents.visual, waves(), axes=1)
    picture = np.clip(np.rint(light), 0, 255).astype(np.uint8).reshape(count, sizes.PIXELS, sizes.PIXELS, 3)
    tiles = glyphs()[levels(latents.semantic)]
    for slot in range(DIMENSIONS):
        top, left = corner(slot)
        picture[:, top : top + _TILE, left : left + _TILE] = tiles[:, slot, :, :, None]
    return picture


def corner(slot: int) -> tuple[int, int]:
    """The upper left pixel of a glyph's tile, in the middle of its cell of the grid."""
    height, width = sizes.PIXELS // _ROWS, sizes.PIXELS // _COLUMNS
    row, column = divmod(slot, _COLUMNS)
    return row * height + (height - _TILE) // 2, column * width + (width - _TILE) // 2
