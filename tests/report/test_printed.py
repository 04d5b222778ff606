"""The re-analysis of the published points: its sentences are made of the numbers that were recovered."""

from io import BytesIO

import numpy as np
import pandas as pd

from homoplasy.report import kernel_widths, printed
from homoplasy.tables import ASSOCIATIONS, FACTS


def of(drawn, name):
    (one,) = (drawing for drawing in drawn if drawing.name == name)
    return one


def test_the_sentences_hold_the_published_numbers(drawn):
    said = of(drawn, "printed").reading
    for number in ("n = 36", "r = 0.89", "r = 0.97", "r = 0.44", "n = 594", "r = 0.53", "n = 119", "r = 0.86"):
        assert number in said
    assert "a positive association remains" in said
    assert "no association is shown" in said


def test_a_partial_correlation_that_turns_round_is_called_so(again):
    table = again["associations"]
    held = (table["given"] == "width") & (table["modality"] == "language")
    bounds = ["r", "fisher_low", "fisher_high", "family_low", "family_high"]
    turned = table.assign(**{name: table[name].mask(held, -0.5) for name in bounds})
    assert "the association turns round" in printed.reading(turned)


def test_the_figure_draws_every_model_and_every_test(drawn):
    table = pd.read_csv(BytesIO(of(drawn, "printed").csv))
    assert (table["row"] == "model").sum() == 36 + 594 + 119
    assert (table["row"] == "correlation").sum() == 12
    plain = table[(table["row"] == "correlation") & (table["modality"] == "language") & table["given"].isna()]
    assert np.isclose(plain["r"].iloc[0], 0.885307, atol=1e-6)


def test_every_width_is_there_and_the_order_of_modalities_turns_with_it(drawn):
    one = of(drawn, "kernel-widths")
    table = pd.read_csv(BytesIO(one.csv))
    assert sorted(table["width"].unique()) == [20, 28, 36, 44, 52, 60, 68, 76, 84, 92, 100]
    assert "Language lies above vision at 20, 28 and 36 and below it at 60, 68" in one.reading


def test_without_points_there_is_no_figure(inputs):
    assert printed.figure(inputs.points.iloc[:0], ASSOCIATIONS.empty()) is None
    assert kernel_widths.figure(ASSOCIATIONS.empty(), FACTS.empty()) is None
