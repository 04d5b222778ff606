"""stats, taxonomy and report from files to files, and what they say to settings that cannot be."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from homoplasy.datasets import nsd, published
from homoplasy.errors import BadData, BadRequest
from homoplasy.stages import _statistics, claims, report, stats, taxonomy
from homoplasy.store import frames
from homoplasy.tables import (
    CORRELATIONS,
    DRAWS,
    HISTORY,
    LEAVES,
    MODEL_SCORES,
    MODELS,
    REGIONS,
    SCORES,
    SUPPORT,
    VERDICTS,
)
from tests.conftest import ROOT
from tests.report.conftest import history
from tests.studies.convergence import made

WIDER = {"c=1 debiased": "c=2 debiased", "sigma=9 biased": "sigma=18 biased"}


AROUND = _statistics.around


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    """The tables of the published points, made once."""
    folder = tmp_path_factory.mktemp("points") / "published"
    _statistics.analyse_printed(ROOT / "data/published", folder, 100, 1)
    return folder


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """The files that the stages read, with made-up scores; the pocket's own settings."""
    folder = tmp_path_factory.mktemp("given")
    models = made.models(6)
    sizes = np.tile([2e6, 1e6, 4e6, 4e6, 1e6, 2e6], 2)  # symmetric, so that they have nothing to do with width
    models = models.assign(family=models["model"], parameters=sizes)
    truth = made.facts(models)
    frames.write(folder / "features/models.parquet", models, MODELS)
    scores = made.scores(models, truth)
    wider = scores.assign(value=scores["value"] ** 2, params=scores["params"].map(WIDER))
    frames.write(folder / "scores/scores.parquet", pd.concat([scores, wider]), SCORES)
    frames.write(folder / "scores/halves.parquet", made.halves(scores), DRAWS)
    frames.write(folder / "brain/regions.parquet", made.regions(), REGIONS)
    frames.write(folder / "models/glyphs/history.parquet", history(), HISTORY)
    manifest = {"format": 1, "dataset": "pocket", "request": {}, "files": {}}
    (folder / "raw").mkdir()
    (folder / "raw/MANIFEST.json").write_text(json.dumps(manifest))
    (folder / "conf").symlink_to(ROOT / "conf")
    choose(folder)
    return folder


@pytest.fixture(scope="session")
def done(given, points, tmp_path_factory):
    """The same after stats and taxonomy, with the settings as they are."""
    folder = copy(given, tmp_path_factory.mktemp("done"))
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, points)
        run_stats(folder), run_taxonomy(folder)
    return folder


def stand_in(patch, points):
    """Performance that goes with the made-up scores; most tests are not about the other results."""
    truth = made.facts(made.models(6))

    class Tree:
        def performance(self):
            return made.performance(truth)

    patch.setattr(nsd, "open_tree", lambda raw: Tree())
    patch.setattr(_statistics, "around", lambda *paths: None)
    patch.setattr(_statistics, "analyse_printed", lambda _, folder, *__: copy(points, folder))


@pytest.fixture
def world(given, points, tmp_path, monkeypatch):
    """The files that the stages read, to be changed."""
    stand_in(monkeypatch, points)
    return copy(given, tmp_path)


@pytest.fixture
def analysed(done, points, tmp_path, monkeypatch):
    """What stats and taxonomy read and wrote, to be changed."""
    stand_in(monkeypatch, points)
    return copy(done, tmp_path)


@pytest.fixture(scope="session")
def claimed(given, points, tmp_path_factory):
    """The same with every result, and with the claims."""
    folder = copy(given, tmp_path_factory.mktemp("claimed"))
    choose(folder, report={"title": "A title", "about": "A sentence."})
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, points)
        patch.setattr(_statistics, "around", AROUND)
        run_stats(folder), run_taxonomy(folder), run_claims(folder)
    return folder


def copy(of, folder):
    return shutil.copytree(of, folder, symlinks=True, dirs_exist_ok=True)


def choose(folder, **sections):
    given = yaml.safe_load((ROOT / "params.yaml").read_text())
    given["stats"]["draws"] = 200
    for name, values in sections.items():
        given[name] = values if isinstance(values, str) else given[name] | values
    (folder / "params.yaml").write_text(yaml.safe_dump(given))


def run_stats(folder):
    names = ("params.yaml", "raw", "brain", "models", "features", "scores")
    results = ("stats", "published", "plots", "metrics.json", "settings/stats.yaml")
    stats.main(*(folder / name for name in names), ROOT / "data/published", *(folder / name for name in results))


def run_claims(folder, stated=ROOT / "claims/convergence.yaml"):
    results = ("stats", "taxonomy", "published", "claims", "verdicts.json", "settings/claims.yaml")
    claims.main(folder / "params.yaml", stated, *(folder / name for name in results))


