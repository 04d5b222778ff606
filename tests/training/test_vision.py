"""Training: the loss and its gradient, the steps that are kept, the pictures that are not, and that it learns."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.datasets.pocket import latents, pictures
from homoplasy.errors import BadData
from homoplasy.training import vision


@pytest.fixture(scope="module", autouse=True)
def _threads():
    """The number of threads that the stage sets, given back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(vision.THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def lesson():
    drawn = latents.draw(1, "training", 1600)
    return pictures.render(drawn), pictures.levels(drawn.semantic)


def plan(**changed):
    usual = {"architecture": "test_resnet", "steps": 2, "batch_size": 8, "learning_rate": 1e-3, "seed": 4}
    return vision.Plan(**usual | changed)


def test_the_loss_is_the_mean_cross_entropy():
    rng = np.random.default_rng(0)
    logits, glyphs = rng.standard_normal((5, 3, 4)), rng.integers(0, 4, (5, 3))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    naive = -np.mean([np.log(shares[i, j, glyphs[i, j]]) for i in range(5) for j in range(3)])
    assert float(vision.glyph_loss(torch.from_numpy(logits), torch.from_numpy(glyphs))) == pytest.approx(naive, 1e-12)


def test_the_gradient_of_the_loss():
    logits = torch.randn(4, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    glyphs = torch.tensor([[0, 1, 2], [3, 3, 3], [1, 0, 2], [2, 2, 0]])
    assert torch.autograd.gradcheck(lambda z: vision.glyph_loss(z, glyphs), (logits,))


@given(st.integers(1, 5000))
def test_the_steps_double_from_the_untrained_network_to_the_last(steps):
    found = vision.checkpoint_steps(steps)
    assert found[0] == 0
    assert found[-1] == steps
    assert found == sorted(set(found))
    assert all(later <= 2 * earlier for earlier, later in pairwise(found[1:]))


def test_held_out_pictures_are_never_trained_on():
    order, held_out = vision._streams(3, 100)
    batches = vision._batches(order, held_out, 100, 16)
    seen = np.concatenate([next(batches) for _ in range(10)])
    assert held_out.size == 10
    assert not set(seen) & set(held_out)
    assert set(seen) <= set(range(100))
    assert np.unique(seen[:80]).size == 80  # an epoch takes each picture once


def test_the_rate_rises_and_falls():
    rates = [vision._rate(step, 100) for step in range(100)]
    assert max(rates) == rates[10] == 1
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_same_plan_gives_the_same_weights_to_the_last_bit(lesson):
    few = [one[:200] for one in lesson]
    first, again, other = (list(vision.train(plan(seed=seed), *few)) for seed in (4, 4, 5))
    for one, two in zip(first, again, strict=True):
        assert one.loss == two.loss
        assert all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)
    assert not np.array_equal(first[0].weights["head.weight"], other[0].weights["head.weight"])


@pytest.mark.parametrize(
    "changed", [{"learning_rate": 2e-3}, {"batch_size": 9}, {"steps": 3}, {"architecture": "test_convnext"}]
)
def test_every_part_of_the_plan_changes_the_outcome(lesson, changed):
    few = [one[:100] for one in lesson]
    last, moved = (list(vision.train(plan(**one), *few))[-1] for one in ({}, changed))
    assert last.loss != moved.loss


def test_a_checkpoint_is_not_changed_by_the_steps_after_it(lesson):
    few = [one[:100] for one in lesson]
    training = vision.train(plan(), *few)
    first = next(training)
    kept = first.weights["head.weight"].copy()
    list(training)
    assert np.array_equal(first.weights["head.weight"], kept)


@pytest.mark.slow
def test_it_learns_to_name_glyphs_in_pictures_that_it_was_not_trained_on(lesson):
    found = {one.step: one for one in vision.train(plan(steps=96, batch_size=32, learning_rate=3e-3), *lesson)}
    assert abs(found[0].held_out_accuracy - 0.25) < 0.05
    assert found[96].held_out_accuracy > 0.6
    assert found[96].loss < found[0].loss / 2


@pytest.mark.parametrize(
    ("shape", "glyphs"),
    [((4, 8, 9, 3), (4, 2)), ((4, 8, 8, 1), (4, 2)), ((4, 8, 8, 3), (5, 2))],
)
def test_a_training_set_that_does_not_fit_is_one_sentence(shape, glyphs):
    with pytest.raises(BadData, match=r"expected square pictures \(n, side, side, 3\) with glyphs"):
        vision.configuration(plan(), np.zeros(shape, np.uint8), np.zeros(glyphs, np.uint8))


def test_a_level_that_there_is_not_is_one_sentence():
    with pytest.raises(BadData, match="levels 0 to 3, found .* up to 4"):
        vision.configuration(plan(), np.zeros((2, 8, 8, 3), np.uint8), np.full((2, 3), 4, np.uint8))
