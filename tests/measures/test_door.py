"""Every measure through `hp.score`: the example of the design, and results that do not depend on memory."""

import numpy as np
import pandas as pd
import pytest
import torch

import homoplasy as hp
from homoplasy.errors import BadRequest
from homoplasy.tables import SCORES

MEASURES = [
    hp.measures.CKA(kernel="rbf", sigma=(28, 36, 68), debiased=True),
    hp.measures.CKA(kernel="rbf", sigma_relative=1.0, debiased=True),
    hp.measures.MutualKNN(k=(5, 20)),
    hp.measures.CycleKNN(k=5),
    hp.measures.RSA(compare="spearman"),
    hp.measures.RSA(compare="pearson"),
    hp.measures.Procrustes(),
]


@pytest.fixture(autouse=True)
def _one_thread():
    """What memory holds depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def side(name, count, seed):
    rng = np.random.default_rng(seed)
    return [hp.Representation(rng.standard_normal((40, 3 + i)), np.arange(40), f"{name}{i}") for i in range(count)]


def test_all_measures_meet_in_one_table():
    table = hp.score(side("layer", 2, 1), side("region", 3, 2), MEASURES)
    assert list(table.columns) == list(SCORES.columns)
    assert len(table) == 2 * 3 * 10
    assert table["value"].notna().all()
    assert (table["reason"] == "").all()
    assert table["measure"].unique().tolist() == [
        "cka.rbf",
        "mutual_knn",
        "cycle_knn",
        "rsa.spearman",
        "rsa.pearson",
        "procrustes",
    ]
    assert table.loc[table["measure"] != "procrustes", "null_mean"].notna().all()


@pytest.mark.parametrize("memory", ["0.6MB", "1.5MB"])
def test_the_result_does_not_depend_on_the_blocks(memory):
    sources, targets = side("layer", 3, 3), side("region", 4, 4)
    small, large = (hp.score(sources, targets, MEASURES, memory=one) for one in (memory, "2GB"))
    pd.testing.assert_frame_equal(small, large, rtol=0, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_alone_and_among_others_says_the_same(measure):
    sources, targets = side("layer", 2, 5), side("region", 2, 6)
    alone, together = (hp.score(sources, targets, one) for one in ([measure], MEASURES))
    mine = together[(together["measure"] == measure.name) & together["params"].isin(measure.params)]
    pd.testing.assert_frame_equal(alone, mine.reset_index(drop=True), rtol=0, atol=1e-12)


def test_too_little_memory_is_one_sentence():
    with pytest.raises(BadRequest, match=r"over 40 stimuli needs .* GB of memory"):
        hp.score(side("a", 1, 1), side("b", 1, 2), [hp.measures.RSA()], memory="0.05MB")


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_only_units_that_vary_are_counted(measure):
    values = np.random.default_rng(3).standard_normal((30, 6))
    half = values.copy()
    half[:, :2] = 1.0
    one, other = (hp.Representation(x, np.arange(30), name) for x, name in ((values, "all"), (half, "four")))
    table = hp.score([one, other], [other], [measure])
    assert table.groupby("source")["source_units"].unique().map(list).to_dict() == {"all": [6], "four": [4]}
    assert set(table["target_units"]) == {4}


def test_numbers_whose_sum_overflows_are_finite():
    large = 1e38 * torch.randn(20, 30, generator=torch.Generator().manual_seed(1)).abs()
    assert large.sum().isinf()
    assert hp.measures.RSA()(large, large).item() == pytest.approx(1)
