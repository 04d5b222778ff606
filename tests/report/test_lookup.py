import math

import pandas as pd
import pytest

from homoplasy.report import lookup


@pytest.mark.parametrize(
    ("of_subjects", "expected"),
    [([0.8, 0.6, 0.7, 0.9], 0.75), ([0.8, 0.6, math.nan, 0.7], 0.7), ([0.25, math.nan, math.nan, math.nan], math.nan)],
)
def test_a_ceiling_that_few_subjects_show_is_none(of_subjects, expected):
    assert lookup.ceiling(pd.Series(of_subjects)) == pytest.approx(expected, nan_ok=True)


def test_whole_regions_come_before_hemispheres():
    table = pd.DataFrame({"region": ["V1"] * 3, "hemisphere": ["both", "left", "right"]})
    assert list(lookup.pooled(table)["hemisphere"]) == ["both"]
    assert list(lookup.pooled(table[1:])["hemisphere"]) == ["left", "right"]
