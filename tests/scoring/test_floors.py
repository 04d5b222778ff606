import numpy as np
import pytest

import homoplasy as hp
from homoplasy.maths import resampling
from homoplasy.scoring import floors
from homoplasy.scoring.grids import grids

N = 36
MEASURES = {
    "relative": {"sigma_relative": 1.0},
    "absolute": {"sigma": 4.0},
    "linear": {"kernel": "linear"},
    "released": {"sigma": 4.0, "standardise": "epsilon", "epsilon": 0.5},
}


def made(name, widths, seed, side):
    rng = np.random.default_rng(seed)
    facts = {"layer": "a"} if side == "source" else {"region": name, "subject": "s"}
    return [
        hp.Representation(rng.normal(size=(N, d)).astype(np.float32), np.arange(N), f"{name}{d}", facts=facts)
        for d in widths
    ]


def pair(given):
    return [hp.measures.CKA(**given, debiased=debiased) for debiased in (False, True)]


@pytest.mark.parametrize("given", MEASURES.values(), ids=MEASURES)
def test_draws_and_moments_are_those_of_resample_and_score(given):
    sources, targets, measures = made("m", (3, 40), 1, "source"), made("t", (5, 9, 30), 2, "target"), pair(given)
    drawn = hp.resample(sources, targets, measures, draws=4, seed=3)
    scores = hp.score(sources, targets, measures)
    found = floors.Floors(sources, targets, measures[0]).drawn(resampling.draws("permutation", N, 4, 3))
    for name, chance in found.items():
        values = drawn.loc[drawn["estimator"] == name, "value"].to_numpy().reshape(4, 2, 3)
        np.testing.assert_allclose(chance.drawn, values, atol=2e-6)
        rows = scores[scores["estimator"] == name]
        for column, array in (("value", chance.own), ("null_mean", chance.mean), ("null_sd", chance.sd)):
            np.testing.assert_allclose(array, rows[column].to_numpy().reshape(2, 3), atol=2e-6)


def test_little_memory_gives_the_same_scores():
    sources, targets, (measure, _) = made("m", (3, 8, 40), 1, "source"), made("t", (5, 30), 2, "target"), pair({})
    orders = resampling.draws("permutation", N, 3, 1)
    whole = floors.Floors(sources, targets, measure).drawn(orders)
    little = floors.Floors(sources, targets, measure, memory="0.02MB")
    assert max(map(len, little._blocks[0])) == 1
    for name, chance in little.drawn(orders).items():
        np.testing.assert_allclose(chance.drawn, whole[name].drawn, atol=1e-6)
        np.testing.assert_array_equal(chance.own.shape, whole[name].own.shape)


def test_an_object_without_a_kernel_spoils_no_other():
    sources, targets = made("m", (3, 40), 1, "source"), made("t", (5,), 2, "target")
    sources[0].values[3, 1] = np.inf
    found = floors.Floors(sources, targets, pair({})[0]).drawn([np.arange(N)])
    for chance in found.values():
        assert np.isnan(chance.own[0]).all()
        assert np.isnan(chance.drawn[:, 0]).all()
        assert np.isfinite(chance.drawn[:, 1]).all()


def test_pure_noise_of_any_width_sits_on_its_floor_and_calibrated_on_zero():
    sources = made("m", (2, 20, 200, 1000), 5, "source")
    targets = made("t", (3, 30, 300, 1200), 6, "target")
    found = floors.Floors(sources, targets, pair({})[0]).drawn(resampling.draws("permutation", N, 800, 2))
    biased, debiased = found["biased"], found["debiased"]
    assert biased.mean.max() > 0.9  # wide against many voxels: all of the score is floor
    assert biased.mean.min() < 0.25
    np.testing.assert_array_less(np.abs(biased.drawn.mean(0) - biased.mean), 4 * biased.sd / 800**0.5)
    np.testing.assert_array_less(np.abs(debiased.drawn.mean(0)), 4 * debiased.sd / 800**0.5)
    assert (np.abs(debiased.own) < 4.5 * debiased.sd).all()


def test_grids_hold_the_values_of_score():
    sources, targets, measures = made("m", (3, 40), 1, "source"), made("t", (5, 9), 2, "target"), pair({})
    targets[1].values[:] = 2.0
    scores = hp.score(sources, targets, measures)
    found = grids(sources, targets, measures)
    np.testing.assert_allclose(
        found.ravel(), scores["value"].to_numpy(), atol=1e-7
    )  # without errors other sums are taken
    assert np.isnan(found[:, 1]).all()
    assert grids([], targets, measures).shape == (0, 2, 2)
