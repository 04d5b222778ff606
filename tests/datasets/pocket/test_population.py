"""The closed form of the population CKA against a sample so large that it has nowhere to hide."""

import numpy as np
import pytest

from homoplasy.datasets.pocket import latents, planted, population, regions, roster
from homoplasy.datasets.pocket.brain import KINDS, Brain

N = 20_000


@pytest.fixture(scope="module")
def crowd():
    return latents.draw(5, "crowd", N)


def linear_cka(x, y):
    x, y = ((one - one.mean(axis=0)) / one.std(axis=0) for one in (x, y))
    return ((x.T @ y) ** 2).sum() / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)


@pytest.mark.parametrize(
    ("model", "index", "region"), [("vision-02", 0, "V2"), ("vision-02", 4, "FFC"), ("language-05", 7, "PHA1")]
)
def test_the_closed_form_is_the_limit_of_many_pictures(world, crowd, model, index, region):
    spec = next(one for one in roster.roster(world) if one.name == model)
    area = next(one for one in regions.REGIONS if one.name == region)
    brain, rng = Brain(world, 1), np.random.default_rng(0)
    private = latents.normal(rng, N, latents.PRIVATE_SCALES)
    x = planted.features(world, spec, index, crowd, private)
    signal = KINDS[area.kind](area, crowd, brain.mixing(area))[:, brain.anatomy.carries(area)]
    y = area.ncsnr * signal + rng.standard_normal(signal.shape) / np.sqrt(3)
    expected = population.cka(population.layer(world, spec, index), population.region(brain, area))
    assert abs(linear_cka(x, y) - expected) < 0.005


def test_an_object_is_wholly_like_itself_only_without_private_parts(world):
    area = next(one for one in regions.REGIONS if one.name == "V1")
    moments = population.region(Brain(world, 1), area)
    assert 0.8 < population.cka(moments, moments) < 1
