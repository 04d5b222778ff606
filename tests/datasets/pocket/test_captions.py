import json

import numpy as np
import pandas as pd
import pytest

from homoplasy.datasets.nsd import keys
from homoplasy.datasets.pocket import captions

LOW, HIGH = 5, 7


@pytest.fixture(scope="module")
def told(tree):
    """All annotations of both files in file order, with the picture that each describes."""
    table = pd.read_csv(tree / keys.STIMULUS_TABLE, index_col=0)
    frames = []
    for split, key in keys.CAPTIONS.items():
        file = json.loads((tree / key).read_text())
        frames.append(pd.DataFrame(file["annotations"]).assign(split=split))
        assert set(file) == {"info", "licenses", "images", "annotations"}
        assert {"id", "file_name", "height", "width", "coco_url"} <= set(file["images"][0])
        assert {image["id"] for image in file["images"]} == set(frames[-1]["image_id"])
    joined = pd.concat(frames).merge(table, left_on="image_id", right_on="cocoId", how="left")
    assert (joined["split"] == joined["cocoSplit"])[joined["nsdId"].notna()].all()
    return joined


def known(told):
    return told[told["nsdId"].notna()].assign(nsdId=lambda f: f["nsdId"].astype(int))


def bag(texts):
    words = [set(text.strip().lower().rstrip(".").split()) for text in texts]
    slots = [word for slot in captions.WORDS for word in slot]
    return np.array([[word in one for word in slots] for one in words], dtype=float)


def explained(features, wanted):
    """Out-of-sample R² over all latents, every fourth picture held out."""
    fit, held = np.arange(len(wanted)) % 4 > 0, np.arange(len(wanted)) % 4 == 0
    x = np.hstack([features, np.ones((len(features), 1))])
    weights = np.linalg.lstsq(x[fit], wanted[fit], rcond=None)[0]
    return 1 - ((wanted[held] - x[held] @ weights) ** 2).sum() / ((wanted[held] - wanted[fit].mean(0)) ** 2).sum()


def test_the_caption_of_lowest_id_tells_the_semantic_latents(world, told):
    rows = known(told)
    lowest = rows.loc[rows.groupby("nsdId")["id"].idxmin()].sort_values("nsdId")
    first = rows.drop_duplicates("nsdId").sort_values("nsdId")
    right = explained(bag(lowest["caption"]), world.latents.semantic)
    wrong = explained(bag(first["caption"]), world.latents.semantic)
    assert right >= 0.8
    assert wrong < right - 0.2
    assert (bag(lowest["caption"]).sum(axis=1) == 12).all()


def test_each_image_has_five_to_seven_captions(told):
    counts = known(told).groupby("nsdId").size()
    assert len(counts) == 1640
    assert set(counts) == {5, 6, 7}


def test_file_order_is_not_the_order_of_ids(told):
    rows = known(told)
    assert told["id"].is_unique
    first, lowest = rows.drop_duplicates("nsdId").set_index("nsdId")["id"], rows.groupby("nsdId")["id"].min()
    assert 0.05 < (first.sort_index() == lowest).mean() < 0.35


def test_captions_carry_stray_whitespace(told):
    texts = told["caption"]
    assert texts.str.endswith("\n").any()
    assert texts.str.startswith(" ").any()
    assert (texts == texts.str.strip()).any()


def test_the_files_hold_images_that_were_never_shown(told):
    assert told.loc[told["nsdId"].isna(), "image_id"].nunique() == 60


def test_the_words_are_48_different_ones():
    words = [word for slot in captions.WORDS for word in slot]
    assert len(words) == len(set(words)) == 48


def test_a_dropped_slot_leaves_the_other_words():
    levels = np.array([0, 1, 2, 3] * 3)
    whole = captions.sentence(levels, np.ones(12, dtype=bool))
    assert whole == ("A calm street on a sunny winter morning with three big yellow dogs behind a stone bridge.")
    assert "street" not in captions.sentence(levels, np.arange(12) != 1)


def test_the_crop_leaves_a_square(tree):
    table = pd.read_csv(tree / keys.STIMULUS_TABLE, index_col=0)
    images = [image for key in keys.CAPTIONS.values() for image in json.loads((tree / key).read_text())["images"]]
    size = {image["id"]: (image["height"], image["width"]) for image in images}
    for row in table.iloc[:200].itertuples():
        top, bottom, left, right = (float(part) for part in row.cropBox.strip("()").split(","))
        height, width = size[row.cocoId]
        assert abs(height * (1 - top - bottom) - width * (1 - left - right)) < 0.01
