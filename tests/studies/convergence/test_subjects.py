"""Relations in every subject alone: what chance makes of one subject's images, and what one subject alone has."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from homoplasy.studies.convergence import subjects
from homoplasy.tables import CORRELATIONS

BY = ("reading", "modality")


def scored(seed, effect, shared, count=24):
    """Scores of models in four subjects: what they know of the brain, chance that they share, and their own noise."""
    rng = np.random.default_rng(seed)
    quality = rng.permutation(np.linspace(0.05, 0.8, count))
    people = np.outer(quality, effect + shared * rng.standard_normal(4)) + 0.1 * rng.standard_normal((count, 4))
    names = [f"planted:{place}" for place in range(count)]
    wide = pd.DataFrame(people, index=pd.Index(names, name="source"), columns=list("abcd"))
    about = {"modality": "vision", "reading": "calibrated"}
    table = pd.DataFrame({"model": names, "family": [name[-1] for name in names], "performance": quality, **about})
    return table, {"calibrated": wide}


def found(table, people):
    return pd.DataFrame(subjects.over_subjects(table, people, BY))


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_what_chance_makes_of_good_models_in_every_subject_is_not_announced(shared):
    every = pd.concat([found(*scored(seed, 0.0, shared)) for seed in range(200)])
    mine = every[(every["method"] == "pearson") & (every["x"] == subjects.MEAN)]
    assert ((mine["fisher_low"] > 0) | (mine["fisher_high"] < 0)).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_what_holds_in_every_subject_is():
    table, people = scored(1, 1.0, 0.0)
    row = CORRELATIONS.check(found(table, people)).set_index(["x", "method"]).loc[(subjects.MEAN, "pearson")]
    columns = people["calibrated"].loc[table["model"]].to_numpy().T
    y = table["performance"]
    each = np.array([stats.linregress(y, column).slope for column in columns]) * y.std(ddof=0)
    each /= np.sqrt(np.mean([column.var() for column in columns]))
    assert row["r"] == pytest.approx(each.mean())
    assert (row["fisher_low"], row["fisher_high"]) == pytest.approx(
        np.clip(stats.t.interval(0.95, 3, each.mean(), stats.sem(each)), -1, 1)
    )
    assert row["p"] == pytest.approx(stats.ttest_1samp(each, 0).pvalue)
    assert 0 < row["fisher_low"] < row["r"] < row["fisher_high"]
    assert (row["n"], row["families"]) == (24, 10)
    assert "4 subjects" in row["interval"]


@pytest.mark.parametrize("effect", [0.3, 3.0, 30.0])
def test_a_relation_in_one_subject_only_shows_in_its_row_and_not_in_the_mean(effect):
    table, people = scored(2, np.array([effect, 0.0, 0.0, 0.0]), 0.0)
    rows = found(table, people).set_index(["method", "x"])
    for method in ("pearson", "spearman"):
        mean = rows.loc[(method, subjects.MEAN)]
        assert mean["fisher_low"] < 0 < mean["fisher_high"]
    alone = rows.loc["pearson"].filter(regex="^score_in_", axis=0)
    assert (alone["fisher_low"] > 0).tolist() == [True, False, False, False]
    expected = stats.pearsonr(people["calibrated"].loc[table["model"], "a"], table["performance"])
    assert alone.loc["score_in_a", ["r", "p"]].tolist() == pytest.approx([expected.statistic, expected.pvalue])


def test_one_subject_has_no_interval_of_the_mean_and_models_without_performance_no_row():
    table, people = scored(1, 1.0, 0.0)
    mean = found(table, {"calibrated": people["calibrated"][["a"]]}).query("x == 'score_by_subject'")
    assert mean[["fisher_low", "fisher_high", "p"]].isna().all(axis=None)
    assert found(table.assign(performance=np.nan), people).empty
