"""Specifications of a small planted study: what is planted is found, in every cell by the formula done by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from homoplasy.studies.convergence import grid, multiverse
from homoplasy.studies.convergence.grid import Way
from homoplasy.studies.convergence.specifications import CLAIMS, Choices, Study, specifications
from homoplasy.tables import COMPONENTS, DRAWS, SPECIFICATIONS

MODELS, SUBJECTS, REGIONS, LAYERS = 8, ("s1", "s2"), ("V1", "V2", "IT", "OFC"), 4
KERNELS = ("linear", "c=0.5", "c=1", "c=2")
CHOICES = Choices(bins=(4, 8), shares=(0.25, 0.5), draws=100, seed=1, kernel_unit=0.25)
KEY = list(SPECIFICATIONS.key)


def study(drawn=None, **about):
    """Scores that rise with performance when debiased, with width when not, and move to the front with the kernel."""
    rng = np.random.default_rng(2)
    names = [f"{kind}-{i}" for kind in ("language", "vision") for i in range(MODELS)]
    performance = np.tile(rng.permutation(np.arange(MODELS)), 2) / MODELS
    width = np.tile(np.arange(MODELS), 2) / MODELS
    rows = []
    for m, name in enumerate(names):
        for kernel in KERNELS:
            for estimator in ("biased", "debiased"):
                for layer in range(1, LAYERS + 1):
                    for subject in SUBJECTS:
                        for r, region in enumerate(REGIONS):
                            size = 0.0 if kernel == "linear" else float(kernel.partition("=")[2])
                            value = (width if estimator == "biased" else performance)[m] + 0.01 * rng.normal()
                            value += 0.05 * r * size + 0.5 * (m < MODELS) + 0.2 * layer
                            rows.append(
                                (name, f"layer{layer}", layer / LAYERS, subject, region, f"{kernel} {estimator}", value)
                            )
    scores = pd.DataFrame(rows, columns=["source", "layer", "depth", "subject", "region", "params", "value"])
    scores["measure"] = np.where(scores["params"].str.startswith("linear"), "cka.linear", "cka.rbf")
    scores = scores.assign(
        target=scores["subject"] + "/" + scores["region"], ceiling=0.5, target_units=50, target_pr=3.0
    )
    models = pd.DataFrame(
        {"model": names, "modality": [name.partition("-")[0] for name in names], "performance": performance}
    ).assign(family=[f"f{i % 4}" for i in range(2 * MODELS)], log_width=width, log_parameters=np.nan)
    models = models.assign(**{"counted": True, "scored": True} | about)
    regions = pd.DataFrame(
        {"network": ["Visual", "Visual", "Default", "Limbic"], "ncsnr": 0.4, "anterior": [1.0, 2, 3, 4]},
        index=list(REGIONS),
    )
    return Study(scores, models, regions, DRAWS.empty() if drawn is None else drawn)


@pytest.fixture(scope="module")
def found():
    return specifications(study(), CHOICES)


def cell(found, claim, modality="language", **where):
    main = {"kernel": "c=1", "estimator": "debiased", "bins": 8, "binning": "block", "regions": "all", "given": ""}
    rows = found[(found["claim"] == claim) & (found["modality"] == modality)]
    for column, value in (main | where).items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_claim_has_its_factorial(found):
    counts = found.groupby(["claim", "modality"]).size().to_dict()
    cells, sets = len(KERNELS) * 2 * 2 * 2, 1 + 2 * 2 + 2
    assert counts["score_performance", "language"] == cells * sets * 2 * 2  # methods; width held or not
    assert counts["subject_agreement", "vision"] == cells * sets * 2
    assert counts["language_above_vision", "both"] == cells * sets * 2
    assert counts["family_separation", "both"] == len(KERNELS) * 2 * 2 * 2
    assert counts["scale_gradient", "language"] == 3 * 2 * 2 * 2 * 2 * 2  # pairs: .5 > 1, .5 > 2 and 1 > 2
    assert set(found["claim"]) == set(CLAIMS)
    # of four regions three covariates leave nothing, and where scores have the order of widths nothing is left of them
    assert set(found.loc[found["estimate"].isna(), "given"]) <= {"log_voxels+ncsnr+pr", "log_width"}


def test_an_estimate_is_that_of_the_formula_by_hand(found):
    one = study()
    mine = one.scores[(one.scores["params"] == "c=1 debiased") & (one.scores["layer"] == "layer3")]
    language = mine[mine["source"].str.startswith("language")]
    score = language.groupby("source")["value"].mean()
    performance = one.models.set_index("model")["performance"][score.index]
    by_hand = stats.pearsonr(score, performance)
    assert cell(found, "score_performance", statistic="pearson")["estimate"] == pytest.approx(by_hand.statistic)
    interval = by_hand.confidence_interval(0.95)
    row = cell(found, "score_performance", statistic="pearson")
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    subjects = language.groupby(["source", "subject"])["value"].mean().unstack()
    agreement = stats.spearmanr(subjects["s1"], subjects["s2"]).statistic
    assert cell(found, "subject_agreement", statistic="spearman")["estimate"] == pytest.approx(agreement)
    best = language.groupby(["source", "subject"])["value"].nlargest(2).groupby(level="source").mean()
    top = cell(found, "score_performance", statistic="pearson", regions="top 0.5")["estimate"]
    assert top == pytest.approx(np.corrcoef(best, performance[best.index])[0, 1])


def test_what_is_planted_is_supported_and_what_is_not_is_not(found):
    debiased = {"statistic": "pearson", "given": "log_width"}
    assert cell(found, "score_performance", **debiased)["supports"]
    assert not cell(found, "score_performance", estimator="biased", statistic="pearson")["supports"]
    assert cell(found, "language_above_vision", "both")["supports"]
    gradient = cell(found, "scale_gradient", kernel="c=0.5>c=2", statistic="raw")
    assert gradient["estimate"] == pytest.approx(1.0)


def test_the_main_cell_is_marked_once_a_claim(found):
    main = found[found["main"]].set_index(["claim", "modality"])
    assert main.index.is_unique
    assert main.loc[("score_performance", "language"), "regions"] in {"held out 0.25", "all"}
    assert main.loc[("scale_gradient", "vision"), "kernel"] == "c=0.5>c=2"
    assert len(main) == len(found[["claim", "modality"]].drop_duplicates())


def test_regions_chosen_on_halves_of_the_images_are_the_main_cell():
    one = study()
    base = one.scores[(one.scores["params"] == "c=1 debiased") & (one.scores["layer"] == "layer3")]
    parts = [base.assign(draw=draw, kind="split", estimator="debiased", n=40) for draw in range(4)]
    drawn = DRAWS.check(pd.concat(parts, ignore_index=True)[list(DRAWS.columns)])
    found = specifications(study(drawn), CHOICES)
    row = found[found["main"] & (found["claim"] == "score_performance") & (found["modality"] == "language")].iloc[0]
    assert row["regions"] == "split half 0.05"
    same = cell(found, "score_performance", statistic="pearson", regions="top 0.25")  # one of four regions either way
    assert row["estimate"] == pytest.approx(same["estimate"])
    parts = multiverse.components(found).set_index(["claim", "modality", "choice"])
    assert parts.loc[("score_performance", "language", "regions"), "levels"] == 7


def test_one_region_and_one_layer_leave_what_can_be_varied():
    one = study()
    scores = one.scores[(one.scores["layer"] == "layer3") & (one.scores["region"] == "V1")].assign(depth=0.75)
    found = specifications(Study(scores, one.models, one.regions, one.drawn), CHOICES)
    assert set(found["claim"]) == {"score_performance", "subject_agreement", "language_above_vision"}
    assert set(found["regions"]) == {"all"}
    assert set(found["bins"]) == {8}
    assert found["main"].sum() == 5


@pytest.mark.parametrize("about", [{"scored": False}, {"counted": False}])
def test_nothing_to_score_and_nothing_to_count_give_what_is_left(about):
    found = specifications(study(**about), CHOICES)
    assert set(found["claim"]) == (set() if "scored" in about else {"family_separation"})
    assert multiverse.components(found).empty == ("scored" in about)


def test_a_model_without_a_score_in_a_cell_leaves_the_cell_without_an_estimate():
    one = study()
    scores = one.scores[~((one.scores["source"] == "language-1") & (one.scores["params"] == "c=1 biased"))]
    found = specifications(Study(scores, one.models, one.regions, one.drawn), CHOICES)
    row = cell(found, "score_performance", estimator="biased", statistic="pearson")
    assert np.isnan(row["estimate"])
    assert row["reason"].startswith("a model has no score here")
    assert not row["supports"]
    parts = multiverse.components(found).set_index(["claim", "modality", "choice"])
    assert parts.loc[("score_performance", "language", "kernel"), "levels"] == 3  # c=1 is not crossed any more
    assert np.isfinite(parts.loc[("score_performance", "language", "kernel"), "first"])


def made(effects, supports=lambda estimate: estimate > 0):
    """Specifications whose estimate is a sum of one number an option."""
    rows = [
        {"kernel": kernel, "estimator": estimator, "estimate": effects[kernel] + effects[estimator]}
        for kernel in ("c=1", "c=2", "linear")
        for estimator in ("biased", "debiased")
    ]
    table = pd.DataFrame(rows).assign(claim="score_performance", modality="vision", bins=8, binning="block", n=9)
    table = table.assign(regions="all", statistic="pearson", given="", low=table["estimate"], high=1.0, interval="")
    return SPECIFICATIONS.check(table.assign(supports=supports(table["estimate"]), main=False, reason=""))


EFFECTS = {"c=1": 0.0, "c=2": 1.0, "linear": 2.0, "biased": -0.5, "debiased": 0.5}


def test_components_are_those_of_a_known_additive_function():
    parts = multiverse.components(made(EFFECTS)).set_index("choice")
    assert parts.loc["kernel", "first"] == pytest.approx((2 / 3) / (2 / 3 + 0.25))
    assert parts.loc["estimator", "first"] == pytest.approx(0.25 / (2 / 3 + 0.25))
    assert parts.loc["estimator", "total"] == pytest.approx(parts.loc["estimator", "first"])
    assert parts.loc["kernel", ["least", "most"]].tolist() == ["c=1", "c=2"]
    assert parts.loc["kernel", "support_least"] == pytest.approx(0.5)
    assert parts.loc["all", "support"] == pytest.approx(5 / 6)
    assert set(parts.index) == {"kernel", "estimator", "all"}


def test_experiments_side_by_side_make_their_settings_choices():
    better = made({**EFFECTS, "biased": 3.5, "debiased": 4.5})
    parts = {
        "a": ({"preset": "released", "extract.pool": "cls"}, made(EFFECTS)),
        "b": ({"preset": "calibrated", "extract.pool": "cls"}, better),
        "c": ({"preset": "calibrated", "extract.pool": "cls"}, made(EFFECTS)),
    }
    gathered, components = multiverse.side_by_side(parts)
    assert gathered.groupby("experiment")["settings"].first().to_dict() == {
        "a": "preset=released",
        "b": "preset=calibrated",
    }
    assert len(gathered) == 12
    share = components.set_index("choice").loc["preset"]
    assert (share["least"], share["most"]) == ("released", "calibrated")
    assert share["first"] == pytest.approx(4 / (4 + 2 / 3 + 0.25))
    COMPONENTS.check(components)
    assert multiverse.side_by_side({})[0].empty


def test_pairs_of_kernels_are_the_ends_the_middle_and_the_pair_of_the_study():
    kernels = ["linear", "c=0.25", "c=0.5", "c=1", "c=2", "c=4", "sigma=7", "sigma=17"]
    assert set(grid.widths(kernels, 0.25)) == {
        ("c=0.5", "c=2"), ("c=0.25", "c=4"), ("c=0.25", "c=1"), ("c=1", "c=4"), ("sigma=7", "sigma=17"),
    }  # fmt: skip
    assert grid.main_way() == Way("c=1", "debiased")
