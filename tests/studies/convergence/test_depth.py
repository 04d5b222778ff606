"""Depth bins: the counts that the method states, and one function for each way of counting."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.studies.convergence.depth import block_bin, layer_bins, released_bin


def counts(binning, layers, modality="language"):
    found = Counter(binning(position, layers, 8, modality) for position in range(1, layers + 1))
    return [found[number] for number in sorted(found)]


def test_blocks_fall_as_the_method_says():
    assert counts(block_bin, 32) == [4] * 8
    assert counts(block_bin, 12) == [1, 2, 1, 2, 1, 2, 1, 2]
    assert [block_bin(position, 4, 8, "vision") for position in (1, 2, 3, 4)] == [2, 4, 6, 8]


def test_the_released_code_has_nine_bins_for_language():
    with_embedding = Counter(released_bin(state, 28, 8, "language") for state in range(29))
    assert [with_embedding[number] for number in range(9)] == [4, 3, 4, 3, 4, 3, 4, 3, 1]
    assert Counter(released_bin(state, 32, 8, "language") for state in range(33)) == {
        **dict.fromkeys(range(8), 4),
        8: 1,
    }


def test_the_released_code_fills_every_other_bin_of_four_stages():
    assert [released_bin(position, 4, 8, "vision") for position in (1, 2, 3, 4)] == [0, 2, 4, 6]


@given(st.integers(1, 200), st.integers(1, 20), st.sampled_from(["vision", "language"]))
def test_bins_rise_with_depth_and_stay_in_range(layers, bins, modality):
    for binning, lowest, highest in ((block_bin, 1, bins), (released_bin, 0, bins)):
        found = [binning(position, layers, bins, modality) for position in range(1, layers + 1)]
        assert found == sorted(found)
        assert lowest <= found[0]
        assert found[-1] <= highest
    assert block_bin(layers, layers, bins, modality) == bins


@given(st.integers(1, 120), st.integers(1, 12))
def test_a_depth_written_as_a_float_gives_the_bin_of_its_fraction(layers, bins):
    table = pd.DataFrame(
        [("m", f"layer{i}", i / layers, "vision") for i in range(1, layers + 1)],
        columns=["source", "layer", "depth", "modality"],
    )
    for binning, function in (("block", block_bin), ("released", released_bin)):
        expected = [function(i, layers, bins, "vision") for i in range(1, layers + 1)]
        assert layer_bins(table, bins, binning).tolist() == expected


@pytest.mark.parametrize(("depth", "expected"), [(0.75, 6), (1.0, 8), (0.125, 1)])
def test_a_single_layer_stands_where_its_depth_says(depth, expected):
    table = pd.DataFrame({"source": ["m"], "layer": ["l"], "depth": [depth], "modality": ["vision"]})
    assert layer_bins(table, 8, "block").tolist() == [expected]
