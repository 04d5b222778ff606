import numpy as np

from homoplasy.datasets.pocket import latents


def test_scales_fall_as_a_power_and_have_mean_square_one():
    sd = latents.scales(12, 0.5)
    assert np.isclose(np.mean(sd**2), 1)
    assert np.allclose(sd / sd[0], np.arange(1, 13) ** -0.5)


def test_visual_and_semantic_latents_are_independent_and_gaussian():
    drawn = latents.draw(3, "shown", 4000)
    both = np.hstack([drawn.visual, drawn.semantic])
    assert np.allclose(both.std(axis=0), np.tile(latents.SHARED_SCALES, 2), rtol=0.06)
    r = np.corrcoef(both.T) - np.eye(24)
    assert abs(r).max() < 5 / np.sqrt(4000)


def test_each_purpose_has_latents_of_its_own():
    assert not (latents.draw(3, "shown", 5).visual == latents.draw(3, "training", 5).visual).any()


def test_unit_scales_columns_only():
    x = np.random.default_rng(0).standard_normal((50, 3)) * [1, 5, 0.1] + 2
    u = latents.unit(x)
    assert np.allclose(u.std(axis=0), 1)
    assert np.allclose(u * x.std(axis=0), x)
