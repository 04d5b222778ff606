"""Numbers in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.report import words


@given(st.floats(-1e6, 1e6))
def test_a_number_reads_back(value):
    text = words.number(value)
    assert "-" not in text
    assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.0051)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "0"), (0.5, "0.500"), (0.00099, "9.9 × 10⁻⁴"), (2e-44, "2.0 × 10⁻⁴⁴"), (math.nan, "–")]
)
def test_p_values(p, text):
    assert words.p_value(p) == text


def test_zero_has_no_sign_and_nothing_is_a_dash():
    assert words.number(-0.001) == "0.00"
    assert words.interval(math.nan, math.nan) == "–"
    assert words.reading("linear debiased") == "debiased CKA, linear kernel"
