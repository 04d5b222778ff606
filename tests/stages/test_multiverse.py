"""multiverse from files to files, and its tables gathered from the experiments of a repository."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.stages import _experiments, _gather, multiverse
from homoplasy.store import frames
from homoplasy.studies.convergence import brain_score
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import COMPONENTS, DRAWS, GATHERED, MODEL_SCORES, MODELS, REGIONS, SCORES, SPECIFICATIONS
from tests.conftest import ROOT
from tests.studies.convergence import made


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """The files that the stage reads, with made-up scores."""
    folder = tmp_path_factory.mktemp("given")
    models = made.models(6)
    truth = made.facts(models)
    scores = made.scores(models, truth)
    binned = brain_score.with_bins(scores, models, 8, "block")
    reading = Reading("relative", 1.0, "debiased", 0.05)
    scored = brain_score.model_scores(binned, models, made.performance(truth), reading, 6)
    frames.write(folder / "features/models.parquet", models, MODELS)
    frames.write(folder / "scores/scores.parquet", scores, SCORES)
    frames.write(folder / "scores/halves.parquet", made.halves(scores), DRAWS)
    frames.write(folder / "brain/regions.parquet", made.regions(), REGIONS)
    frames.write(folder / "stats/model_scores.parquet", scored, MODEL_SCORES)
    (folder / "conf").symlink_to(ROOT / "conf")
    return folder


def run(folder, out, **choices):
    (folder / "params.yaml").write_text(
        yaml.safe_dump({"world": "pocket", "preset": "calibrated", "multiverse": {"depth_bins": [8]} | choices})
    )
    inputs = {name: folder / name for name in ("brain", "features", "scores", "stats")}
    multiverse.main(folder / "params.yaml", **inputs, tables=out / "tables", record=out / "settings.yaml")
    return frames.read(out / "tables/specifications.parquet", SPECIFICATIONS)


def test_the_stage_writes_every_specification_and_what_moves_them_alike_twice(given, tmp_path):
    found = run(given, tmp_path / "a")
    parts = frames.read(tmp_path / "a/tables/components.parquet", COMPONENTS)
    main = found[found["main"]].set_index(["claim", "modality"])
    assert main.loc[("score_performance", "vision"), "regions"] == "split half 0.05"
    assert main.loc[("score_performance", "vision"), "supports"]
    assert set(parts.loc[parts["choice"] == "all", "claim"]) == set(found["claim"])
    assert "seed: 1" in (tmp_path / "a/settings.yaml").read_text()
    run(given, tmp_path / "b")
    for name in ("specifications", "components"):
        first, again = (tmp_path / f"{side}/tables/{name}.parquet" for side in "ab")
        assert first.read_bytes() == again.read_bytes()


def test_fewer_shares_are_fewer_specifications(given, tmp_path):
    few, many = run(given, tmp_path, shares=[]), run(given, tmp_path, shares=[0.05])
    assert set(many["regions"]) - set(few["regions"]) == {"top 0.05", "held out 0.05"}


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [({"depth_bins": [6]}, "multiverse.depth_bins"), ({"shares": [0.0]}, "multiverse.shares"),
     ({"draws": 9}, "multiverse.draws")],
)  # fmt: skip
def test_choices_that_cannot_be_are_refused(given, tmp_path, choices, sentence):
    with pytest.raises(BadRequest, match=sentence):
        run(given, tmp_path, **choices)


def test_experiments_are_read_and_those_without_a_table_are_named(given, tmp_path, monkeypatch, capsys):
    table = run(given, tmp_path, shares=[])
    known = {"bold": table, "shy": table.assign(estimate=table["estimate"] / 2)}

    def part(repository, rev, name):
        return ({"preset": name}, known[name]) if name in known else None

    monkeypatch.setattr(_gather, "named", lambda _: {"bold": "1", "odd": "2", "shy": "3"})
    monkeypatch.setattr(_gather, "_part", part)
    _gather.gather(tmp_path, tmp_path / "out")
    gathered = frames.read(tmp_path / "out/gathered.parquet", GATHERED)
    assert gathered["settings"].unique().tolist() == ["preset=bold", "preset=shy"]
    page = (tmp_path / "out/multiverse.md").read_text()
    assert "- bold: preset=bold" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(gathered[["claim", "modality"]].drop_duplicates())
    components = frames.read(tmp_path / "out/components.parquet", COMPONENTS)
    assert "preset" in set(components["choice"])
    assert "2 experiments" in capsys.readouterr().err


def test_a_repository_without_experiments_says_what_makes_them(tmp_path, capsys):
    for words in (
        ["init", "-q"],
        ["-c", "user.name=t", "-c", "user.email=t@l", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    subprocess.run(["dvc", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(WorkFailed, match="make multiverse"):
        _gather.gather(tmp_path, tmp_path / "out")
    assert _gather._part(tmp_path, "HEAD", "bare") is None
    assert "bare has no specifications here" in capsys.readouterr().err


def test_settings_are_named_by_their_section():
    assert _gather._flat({"preset": "a", "cka": {"images": None, "sizes": [1, 2]}}) == {
        "preset": "a", "cka.images": "", "cka.sizes": "[1, 2]",
    }  # fmt: skip
    assert pd.Series(_gather._flat({})).empty


def test_every_combination_of_choices_is_an_experiment_with_a_name(monkeypatch, capsys):
    asked, removed, gathered = [], [], []

    def dvc(command, check, stdout=None):
        (removed if command[2] == "remove" else asked).append(command)
        return SimpleNamespace(returncode=int("-all-" in " ".join(command)), check=check, stdout=stdout)

    monkeypatch.setattr(_gather, "named", lambda _: {"calibrated-own-28-36": "1", "mine": "2"})
    monkeypatch.setattr(_gather, "gather", lambda _, out: gathered.append(out))
    monkeypatch.setattr(_experiments.subprocess, "run", dvc)
    choices = ["preset=as_released,calibrated", "cka.images=own,all", "cka.kernel_sizes=[28,36]"]
    with pytest.raises(WorkFailed, match="2 of 4 experiments failed: as_released-all-28-36, calibrated-all-28-36"):
        _experiments.run(choices, Path("side"))
    assert gathered == [Path("side")]
    assert removed == [["dvc", "exp", "remove", "calibrated-own-28-36"]]
    assert [command[5] for command in asked] == [
        "as_released-own-28-36",
        "as_released-all-28-36",
        "calibrated-own-28-36",
        "calibrated-all-28-36",
    ]
    assert "cka.kernel_sizes=[28,36]" in asked[0]
    assert "experiments: 4/4 preset=calibrated cka.images=all" in capsys.readouterr().err


@pytest.mark.parametrize("choices", [[], ["preset"]])
def test_choices_without_a_value_are_one_sentence(choices):
    with pytest.raises(BadRequest, match="expected choices such as preset=as_released,calibrated"):
        _experiments.grid(choices)