def run_taxonomy(folder):
    paths = (folder / name for name in ("params.yaml", "features", "scores", "taxonomy"))
    taxonomy.main(*paths, folder / "settings/taxonomy.yaml")


def run_report(folder):
    read = ("params.yaml", "brain", "features", "scores", "stats", "taxonomy", "published", "claims")
    beside = (
        "models",
        "raw",
        "audit",
        "multiverse",
        "certificates.parquet",
        "settings",
        "reports",
        "settings/report.yaml",
    )
    report.main(*(folder / name for name in read), ROOT / "data/published", *(folder / name for name in beside))


def test_from_scores_to_the_page_twice_the_same(claimed, points, tmp_path, monkeypatch):
    world = copy(claimed, tmp_path)
    stand_in(monkeypatch, points)
    monkeypatch.setattr(_statistics, "around", AROUND)
    run_report(world)
    written = {path: path.read_bytes() for path in world.rglob("*") if path.is_file() and "conf" not in path.parts}
    assert world / "reports/index.html" in written
    assert world / "reports/figures/tree.csv" in written
    (world / "stats/left-over.parquet").write_bytes(b"")
    run_stats(world), run_taxonomy(world), run_claims(world), run_report(world)
    again = {path: path.read_bytes() for path in world.rglob("*") if path.is_file() and "conf" not in path.parts}
    assert again == written
    metrics = json.loads((world / "metrics.json").read_text())
    assert metrics["vision"]["calibrated_r_performance"] > 0.9
    text = (world / "reports/index.html").read_text()
    assert "<h1>A title</h1>" in text
    assert "A sentence." in text
    assert "depth_bins: 8" in text


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({"depth": 4}, "score"),
        ({"depth_bins": 4}, "score"),
        ({"binning": "released"}, "score"),
        ({"top_share": 0.5}, "score"),
        ({"size": 2.0}, "score"),
        ({"kernel": "absolute", "size": 72.0, "estimator": "biased"}, "score"),
        ({"draws": 400}, "family_low"),
        ({"seed": 7}, "family_low"),
    ],
)
def test_every_setting_changes_something(analysed, change, changes):
    world, tables = analysed, {"score": MODEL_SCORES, "family_low": CORRELATIONS}
    schema = tables[changes]
    before = frames.read(world / f"stats/{schema.name}.parquet", schema)[changes]
    choose(world, stats=change)
    run_stats(world)
    assert not frames.read(world / f"stats/{schema.name}.parquet", schema)[changes].equals(before)


def test_the_kernel_unit_picks_the_absolute_width(world):
    choose(world, stats={"kernel": "absolute", "size": 18.0, "estimator": "biased", "kernel_unit": 0.5})
    run_stats(world)
    assert "sigma=9 biased" in set(frames.read(world / "stats/model_scores.parquet", MODEL_SCORES)["params"])


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({"depth_bins": 4}, True),
        ({"kernel": "absolute", "size": 36.0, "estimator": "biased"}, True),
        ({"kernel": "linear"}, True),
        ({}, False),
    ],
)
def test_every_setting_of_the_tree_changes_it(analysed, change, changes):
    world = analysed
    before = (world / "taxonomy/tree.newick").read_text()
    choose(world, taxonomy=change)
    run_taxonomy(world)
    assert ((world / "taxonomy/tree.newick").read_text() != before) == changes


@pytest.mark.parametrize("change", [{"draws": 40}, {"seed": 2}])
def test_draws_and_seed_move_the_support_of_branches_only(analysed, change):
    world = analysed
    before = frames.read(world / "taxonomy/support.parquet", SUPPORT)
    tree = (world / "taxonomy/tree.newick").read_bytes()
    choose(world, taxonomy=change)
    run_taxonomy(world)
    assert (world / "taxonomy/tree.newick").read_bytes() == tree
    assert not frames.read(world / "taxonomy/support.parquet", SUPPORT).equals(before)


def test_without_enough_models_the_tree_is_empty_and_says_so(world, capsys):
    frames.write(world / "features/models.parquet", made.models(1), MODELS)
    run_taxonomy(world)
    assert "no tree; 2 models have whole profiles, a tree takes 3" in capsys.readouterr().err
    assert (frames.read(world / "taxonomy/leaves.parquet", LEAVES)["leaf"] == -1).all()
    assert (world / "taxonomy/tree.newick").read_text() == ""


