"""Every other result on the made-up study: what was planted comes out, what was not does not."""

import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from homoplasy import tables
from homoplasy.errors import BadRequest
from homoplasy.studies.convergence import agreement, depths, manifold, planes, region_sets, scales
from homoplasy.studies.convergence.analysis import Choices, analyse
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.further import SCHEMAS, Around, nothing
from homoplasy.studies.convergence.readings import Reading
from tests.studies.convergence import made

CALIBRATED = Reading("relative", 1.0, "debiased", 0.2)
RELEASED = Reading("absolute", 9.0, "biased", 0.2)
ANTERIOR = {region: 60.0 * h - 30 for region, (h, *_) in made.PLACES.items() if not np.isnan(h)}


def widened(scores, rng):
    """The same scores at four more widths; wider kernels gain where the hierarchy is high and lose where it is low."""
    slope = scores["region"].map({name: h for name, (h, *_) in made.PLACES.items()}).fillna(0.5) - 0.5
    parts = [scores]
    for own, narrow, wide in (
        ("c=1 debiased", "c=0.5 debiased", "c=2 debiased"),
        ("sigma=9 biased", "sigma=7 biased", "sigma=17 biased"),
    ):
        mine = scores[scores["params"] == own]
        move = 0.1 * slope[mine.index] + rng.normal(0, 0.005, len(mine))
        parts.append(mine.assign(params=narrow, value=mine["value"] - move))
        parts.append(mine.assign(params=wide, value=mine["value"] + move))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def world(study):
    models, _, scores, performance = study
    known = made.regions()
    around = Around(models, performance, scales.by_region(known, ANTERIOR), reliability=known)
    return models, widened(scores, np.random.default_rng(0)), performance, around


@pytest.fixture(scope="module")
def results(world):
    models, scores, performance, around = world
    return analyse(Choices(CALIBRATED, 0.25, 8, "block", 6, 200, 1), scores, models, performance, around).more


def facts(results, **named):
    table = results["facts"]
    return table[(table[list(named)] == pd.Series(named)).all(axis=1)]


def fact(results, **named):
    found = facts(results, **named)
    assert len(found) == 1
    return found.iloc[0]


def test_every_table_holds_its_schema_and_only_training_is_missing(results):
    assert set(results) == {schema.name for schema in SCHEMAS}
    for schema in SCHEMAS:
        schema.check(results[schema.name])
        assert len(results[schema.name]) == 0 if schema.name == "lags" else len(results[schema.name])
    assert all(frame.empty for frame in nothing().values())


def test_the_order_of_the_rows_does_not_matter(world, results):
    models, scores, performance, around = world
    shuffled = scores.sample(frac=1, random_state=1)
    again = analyse(Choices(CALIBRATED, 0.25, 8, "block", 6, 200, 1), shuffled, models, performance, around).more
    for name, frame in results.items():
        pd.testing.assert_frame_equal(again[name], frame, check_exact=False, rtol=1e-9, atol=1e-12)


def test_vision_grows_through_the_hierarchy_and_language_stays_high(results):
    table = results["depths"]
    curve = table[(table["reading"] == "calibrated") & (table["modality"] == "vision") & (table["subject"] == "mean")]
    visual = curve[curve["network"] == "Visual"].set_index("bin")["value"]
    limbic = curve[curve["network"] == "Limbic"].set_index("bin")["value"]
    assert visual[2] > visual[8]
    assert limbic[8] > limbic[2]
    assert (curve["models"] == 12).all()
    assert set(table["subject"]) == {"mean", *made.SUBJECTS}
    peak = fact(results, reading="calibrated", modality="vision", fact="peak_depth", item="mean")
    assert peak["low"] <= peak["value"] <= peak["high"]
    assert (
        fact(results, reading="calibrated", modality="vision", fact="network_contrast", item="Visual at 2")["low"] > 0
    )


