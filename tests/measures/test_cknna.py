import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.errors import BadRequest
from homoplasy.measures import CKNNA
from homoplasy.representation import Representation
from homoplasy.scoring import score
from tests.maths import golden, naive, neighbourhoods
from tests.measures.changes import moved, split

MEASURES = [
    CKNNA(k=(4, 6), metric=metric, standardise=rule)
    for metric in ("cosine", "inner")
    for rule in ("drop_constant", "none")
]
DECLARED, UNDECLARED = split(MEASURES)


def noise(address, seed, n=60, d=8):
    return Representation(np.random.default_rng(seed).standard_normal((n, d)), np.arange(n), address)


@pytest.mark.parametrize("metric", ["cosine", "inner"])
@pytest.mark.parametrize("k", [3, 5, 10])
def test_it_is_what_dense_matrices_give(metric, k):
    x, y = (naive.zscore(one.numpy()) for one in golden.raw())
    expected = neighbourhoods.cknna(x, y, k, metric)
    assert CKNNA(k=k, metric=metric)(*golden.raw()).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("measure", "change"), DECLARED)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_declared_law_holds(measure, change, seed):
    assert moved(measure, change, seed) < 1e-9


@pytest.mark.parametrize(("measure", "change"), UNDECLARED)
def test_an_undeclared_law_fails_somewhere(measure, change):
    assert max(moved(measure, change, seed) for seed in range(20)) > 1e-3


def test_one_search_serves_every_k():
    x, y = golden.raw()
    alone = [CKNNA(k=k)(x, y).item() for k in (7, 3, 4)]
    assert CKNNA(k=(7, 3, 4))(x, y).tolist() == alone


def test_likeness_to_itself_is_perfect_and_exchanged_sides_nearly_agree():
    x, y = (torch.from_numpy(noise("", seed).values) for seed in (1, 2))
    y = y + x
    measure = CKNNA(k=20)
    assert measure(x, x).item() == pytest.approx(1, abs=1e-12)
    assert measure(x, y).item() != measure(y, x).item()
    assert measure(x, y).item() == pytest.approx(measure(y, x).item(), rel=0.02)


def test_chance_is_in_the_table_and_unrelated_sides_keep_to_it():
    sources, targets = [noise(f"s{i}", i) for i in range(20)], [noise(f"t{i}", 100 + i) for i in range(20)]
    table = score(sources, targets, [CKNNA(k=(10, 30))])
    far = table["value"] - table["null_mean"]
    for _, one in far.groupby(table["params"]):
        # 400 values of 20 x 20 objects: the mean is known to about a twentieth of the spread
        assert abs(one.mean()) < one.std() / 5
    assert (table["null_mean"] > 0.02).all()
    assert table["null_sd"].isna().all()
    assert table["measure"].unique().tolist() == ["cknna"]


def test_planted_likeness_is_found():
    source, noisy = noise("a", 1, n=200), noise("b", 2, n=200)
    mixed = [
        Representation(source.values + much * noisy.values, source.stimulus_ids, f"{much}") for much in (0.3, 1, 3)
    ]
    values = score([source], mixed, [CKNNA(k=20)])["value"]
    assert values.is_monotonic_decreasing
    assert values[0] > 0.6


def test_the_result_does_not_depend_on_the_blocks():
    sources, targets = [noise(f"s{i}", i) for i in range(3)], [noise(f"t{i}", 50 + i) for i in range(5)]
    small, large = (score(sources, targets, [CKNNA(k=(5, 12))], memory=one) for one in ("0.15MB", "2GB"))
    pd.testing.assert_frame_equal(small, large, rtol=0, atol=0)


def test_an_object_that_does_not_align_with_itself_is_a_row_with_a_reason():
    """Stimuli at right angles to one another: every similarity is zero."""
    ids = np.arange(12)
    corner = Representation(np.eye(12), ids, "corner")
    table = score([corner], [Representation(golden.raw()[0].numpy(), ids, "x")], [CKNNA(k=(3, 11), standardise="none")])
    assert table["reason"].tolist() == ["no_self_alignment", "too_few_stimuli"]
    assert table[["value", "null_mean"]].isna().all(axis=None)


def test_a_measure_without_meaning_is_refused():
    with pytest.raises(BadRequest, match="CKNNA: k holds 0; expected numbers of neighbours"):
        CKNNA(k=(3, 0))
