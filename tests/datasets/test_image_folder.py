"""A folder of pictures by class: what is found, how a picture is cut, and what cannot be read."""

import numpy as np
import pytest
from PIL import Image

from homoplasy.datasets import image_folder
from homoplasy.errors import BadData, BadRequest


@pytest.fixture
def folder(tmp_path):
    """Three pictures of two classes: a wide one with a red middle, a tall one, and a grey one."""
    for name in ("cat", "dog/puppies"):
        (tmp_path / name).mkdir(parents=True)
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16, 0] = 200
    Image.fromarray(wide).save(tmp_path / "cat/b.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "dog/puppies/a.PNG")
    Image.fromarray(np.full((9, 9), 77, np.uint8)).save(tmp_path / "cat/a.png")
    (tmp_path / "cat/notes.txt").write_text("not a picture")
    return tmp_path


def test_pictures_are_listed_by_path_with_the_class_of_their_subfolder(folder):
    found = image_folder.open_folder(folder)
    assert found.paths == ("cat/a.png", "cat/b.png", "dog/puppies/a.PNG")
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1]


def test_pictures_are_read_in_colour_and_each_in_its_own_size(folder):
    wide, tall, grey = image_folder.open_folder(folder).read(np.array([1, 2, 0]))
    assert (wide.shape, tall.shape, grey.shape, grey.dtype) == ((8, 24, 3), (24, 8, 3), (9, 9, 3), np.uint8)
    assert (wide[:, 8:16] == (200, 0, 0)).all()
    assert (wide[:, :8] == 0).all()
    assert (grey == 77).all()


def test_its_digest_tells_a_folder_with_other_files(folder):
    before = image_folder.open_folder(folder).digest
    assert image_folder.open_folder(folder).digest == before
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "dog/c.png")
    assert image_folder.open_folder(folder).digest != before


def test_faults_are_one_sentence(folder):
    with pytest.raises(BadRequest, match="there is no such folder; name one with a subfolder a class"):
        image_folder.open_folder(folder / "none")
    with pytest.raises(BadData, match="found 1 pictures in 1 of them"):
        image_folder.open_folder(folder / "dog")
    (folder / "cat/a.png").write_bytes(b"no picture")
    with pytest.raises(BadData, match=r"cat/a.png is not a whole picture"):
        image_folder.open_folder(folder).read(np.array([0]))


def test_a_picture_that_says_it_is_too_large_is_refused(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)  # the pictures have 25: pillow warns up to twice as many
    with pytest.raises(BadData, match="is not a whole picture .*exceeds limit"):
        image_folder.open_folder(folder).read(np.array([0]))
