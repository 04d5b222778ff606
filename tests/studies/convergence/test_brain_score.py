"""The brain score on a table small enough to compute by hand, and every reason for a score that is not there."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.errors import BadData
from homoplasy.studies.convergence.brain_score import (
    best,
    counted,
    model_scores,
    with_bins,
    with_performance,
)
from homoplasy.studies.convergence.halves import top_count
from homoplasy.studies.convergence.readings import Reading, side_by_side
from homoplasy.tables import MODELS, PERFORMANCE, SCORES

READING = Reading("relative", 1.0, "debiased", 0.5)


def models(*names, **facts):
    about = {"modality": "vision", "family": "f", "architecture": "a", "parameters": np.nan, "layers": 4}
    rows = pd.DataFrame({"model": list(names)}).assign(**about, run="", step=-1, weights="", image_size=0, reason="")
    return MODELS.check(rows.assign(**facts))


def scores(rows, params="c=1 debiased", estimator="debiased"):
    """Rows of (source, depth, subject, region, value[, reason])."""
    full = []
    for source, depth, subject, region, value, *reason in rows:
        where = (source, f"layer-{depth}", depth, f"{subject}/{region}", region, subject, "cka.rbf", params, estimator)
        full.append((*where, 100, value, 0.1, 0.01, np.nan, 0.9, 64, 10, 0.5, 0.5, 5.0, 5.0, *(reason or [""])))
    return SCORES.check(pd.DataFrame(full, columns=list(SCORES.columns)).astype({"value": float, "depth": float}))


def scored(table, known, performance=None, reading=READING):
    binned = with_bins(table, known, 8, "block")
    return model_scores(binned, known, PERFORMANCE.empty() if performance is None else performance, reading, 6)


FOUR = [("m", depth, "s1", "A", 9.0) for depth in (0.25, 0.5, 1.0)]


def test_it_is_the_mean_of_the_best_regions_at_the_depth_over_subjects():
    rows = [("m", 0.75, "s1", "A", 0.4), ("m", 0.75, "s1", "B", 0.2), ("m", 0.75, "s2", "A", 0.1)]
    rows += [("m", 0.75, "s2", "B", 0.3), ("m", 0.75, "s2", "C", 0.2), *FOUR]
    row = scored(scores(rows), models("m")).iloc[0]
    assert row["score"] == pytest.approx((0.4 + (0.3 + 0.2) / 2) / 2)  # 1 of 2 regions, then 2 of 3
    assert row["null_score"] == pytest.approx(0.1)
    assert row["width"] == 64
    assert row["reason"] == ""


def test_a_region_without_a_value_leaves_numerator_and_count():
    rows = [("m", 0.75, "s1", "A", 0.4), ("m", 0.75, "s1", "B", 0.2), ("m", 0.75, "s1", "C", np.nan, "constant_kernel")]
    assert scored(scores(rows + FOUR), models("m"))["score"].iloc[0] == pytest.approx(0.4)


def test_every_missing_score_has_its_reason():
    rows = [("bad", 0.75, "s1", "A", np.nan, "non_finite"), *FOUR]
    table = scored(scores(rows), models("bad", "m", "absent", "failed", reason=["", "", "", "out of memory"]))
    assert table["score"].isna().all()
    assert table.set_index("model")["reason"].to_dict() == {
        "bad": "non_finite",
        "m": "no layer in depth bin 6",
        "absent": "no scores with 'c=1 debiased'",
        "failed": "out of memory",
    }


def test_a_source_that_nobody_knows_is_an_error():
    with pytest.raises(BadData, match=r"scores name 'm', which models.parquet does not have"):
        with_bins(scores(FOUR), models("other"), 8, "block")


def test_left_and_right_regions_count_only_where_the_pooled_ones_are_absent():
    split = scores([("m", 0.75, "s1", "A", 0.4), ("m", 0.75, "s1", "B", 0.2)]).assign(target=["s1/lh.A", "s1/rh.A"])
    pooled = scores([("m", 0.75, "s1", "A", 0.9)])
    assert READING.of(split)["value"].tolist() == [0.4, 0.2]
    assert READING.of(pd.concat([split, pooled]))["value"].tolist() == [0.9]


@pytest.mark.parametrize(
    ("regions", "share", "count"), [(180, 0.05, 9), (24, 0.05, 2), (140, 0.05, 7), (3, 0.05, 1), (7, 1.0, 7)]
)
def test_the_share_of_regions_is_rounded_up(regions, share, count):
    assert top_count(regions, share) == count
    table = pd.DataFrame({"source": "m", "subject": "s", "target": map(str, range(regions)), "value": range(regions)})
    assert best(table, share)["value"].tolist() == list(range(regions))[::-1][:count]


def test_the_benchmark_of_a_modality_is_the_one_most_models_took():
    rows = [
        ("a", "rare", 1.0),
        ("a", "top1", 2.0),
        ("b", "top1", 3.0),
        ("stranger", "rare", 4.0),
        ("b", "rare", np.nan),
    ]
    performance = PERFORMANCE.check(pd.DataFrame(rows, columns=["model", "benchmark", "performance"]))
    table = with_performance(models("a", "b", "c"), performance)
    assert table["benchmark"].tolist() == ["top1"] * 3
    assert table["performance"].tolist()[:2] == [2.0, 3.0]
    assert np.isnan(table["performance"].iloc[2])


def test_statistics_are_made_of_tested_models_and_never_of_checkpoints():
    known = models("a", "b", "c", run=["", "", "glyphs"]).assign(performance=[1.0, np.nan, 2.0])
    assert counted(known).tolist() == [True, False, False]
    assert counted(known.assign(performance=np.nan)).tolist() == [True, True, False]


def test_the_counterpart_differs_in_kernel_and_estimator_only():
    own, other, *every = side_by_side(READING, 0.25, every_region=True)
    assert (own, other.params, other.top_share) == (READING, "sigma=9 biased", 0.5)
    assert [one.name for one in every] == ["calibrated.all", "released.all"]
    first, second = side_by_side(Reading("absolute", 7.0, "biased", 0.05), 0.25, every_region=False)
    assert (first.params, second.params) == ("c=1 debiased", "sigma=7 biased")
    assert Reading("linear", 1.0, "debiased", 0.05).params == "linear debiased"


def test_a_study_without_models_is_an_empty_table():
    assert scored(scores(FOUR).iloc[:0], models("m").iloc[:0]).empty
