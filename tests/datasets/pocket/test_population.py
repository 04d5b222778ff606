"""The closed form of the population CKA against a sample so large that it has nowhere to hide."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from homoplasy.datasets.nsd import atlas
from homoplasy.datasets.pocket import latents, planted, population, regions, roster
from homoplasy.datasets.pocket.brain import KINDS, Brain
from homoplasy.datasets.pocket.truth import LINEAR

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


def likeness(world, areas):
    """Every planted layer against regions of two subjects, minus the mean over regions as `above`."""
    rows, names = [], {number: area.name for number, area in enumerate(areas)}
    networks = atlas.networks("xcpd", names)
    for brain in (Brain(world, 1), Brain(world, 2)):
        moments = [(networks[area.name][0], population.region(brain, area)) for area in areas]
        for spec in roster.line_up(world):
            for index in range(len(spec.places)):
                layer = population.layer(world, spec, index)
                found = [(network, population.cka(layer, one)) for network, one in moments]
                rows += [(spec.modality, spec.name, index, *one) for one in found]
    table = pd.DataFrame(rows, columns=["modality", "model", "layer", "network", "cka"])
    above = table["cka"] - table.groupby(["modality", "model", "layer"])["cka"].transform("mean")
    return table.assign(above=above)


def test_depths_and_networks_are_as_the_scope_of_the_certificates_says(world):
    """What certificates/claims.yaml takes for true and false of the planted world."""
    measured = likeness(world, LINEAR)
    depth = measured.groupby(["modality", "layer"])["cka"].mean()
    assert depth["vision"].tolist() == pytest.approx([0.197, 0.232, 0.233, 0.201], abs=3e-3)
    assert depth["language"].tolist() == pytest.approx([0.213, 0.205, 0.196, 0.187], abs=3e-3)
    network = measured.groupby(["modality", "network", "layer"])["above"].mean()
    assert network["vision", "Visual"][[0, 2]].tolist() == pytest.approx([0.19, 0.08], abs=0.01)
    assert network["language", "Limbic"][[0, 2]].tolist() == pytest.approx([-0.12, -0.10], abs=0.01)


def test_without_noise_networks_change_places_as_the_scope_says(world):
    free = likeness(world, [replace(area, ncsnr=1e6) for area in LINEAR])
    depth = free.groupby(["modality", "layer"])["cka"].mean()
    assert depth["vision"].idxmax() == 2
    assert depth["language"].idxmax() == 0
    assert (depth["language"] < depth["vision"].max()).all()
    network = free.groupby(["modality", "network", "layer"])["above"].mean()
    assert network["vision", "Visual"][[0, 2]].tolist() == pytest.approx([0.24, -0.02], abs=0.01)
    assert network["language", "Limbic"][[0, 2]].tolist() == pytest.approx([0.08, 0.14], abs=0.01)
