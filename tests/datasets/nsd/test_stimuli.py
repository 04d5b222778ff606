import json

import h5py
import numpy as np
import pandas as pd
import pytest

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd import keys, stimuli
from homoplasy.errors import BadData, BadRequest


def test_the_stimuli_are_all_pictures_that_were_seen(kept):
    found = nsd.open_tree(kept.root).stimuli("lowest_id")
    assert found["stimulus_id"].tolist() == sorted(set(kept.pictures[:2].ravel()))
    assert found["shared"].sum() == 10
    assert (found["coco_id"] == 1000 + found["stimulus_id"]).all()
    assert set(found["coco_split"]) == {"train2017", "val2017"}
    assert (found["cropped"] == 0.25).all()


def test_the_two_picks_differ_and_are_trimmed(kept):
    tree = nsd.open_tree(kept.root)
    lowest, first = (tree.stimuli(pick)["caption"].tolist() for pick in ("lowest_id", "file_order"))
    assert lowest[0].startswith("caption 0 of picture")
    assert first[0].startswith("caption 1 of picture")
    assert all(caption == caption.strip() for caption in lowest + first)
    assert (tree.stimuli("lowest_id")["caption_words"] == 5).all()


def test_an_unknown_pick_is_refused(kept):
    with pytest.raises(BadRequest, match="no way 'lowest' to pick a caption; expected lowest_id, file_order. Nearest"):
        nsd.open_tree(kept.root).stimuli("lowest")


def test_a_picture_without_caption_is_named(tree):
    path = tree.root / keys.CAPTIONS["train2017"]
    found = json.loads(path.read_text())
    lost = found["annotations"][-1]["image_id"]
    seen = 1000 + np.unique(tree.pictures[:2])
    lost = next(a["image_id"] for a in found["annotations"] if a["image_id"] in seen)
    path.write_text(json.dumps({"annotations": [a for a in found["annotations"] if a["image_id"] != lost]}))
    with pytest.raises(BadData, match=f"no caption for the COCO picture {lost}"):
        nsd.open_tree(tree.root).stimuli("lowest_id")


@pytest.mark.parametrize("text", ["{", "[]", '{"annotations": [{"id": 1}]}'])
def test_a_damaged_caption_file_is_one_sentence(tree, text):
    (tree.root / keys.CAPTIONS["val2017"]).write_text(text)
    with pytest.raises(BadData, match="is not a whole (JSON|COCO annotation) file"):
        nsd.open_tree(tree.root).stimuli("lowest_id")


def test_flags_may_be_words_or_numbers(tree):
    path = tree.root / keys.STIMULUS_TABLE
    before = stimuli.read_table(path, [1])["shared1000"]
    frame = pd.read_csv(path)
    for kind in (int, float):
        frame.assign(shared1000=frame["shared1000"].astype(kind)).to_csv(path, index=False)
        assert stimuli.read_table(path, [1])["shared1000"].equals(before)
    frame.assign(shared1000="perhaps").to_csv(path, index=False)
    with pytest.raises(BadData, match="shared1000 should be True or False, found 'perhaps'"):
        stimuli.read_table(path, [1])


def test_damaged_stimulus_tables_are_one_sentence(tree):
    path = tree.root / keys.STIMULUS_TABLE
    frame = pd.read_csv(path)
    frame.drop(columns="cocoId").to_csv(path, index=False)
    with pytest.raises(BadData, match="lacks the columns cocoId"):
        stimuli.read_table(path, [1])
    frame.assign(cocoId="x", subject1_rep2=0.5).to_csv(path, index=False)
    with pytest.raises(BadData, match="expected whole numbers in cocoId, subject1_rep2, found"):
        stimuli.read_table(path, [1])
    frame.iloc[1:].to_csv(path, index=False)
    with pytest.raises(BadData, match="expected nsdId to count the rows from 0"):
        stimuli.read_table(path, [1])
    frame.assign(cocoSplit="test2017").to_csv(path, index=False)
    with pytest.raises(BadData, match="cocoSplit 'test2017' is not known; expected train2017, val2017"):
        nsd.open_tree(tree.root).stimuli("lowest_id")


def test_the_cropped_share():
    assert stimuli.cropped("(0, 0, 0, 0)") == 0
    assert stimuli.cropped("(0.1, 0.1, 0.0, 0.5)") == pytest.approx(0.6)
    for box in ("(0, 0, 0)", "none", "(1, 2, 3, 'a')"):
        with pytest.raises(BadData, match="cropBox should be"):
            stimuli.cropped(box)


def test_pictures_come_in_the_order_asked_for(kept):
    tree = nsd.open_tree(kept.root)
    with h5py.File(kept.root / keys.PICTURES) as file:
        brick = file["imgBrick"][:]
    ids = np.array([9, 2, 2, 60])
    np.testing.assert_array_equal(tree.pictures(ids), brick[ids])


def test_pictures_that_are_not_there_are_refused(tree):
    found = nsd.open_tree(tree.root)
    with pytest.raises(BadData, match="has the pictures 0 to 169; 170 was asked for"):
        found.pictures(np.array([3, 170]))
    path = tree.root / keys.PICTURES
    for other in (np.zeros((3, 4, 4)), np.zeros((3, 4, 4, 2), dtype=np.uint8)):
        with h5py.File(path, "w") as file:
            file["imgBrick"] = other
        with pytest.raises(BadData, match="expected uint8 pictures"):
            found.pictures(np.array([0]))
