import pandas as pd
import pytest

from homoplasy.errors import BadData
from homoplasy.tables import PERFORMANCE


def frame(**columns):
    given = {"model": ["a", "b"], "benchmark": ["x", "x"], "performance": [1.0, 2.0]}
    return pd.DataFrame(given | columns)


def test_columns_come_back_in_order():
    assert list(PERFORMANCE.check(frame()[["performance", "model", "benchmark"]]).columns) == list(PERFORMANCE.columns)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (frame().drop(columns="model"), "lacks the column 'model'"),
        (frame(performence=[1.0, 2.0]), "unknown column 'performence'.*Nearest: 'performance'"),
        (frame(performance=["1", "2"]), "column 'performance': expected number"),
        (frame(model=["a", "a"]), "model=a, benchmark=x occurs more than once"),
    ],
)
def test_a_wrong_table_is_one_sentence(broken, sentence):
    with pytest.raises(BadData, match=sentence):
        PERFORMANCE.check(broken)


def test_an_empty_table_has_the_right_types():
    empty = PERFORMANCE.empty()
    assert len(PERFORMANCE.check(empty)) == 0
    assert empty.dtypes["performance"] == "float64"
