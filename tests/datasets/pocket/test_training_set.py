import numpy as np
import pytest

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import captions, pictures, training_set
from homoplasy.errors import BadData


def test_the_training_set_is_4000_pictures_with_their_glyph_levels(tree):
    shown, glyphs = pocket.training(tree)
    assert (shown.shape, shown.dtype) == ((4000, 48, 48, 3), np.uint8)
    assert (glyphs.shape, glyphs.dtype) == ((4000, 12), np.uint8)
    assert set(np.unique(glyphs)) == {0, 1, 2, 3}
    top, left = pictures.corner(5)
    assert (shown[:, top : top + 8, left : left + 8, 1] == pictures.glyphs()[glyphs[:, 5]]).all()


def test_no_training_picture_is_shown_to_a_subject(tree, world):
    training = {one.tobytes() for one in pocket.training(tree)[0]}
    shown = {one.tobytes() for one in pictures.render(world.latents)}
    assert len(training) == 4000
    assert len(shown) == 1640
    assert not training & shown


def test_every_training_picture_is_told_twice_in_whole_sentences(tree):
    told, (_, glyphs) = pocket.training_captions(tree), pocket.training(tree)
    assert len(told) == 4000
    assert all(len(own) == 2 and own[0] == own[1] for own in told)
    whole = np.ones(12, dtype=bool)
    assert [own[0] for own in told] == [captions.sentence(levels, whole) for levels in glyphs]


def test_no_training_picture_has_the_levels_of_a_picture_that_a_subject_saw(tree, world):
    """12 glyphs of 4 levels have 16.8 million readings: 4,000 and 1,640 of them meet in .39 of pairs on average."""
    shown = {levels.tobytes() for levels in pictures.levels(world.latents.semantic)}
    assert sum(levels.tobytes() in shown for levels in pocket.training(tree)[1]) <= 4


def test_a_tree_without_a_training_set_says_so(tmp_path):
    with pytest.raises(BadData, match="only the pocket world has pictures to learn from"):
        pocket.training(tmp_path)
    with pytest.raises(BadData, match="only the pocket world has captions to learn from"):
        pocket.training_captions(tmp_path)


@pytest.mark.parametrize("damage", ["{", "[]", '{"images": [{"id": 0}], "annotations": [{"image_id": 1, "id": 2}]}'])
def test_damaged_captions_say_so(tmp_path, damage):
    path = tmp_path / training_set.CAPTIONS
    path.parent.mkdir(parents=True)
    path.write_text(damage)
    with pytest.raises(BadData, match="is not a whole file of captions"):
        pocket.training_captions(tmp_path)


def test_a_damaged_training_set_says_so(tmp_path):
    path = tmp_path / training_set.KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not HDF5")
    with pytest.raises(BadData, match="is not a whole training set"):
        pocket.training(tmp_path)
