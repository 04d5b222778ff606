"""The tree: planted kinds are found by their profiles, and models that cannot take part say why."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.readings import Reading
from homoplasy.studies.convergence.taxonomy import Resampling, grow, last_of_runs, terciles, without

CALIBRATED = Reading("relative", 1.0, "debiased", 1.0)
RELEASED = Reading("absolute", 9.0, "biased", 1.0)


def tree(scores, models, reading=CALIBRATED):
    return grow(with_bins(scores, models, 8, "block"), models, reading, 8)


def fact(found, name):
    return found.tree.set_index("fact")["value"][name]


def test_calibrated_profiles_sort_models_by_kind_and_biased_ones_by_width(study):
    models, _, scores, _ = study
    calibrated, released = tree(scores, models), tree(scores, models, RELEASED)
    assert fact(calibrated, "rand_modality") == 1.0
    assert abs(fact(calibrated, "rand_width")) < 0.2
    assert fact(released, "rand_width") > fact(released, "rand_modality")
    assert fact(calibrated, "cophenetic_correlation") > 0.9


def test_the_tables_describe_one_tree(study):
    models, _, scores, _ = study
    found = tree(scores, models)
    assert sorted(found.leaves["leaf"]) == sorted(found.leaves["place"]) == list(range(len(models)))
    assert found.linkage["node"].tolist() == list(range(len(models), 2 * len(models) - 1))
    assert found.linkage["leaves"].iloc[-1] == len(models)
    assert found.newick.count("planted:") == len(models)


def test_a_model_of_four_stages_narrows_the_depths_and_one_of_a_single_layer_stays_out(study):
    models, _, scores, _ = study
    four, single = models["model"].iloc[0], models["model"].iloc[1]
    at = scores["depth"] * 8
    kept = scores[((scores["source"] != four) | (at % 2 == 0)) & ((scores["source"] != single) | (at == 8))]
    found = tree(kept, models)
    leaves = found.leaves.set_index("model")
    assert leaves["leaf"][four] >= 0
    assert (leaves["leaf"][single], leaves["reason"][single]) == (-1, "layers in fewer than half of the depth bins")
    assert found.tree["note"].iloc[0] == "profiles over depth bins 2, 4, 6, 8"


def test_a_model_with_bad_layers_stays_out(study):
    models, _, scores, _ = study
    bad = models["model"].iloc[0]
    spoilt = scores.assign(value=scores["value"].mask((scores["source"] == bad) & (scores["layer"] == "layer3")))
    found = tree(spoilt, models)
    assert found.leaves.set_index("model")["reason"][bad] == "a layer without scores"
    assert len(found.linkage) == len(models) - 2
    assert found.tree["note"].iloc[0] == "profiles over depth bins 1, 2, 3, 4, 5, 6, 7, 8"


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_models_make_no_tree_and_say_so(study, count):
    models, _, scores, _ = study
    few = models.iloc[:count]
    found = tree(scores[scores["source"].isin(few["model"])], few)
    assert found.linkage.empty
    assert found.newick == ""
    assert found.why == f"{count} models have whole profiles, a tree takes 3"


def test_a_reading_that_was_not_computed_makes_no_tree(study):
    models, _, scores, _ = study
    found = tree(scores, models, Reading("linear", 1.0, "debiased", 1.0))
    assert found.why == "cka computed no scores with 'linear debiased'"


def test_of_a_training_run_only_the_last_checkpoint_takes_part(study):
    models = study[0].iloc[:4].assign(run=["", "glyphs", "glyphs", "glyphs"], step=[-1, 0, 400, 16])
    assert last_of_runs(models)["model"].tolist() == models["model"].iloc[[0, 2]].tolist()


def test_thirds_follow_the_ranks_of_the_widths():
    assert terciles(pd.Series([64.0, 128, 256, 512, 1024, 2048])).tolist() == [
        f"third {number}" for number in (1, 1, 2, 2, 3, 3)
    ]
    assert terciles(pd.Series([64.0, np.nan])).tolist() == ["", ""]


def test_branches_have_support_and_groups_a_test(study):
    models, _, scores, _ = study
    binned = with_bins(scores, models, 8, "block")
    found = grow(binned, models, CALIBRATED, 8, Resampling(40, 1))
    assert len(found.support) == len(found.linkage)
    assert found.support["support"].between(0, 1).all()
    assert found.support.set_index("leaves").loc[len(models), "support"] == 1.0
    facts = found.tree.set_index("fact")["value"]
    assert facts["permanova_modality_p"] == pytest.approx(0.001)
    assert facts["permanova_modality_given_width_p"] == pytest.approx(0.001)
    assert facts["permanova_family"] > 0
    other = grow(binned, models, CALIBRATED, 8, Resampling(40, 2))
    assert other.newick == found.newick
    assert not other.support.equals(found.support)


def test_what_width_explains_is_taken_out_of_the_profiles():
    rng = np.random.default_rng(0)
    width = rng.normal(size=30)
    vectors = np.outer(width, rng.normal(size=4)) + 0.1 * rng.normal(size=(30, 4))
    left = without(vectors, width)
    assert np.abs(left.T @ (width - width.mean())).max() < 1e-9
    assert without(vectors, np.full(30, 3.0)) is None
    assert without(vectors, np.where(width > 0, width, np.nan)) is None