def test_a_network_of_large_regions_is_no_better_than_its_size():
    rng = np.random.default_rng(2)
    regions = pd.DataFrame(
        {"network": ["Visual"] * 8 + ["Limbic"] * 16, "ncsnr": rng.random(24), "voxels": np.geomspace(400, 20, 24)},
        index=[f"region {r}" for r in range(24)],
    )
    keys = pd.MultiIndex.from_product([range(12), range(4), regions.index], names=["source", "subject", "region"])
    cells = pd.DataFrame(index=keys).reset_index().assign(reading="calibrated", modality="vision", bin=6)
    noise = 0.01 * rng.standard_normal(len(cells))
    cells["value"] = 0.05 * np.log(cells["region"].map(regions["voxels"])) + noise
    found = depths.contrasts(cells, regions, {m: f"family {m}" for m in range(12)}, 200, 1)
    found = found.query("item == 'Visual at 6'").set_index("fact")
    assert found.loc["network_contrast", "low"] > 0.05
    assert abs(found.loc["residual_contrast", "value"]) < 0.005


def test_correction_lifts_scores_to_what_noise_free_regions_would_give(results):
    table = results["depths"]
    mine = table[(table["reading"] == "calibrated") & (table["subject"] == "mean") & (table["network"] == "all")]
    assert (mine["corrected"] > mine["value"]).all()


def test_wider_kernels_move_alignment_to_the_front_as_planted(results):
    for reading in ("calibrated", "released"):
        for modality in ("language", "vision"):
            gradient = fact(results, reading=reading, modality=modality, fact="gradient_rho")
            assert gradient["low"] > 0
            consistent = fact(results, reading=reading, modality=modality, fact="sign_consistency")
            assert consistent["value"] > 0.8
            assert consistent["low"] <= consistent["value"] <= consistent["high"] <= 1
    table = results["scales"].set_index(["reading", "modality", "region"])
    assert table.loc[("calibrated", "vision", "V1"), "high"] < 0 < table.loc[("calibrated", "vision", "OFC"), "low"]
    assert table.loc[("calibrated", "vision", "V1"), "corrected"] < table.loc[("calibrated", "vision", "V1"), "raw"]
    z = results["scales"].query("reading == 'released'").groupby("modality")["delta"].mean()
    assert np.allclose(z, 0, atol=1e-9)  # standardised scores can only move against each other


def test_the_change_is_adjusted_for_size_noise_and_spread(world):
    models, scores, *_, around = world
    about = around.regions.assign(ncsnr=np.linspace(0.1, 0.6, len(around.regions)))
    rng = np.random.default_rng(1)
    spread = dict(zip(made.PLACES, rng.uniform(10, 60, len(made.PLACES)), strict=True))
    scores = scores.assign(target_pr=scores["region"].map(spread))
    binned = with_bins(scores, models, 8, "block")
    pair = scales.pairs(0.25)[0]
    found = scales.change(binned, models["model"].tolist(), pair, "vision", 6)
    table = scales.scales(found, pair, "vision", about)
    known = table["residual"].notna()
    assert known.sum() == len(table)
    for name in ("ncsnr", "pr"):
        assert abs(np.corrcoef(table.loc[known, "residual"], table.loc[known, name])[0, 1]) < 1e-9
    told = set(scales.facts(found, table, pair, "vision")["fact"])
    assert {"slope_log_voxels", "slope_ncsnr", "slope_pr", "network_delta", "voxels_rho"} <= told


def test_subjects_agree_on_models_and_the_released_scores_agree_on_chance(study, results):
    table = results["agreements"]
    assert len(table) == 2 * 2 * 2 * 6
    assert (table["r"] > 0.9).all()
    models, truth, *_ = study
    null = made.scores(models, truth, strength=0.0)
    binned = with_bins(null, models, 8, "block")
    members = models["model"].tolist()
    cells = pd.concat([depths.cells(binned, members, one) for one in (CALIBRATED, RELEASED)])
    found = agreement.agreements(cells, 0.2, 6)
    of_models = found[found["of"] == "models"].groupby("reading")["r"]
    assert of_models.min()["released"] > 0.99
    assert of_models.mean().abs()["calibrated"] < 0.5


