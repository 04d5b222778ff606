"""The pocket world's known answers, through the stages themselves: what was planted is found, and nothing else."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from homoplasy.store import frames
from homoplasy.tables import REGION_SETS
from tests.e2e import worlds

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
MODALITIES = ("vision", "language")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return worlds.scored(worlds.fetched(tmp_path_factory.mktemp("planted"), "planted", halves=2))


@pytest.fixture(scope="module")
def null(planted, tmp_path_factory):
    return worlds.scored(worlds.recast(planted, tmp_path_factory.mktemp("null"), "null", halves=2))


@pytest.fixture(scope="module")
def width(planted, tmp_path_factory):
    return worlds.scored(worlds.recast(planted, tmp_path_factory.mktemp("width"), "width"))


@pytest.fixture(scope="module")
def mixed(planted, tmp_path_factory):
    return worlds.scored(worlds.recast(planted, tmp_path_factory.mktemp("mixed"), "mixed"))


@pytest.mark.parametrize("modality", MODALITIES)
def test_in_the_planted_world_the_calibrated_score_follows_performance(planted, modality):
    found = planted.metrics[modality]
    assert found["calibrated_r_performance"] >= 0.85
    assert abs(found["calibrated_r_width"]) <= 0.35


@pytest.mark.parametrize("modality", MODALITIES)
def test_in_the_planted_world_the_released_score_follows_width(planted, modality):
    found = planted.metrics[modality]
    assert found["released_r_width"] >= 0.9
    assert abs(found["released_r_performance"]) <= 0.35  # 24 models: one in ten independent ones reaches .34


def test_in_the_null_world_debiased_scores_are_unit_normal_and_biased_ones_sit_at_their_floor(null):
    scores = null.scores[null.scores["reason"] == ""]
    debiased = scores[(scores["params"] == "c=1 debiased") & (scores["target"].str.len() > 0)]
    z = debiased["value"] / debiased["null_sd"]
    assert 0.85 <= z.std() <= 1.15
    assert z.abs().max() <= 5.5
    biased = scores[scores["estimator"] == "biased"]
    excess = (biased["value"] - biased["null_mean"]) / biased["null_sd"]
    assert abs(excess.mean()) <= 0.1
    assert 0.85 <= excess.std() <= 1.15
    found = null.metrics["language"]
    assert found["released_r_width"] >= 0.9


def test_in_the_null_world_regions_chosen_on_other_images_score_nothing_and_the_best_of_the_same_something(null):
    counted = null.model_scores[null.model_scores["counted"]].query(
        "reading == 'calibrated' and modality == 'language'"
    )
    assert set(counted["chosen"]) == {"split_half"}
    assert len(counted) == 24
    assert abs(counted["score"].mean()) <= 3 * counted["score"].sem()
    sets = frames.read(null.root / "stats" / "region_sets.parquet", REGION_SETS)
    top = sets[(sets["regions"] == "top") & (sets["reading"] == "calibrated")]["score"]
    assert top.mean() > 5 * top.sem()


def test_in_the_null_world_subjects_agree_although_there_is_nothing_to_agree_on(null):
    released = null.scores[(null.scores["params"] == "sigma=9 biased") & (null.scores["depth"] == 0.75)]
    per_model = released.pivot_table(index="source", columns="subject", values="value")
    agreement = per_model.corr().to_numpy()
    assert agreement[np.triu_indices(4, 1)].min() >= 0.99


def test_in_the_width_world_the_released_score_predicts_a_performance_that_is_only_width(width):
    found = width.metrics["language"]
    assert found["released_r_performance"] >= 0.8
    assert found["released_r_chance"] >= 0.999
    assert abs(found["released_r_performance_given_width"]) <= 0.4
    assert found["calibrated_z_max"] <= 5.5


def test_in_the_mixed_world_only_the_calibrated_score_finds_quality_beyond_width(mixed):
    found = mixed.metrics["language"]
    assert found["calibrated_r_performance_given_width"] >= 0.8
    assert found["released_r_performance_given_width"] <= 0.3


def test_the_depth_of_the_best_layer_recovers_the_planted_hierarchy(planted):
    ncsnr, height = planted_regions(planted.truth)
    vision = planted.models.loc[planted.models["model"].str.startswith("planted:vision"), "model"]
    table = planted.scores[planted.scores["source"].isin(vision) & (planted.scores["params"] == "c=1 debiased")]
    curves = table.groupby(["region", "depth"])["value"].mean().unstack()
    best = curves.idxmax(axis=1)
    kept = [region for region in best.index if ncsnr.get(region, 0) >= 0.3 and region in height]
    assert len(kept) >= 10
    assert scipy_stats.spearmanr(best[kept], [height[region] for region in kept]).statistic >= 0.9


def planted_regions(truth):
    """The planted reliability of every region, and the place on the hierarchy of those that carry a linear signal."""
    known = truth["regions"]
    return (
        {name: one["ncsnr"] for name, one in known.items()},
        {name: one["hierarchy"] for name, one in known.items() if one["kind"] == "linear"},
    )


def test_regions_without_signal_score_nothing(planted):
    ncsnr, _ = planted_regions(planted.truth)
    silent = [region for region, value in ncsnr.items() if value == 0]
    assert len(silent) == 4
    # The bound is that of the 48 models that have a performance: the tail of the null is heavier than Gaussian on the
    # right, and with more models its largest value is larger.
    scored = planted.scores[
        planted.scores["region"].isin(silent)
        & planted.scores["source"].str.contains("vision-|language-")
        & (planted.scores["params"] == "c=1 debiased")
        & (planted.scores["depth"] == 0.75)
    ]
    z = scored["value"] / scored["null_sd"]
    assert len(z) == 48 * 4 * 4
    assert z.abs().max() <= 4
    assert 0.85 <= z.std() <= 1.15


def test_the_region_with_four_voxels_has_a_reason_and_empty_regions_have_no_row(planted):
    pooled = planted.regions[planted.regions["hemisphere"] == "both"]
    tiny = pooled[pooled["voxels_labelled"] == 4]
    assert len(tiny) == 4
    assert set(tiny["reason"]) == {"too_few_voxels"}
    assert (pooled["voxels_labelled"] > 0).all()


def test_estimated_reliability_is_the_planted_one(planted):
    ncsnr, _ = planted_regions(planted.truth)
    pooled = planted.regions[(planted.regions["hemisphere"] == "both") & (planted.regions["voxels"] >= 20)]
    for _, row in pooled.iterrows():
        if ncsnr.get(row["region"], 0) >= 0.3:
            assert row["ncsnr"] == pytest.approx(ncsnr[row["region"]], rel=0.1)


def test_fine_and_coarse_regions_move_with_the_width_as_planted(planted):
    truth = planted.truth
    table = planted.scores[planted.scores["source"].str.startswith("planted:language")]
    level = {
        (region, c): table[(table["region"] == truth["roles"][region]) & (table["params"] == f"c={c} debiased")][
            "value"
        ].mean()
        for region in ("fine", "coarse")
        for c in ("0.5", "2")
    }
    assert level["fine", "2"] < level["fine", "0.5"]
    assert level["coarse", "2"] > level["coarse", "0.5"]


def test_the_flawed_models_are_reported_not_dropped(planted):
    reasons = planted.scores.groupby("source")["reason"].unique().map(set)
    assert "non_finite" in reasons["planted:flawed-overflow"]
    assert "constant_features" in reasons["planted:flawed-constant"]


def test_no_pair_is_missing(planted):
    layers = planted.scores.groupby("source")["layer"].nunique().sum()
    targets = planted.scores["target"].nunique()
    kernels = planted.scores[["measure", "params"]].drop_duplicates()
    assert len(planted.scores) == layers * targets * len(kernels)
    assert layers == planted.models["layers"].sum()
