import numpy as np
import pytest

from homoplasy.datasets.pocket import anatomy, regions
from homoplasy.datasets.pocket.brain import Brain, session_order
from homoplasy.datasets.pocket.latents import SHARED_SCALES


@pytest.fixture(scope="module")
def brain(world):
    return Brain(world, 7)


def named(name):
    return next(one for one in regions.REGIONS if one.name == name)


def explained(x, y):
    """Share of the variance of y that x explains linearly, in sample."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return 1 - ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum() / (y**2).sum()


def test_v1_is_visual_and_ec_semantic(brain):
    assert explained(brain.latents.visual, brain.signal(named("V1"))) > 1 - 1e-9
    assert explained(brain.latents.semantic, brain.signal(named("EC"))) > 1 - 1e-9
    assert 0.4 < explained(brain.latents.visual, brain.signal(named("PIT"))) < 0.6


def test_the_fine_region_is_a_wave_of_the_semantic_latents(brain):
    w = brain.mixing(regions.FINE)
    turns = brain.latents.semantic / SHARED_SCALES @ w.semantic / np.sqrt(12)
    wave = np.cos(1.5 * turns + w.phase)
    assert np.allclose(brain.signal(regions.FINE), wave / wave.std(axis=0))


def test_every_voxel_with_signal_has_unit_spread(brain):
    for one in regions.REGIONS:
        assert np.allclose(brain.signal(one).std(axis=0), one.kind != "none")


def test_the_shipped_ncsnr_is_the_planted_one_where_signal_survives(brain):
    volume, body = brain.ncsnr(), brain.anatomy
    for one in regions.REGIONS:
        at = body.voxels[one.name]
        assert np.allclose(volume.ravel()[at], np.where(body.carries(one), one.ncsnr, 0))
    assert (volume[body.labels <= 0] == 0).all()


def test_betas_are_signal_noise_gain_and_offset_in_percent_times_300(brain, world):
    trials, body = brain.betas(3), brain.anatomy
    assert trials.dtype == np.int16
    assert trials.shape == (*body.labels.shape, 72)
    assert (trials[~body.mask | body.constant] == 0).all()
    gain, offset = brain.gains(3)
    one = named("V1")
    at = body.voxels["V1"][body.carries(one)]
    signal = brain.signal(one)[world.design.columns(3)][:, body.carries(one)] * one.ncsnr
    noise = (trials.reshape(-1, 72)[at].T / 300 - offset[at]) / gain[at] - signal
    assert abs(noise.std() - 1) < 0.02
    assert abs(noise.mean()) < 0.02
    assert abs(np.corrcoef(noise.ravel(), signal.ravel())[0, 1]) < 0.02
    assert 0.8 <= gain.min() < gain.max() <= 1.25


def test_the_corner_voxel_answers_as_v1_does(brain, world):
    corner = np.ravel_multi_index(anatomy.corner(brain.anatomy.labels.shape), brain.anatomy.labels.shape)
    column = brain.anatomy.voxels["V1"].tolist().index(corner)
    wanted = np.concatenate([brain.signal(named("V1"))[world.design.columns(s), column] for s in range(1, 11)])
    found = [brain.betas(s).reshape(-1, 72)[corner].astype(float) for s in range(1, 11)]
    found = np.concatenate([(one - one.mean()) / one.std() for one in found])
    assert np.corrcoef(wanted, found)[0, 1] > 0.4


def test_a_scrambled_world_puts_every_session_in_a_wrong_file(make_world):
    assert session_order(make_world()).tolist() == list(range(1, 11))
    wrong = session_order(make_world(truth="scrambled"))
    assert sorted(wrong) == list(range(1, 11))
    assert (wrong != np.arange(1, 11)).all()