def test_ways_to_score_rank_models_as_planted(results):
    table = results["ranks"].set_index(["modality", "of", "a", "b"])["rho"]
    calibrated, released = "cka.rbf c=1 debiased", "cka.rbf sigma=9 biased"
    assert table["vision", "models", calibrated, calibrated] == 1.0
    assert table["vision", "models", calibrated, "cka.rbf c=2 debiased"] > 0.9
    assert abs(table["vision", "models", calibrated, released]) < 0.6
    assert table["vision", "models", calibrated, released] == table["vision", "models", released, calibrated]


def test_regions_chosen_on_their_own_noise_score_above_nothing_and_others_do_not(study):
    models, truth, *_ = study
    null = made.scores(models, truth, strength=0.0)
    cells = depths.cells(with_bins(null, models, 8, "block"), models["model"].tolist(), CALIBRATED)
    found = region_sets.region_sets(cells, {"V1": "Visual"}, 0.2, 6)
    z = found.set_index("regions")["score"].groupby(level=0).agg(["mean", "sem"])
    assert z.loc["top", "mean"] > 5 * z.loc["top", "sem"]
    assert abs(z.loc["held_out", "mean"]) < 3.5 * z.loc["held_out", "sem"]
    assert abs(z.loc["all", "mean"]) < 3.5 * z.loc["all", "sem"]


def test_sets_of_regions_hold_what_they_say(results):
    counts = results["region_sets"].query("reading == 'calibrated'").groupby("regions")["count"].first()
    assert counts["all"] == 11
    assert counts["visual"] == 4
    assert counts["ceiling"] == 8  # repeats of 10d and OFC agree by 5 standard errors or less, those of 4 not at all
    every = results["region_sets"].set_index("regions")["count"]
    assert (every[["top", "held_out"]] == 3).all()  # of each reading, for each chooses its own
    readings = set(results["associations"]["reading"])
    assert {
        "calibrated",
        "calibrated.all",
        "calibrated.visual",
        "calibrated.limbic",
        "calibrated.ceiling",
        "calibrated.held_out",
    } <= readings


def test_every_reading_chooses_its_own_regions(world):
    models, scores, *_ = world
    binned = with_bins(scores, models, 8, "block")
    members = models["model"].tolist()
    both = [depths.cells(binned, members, one) for one in (CALIBRATED, RELEASED)]
    together = region_sets.region_sets(pd.concat(both), {}, 0.2, 6)
    alone = pd.concat([region_sets.region_sets(one, {}, 0.2, 6) for one in both])
    key = ["reading", "regions", "model"]
    pd.testing.assert_frame_equal(together.set_index(key).sort_index(), alone.set_index(key).sort_index())


def test_one_subject_leaves_nothing_to_choose_regions_on(world):
    models, scores, *_ = world
    binned = with_bins(scores[scores["subject"] == "subj01"], models, 8, "block")
    cells = depths.cells(binned, models["model"].tolist(), CALIBRATED)
    assert "held_out" not in set(region_sets.region_sets(cells, {}, 0.2, 6)["regions"])
    assert region_sets.region_sets(cells, {}, 0.2, 99).empty


def test_the_plane_keeps_neighbours_and_deep_vision_nears_language(results):
    table = results["embedding"]
    assert set(table["method"]) == {"pca", "mds"}
    assert len(table[(table["kind"] == "layer") & (table["method"] == "mds")]) == 2 * 12 * 8
    assert len(table[(table["kind"] == "region") & (table["method"] == "pca")]) == 11
    trust = facts(results, fact="trustworthiness").set_index("item")["value"]
    assert trust["layer mds"] > 0.85
    assert fact(results, fact="nearer_language")["low"] > 0


