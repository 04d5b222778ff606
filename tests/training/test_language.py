"""Learning to continue captions: what of a text is learned, perplexity, and that it learns."""

from math import exp, log

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax

from homoplasy.errors import BadData, BadRequest
from homoplasy.models import _trained_language
from homoplasy.training import language, loop
from tests.training import lessons
from tests.training.lessons import plan, run


@pytest.fixture(scope="module")
def lesson():
    return lessons.continuing()


def judged(training, weights="raw"):
    return {one[:2]: one.value for one in training.judge(weights)}


def test_a_text_is_the_question_the_first_caption_and_the_second_as_its_answer(lesson):
    tokenizer = _trained_language.tokenizer(lesson.config)
    text = lesson.texts[0]
    said = [tokenizer.decode(list(text.tokens[stretch])).replace(" .", ".") for stretch in text.learned]
    first, second = (caption.lower() for caption in lesson.captions[0])
    assert said == [first, f"{second}</s>"] or said == [first, f"{second} </s>"]
    assert tokenizer.unk_token_id not in text.tokens
    assert text.tokens.count(tokenizer.bos_token_id) == 1
    whole = tokenizer.decode(list(text.tokens))
    assert whole.index("consider the image") < whole.index(first[:-1])


def test_a_picture_with_one_caption_has_no_answer():
    own = [["A dog."], ["Two cats."]]
    config = language.configuration("gpt_neox", lessons.NEOX, own, 1)
    texts = language.Continuing(config, own).texts
    assert [text.learned[1].stop - text.learned[1].start for text in texts] == [1, 1]


def test_the_losses_are_those_of_the_learned_tokens_alone():
    rng = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 5, dtype=torch.float64, generator=rng)
    labels = torch.tensor([[1, -100, 2, -100], [-100, 4, 0, 3]])
    losses, right, count = language.token_losses(logits, labels)
    places = [(0, 2), (1, 1), (1, 2), (1, 3)]  # the first token has nothing before it
    each = [-log_softmax(logits[row, place - 1], -1)[labels[row, place]] for row, place in places]
    assert float(losses) == pytest.approx(float(sum(each)), rel=1e-12)
    assert int(right) == sum(int(logits[row, place - 1].argmax() == labels[row, place]) for row, place in places)
    assert int(count) == 4


def test_the_gradient_of_the_loss():
    logits = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    labels = torch.tensor([[0, 2, -100], [-100, 1, 3]])
    assert torch.autograd.gradcheck(lambda z: language.token_losses(z, labels)[0], (logits,))


def test_padding_changes_no_loss(lesson):
    network = lesson.network().eval()
    lengths = [len(text.tokens) for text in lesson.texts]
    own = [["A dog."], ["A dog."], *lesson.captions]  # two short texts beside longer ones
    mixed = language.Continuing(lesson.config, own)
    with torch.no_grad():
        alone, among = mixed.judge(network, np.array([0, 1])), mixed._losses(network, np.array([0, 2]))
        rest = mixed._losses(network, np.array([2]))
    assert len(set(lengths)) >= 1
    assert float(among[0] - rest[0]) / int(among[2] - rest[2]) == pytest.approx(alone["loss"], rel=1e-4)


def test_perplexity_is_the_exponential_of_the_loss_of_all_tokens(lesson):
    network = lesson.network().eval()
    with torch.no_grad():
        found = lesson.judge(network, np.arange(60))
        first = lesson.judge(network, np.arange(30))
    assert found["perplexity"] == pytest.approx(exp(found["loss"]))
    assert found["loss"] == pytest.approx(log(len(_trained_language.tokenizer(lesson.config))), rel=0.05)
    assert found["loss"] != first["loss"]


def test_tokens_are_counted_without_padding(lesson):
    rows = np.array([3, 5])
    assert lesson.seen(rows) == len(lesson.texts[3].tokens) + len(lesson.texts[5].tokens)


@pytest.mark.slow
def test_perplexity_falls_on_captions_that_it_was_not_trained_on():
    lesson = lessons.continuing(200)
    chosen = plan(steps=60, batch_size=16, learning_rate=1e-2, judged=20)
    first, last = judged(loop.Training(chosen, lesson)), judged(run(chosen, lesson))
    words = len(_trained_language.tokenizer(lesson.config))
    assert first["held_out", "perplexity"] == pytest.approx(words, rel=0.1)
    assert last["held_out", "perplexity"] < 5  # four words in a slot, twelve slots and seven plain words
    assert last["held_out", "accuracy"] > 0.4


def test_faults_are_one_sentence():
    with pytest.raises(BadData, match="expected a caption of every training picture, found 1 of 2 without one"):
        language.configuration("gpt_neox", {}, [["A dog."], []], 1)
    with pytest.raises(BadRequest, match="no type of model called 'gpt_neo_x'. Nearest: 'gpt_neox"):
        _trained_language.build({"architecture": "gpt_neo_x", "options": {}, "words": ["a"], "seed": 1})
    odd = {**lessons.NEOX, "num_attention_heads": 3}
    with pytest.raises(BadRequest, match="transformers does not build 'gpt_neox' with the options"):
        _trained_language.build({"architecture": "gpt_neox", "options": odd, "words": ["a"], "seed": 1})
