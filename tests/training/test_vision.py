"""Learning to name what is in pictures: the loss and its gradient, the metrics, and that it learns."""

import numpy as np
import pytest
import torch

from homoplasy.errors import BadData, BadRequest
from homoplasy.training import loop, vision
from tests.training import lessons
from tests.training.lessons import plan, run


def judged(training, weights="raw"):
    return {one[:2]: one.value for one in training.judge(weights)}


def test_the_loss_is_the_mean_cross_entropy():
    rng = np.random.default_rng(0)
    logits, targets = rng.standard_normal((5, 3, 4)), rng.integers(0, 4, (5, 3))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    naive = -np.mean([np.log(shares[i, j, targets[i, j]]) for i in range(5) for j in range(3)])
    assert float(vision.target_loss(torch.from_numpy(logits), torch.from_numpy(targets))) == pytest.approx(naive, 1e-12)


def test_the_gradient_of_the_loss():
    logits = torch.randn(4, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    targets = torch.tensor([[0, 1, 2], [3, 3, 3], [1, 0, 2], [2, 2, 0]])
    assert torch.autograd.gradcheck(lambda z: vision.target_loss(z, targets), (logits,))


def test_the_share_among_the_likeliest():
    logits = torch.tensor([[[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]])
    targets = torch.tensor([[1, 0]])
    assert [vision.top_share(logits, targets, k) for k in (1, 2, 3)] == [0.0, 0.5, 1.0]


def test_where_there_are_more_than_five_classes_the_top_five_are_judged():
    def photographs(classes):
        labels = np.arange(24) % classes
        shown = vision.photographs(lambda rows: np.zeros((len(rows), 32, 32, 3), np.uint8), 32, labels, classes, "x")
        config = vision.configuration("test_resnet", {"channels": [8, 8, 8, 8]}, shown, 1)
        return loop.Training(plan(), vision.Naming(config, shown))

    seven, three = photographs(7), photographs(3)
    assert seven.network(torch.zeros(2, 3, 32, 32)).shape == (2, 1, 7)
    assert judged(seven)["train", "top5"] >= judged(seven)["train", "accuracy"]
    assert ("train", "top5") not in judged(three)


@pytest.mark.slow
def test_it_learns_to_name_glyphs_in_pictures_that_it_was_not_trained_on():
    # a chance of 1/4 for each of 12 glyphs in 40 pictures: sd .02
    lesson = lessons.naming(400, "test_vit", {"img_size": 48, "patch_size": 8, "depth": 3}, seed=4)
    chosen = plan(steps=60, batch_size=16, learning_rate=1e-3, judged=40)
    first, last = judged(loop.Training(chosen, lesson)), run(chosen, lesson)
    raw, average = judged(last), judged(last, "ema")
    assert abs(first["held_out", "accuracy"] - 0.25) < 0.08
    assert raw["held_out", "accuracy"] > 0.8
    assert average["held_out", "accuracy"] > 0.8
    assert raw["train", "loss"] < first["train", "loss"] / 2
    assert last.seen == 60 * 16


@pytest.mark.parametrize(
    ("shape", "glyphs"),
    [((4, 8, 9, 3), (4, 2)), ((4, 8, 8, 1), (4, 2)), ((4, 8, 8, 3), (5, 2))],
)
def test_a_training_set_that_does_not_fit_is_one_sentence(shape, glyphs):
    with pytest.raises(BadData, match=r"expected square pictures \(n, side, side, 3\) with glyphs"):
        vision.glyphs(np.zeros(shape, np.uint8), np.zeros(glyphs, np.uint8), 4, "x")


def test_a_level_that_there_is_not_is_one_sentence():
    with pytest.raises(BadData, match="levels 0 to 3, found .* up to 4"):
        vision.glyphs(np.zeros((2, 8, 8, 3), np.uint8), np.full((2, 3), 4, np.uint8), 4, "x")


def test_an_architecture_or_options_that_timm_does_not_have_are_one_sentence():
    with pytest.raises(BadRequest, match="no network 'test_vitt' to train. Nearest: 'test_vit"):
        lessons.naming(4, "test_vitt").network()
    with pytest.raises(BadRequest, match=r"does not build 'test_vit' with the options {'depths': 3}: .*'depths'"):
        lessons.naming(4, options={"depths": 3}).network()
