"""The comparison in float32, streamed or held, against scipy's, where ranks are binned and where they tie."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from homoplasy.maths import held_pairs, likeness, pairs
from homoplasy.maths.clouds import Clouds

N = 420  # four tiles a side, the last one not whole


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def shared(seed, d=30):
    """A cloud that has latents in common with those of other seeds."""
    latent = torch.randn(N, 6, generator=generator(0), dtype=torch.float64)
    own = generator(seed)
    noise = torch.randn(N, d, generator=own, dtype=torch.float64)
    return latent @ torch.randn(6, d, generator=own, dtype=torch.float64) + noise


def heavy(seed):
    return shared(seed) * torch.randn(N, 1, generator=generator(seed), dtype=torch.float64).exp()


def twins(seed):
    x = shared(seed)
    x[N // 2 :] = x[: N // 2]
    return x


def whole(seed, d=4, values=4):
    """Features that take few values: most distances tie."""
    return torch.randint(0, values, (N, d), generator=generator(seed)).double()


CLOUDS = {
    "many": lambda seed: shared(seed, 200),
    "few": lambda seed: shared(seed, 3),
    "off": lambda seed: shared(seed) + 50,
    "heavy": heavy,
    "twins": twins,
    "whole": whole,
    "thirds": lambda seed: whole(seed) / 3 + 0.1,
    "binary": lambda seed: whole(seed, 6, 2) * 0.7,
    "outlier": lambda seed: torch.cat([shared(seed)[:-1], shared(seed)[-1:] * 1e3]),
}


FORMS = {"streamed": pairs.side, "held": held_pairs.hold}


def value(x, y, how, *, form="streamed", root=True):
    a, b = (FORMS[form]([one], root=root, ranked=how == "spearman") for one in (x, y))
    found = a.against(b)
    return likeness.likeness(found.cross, *map(likeness.Parts.of, found.rows, found.square), how).item()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", CLOUDS)
def test_binned_ranks_give_the_correlation_of_sorted_ones(kind, form):
    x, y = CLOUDS[kind](1), CLOUDS[kind](2)
    # whole numbers and multiples of them: distances that tie, tie exactly
    scale = {"thirds": 3, "binary": 1 / 0.7}.get(kind, 1)
    exact = [(scale * (one - one[0])).numpy() for one in (x, y)]
    exact = [one.round() if kind in ("whole", "thirds", "binary") else one for one in exact]
    a, b = (pdist(one, "sqeuclidean") for one in exact)
    assert value(x, y, "spearman", form=form) == pytest.approx(stats.spearmanr(a, b)[0], abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", CLOUDS)
@pytest.mark.parametrize("root", [True, False])
def test_distances_give_the_correlation_and_cosine_of_exact_ones(kind, root, form):
    x, y = CLOUDS[kind](1), CLOUDS[kind](2)
    a, b = (pdist(one.numpy(), "euclidean" if root else "sqeuclidean") for one in (x, y))
    assert value(x, y, "pearson", form=form, root=root) == pytest.approx(stats.pearsonr(a, b)[0], abs=1e-6)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert value(x, y, "cosine", form=form, root=root) == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_sums_are_those_of_the_matrices(form):
    x, y = [shared(1), *(shared(seed, 5) for seed in (2, 4, 5, 6))], [shared(3)]
    ours, theirs = (FORMS[form](one, root=True, ranked=False) for one in (x, y))
    found = ours.against(theirs)
    exact = [[pdist(one.numpy()) / Clouds([one], torch.float64).size.item() for one in given] for given in (x, y)]
    for rows, square, side in zip(found.rows, found.square, exact, strict=True):
        np.testing.assert_allclose(rows, [squareform(one).sum(0) for one in side], rtol=1e-6)
        np.testing.assert_allclose(square, [(one**2).sum() for one in side], rtol=1e-6)
    np.testing.assert_allclose(found.cross, np.array(exact[0]) @ np.array(exact[1]).T, rtol=1e-6)


def test_the_mean_ranks_of_bins_are_those_of_scipy():
    counts = torch.tensor([3, 2, 1, 1, 5, 2, 0, 0, 2, 1, 0, 4], dtype=torch.int32)
    # the first six bins are a run too long to be one value; the next two are one, parted by rounding
    values = np.repeat([0, 1, 2, 3, 4, 5, 8, 8, 11], [3, 2, 1, 1, 5, 2, 2, 1, 4])
    middle = (stats.rankdata(values) - (len(values) + 1) / 2) / len(values)
    np.testing.assert_allclose(pairs._ranked(counts).repeat_interleave(counts), middle, atol=1e-7)


def test_the_compiled_loops_do_what_plain_operations_do():
    table = pairs.side([shared(1)], root=True, ranked=True).tables[0]
    squared = torch.rand(20, 30, generator=generator()) * 4
    place = pairs._bins(squared, table.low, table.bits, len(table.ranks))
    out = torch.empty_like(squared)
    table.look(squared, out)
    assert torch.equal(out, table.ranks[place.long()])
    for diagonal, pairs_of in ((False, place.flatten()), (True, place[torch.ones(20, 30).triu(1) > 0])):
        counts = torch.zeros(len(table.ranks), dtype=torch.int32)
        pairs._count(squared, diagonal, table.low, table.bits, counts)
        assert torch.equal(counts, torch.bincount(pairs_of, minlength=len(counts)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ranked", [True, False])
def test_distances_that_are_all_alike_are_told(form, ranked):
    one_hot = torch.eye(N, dtype=torch.float64)
    point = torch.ones(N, 3, dtype=torch.float64)
    assert FORMS[form]([one_hot, shared(1), point], root=True, ranked=ranked).flat.tolist() == [True, False, True]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("how", ["spearman", "pearson"])
def test_a_gpu_finds_what_the_processor_finds(how):
    x, y = shared(1), shared(2)
    assert value(x.cuda(), y.cuda(), how) == pytest.approx(value(x, y, how), abs=1e-6)
