import numpy as np
import pandas as pd
import pytest
import torch

from homoplasy.errors import BadRequest
from homoplasy.measures import CycleKNN, MutualKNN
from homoplasy.representation import Representation
from homoplasy.scoring import score
from tests.maths import golden

GOLDEN = [
    (MutualKNN, "inner", [0.2916667, 0.3333333, 0.4583333]),
    (MutualKNN, "cosine", [0.2083333, 0.3611111, 0.5]),
    (CycleKNN, "inner", [0.5, 0.6666667, 0.8333333]),
]


def noise(address, seed, n=80, d=10):
    return Representation(np.random.default_rng(seed).standard_normal((n, d)), np.arange(n), address)


@pytest.mark.parametrize(("measure", "metric", "values"), GOLDEN)
def test_known_answers(measure, metric, values):
    assert measure(k=(2, 3, 4), metric=metric)(*golden.raw()).tolist() == pytest.approx(values, abs=1e-7)


@pytest.mark.parametrize("measure", [MutualKNN, CycleKNN])
def test_one_ranking_serves_every_k(measure):
    x, y = golden.raw()
    alone = [measure(k=k)(x, y).item() for k in (7, 2, 4)]
    assert measure(k=(7, 2, 4))(x, y).tolist() == alone


def test_a_cycle_goes_there_by_the_target_and_back_by_the_source():
    x, y = golden.raw()
    assert not torch.equal(CycleKNN(k=2)(x, y), CycleKNN(k=2)(y, x))


def test_chance_is_in_the_table_and_unrelated_sides_keep_to_it():
    sources, targets = [noise(f"s{i}", i) for i in range(25)], [noise(f"t{i}", 100 + i) for i in range(25)]
    table = score(sources, targets, [MutualKNN(k=(5, 20)), CycleKNN(k=(5, 20))])
    mutual, cycle = table[table["measure"] == "mutual_knn"], table[table["measure"] == "cycle_knn"]
    assert mutual["null_mean"].unique().tolist() == pytest.approx([5 / 79, 20 / 79])
    z = (mutual["value"] - mutual["null_mean"]) / mutual["null_sd"]
    # 1,250 values of 25 x 25 objects: the mean is known to about 1/25, the spread to about 1/35
    assert abs(z.mean()) < 0.16
    assert z.std() == pytest.approx(1, abs=0.12)
    assert (cycle["value"] - cycle["null_mean"]).abs().mean() < 0.06
    assert abs((cycle["value"] - cycle["null_mean"]).mean()) < 0.01
    assert cycle["null_sd"].isna().all()
    assert (table["estimator"] == "").all()


def test_more_neighbours_than_stimuli_is_a_reason():
    table = score([noise("a", 1, n=12)], [noise("b", 2, n=12)], [MutualKNN(k=(3, 10, 11, 400))])
    assert table["reason"].tolist() == ["", "", "too_few_stimuli", "too_few_stimuli"]
    assert table["value"].notna().tolist() == [True, True, False, False]
    assert table["params"].tolist() == ["k=3 cosine", "k=10 cosine", "k=11 cosine", "k=400 cosine"]


def test_a_stimulus_without_direction_has_no_cosine():
    x = golden.raw()[0].clone()
    x[4] = 0
    measure = MutualKNN(k=3, standardise="none")
    (g,) = measure.geometry(measure.prepare([x]))
    assert g.reasons == ("zero_stimulus",)
    assert MutualKNN(k=3, standardise="none", metric="inner")(x, golden.raw()[1]).isfinite().all()


BAD = {
    "MutualKNN: metric is 'cosin'.*Nearest: 'cosine'": lambda: MutualKNN(k=3, metric="cosin"),
    "CycleKNN: standardise is 'yes'": lambda: CycleKNN(k=3, standardise="yes"),
    "k holds 0; expected numbers of neighbours": lambda: MutualKNN(k=0),
    "k holds 2.5; expected numbers of neighbours": lambda: MutualKNN(k=(2.5,)),
    "k is \\(2, 2\\); expected one number of neighbours or several different": lambda: MutualKNN(k=(2, 2)),
    "k is \\(\\); expected": lambda: CycleKNN(k=()),
}


@pytest.mark.parametrize(("sentence", "made"), BAD.items())
def test_a_measure_without_meaning_is_refused(sentence, made):
    with pytest.raises(BadRequest, match=sentence):
        made()


def test_corrected_for_chance_a_planted_share_is_read():
    """Two far groups of 100: one with the same neighbours on both sides, one with unrelated ones."""
    rng = np.random.default_rng(3)
    same, away = rng.standard_normal((100, 6)), 100 * np.eye(1, 7)[0]
    sides = [
        np.concatenate([np.pad(same, ((0, 0), (1, 0))), np.pad(rng.standard_normal((100, 6)), ((0, 0), (1, 0))) + away])
        for _ in range(2)
    ]
    sides[0][:100, 0] = sides[1][:100, 0] = -100
    ids, k = np.arange(200), 10
    value = score(
        [Representation(sides[0], ids, "a")],
        [Representation(sides[1], ids, "b")],
        [MutualKNN(k=k, metric="inner", standardise="none")],
    )["value"][0]
    inside = (value - 0.5) / 0.5  # the second group's own share, by chance k / 99
    assert inside == pytest.approx(k / 99, abs=4 * np.sqrt(k / 99 * 0.9 / (100 * k)))


@pytest.mark.parametrize("measure", [MutualKNN(k=(5, 20)), CycleKNN(k=(5, 20))])
def test_the_result_does_not_depend_on_the_blocks(measure):
    sources, targets = [noise(f"s{i}", i) for i in range(3)], [noise(f"t{i}", 50 + i) for i in range(5)]
    small, large = (score(sources, targets, [measure], memory=one) for one in ("0.08MB", "2GB"))
    pd.testing.assert_frame_equal(small, large, rtol=0, atol=0)


def test_lists_are_most_of_the_memory():
    need = MutualKNN(k=(20, 400)).footprint(8859)
    assert need.passing == pytest.approx(1)
    assert need.working * 8 * 8859**2 == pytest.approx(2 * 400 * 8859)
    assert MutualKNN(k=20).footprint(30_000).passing * 8 * 30_000**2 < 1.1e9
