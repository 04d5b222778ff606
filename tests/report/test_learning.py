"""The figure of learning: which runs are on which, and that its numbers are those of the tables."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from homoplasy.report import learning
from tests.report.conftest import history

COLUMNS = ["run", "step", "weights", "reading", "score", "null_score", "null_sd"]


def scores(run="resnet", reading="calibrated"):
    rows = [(run, step, kind, reading, 0.1 + step / 1e4, 0.0, 0.01) for kind in ("raw", "ema") for step in (0, 16, 256)]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_there_is_one_figure_a_modality_and_none_of_a_run_without_a_history():
    histories = {"resnet": history(), "vit": history(), "neox": history("perplexity"), "none": history().iloc[:0]}
    assert [one.name for one in learning.figures(histories, scores())] == ["learning-vision", "learning-language"]
    assert learning.figures({}, scores()) == []


@pytest.mark.parametrize("metric", ["accuracy", "perplexity"])
def test_its_numbers_are_those_of_the_history_and_of_the_scores(metric):
    (drawn,) = learning.figures({"resnet": history(metric)}, scores())
    table = pd.read_csv(BytesIO(drawn.csv))
    mine = table[table["metric"] == metric]
    np.testing.assert_allclose(mine["value"], history(metric)["value"], rtol=1e-5)
    assert mine["seen"].tolist() == history(metric)["seen"].tolist()
    scored = table[table["metric"] == "brain score, calibrated"].sort_values(["weights", "step"])
    expected = scores().sort_values(["weights", "step"])
    np.testing.assert_allclose(scored["value"], expected["score"], rtol=1e-5)
    assert set(table["run"]) == {"resnet"}


def test_it_names_the_reading_that_there_is():
    (drawn,) = learning.figures({"resnet": history()}, scores(reading="released"))
    assert "brain score of the checkpoints, released" in drawn.caption
    assert "brain score, released" in drawn.csv.decode()


def test_runs_that_were_not_scored_keep_their_curve():
    (drawn,) = learning.figures({"resnet": history()}, scores(run="other"))
    assert "no checkpoint was scored" in drawn.svg.decode()
