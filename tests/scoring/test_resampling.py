import math

import numpy as np
import pandas as pd
import pytest
import torch

import homoplasy as hp
from homoplasy.errors import BadData, BadRequest
from homoplasy.maths import resampling
from homoplasy.measures import CKA, RSA, MutualKNN
from homoplasy.tables import DRAWS

BOTH = [CKA(kernel="linear"), CKA(sigma_relative=1.0, debiased=False)]


@pytest.fixture(autouse=True)
def _one_thread():
    """What memory holds depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sides(n=60, sources=2, targets=3, shared=0.0, ids=None):
    """Objects that hold a common latent to some degree."""
    rng = np.random.default_rng(1)
    latent = rng.standard_normal((n, 4))
    made = [
        shared * latent @ rng.standard_normal((4, 6 + i)) + rng.standard_normal((n, 6 + i))
        for i in range(sources + targets)
    ]
    ids = np.arange(n) if ids is None else ids
    left = [hp.Representation(one, ids, "m", facts={"layer": f"l{i}"}) for i, one in enumerate(made[:sources])]
    right = [
        hp.Representation(one, ids, f"s{i}/V1", facts={"region": "V1", "subject": f"s{i}"})
        for i, one in enumerate(made[sources:])
    ]
    return left, right


def drawn(one, places):
    return hp.Representation(one.values[places], np.arange(len(places)), one.address, facts=one.facts)


def test_a_permutation_pairs_the_rows_of_all_targets_anew():
    left, right = sides()
    table = hp.resample(left, right, [*BOTH, RSA()], draws=2, seed=7, precision="float64")
    assert list(table.columns) == list(DRAWS.columns)
    assert len(table) == 2 * 2 * 3 * 3
    for draw, mine in table.groupby("draw"):
        places = resampling.permutation(60, 7, draw)
        expected = hp.score(
            [drawn(one, np.arange(60)) for one in left],
            [drawn(one, places) for one in right],
            [*BOTH, RSA()],
            precision="float64",
        )
        np.testing.assert_allclose(mine["value"], expected["value"], atol=1e-12)
        assert mine["params"].tolist() == expected["params"].tolist()


def test_a_half_has_the_kernels_of_the_whole():
    left, right = sides(shared=1.0)
    table = hp.resample(
        left, right, [CKA(kernel="linear", standardise="none")], kind="half", draws=3, precision="float64"
    )
    assert set(table["n"]) == {30}
    for draw, mine in table.groupby("draw"):
        places = resampling.half_sample(60, 0, draw)
        halves = [[drawn(one, places) for one in side] for side in (left, right)]
        expected = hp.score(*halves, [CKA(kernel="linear", standardise="none")], precision="float64")
        np.testing.assert_allclose(mine["value"], expected["value"], atol=1e-12)
    # A width that is relative to the median of all stimuli is not estimated again from half of them.
    relative, absolute = (
        hp.resample(left[:1], right[:1], [one], kind="half", draws=3, precision="float64")["value"]
        for one in (CKA(sigma_relative=1.0), CKA(sigma=_median(left[0])))
    )
    assert not np.allclose(relative, absolute, atol=1e-6)  # the sides have widths of their own


def _median(one):
    z = (one.values - one.values.mean(0)) / one.values.std(0, ddof=1)
    return float(torch.pdist(torch.from_numpy(z)).median())


def test_measures_without_kernels_are_computed_anew_over_the_half():
    left, right = sides(shared=1.0)
    table = hp.resample(left, right, [MutualKNN(k=3)], kind="half", draws=1, seed=3)
    places = resampling.half_sample(60, 3, 0)
    halves = [[drawn(one, places) for one in side] for side in (left, right)]
    np.testing.assert_array_equal(table["value"], hp.score(*halves, [MutualKNN(k=3)])["value"])


def test_mean_and_spread_of_permutations_are_the_closed_forms():
    left, right = sides(n=40, shared=1.0)
    draws = 150
    table = hp.resample(left, right, BOTH, draws=draws, seed=1)
    whole = hp.score(left, right, BOTH).set_index(["layer", "target", "params"])
    found = table.groupby(["layer", "target", "params"])["value"].agg(["mean", "std"]).loc[whole.index]
    z = (found["mean"] - whole["null_mean"]) / (whole["null_sd"] / math.sqrt(draws))
    assert z.abs().max() < 4  # twelve means of 150 draws
    assert (found["std"] / whole["null_sd"]).between(0.75, 1.3).all()  # an sd of 150 draws is known to 6 % or so


def test_the_spread_of_halves_is_the_standard_error_of_the_jackknife():
    left, right = sides(n=400, shared=1.0)
    table = hp.resample(left, right, BOTH, kind="half", draws=100, seed=2)
    whole = hp.score(left, right, BOTH).set_index(["layer", "target", "params"])
    spread = table.groupby(["layer", "target", "params"])["value"].std().loc[whole.index]
    # twenty groups know a standard error to 16 %, a hundred halves to 7 %
    assert (spread / whole["se"]).between(0.6, 1.6).all()
    assert np.log(spread / whole["se"]).mean() == pytest.approx(0, abs=0.15)


def test_draws_depend_on_their_seed_and_number_alone():
    left, right = sides()
    plain = hp.resample(left, right, BOTH, draws=3, seed=5)
    parts = [hp.resample([one], right, BOTH, draws=3, seed=5, memory="0.8MB") for one in left]
    key = ["layer", "draw", "target", "params"]
    together = pd.concat(parts).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(together, plain.sort_values(key, ignore_index=True), check_exact=True)
    fewer = hp.resample(left, right, BOTH, draws=2, seed=5)
    pd.testing.assert_frame_equal(fewer, plain[plain["draw"] < 2].reset_index(drop=True), check_exact=True)
    assert not np.allclose(hp.resample(left, right, BOTH, draws=3, seed=6)["value"], plain["value"])


def test_stimuli_are_drawn_by_their_sorted_ids():
    left, right = sides()
    turned = np.random.default_rng(2).permutation(60)
    moved = [
        hp.Representation(one.values[turned], one.stimulus_ids[turned], one.address, facts=one.facts) for one in right
    ]
    plain, other = (hp.resample(left, side, BOTH, draws=2) for side in (right, moved))
    pd.testing.assert_frame_equal(plain, other, check_exact=True)


def test_what_has_no_score_has_no_draws():
    left, right = sides()
    left[0].values[:] = 1
    table = hp.resample(left, right, BOTH, draws=2)
    assert table["value"].isna().tolist() == (table["layer"] == "l0").tolist()
    assert len(hp.resample([], right, BOTH)) == 0


def test_the_interval_of_subjects_and_stimuli_covers_the_mean_of_many():
    """Simulated: 4 subjects of a population; the truth is the mean of 60 of them over many stimuli."""
    rng = np.random.default_rng(3)
    measure, hits, runs = [CKA(kernel="linear")], 0, 12
    weights = rng.standard_normal((4, 8)), rng.standard_normal((4, 5))

    def world(n, subjects):
        latent = rng.standard_normal((n, 4))
        x = hp.Representation(latent @ weights[0] + rng.standard_normal((n, 8)), np.arange(n), "m")
        regions = [
            hp.Representation(
                latent @ (weights[1] * rng.uniform(0.3, 1.2)) + rng.standard_normal((n, 5)),
                np.arange(n),
                f"s{s}",
                facts={"subject": f"s{s}", "region": "V1"},
            )
            for s in range(subjects)
        ]
        return [x], regions

    truth = hp.score(*world(1000, 60), measure)["value"].mean()
    for run in range(runs):
        data = world(80, 4)
        scores, halves = hp.score(*data, measure), hp.resample(*data, measure, kind="half", draws=40, seed=run)
        (row,) = hp.dual_interval(scores, halves, seed=run).itertuples()
        assert row.low < row.value < row.high
        assert row.value == pytest.approx(scores["value"].mean())
        hits += row.low < truth < row.high
    assert hits >= 10  # of 12 at 95 %: fewer is a chance of 2 %


def test_an_interval_is_one_row_a_source_and_parameter():
    left, right = sides(shared=1.0)
    scores, halves = hp.score(left, right, BOTH), hp.resample(left, right, BOTH, kind="half", draws=20)
    found = hp.dual_interval(scores, halves, seed=1)
    assert len(found) == 2 * 2
    assert set(found["subjects"]) == {3}
    wider, other = hp.dual_interval(scores, halves, seed=1, level=0.99), hp.dual_interval(scores, halves, seed=2)
    assert (wider["low"] < found["low"]).all()
    assert not np.allclose(other["low"], found["low"])


BAD = {
    "resample: kind is 'halves'; it can be permutation, half, split. Nearest: 'half'": lambda left, right: hp.resample(
        left, right, BOTH, kind="halves"
    ),
    "resample: draws is 0; expected one or more": lambda left, right: hp.resample(left, right, BOTH, draws=0),
    "halves were drawn as permutations": lambda left, right: hp.dual_interval(
        hp.score(left, right, BOTH), hp.resample(left, right, BOTH, draws=2), seed=1
    ),
}


@pytest.mark.parametrize(("sentence", "call"), BAD.items())
def test_a_request_that_cannot_be_is_one_sentence(sentence, call):
    with pytest.raises(BadRequest, match=sentence):
        call(*sides())


def test_one_subject_has_no_interval_over_subjects():
    left, right = sides(targets=1)
    halves = hp.resample(left, right, BOTH, kind="half", draws=2)
    with pytest.raises(BadData, match="expected the same two subjects or more in both tables, found s0 in the scores"):
        hp.dual_interval(hp.score(left, right, BOTH), halves, seed=1)
