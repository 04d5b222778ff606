"""Positions of the 180 areas: all of them, and the occipital pole behind the frontal one."""

import pandas as pd
import pytest

from homoplasy.datasets import hcp_mmp1
from tests.conftest import ROOT


def test_all_areas_have_a_position_from_back_to_front():
    found = hcp_mmp1.anterior()
    names = pd.read_csv(ROOT / "src/homoplasy/datasets/hcp_mmp1_yeo7.csv", dtype=str, keep_default_na=False)["name"]
    assert set(found) == set(names)
    assert found["V1"] < -70 < found["4"] < found["10d"]


def test_they_are_means_of_the_reference_centroids(reference):
    table = pd.read_csv(
        reference / "atlas/hcp_mmp1_fsaverage5_centroids.csv", dtype={"name": str}, keep_default_na=False
    )
    expected = table.groupby("name")["y"].mean()
    for name, y in hcp_mmp1.anterior().items():
        assert y == pytest.approx(expected[name], abs=0.051)
