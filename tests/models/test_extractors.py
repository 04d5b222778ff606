"""The two honest extractors, and their known answers on pictures and captions of the pocket world."""

import numpy as np
import pytest
from scipy.fft import dctn

from homoplasy.datasets.pocket import captions, latents, pictures
from homoplasy.errors import BadRequest
from homoplasy.models import pixels, words


@pytest.fixture(scope="module")
def drawn():
    return latents.draw(3, "shown", 600)


def read_out(features, target):
    """R² of a linear read-out on pictures that it was not fitted to, the mean over columns."""
    x = np.column_stack([features, np.ones(len(features))])
    half = len(x) // 2
    weights, *_ = np.linalg.lstsq(x[:half], target[:half], rcond=None)
    rest = target[half:] - x[half:] @ weights
    return float(np.mean(1 - rest.var(0) / target[half:].var(0)))


def test_the_pixels_tell_the_visual_latents_and_not_the_semantic_ones(drawn):
    found = pixels.cosines(pictures.render(drawn))
    assert read_out(found, drawn.visual) >= 0.95
    assert read_out(found, drawn.semantic) < 0.4  # not 0: glyphs differ in how much ink they have


def test_the_words_tell_the_semantic_latents_and_not_the_visual_ones(drawn):
    kept = np.ones(12, dtype=bool)
    told = [captions.sentence(levels, kept) for levels in pictures.levels(drawn.semantic)]
    found = words.bag(told)
    assert read_out(found, drawn.semantic) >= 0.8
    assert read_out(found, drawn.visual) < 0.1


def test_the_cosines_are_those_of_scipy():
    picture = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)
    expected = dctn(picture[0].mean(-1) / 255, norm="ortho")[:6, :6].ravel()[1:]
    np.testing.assert_allclose(pixels.cosines(picture)[0], expected, rtol=1e-5)


def test_a_word_of_one_caption_alone_is_no_column():
    assert words.bag(["one two", "two three"]).shape == (2, 1)


@pytest.mark.parametrize("address", ["pixels:other", "words:other"])
def test_there_is_one_of_each(load, address):
    with pytest.raises(BadRequest, match=f"found '{address}'"):
        load(address)


@pytest.mark.parametrize(("address", "modality"), [("pixels:cosine", "vision"), ("words:bag", "language")])
def test_they_are_models_like_others(load, stimuli, address, modality):
    model = load(address)
    (layer,), facts = model.represent()
    assert model.modality == modality
    assert layer.facts["depth"] == 1
    assert layer.values.dtype == np.float32
    assert np.array_equal(layer.stimulus_ids, stimuli.ids)
    assert facts["parameters"] == 0
