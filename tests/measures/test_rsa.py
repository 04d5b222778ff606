from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist

from homoplasy.errors import BadRequest
from homoplasy.maths import pairs
from homoplasy.measures import CKA, RSA, rsa
from homoplasy.measures.rsa import Compare
from homoplasy.representation import Representation
from homoplasy.scoring import score
from tests.maths import naive
from tests.measures.changes import generator

SCIPY = {
    "pearson": lambda a, b: stats.pearsonr(a, b)[0],
    "spearman": lambda a, b: stats.spearmanr(a, b)[0],
    "cosine": lambda a, b: a @ b / (np.linalg.norm(a) * np.linalg.norm(b)),
}
METRICS = {
    "euclidean": "euclidean",
    "squared_euclidean": "sqeuclidean",
    "cosine": "cosine",
    "correlation": "correlation",
}


@pytest.mark.parametrize("dissimilarity", METRICS)
@pytest.mark.parametrize("compare", SCIPY)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_it_is_what_scipy_finds(compare, dissimilarity, seed):
    x, y = torch.randn(2, 12, 6, generator=generator(seed), dtype=torch.float64)
    a, b = (pdist(naive.zscore(one.numpy()), METRICS[dissimilarity]) for one in (x, y))
    assert RSA(compare, dissimilarity)(x, y).item() == pytest.approx(SCIPY[compare](a, b), abs=1e-9)
    a, b = (pdist(one.numpy(), METRICS[dissimilarity]) for one in (x, y))
    assert RSA(compare, dissimilarity, "none")(x, y).item() == pytest.approx(SCIPY[compare](a, b), abs=1e-9)


@pytest.mark.parametrize("dissimilarity", METRICS)
@pytest.mark.parametrize("compare", SCIPY)
def test_above_some_hundred_stimuli_it_is_what_scipy_finds_to_a_millionth(compare, dissimilarity):
    """n = 400 is swept by tiles in float32, with binned ranks."""
    x = torch.randn(400, 20, generator=generator(1), dtype=torch.float64)
    for other in (torch.randn(400, 20, generator=generator(2), dtype=torch.float64), x + 0.01 * x.roll(1, 0)):
        a, b = (pdist(naive.zscore(one.numpy()), METRICS[dissimilarity]) for one in (x, other))
        assert RSA(compare, dissimilarity)(x, other).item() == pytest.approx(SCIPY[compare](a, b), abs=1e-6)


@pytest.mark.parametrize("compare", get_args(Compare))
def test_either_side_of_the_threshold_a_measure_says_the_same(compare, monkeypatch):
    x, y = torch.randn(2, 300, 20, generator=generator(3), dtype=torch.float64)
    sides = [[Representation(one.numpy(), np.arange(300), name)] for one, name in ((x, "x"), (x + y, "y"))]
    tables = []
    for exact, memory in ((362, "2GB"), (10, "2GB"), (10, "7MB")):  # exact, held, streamed
        monkeypatch.setattr(rsa, "_EXACT", exact)
        tables.append(score(*sides, [RSA(compare)], memory=memory)[["value", "null_mean", "null_sd"]])
    for table in tables[1:]:
        np.testing.assert_allclose(tables[0], table, atol=1e-6)


def test_dissimilarities_are_held_where_memory_has_room_for_a_block_of_objects_a_side(monkeypatch):
    taken, plain = [], pairs.Side.against
    monkeypatch.setattr(pairs.Side, "against", lambda *sides: taken.append("streamed") or plain(*sides))
    of = [Representation(np.random.default_rng(1).standard_normal((400, 20)), np.arange(400), "x")]
    block = 32 * 4 * 400 * 399 / 2
    for memory in (block + 1e7, block - 1e6):
        score(of, of, [RSA()], memory=f"{memory / 1e6}MB")
        taken.append("next")
    assert taken == ["next", "streamed", "next"]


def test_whitened_rsa_of_squared_distances_is_linear_cka():
    x, y = torch.randn(2, 14, 5, generator=generator(4), dtype=torch.float64)
    whitened = RSA("whitened_cosine", "squared_euclidean")
    assert whitened(x, y).item() == pytest.approx(CKA(kernel="linear", debiased=False)(x, y).item(), abs=1e-12)


def test_pearson_of_centred_squared_distances_is_known():
    """Two stimuli pairs apart: the only two distances are 0 within and 1 between, on both sides alike."""
    x = torch.tensor([[0.0], [0.0], [1.0], [1.0], [0.0], [1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0], [0.0], [1.0]])
    # 9 of 15 pairs differ in x and in y; 5 pairs in both: phi = (15 * 5 - 81) / (9 * 6)
    assert RSA("pearson", "squared_euclidean")(x, x).item() == pytest.approx(1)
    assert RSA("pearson", "squared_euclidean")(x, y).item() == pytest.approx((15 * 5 - 81) / 54)


def test_chance_is_in_the_table_and_unrelated_sides_keep_to_it():
    def noise(address, seed, d):
        return Representation(np.random.default_rng(seed).standard_normal((60, d)), np.arange(60), address)

    sources = [noise(f"s{i}", i, 3 + i) for i in range(25)]
    targets = [noise(f"t{i}", 100 + i, 3 + i) for i in range(25)]
    table = score(sources, targets, [RSA("pearson"), RSA("spearman"), RSA("cosine")])
    z = ((table["value"] - table["null_mean"]) / table["null_sd"]).groupby(table["measure"])
    # 625 values of 25 x 25 objects: the mean is known to about 1/25, the spread to about 1/25
    assert z.mean().abs().max() < 0.16
    assert z.std().tolist() == pytest.approx([1, 1, 1], abs=0.15)
    assert table.loc[table["measure"] != "rsa.cosine", "null_mean"].abs().max() < 1e-12
    assert table["measure"].unique().tolist() == ["rsa.pearson", "rsa.spearman", "rsa.cosine"]
    assert table[["source_pr", "target_offdiagonal"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("measure", "x", "reason"),
    [
        (RSA("pearson"), torch.eye(8), "constant_dissimilarities"),
        (RSA("pearson"), torch.eye(400), "constant_dissimilarities"),
        (RSA("spearman"), torch.eye(400), "constant_dissimilarities"),
        (RSA(dissimilarity="correlation"), torch.arange(8.0)[:, None], "undefined_dissimilarity"),
    ],
)
def test_objects_without_contrast_have_no_score(measure, x, reason):
    (g,) = measure.geometry(measure.prepare([x]))
    assert g.reasons == (reason,)
    other = torch.randn(len(x), 3, generator=generator(5), dtype=torch.float64)
    assert measure(x, other).isnan().all()
    assert RSA("cosine")(torch.eye(400), torch.eye(400)).item() == pytest.approx(1)


BAD = {
    "RSA: compare is 'spearmann'; it can be pearson, spearman, .*, whitened_cosine. Nearest: 'spearman'": {
        "compare": "spearmann"
    },
    "RSA: dissimilarity is 'L1'": {"dissimilarity": "L1"},
    "RSA: standardise is 'z'": {"standardise": "z"},
}


@pytest.mark.parametrize(("sentence", "given"), BAD.items())
def test_a_measure_without_meaning_is_refused(sentence, given):
    with pytest.raises(BadRequest, match=sentence):
        RSA(**given)


def test_it_says_what_it_is():
    assert repr(RSA(compare="pearson")) == "RSA(by='pearson', dissimilarity='euclidean', standardise='drop_constant')"
    assert RSA() == RSA(compare="spearman")
