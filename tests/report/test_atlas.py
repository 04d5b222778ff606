"""The atlas holds the scores that went in, to a ten-thousandth, and stays small."""

import base64
import json

import numpy as np
import pandas as pd
import pytest

from homoplasy.report import atlas
from tests.studies.convergence import made


@pytest.fixture(scope="module")
def scores():
    models = made.models(4, layers=3)
    return made.scores(models, made.facts(models))


def unpacked(told):
    told = json.loads(told)
    values = np.frombuffer(base64.b64decode(told["values"]), "<i2").astype(float)
    values[values == told["none"]] = np.nan
    layers = sum(len(model["layers"]) for model in told["models"])
    return told, (values * told["step"]).reshape(len(told["kernels"]), layers, len(told["regions"]))


def test_what_is_packed_is_the_mean_over_subjects(scores):
    models = made.models(4, layers=3)
    packed = atlas.pack(scores, ["c=1 debiased"])
    told, values = unpacked(atlas.as_json(packed, models, made.regions(), pd.DataFrame()))
    assert told["kernels"] == ["c=1 debiased", "sigma=9 biased"]
    assert told["tree"] == []
    means = scores.groupby(["params", "source", "layer", "region"])["value"].mean()
    for model in told["models"]:
        assert model["modality"] in model["name"]
        for row, layer in enumerate(model["layers"]):
            for column, region in enumerate(told["regions"]):
                expected = means["sigma=9 biased", model["name"], layer, region["name"]]
                assert values[1, model["first"] + row, column] == pytest.approx(expected, abs=6e-5)


def test_a_score_that_is_missing_is_none(scores):
    holes = scores.assign(value=scores["value"].mask(scores["region"] == "V1"))
    told, values = unpacked(atlas.as_json(atlas.pack(holes, []), made.models(4), made.regions(), pd.DataFrame()))
    column = [region["name"] for region in told["regions"]].index("V1")
    assert np.isnan(values[:, :, column]).all()
    assert np.isfinite(np.delete(values, column, axis=2)).all()


def test_where_there_is_no_room_only_the_main_kernels_stay(scores, monkeypatch):
    monkeypatch.setattr(atlas, "_MOST", 1)
    assert atlas.pack(scores, ["sigma=9 biased"]).kernels == ["sigma=9 biased"]


def test_without_regions_there_is_no_atlas(scores):
    assert atlas.pack(scores.iloc[:0], []) is None
    assert atlas.pack(scores.assign(target="mean/top5%"), []) is None


def test_every_area_has_a_place():
    places = atlas.places()
    assert len(places) == 180
    assert set(made.PLACES) <= set(places.index)
    assert places.loc["V1", "y"] < places.loc["OFC", "y"]
    assert (places["x"] > 0).all()


def test_no_closing_tag_can_end_the_script(scores):
    models = made.models(4, layers=3)
    models["family"] = "</script><script>"
    assert "</script" not in atlas.as_json(atlas.pack(scores, []), models, made.regions(), pd.DataFrame())
