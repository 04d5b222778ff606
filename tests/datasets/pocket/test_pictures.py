import numpy as np
import pytest

from homoplasy.datasets.pocket import pictures
from homoplasy.datasets.pocket.latents import Latents


@pytest.fixture(scope="module")
def shown(world):
    return pictures.render(world.latents)


def explained(features, wanted, penalty):
    """Out-of-sample R² of a linear read-out, by its worst column: every fourth picture is held out."""
    fit, held = np.arange(len(wanted)) % 4 > 0, np.arange(len(wanted)) % 4 == 0
    x, y = features - features[fit].mean(axis=0), wanted - wanted[fit].mean(axis=0)
    gram = x[fit] @ x[fit].T
    weights = np.linalg.solve(gram + penalty * np.eye(len(gram)), y[fit])
    errors = y[held] - x[held] @ x[fit].T @ weights
    return 1 - ((errors**2).sum(axis=0) / (y[held] ** 2).sum(axis=0)).max()


def test_pixels_give_the_visual_latents(world, shown):
    flat = shown.reshape(len(shown), -1).astype(float)
    assert explained(flat, world.latents.visual, penalty=1e3) >= 0.95


def test_pictures_keep_inside_the_range_of_bytes(shown):
    assert shown.dtype == np.uint8
    assert shown.shape == (1640, 48, 48, 3)
    assert ((shown == 0) | (shown == 255)).mean() < 0.002


def test_the_four_levels_are_equally_common(world):
    levels = pictures.levels(world.latents.semantic)
    share = np.bincount(levels.ravel(), minlength=4) / levels.size
    assert abs(share - 0.25).max() < 0.02


def test_the_four_glyphs_differ_and_have_the_same_contrast():
    signs = pictures.glyphs()
    assert signs.shape == (4, 8, 8)
    assert {frozenset(np.unique(sign).tolist()) for sign in signs} == {frozenset({20, 235})}
    for a in range(4):
        for b in range(a):
            assert (signs[a] != signs[b]).sum() >= 8


def test_a_glyph_shows_its_level_in_its_own_cell(world, shown):
    levels = pictures.levels(world.latents.semantic)
    for slot in range(12):
        top, left = pictures.corner(slot)
        tile = shown[7, top : top + 8, left : left + 8, 0]
        assert (tile == pictures.glyphs()[levels[7, slot]]).all()
    assert pictures.corner(0) == (4, 2)
    assert pictures.corner(11) == (36, 38)


def test_a_picture_without_latents_is_grey_between_its_glyphs():
    blank = pictures.render(Latents(np.zeros((1, 12)), np.zeros((1, 12))))
    assert (blank[0, :4] == 128).all()
