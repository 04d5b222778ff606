"""Regions chosen on one half of the images and scored on the other: the luck of being best is taken out."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.studies.convergence import analysis, halves, region_sets, scales
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.further import Around
from homoplasy.studies.convergence.readings import Reading
from tests.studies.convergence import made

CALIBRATED = Reading("relative", 1.0, "debiased", 0.2)
CHOICES = analysis.Choices(CALIBRATED, 0.25, 8, "block", 6, 100, 1)


def table(values):
    """Long rows of (source, subject, region, split, half, value)."""
    return pd.DataFrame(values, columns=["source", "subject", "region", "split", "half", "value"])


def noise(sources=60, regions=40):
    index = pd.MultiIndex.from_product(
        [[f"m{i}" for i in range(sources)], ["a", "b"], [f"r{i:02d}" for i in range(regions)], [0, 1], [0, 1]],
        names=["source", "subject", "region", "split", "half"],
    )
    drawn = np.random.default_rng(0).normal(size=len(index))
    return pd.Series(drawn, index=index, name="value").reset_index()


def test_by_hand():
    first = {"A": (3.0, 1.0), "B": (2.0, 5.0), "C": (1.0, 2.0)}  # region: its score on either half
    rows = [("m", "s", name, 0, half, both[half]) for name, both in first.items() for half in (0, 1)]
    found = halves.by_subject(table(rows), 0.05).iloc[0]
    assert found["score"] == (1.0 + 2.0) / 2  # A is best on the first half, B on the second
    assert np.isnan(found["corrected"])
    ceiling = table(rows).assign(ceiling=lambda t: t["region"].map({"A": 0.5, "B": 0.8, "C": 0.1}))
    assert halves.by_subject(ceiling, 0.05)["corrected"].iloc[0] == pytest.approx((1.0 / 0.5 + 2.0 / 0.8) / 2)


def test_a_region_counts_where_both_halves_have_a_value():
    rows = [("m", "s", "A", 0, 0, 9.0), ("m", "s", "A", 0, 1, np.nan)]
    rows += [("m", "s", "B", 0, half, 2.0) for half in (0, 1)]
    assert halves.split_half(table(rows), 0.5)["m"] == 2.0


def test_chosen_on_noise_the_score_is_nothing_and_on_signal_it_is_the_signal():
    found = halves.split_half(noise(), 0.05)
    assert len(found) == 60
    assert abs(found.mean()) < 3 * found.sem()
    signal = noise().assign(value=lambda t: t["value"] + 9 * (t["region"] == "r07"))
    assert halves.split_half(signal, 0.025).mean() == pytest.approx(9, abs=0.3)


@pytest.fixture(scope="module")
def null(study):
    models, truth, *_ = study
    return models, made.scores(models, truth, strength=0.0), made.performance(truth)


def test_the_calibrated_score_is_chosen_on_other_images(null):
    models, scores, performance = null
    found = analysis.analyse(CHOICES, scores, models, performance, drawn=made.halves(scores, 10)).model_scores
    by_reading = found.groupby("reading")
    assert by_reading["chosen"].unique().map(set).to_dict() == {
        "calibrated": {"split_half"},
        "calibrated.all": {"all"},
        "released": {"best"},
        "released.all": {"all"},
    }
    own = analysis.analyse(CHOICES, scores, models, performance).model_scores
    assert set(own.loc[own["reading"] == "calibrated", "chosen"]) == {"best"}
    best, split = (one[one["reading"] == "calibrated"] for one in (own, found))
    assert best["score"].mean() > 5 * best["score"].sem()
    assert split["null_sd"].unique() == pytest.approx([np.sqrt(2 / (100 * 97))])
    pd.testing.assert_series_equal(best["width"], split["width"])


def test_where_any_half_is_missing_none_is_used(null):
    models, scores, _ = null
    mine = CALIBRATED.of(with_bins(scores, models, 8, "block").query("bin == 6"))
    drawn = made.halves(scores)
    assert len(halves.of_reading(drawn, mine)) == len(mine) * 4
    assert halves.of_reading(drawn.iloc[1:], mine).empty
    assert halves.of_reading(drawn.assign(kind="half"), mine).empty
    assert halves.of_reading(drawn, mine.assign(params="c=2 debiased")).empty
    lost = mine.assign(value=mine["value"].where(mine["region"] != "V1"))
    assert "V1" not in set(halves.of_reading(drawn, lost)["region"])
    other = analysis.analyse(
        analysis.Choices(CALIBRATED, 0.25, 8, "block", 4, 100, 1), scores, models, made.performance(made.facts(models)),
        drawn=drawn,
    )  # fmt: skip
    assert set(other.model_scores["chosen"]) == {"best", "all"}


def test_every_table_takes_the_split_score(study):
    models, _, scores, performance = study
    known = made.regions()
    around = Around(models, performance, scales.by_region(known, {}), reliability=known)
    drawn = made.halves(scores)
    found = analysis.analyse(CHOICES, scores, models, performance, around, drawn).more
    sets = found["region_sets"].query("reading == 'calibrated'").set_index(["regions", "model"])
    main = analysis.analyse(CHOICES, scores, models, performance, drawn=drawn).model_scores
    main = main[main["reading"] == "calibrated"].set_index("model")["score"]
    pd.testing.assert_series_equal(sets.loc["split_half", "score"].sort_index(), main.sort_index(), check_names=False)
    assert (sets.loc["split_half", "corrected"] > sets.loc["split_half", "score"]).all()
    assert (sets.loc["split_half", "count"] == 3).all()
    readings = set(found["associations"]["reading"])
    assert "calibrated.top" in readings
    assert "calibrated.split_half" not in readings
    assert "released.top" not in readings
    agreed = found["agreements"].query("reading == 'calibrated' and of == 'models' and modality == 'vision'")
    wide = halves.by_subject(halves.of_reading(drawn, _at_six(scores, models)), 0.2)
    wide = wide.pivot_table(index="source", columns="subject", values="score")
    vision = wide[wide.index.str.contains("vision")]
    first = agreed.query("pair == 'subj01-subj02'")["r"].iloc[0]
    assert first == pytest.approx(vision["subj01"].corr(vision["subj02"]))


def _at_six(scores, models):
    return CALIBRATED.of(with_bins(scores, models, 8, "block").query("bin == 6"))


def test_reliable_regions_are_those_whose_repeats_agree_beyond_doubt():
    cells = pd.DataFrame({"subject": ["s1", "s1", "s2"], "region": ["A", "B", "A"], "value": [1.0, 2.0, 3.0]})
    z = pd.DataFrame({"subject": ["s1", "s1", "s2"], "region": ["A", "B", "A"], "ceiling_z": [5.1, 5.0, np.nan]})
    assert region_sets.reliable(cells, z)["value"].tolist() == [1.0]
    assert region_sets.reliable(cells, None).empty