def test_profiles_on_the_plane_are_the_scores_untouched(world):
    models, scores, *_ = world
    cells = depths.cells(with_bins(scores, models, 8, "block"), models["model"].tolist(), CALIBRATED)
    table = planes.profiles(cells)
    row = cells[(cells["source"] == "planted:vision-03") & (cells["bin"] == 5) & (cells["region"] == "V4")]
    assert table.loc[("vision", "planted:vision-03", 5), "V4"] == pytest.approx(row["value"].mean(), abs=0)


def test_language_lies_above_vision_in_the_made_up_study(results):
    gaps = facts(results, fact="language_minus_vision").set_index("reading")
    assert {"c=1 debiased", "c=0.5 debiased", "sigma=9 biased"} <= set(gaps.index)
    levels = facts(results, fact="mean_score", reading="c=1 debiased").set_index("modality")["value"]
    assert gaps.loc["c=1 debiased", "value"] == pytest.approx(levels["language"] - levels["vision"])


def test_checkpoints_give_curves_beside_performance(world):
    models, scores, performance, _ = world
    steps = (0, 1, 2, 4, 8, 16, 32, 64)
    run = models["modality"].eq("vision") & (np.arange(len(models)) < len(steps))
    grown = models.assign(run=np.where(run, "r", ""), weights=np.where(run, "raw", ""))
    grown["step"] = [steps[i] if on else -1 for i, on in enumerate(run)]
    curve = pd.DataFrame({"run": "r", "weights": "raw", "quantity": "accuracy", "unit": "", "step": steps})
    curve = tables.CURVES.check(curve.assign(value=np.linspace(0, 1, len(steps))))
    around = Around(grown, performance, scales.by_region(made.regions(), ANTERIOR), curve)
    found = analyse(Choices(CALIBRATED, 0.25, 8, "block", 6, 100, 1), scores, grown, performance, around).more["lags"]
    assert set(found["run"]) == {"r"}
    assert set(found["points"]) == {8}
    assert set(found["units"]) == {44}
    assert set(found["modality"]) == {"vision"}


class Spread:
    """UMAP as far as the study sees it: the first two columns, turned by the seed."""

    asked: ClassVar[list[dict]] = []

    def __init__(self, **how):
        self.how = how
        self.asked.append(how)

    def fit_transform(self, points):
        turn = np.array([[np.cos(self.how["random_state"]), -1.0], [1.0, np.cos(self.how["random_state"])]])
        return (points[:, :2] @ turn).astype(np.float32)


def test_umap_is_laid_out_once_a_seed_each_with_its_trustworthiness(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Spread))
    models, scores, performance, around = world
    choices = Choices(CALIBRATED, 0.25, 8, "block", 6, 100, 1, umap=3)
    found = analyse(choices, scores, models, performance, around).more
    drawn = found["embedding"].query("method not in ['pca', 'mds']")
    assert set(drawn["method"]) == {"umap 1", "umap 2", "umap 3"}
    assert drawn.groupby(["method", "kind"]).size().unique().tolist() == [2 * 12 * 8, 11]
    assert drawn.groupby("method")["x"].mean().nunique() == 3
    trust = facts(found, fact="trustworthiness").set_index("item")
    assert {f"{kind} umap {seed}" for kind in ("layer", "region") for seed in (1, 2, 3)} <= set(trust.index)
    assert set(trust.loc[["layer umap 1"], "note"]) == {"UMAP differs from seed to seed"}
    assert [(one["n_neighbors"], one["min_dist"], one["metric"], one["n_jobs"]) for one in Spread.asked[::3]] == [
        (50, 1.0, "cosine", 1),
        (10, 1.0, "cosine", 1),
    ]


def test_without_umap_learn_the_setting_says_what_to_install(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(BadRequest, match=r"stats.umap asks for UMAP, .* run pip install 'homoplasy\[umap\]', or set"):
        manifold.manifolds(planes.profiles(cells_of(world)), 1)


def cells_of(world):
    models, scores, *_ = world
    return depths.cells(with_bins(scores, models, 8, "block"), models["model"].tolist(), CALIBRATED)