@pytest.mark.parametrize(
    ("section", "change", "sentence"),
    [
        ("stats", {"size": 3.0}, r"'c=3 debiased', which cka did not compute; it has c=1 debiased"),
        ("stats", {"depth": 9}, r"stats.depth is 9"),
        ("stats", {"top_share": 0.0}, r"parameter 'stats.top_share' is 0.0; expected a number, above 0 and at most 1"),
        ("stats", {"kernel": "gauss"}, r"'stats.kernel' is 'gauss'; expected one of 'linear', 'absolute', 'relative'"),
        ("stats", {"draw": 10}, r"unknown parameter 'stats.draw'; .* Nearest: 'draws'"),
        ("taxonomy", {"depth_bins": 0}, r"'taxonomy.depth_bins' is 0; expected a whole number, at least 1"),
        ("report", {"title": ""}, r"'report.title' is ''; expected a word, not empty"),
    ],
)
def test_a_setting_that_cannot_be_gives_one_sentence(analysed, section, change, sentence):
    world = analysed
    choose(world, **{section: change})
    with pytest.raises(BadRequest, match=sentence):
        {"stats": run_stats, "taxonomy": run_taxonomy, "report": run_report}[section](world)


@pytest.mark.parametrize("world_name", ["pocket", "nsd", "published"])
def test_the_kernel_unit_is_that_of_the_scores(world_name):
    conf = yaml.safe_load((ROOT / f"conf/worlds/{world_name}.yaml").read_text())
    assert conf["stats"]["kernel_unit"] == conf["taxonomy"]["kernel_unit"] == conf["cka"]["kernel_unit"]


def test_the_published_points_run_through_with_every_preset(tmp_path, points, monkeypatch):
    monkeypatch.setattr(_statistics, "analyse_printed", lambda _, folder, *__: copy(points, folder))
    for preset in ("calibrated", "as_released", "as_written"):
        folder = tmp_path / preset
        (folder / "raw").mkdir(parents=True)
        for name in published.KEYS:
            (folder / "raw" / name).write_bytes((ROOT / "data/published" / name).read_bytes())
        manifest = {"format": 1, "dataset": "published", "request": {}, "files": {}}
        (folder / "raw/MANIFEST.json").write_text(json.dumps(manifest))
        (folder / "conf").symlink_to(ROOT / "conf")
        choose(folder, world="published", preset=preset, stats={"draws": 100})
        frames.write(folder / "scores/scores.parquet", published.scores(folder / "raw"), SCORES)
        frames.write(folder / "scores/halves.parquet", DRAWS.empty(), DRAWS)
        frames.write(folder / "features/models.parquet", MODELS.empty(), MODELS)
        frames.write(folder / "brain/regions.parquet", REGIONS.empty(), REGIONS)
        (folder / "models").mkdir()
        run_stats(folder), run_taxonomy(folder), run_claims(folder)
        found = json.loads((folder / "metrics.json").read_text())
        assert found["language"]["released_r_performance"] == pytest.approx(0.8853, abs=5e-5)
        assert found["language"]["released_rho_performance"] == pytest.approx(0.8757, abs=5e-5)
        assert found["vision"]["released_r_performance"] == pytest.approx(0.5305, abs=5e-5)
        assert found["vision"]["released_rho_performance"] == pytest.approx(0.4658, abs=5e-5)
        assert found["vision"]["models"] == 594
        assert found["language"]["models"] == 36
        verdicts = frames.read(folder / "claims/verdicts.parquet", VERDICTS)
        biased = "written" if preset == "as_written" else "released"
        assert set(verdicts["reading"]) == {"calibrated", biased}
        counted = json.loads((folder / "verdicts.json").read_text())["points"]["released"]
        assert counted["fails"] == 0
        assert counted["reproduced"] >= 16
    run_report(folder)
    assert "untestable here" in (folder / "reports/index.html").read_text()


def test_the_ledger_of_the_made_up_world(claimed):
    table = frames.read(claimed / "claims/verdicts.parquet", VERDICTS)
    whole = table[table["item"] == ""].set_index(["claim", "evidence", "reading"])
    headline = whole.loc[("vis.imagenet", "world", "calibrated")]
    assert headline["verdict"] == "survives", headline["reason"]
    told = whole.loc[("vis.imagenet", "world", "released")]
    assert told["verdict"] == "untestable here"
    assert told["reason"].startswith("Generated data cannot reproduce a published result; here pearson ")
    assert "its own chance level" in told["reason"]
    again = json.loads((claimed / "claims/claims.json").read_text())
    assert [claim["id"] for claim in again["claims"]][:2] == ["lang.leaderboard2", "vis.imagenet"]
    assert "| world | calibrated | survives |" in (claimed / "claims/claims.md").read_text()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("claims: [", "is not valid YAML"),
        ("claims: 3", "expected 'source' and a list of 'claims'"),
    ],
)
def test_a_damaged_claims_file_gives_one_sentence(analysed, text, sentence):
    world = analysed
    (world / "stated.yaml").write_text(text)
    with pytest.raises(BadData, match=sentence):
        run_claims(world, world / "stated.yaml")
    with pytest.raises(BadData, match="is missing; restore it"):
        run_claims(world, world / "nothing.yaml")
