"""Maps of the cortex: every area in its colour, on both halves, from the sides that are named."""

import base64
from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import Normalize

from homoplasy.maths import meshes
from homoplasy.report import cortex, cortex_maps
from tests.maths.test_meshes import sphere

RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def test_an_area_has_its_colour_in_the_views_that_show_it(surface):
    colours = {"front": RED, "back": GREEN}
    left_lateral, left_medial, right_medial, right_lateral = (
        cortex.painted(side, surface.names, colours).astype(float) for side in surface.sides
    )
    for picture, front_on_the_left in (
        (left_lateral, True),
        (left_medial, False),
        (right_medial, True),
        (right_lateral, False),
    ):
        solid = picture[..., 3] == 255
        red = solid & (picture[..., 0] > 2 * picture[..., 1])
        green = solid & (picture[..., 1] > 2 * picture[..., 0])
        assert red.sum() > 1000 < green.sum()
        assert (np.nonzero(red)[1].mean() < np.nonzero(green)[1].mean()) == front_on_the_left


def test_an_area_without_a_colour_is_grey_and_nothing_lies_around(surface):
    picture = cortex.painted(surface.sides[0], surface.names, {"front": RED})
    assert picture[0, 0].tolist() == [0, 0, 0, 0]
    grey = (picture[..., 3] == 255) & (picture[..., 0] == picture[..., 1]) & (picture[..., 1] == picture[..., 2])
    assert grey.sum() > 1000


def test_scales_start_at_nothing_or_are_as_far_below_as_above():
    assert isinstance(cortex.Scale.rising("", 0.4).norm, Normalize)
    rising, both = cortex.Scale.rising("", 0.4).norm, cortex.Scale.both("", 0.3).norm
    assert (rising.vmin, rising.vmax) == (0, 0.4)
    assert both(0.0) == 0.5
    assert (both.vmin, both.vmax) == (-0.3, 0.3)
    assert cortex.Scale.rising("", 0.0).norm.vmax == 1


def test_the_figures_draw_what_their_tables_say(drawn):
    named = {one.name: one for one in drawn}
    likeness = pd.read_csv(BytesIO(named["cortex"].csv))
    assert set(likeness["shown"]) == {"score", "best depth"}
    here = likeness[likeness["shown"] == "score"]
    assert (here["bin"] == 6).all()
    assert here["above"].to_numpy() == pytest.approx((here["value"] - here["null_mean"]).to_numpy(), abs=1e-4)
    assert set(pd.read_csv(BytesIO(named["cortex-change"].csv))["reading"]) == {"released", "calibrated"}
    for name in ("cortex", "cortex-change"):
        assert "approximation of ours" in named[name].caption
        assert "n = " in named[name].caption


def test_without_a_surface_or_scores_there_is_no_map(inputs):
    study = inputs.study
    assert cortex_maps.likeness(study["profiles"], inputs.regions, None) is None
    assert cortex_maps.likeness(study["profiles"].head(0), inputs.regions, inputs.cortex) is None
    assert cortex_maps.change(study["scales"].head(0), study["facts"], inputs.regions, inputs.cortex) is None


def test_the_note_says_whether_areas_are_those_of_the_atlas(surface):
    assert "approximation of ours" in surface.note
    assert "as NSD labels them" in replace(surface, exact=True).note


def test_the_page_gets_the_meshes_in_whole_numbers(surface):
    told = cortex.packed(surface, ["back", "elsewhere"])
    side = told["sides"][0]
    one = surface.surfaces["left"]
    points = np.frombuffer(base64.b64decode(side["inflated"]), "<i2").reshape(-1, 3) * told["step"]
    np.testing.assert_allclose(points, one.inflated, atol=0.005)
    assert np.array_equal(np.frombuffer(base64.b64decode(side["triangles"]), "<u2").reshape(-1, 3), one.triangles)
    parts = np.frombuffer(base64.b64decode(side["parts"]), np.uint8)
    assert np.array_equal(parts == 1, one.parts == "back")
    assert set(parts) == {0, 1}


@pytest.fixture(scope="module")
def surface():
    """Two balls for hemispheres, their front and back halves two areas, and a band between them none."""
    points, faces = sphere(16)
    points = 80 * points * [0.5, 1, 0.7]
    parts = np.select([points[:, 1] > 20, points[:, 1] < -20], ["front", "back"], "")
    ball = meshes.Surface(points, points, faces, np.sign(points[:, 2]), parts)
    return cortex.Cortex({"left": ball, "right": ball}, exact=False)
