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


@pytest.mark.parametrize(
    ("value", "text"), [(0.06789, "0.0679"), (-3810.19, "−3810.2"), (1.0, "1"), (math.nan, "–"), (-2e-5, "−2 × 10⁻⁵")]
)
def test_three_digits_that_say_something(value, text):
    assert words.significant(value) == text


def test_names_in_a_sentence_and_bounds_with_more_digits():
    assert [words.listed(list(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert words.interval(0.9951, 0.9987, 3) == "0.995 to 0.999"
    assert words.pair("score", "performance", "width+log_parameters").endswith("at equal width and ln parameters")
