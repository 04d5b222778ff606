"""Correlations: the planted answer, the published ones, and worlds in which something is not known."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.errors import BadRequest
from homoplasy.studies.convergence.analysis import Choices, analyse, require
from homoplasy.studies.convergence.correlations import correlations
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import MODEL_SCORES
from tests.studies.convergence import made

CHOICES = Choices(Reading("relative", 1.0, "debiased", 0.05), 0.25, 8, "block", 6, 200, 1)


def row(table, reading, modality, x, y, given="", method="pearson"):
    named = {"reading": reading, "modality": modality, "x": x, "y": y, "given": given, "method": method}
    found = table[(table[list(named)] == pd.Series(named)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def results(study):
    models, _, scores, performance = study
    return analyse(CHOICES, scores, models, performance)


def test_the_planted_relation_comes_out_and_the_released_score_follows_chance(results):
    for modality in ("vision", "language"):
        found = results.metrics[modality]
        assert found["calibrated_r_performance"] > 0.95
        assert found["calibrated_r_performance_given_width"] > 0.95
        assert found["released_r_width"] > 0.95
        assert found["released_r_chance"] > 0.99
        assert abs(found["released_r_performance"]) < 0.5


def test_every_row_of_a_group_speaks_of_the_same_models(results):
    every = results.correlations
    defined = every[~every["x"].str.contains("score_(?:by|in)_")].dropna(subset=["r"])
    assert (defined.groupby(["reading", "modality"])["n"].nunique() == 1).all()
    assert (defined["fisher_low"] <= defined["r"]).all()
    assert (defined["r"] <= defined["fisher_high"]).all()


def test_few_families_are_said_to_be_few(results):
    every = results.correlations
    over_families = every[~every["x"].str.contains("score_(?:by|in)_")]
    assert over_families["interval"].str.contains("too few to trust|not defined").all()


def test_a_constant_chance_level_correlates_with_nothing(results):
    found = row(results.correlations, "calibrated", "vision", "score", "null_score")
    assert np.isnan(found["r"])
    assert found["interval"] == "none: the correlation is not defined"


def test_another_seed_moves_only_the_intervals_of_families(study, results):
    other = analyse(Choices(**{**vars(CHOICES), "seed": 2}), study[2], study[0], study[3]).correlations
    pd.testing.assert_series_equal(other["fisher_low"], results.correlations["fisher_low"])
    assert not other["family_low"].equals(results.correlations["family_low"])
    again = analyse(CHOICES, study[2], study[0], study[3]).correlations
    pd.testing.assert_frame_equal(again, results.correlations)


def test_the_order_of_the_rows_does_not_matter(study, results):
    models, _, scores, performance = study
    shuffled = [table.sample(frac=1, random_state=3) for table in (scores, models, performance)]
    other = analyse(CHOICES, *shuffled)
    assert other.metrics == results.metrics


def test_in_a_null_world_z_has_unit_spread(study):
    models, truth, _, performance = study
    found = analyse(CHOICES, made.scores(models, truth, strength=0.0), models, performance).metrics
    for modality in ("vision", "language"):
        assert 0.85 < found[modality]["calibrated_z_sd"] < 1.15
        assert found[modality]["calibrated_z_max"] < 5.5
        assert found[modality]["released_r_width"] > 0.95


def test_without_performance_width_still_has_its_correlation(study):
    models, _, scores, performance = study
    found = analyse(CHOICES, scores, models, performance.iloc[:0])
    assert found.metrics["vision"]["calibrated_r_performance"] is None
    assert found.metrics["vision"]["released_r_width"] > 0.95
    assert row(found.correlations, "released", "vision", "score", "performance")["n"] == 0


def test_without_any_scores_nothing_fails(study):
    models, _, scores, performance = study
    found = analyse(CHOICES, scores.iloc[:0], models, performance)
    assert found.model_scores["reason"].str.startswith("no scores").all()
    assert found.correlations["r"].isna().all()
    assert found.metrics["vision"]["models"] == 0
    none = analyse(CHOICES, scores.iloc[:0], models.iloc[:0], performance.iloc[:0])
    assert none.metrics == found.metrics
    assert none.profiles.empty
    assert none.correlations.empty


def test_one_family_gives_no_family_interval(study):
    models, _, scores, performance = study
    found = analyse(CHOICES, scores, models.assign(family="one"), performance).correlations
    plain = row(found, "calibrated", "vision", "score", "performance")
    assert plain["interval"] == "none: one family only"
    assert np.isnan(plain["family_low"])
    assert not np.isnan(plain["fisher_low"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"depth": 9}, r"stats.depth is 9, but the 8 bins of stats.depth_bins are numbered 1 to 8"),
        ({"depth": 0}, r"stats.depth is 0, but the 8 bins"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(study, change, sentence):
    with pytest.raises(BadRequest, match=sentence):
        analyse(Choices(**{**vars(CHOICES), **change}), study[2], study[0], study[3])


def test_a_reading_that_was_not_computed_names_those_that_were(study):
    with pytest.raises(BadRequest, match=r"'c=3 debiased', which cka did not compute; it has c=1 debiased, sigma=9"):
        require(Reading("relative", 3.0, "debiased", 0.05), study[2])


def published(reference):
    table = pd.read_csv(reference / "published/llm_brain_align_by_sigma_from_figures.csv")
    about = {"modality": "language", "architecture": "", "run": "", "step": -1, "reading": "released", "reason": ""}
    about |= {"weights": "", "chosen": "best"}
    about |= {"params": "sigma=36 biased", "null_score": np.nan, "null_sd": np.nan, "benchmark": "leaderboard2_avg"}
    family = table["label"].str.extract(r"^(Qwen|Llama|gemma|Mi|Phi|internlm)", expand=False).fillna("Llama")
    named = {"model": table["hf_model"], "family": family, "score": table["cka_36"], "parameters": table["params_b"]}
    numbers = {"width": table["hidden_size_public_config"].astype(float), "performance": table["leaderboard2_avg"]}
    about |= {"counted": True}
    return MODEL_SCORES.check(pd.DataFrame(named | numbers).assign(**about))


def test_the_published_language_points_give_the_published_statistics(reference):
    found = correlations(published(reference), 500, 1)

    def r(*pair, method="pearson"):
        return row(found, "released", "language", *pair, method=method)

    plain = r("score", "performance")
    assert (plain["n"], plain["r"]) == (36, pytest.approx(0.8853, abs=5e-5))
    assert plain["p"] == pytest.approx(7.52e-13, rel=2e-3)
    assert (plain["fisher_low"], plain["fisher_high"]) == (
        pytest.approx(0.785, abs=5e-4),
        pytest.approx(0.940, abs=5e-4),
    )
    assert r("score", "performance", method="spearman")["r"] == pytest.approx(0.8757, abs=5e-5)
    assert r("score", "width")["r"] == pytest.approx(0.969, abs=5e-4)
    assert r("score", "performance", "width")["r"] == pytest.approx(0.435, abs=5e-4)
    assert r("score", "performance", "width")["p"] == pytest.approx(0.009, abs=5e-4)
    assert r("score", "performance", "log_width")["r"] == pytest.approx(0.603, abs=5e-4)
    assert r("score", "performance", "log_width", method="spearman")["r"] == pytest.approx(0.638, abs=5e-4)
    assert r("score", "log_width", "performance", method="spearman")["r"] == pytest.approx(0.900, abs=1e-3)
