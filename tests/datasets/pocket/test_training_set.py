import numpy as np
import pytest

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import pictures, training_set
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


def test_a_tree_without_a_training_set_says_so(tmp_path):
    with pytest.raises(BadData, match="only the pocket world has pictures to learn from"):
        pocket.training(tmp_path)


def test_a_damaged_training_set_says_so(tmp_path):
    path = tmp_path / training_set.KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not HDF5")
    with pytest.raises(BadData, match="is not a whole training set"):
        pocket.training(tmp_path)
