"""The published values: carried whole, and they give the correlations that were printed."""

import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from homoplasy.datasets import _manifest, published
from homoplasy.errors import BadData, BadRequest
from tests.conftest import ROOT

TABLES = ROOT / "data" / "published"
REQUEST = {"subjects": [], "sessions": 0}


def points(benchmark, width=36):
    scores = published.scores(TABLES)
    kept = scores[scores["params"] == f"sigma={width} biased"]
    both = kept.merge(published.performance(TABLES), left_on="source", right_on="model")
    return both[both["benchmark"] == benchmark]


@pytest.mark.parametrize(
    ("benchmark", "n", "r", "p", "rho"),
    [("leaderboard2_avg", 36, 0.8853, 7.52e-13, 0.8757), ("imagenet_top1", 594, 0.5305, 2.03e-44, 0.4658)],
)
def test_the_printed_correlations_come_out(benchmark, n, r, p, rho):
    found = points(benchmark)
    pearson = pearsonr(found["value"], found["performance"])
    assert len(found) == n
    assert pearson.statistic == pytest.approx(r, abs=5e-5)
    assert pearson.pvalue == pytest.approx(p, rel=2e-3)
    assert spearmanr(found["value"], found["performance"]).statistic == pytest.approx(rho, abs=5e-5)


@pytest.mark.parametrize(
    ("width", "with_width", "with_performance"),
    [(20, 0.79, 0.79), (28, 0.98, 0.87), (36, 0.97, 0.89), (60, 0.86, 0.90), (100, 0.51, 0.70)],
)
def test_the_language_scores_follow_width_as_recomputed(width, with_width, with_performance):
    found = points("leaderboard2_avg", width)
    assert pearsonr(found["value"], found["source_units"]).statistic == pytest.approx(with_width, abs=0.005)
    assert pearsonr(found["value"], found["performance"]).statistic == pytest.approx(with_performance, abs=0.005)


@pytest.mark.parametrize(("width", "r"), [(20, 0.354), (28, 0.510), (44, 0.523), (52, 0.537), (100, 0.547)])
def test_the_vision_scores_at_other_widths(width, r):
    found = points("imagenet_top1", width)
    assert pearsonr(found["value"], found["performance"]).statistic == pytest.approx(r, abs=5e-4)


def test_the_models_are_those_of_the_figures():
    models = published.models(TABLES)
    vision = models[models["modality"] == "vision"]
    assert vision["architecture"].value_counts().to_dict() == {"CNN": 243, "Transformer": 205, "Hybrid": 146}
    language = models[models["modality"] == "language"]
    assert language["family"].value_counts().to_dict() == {
        "qwen": 14, "gemma": 8, "llama": 6, "mistral": 5, "phi": 2, "internlm": 1,
    }  # fmt: skip
    assert (models["parameters"] > 0).all()
    assert models["parameters"].max() == 72_706_000_000
    assert set(models["model"]) == set(published.scores(TABLES)["source"])


def test_one_score_a_model_and_width():
    scores = published.scores(TABLES)
    assert len(scores) == 630 * 11
    assert scores["value"].notna().all()
    assert (scores.loc[scores["source"].str.startswith("timm:"), "source_units"] == 0).all()


def test_the_training_curves_of_mixnet_are_whole():
    curves = pd.read_csv(TABLES / "mixnet.csv")
    assert curves.groupby("model").size().to_dict() == {
        "timm:mixnet_l": 18, "timm:mixnet_m": 20, "timm:mixnet_s": 16, "timm:mixnet_xl": 20,
    }  # fmt: skip
    assert not curves.duplicated(["model", "epoch", "averaged_weights"]).any()


def test_the_tables_agree_with_the_reference(reference):
    folder = reference / "published"
    language = pd.read_csv(folder / "llm_brain_align_by_sigma_from_figures.csv").set_index("hf_model")
    vision = pd.read_csv(folder / "vision_brain_align_by_sigma_from_figures.csv").set_index("model")
    for name, theirs in (("language", language), ("vision", vision)):
        ours = pd.read_csv(TABLES / f"{name}.csv")
        ours.index = ours["model"].str.partition(":")[2]
        shared = [column for column in ours if column in theirs]
        assert len(shared) >= 12
        pd.testing.assert_frame_equal(
            ours[shared].sort_index(), theirs[shared].sort_index(), check_names=False, check_column_type=False
        )


def test_carrying_makes_a_raw_folder_without_subjects(tmp_path):
    published.carry(TABLES, tmp_path / "raw", REQUEST)
    manifest = _manifest.read(tmp_path / "raw")
    assert (manifest.dataset, manifest.request["subjects"]) == ("published", [])
    assert set(manifest.files) == set(published.KEYS)
    pd.testing.assert_frame_equal(published.scores(tmp_path / "raw"), published.scores(TABLES))


def test_subjects_cannot_be_chosen(tmp_path):
    with pytest.raises(BadRequest, match="has no subjects or sessions to choose"):
        published.carry(TABLES, tmp_path / "raw", {"subjects": [1], "sessions": 0})


def test_a_missing_table_says_how_to_restore_it(tmp_path):
    (tmp_path / "tables").mkdir()
    with pytest.raises(BadData, match="restore it with git checkout data/published"):
        published.carry(tmp_path / "tables", tmp_path / "raw", REQUEST)
    with pytest.raises(BadData, match="run dvc repro fetch"):
        published.scores(tmp_path)


@pytest.mark.parametrize(("text", "sentence"), [("", "is not a table"), ("model,family\na,b\n", "lacks the columns")])
def test_a_damaged_table_says_so(tmp_path, text, sentence):
    (tmp_path / "language.csv").write_text(text)
    with pytest.raises(BadData, match=sentence):
        published.models(tmp_path)


def test_a_model_of_unknown_width_keeps_its_scores(tmp_path):
    for modality in ("language", "vision"):
        table = pd.read_csv(TABLES / f"{modality}.csv")
        if modality == "language":
            table.loc[3, "hidden_size"] = float("nan")
        table.to_csv(tmp_path / f"{modality}.csv", index=False)
    scores, whole = published.scores(tmp_path), published.scores(TABLES)
    assert len(scores) == len(whole)
    assert (scores["source_units"] != whole["source_units"]).sum() == len(published.WIDTHS)


def test_the_points_stand_once_a_width_and_plain_transformers_twice():
    points = published.points(TABLES)
    assert points.groupby("modality").size().to_dict() == {"language": 396, "vision": 6534, published.PLAIN: 1309}
    assert points.loc[points["modality"] == "vision", "width"].isna().all()
    assert points.loc[points["modality"] == published.PLAIN, "width"].notna().all()
    assert points.loc[points["modality"] == "vision", "performance"].max() < 1


def test_the_printed_values_are_read_and_damage_is_told(tmp_path):
    printed = published.printed(TABLES)
    assert not printed.duplicated(["table", "item", "quantity"]).any()
    assert "4" in set(printed["item"])  # a region, not a number
    with pytest.raises(BadData, match="printed.csv is missing"):
        published.printed(tmp_path)
    (tmp_path / "printed.csv").write_text("table,item\n1,2\n")
    with pytest.raises(BadData, match="is not the table of printed values"):
        published.printed(tmp_path)
