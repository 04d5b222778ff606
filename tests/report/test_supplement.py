"""Supplementary panels: every kernel width and every benchmark, with the numbers that tests of them give."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from homoplasy.report import supplement


def table(drawing):
    return pd.read_csv(BytesIO(drawing.csv))


def test_the_printed_points_have_a_panel_a_width(inputs, drawn):
    (drawing,) = [one for one in drawn if one.name == "supplement-printed"]
    found = table(drawing)
    assert found.groupby("modality")["reading"].nunique().to_dict() == {"language": 11, "vision": 11}
    assert "n = 36 language models, 594 vision models" in drawing.caption


def test_models_are_scored_at_the_depth_that_is_named(inputs):
    drawing = supplement.kernels(inputs.atlas, inputs.study["model_scores"], 6, 8)
    found, atlas = table(drawing), inputs.atlas
    model = found["model"].iloc[0]
    mine = (atlas.layers["model"] == model) & (atlas.layers["depth"] > 5 / 8) & (atlas.layers["depth"] <= 6 / 8)
    expected = atlas.values[atlas.kernels.index("c=1 debiased")][mine.to_numpy()].mean(axis=1).mean()
    row = found[(found["kernel"] == "c=1 debiased") & (found["model"] == model)]
    assert row["score"].item() == pytest.approx(expected, abs=1e-5)
    assert "depth 6/8" in drawing.caption


def test_the_interval_is_that_of_fisher():
    noise = np.random.default_rng(3)
    mine = pd.DataFrame({"performance": noise.random(20), "score": noise.random(20)})
    found = stats.pearsonr(mine["performance"], mine["score"])
    low, high = found.confidence_interval()
    assert supplement.correlated(mine) == f"{found.statistic:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
    assert supplement.correlated(mine.head(4)) == ""
    assert supplement.correlated(mine.assign(score=1.0)) == ""


def test_without_scored_layers_or_a_second_benchmark_there_are_no_panels(inputs):
    assert supplement.kernels(inputs.atlas, inputs.study["model_scores"].head(0), 6, 8) is None
    assert supplement.printed(inputs.points.head(0)) is None
    assert supplement.benchmarks(inputs.study["associations"]) is None


def test_benchmarks_stand_in_rows(inputs):
    one = inputs.study["associations"]
    more = pd.concat([one, one.assign(benchmark="another")], ignore_index=True)
    drawing = supplement.benchmarks(more)
    assert set(table(drawing)["benchmark"]) == {*one["benchmark"], "another"}
    assert "95 % interval" in drawing.caption
