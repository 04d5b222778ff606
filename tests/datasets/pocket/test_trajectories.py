"""Planted training: the known answers of its recipe, in the files, in the features, and in the truth."""

import json
from functools import cache

import numpy as np
import pytest

from homoplasy.datasets.performance import curves
from homoplasy.datasets.pocket import trajectories
from homoplasy.datasets.pocket.brain import Brain
from homoplasy.datasets.pocket.trajectories import CASES, STEPS
from homoplasy.maths import lags
from tests.datasets.pocket.test_known_answers import READINGS, SUBJECTS, areas, made, patterns, rows

X = np.array([trajectories.position(step) for step in STEPS])
BY_NAME = {case.name: case for case in CASES}
LAGS = {"leads": 2, "together": 0, "follows": -2}


def models():
    return trajectories.models(made("planted"))


@cache
def likeness():
    """Debiased CKA of every case and step, the mean over the regions of two subjects."""
    found = {case.name: [] for case in CASES}
    for model in models():
        scores = []
        for subject in SUBJECTS[:2]:
            kernel = READINGS["calibrated"](rows(model.layers[0], patterns("planted", subject)[1]))
            scores.append((areas("planted", subject, "calibrated") @ kernel).mean())
        found[model.name.split("-")[1]].append(np.mean(scores))
    return {name: np.array(values) for name, values in found.items()}


def test_the_steps_are_those_of_the_evaluations_of_pythia():
    assert len(STEPS) == 27
    assert STEPS[:12] == (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
    assert STEPS[12:] == tuple(3000 + 10000 * place for place in range(15))


@pytest.mark.parametrize(("name", "lag"), LAGS.items())
def test_quality_and_performance_rise_along_their_curves(name, lag):
    case = BY_NAME[name]
    assert [case.quality(step) for step in STEPS] == pytest.approx(0.8 / (1 + np.exp(-(X - 10) / 0.8)))
    assert [case.accuracy(step) for step in STEPS] == pytest.approx(0.8 / (1 + np.exp(-(X - 10 - lag) / 0.8)))


def test_nothing_of_a_run_moves_but_its_quality():
    by_case = {}
    for model in models():
        by_case.setdefault(model.facts["run"], []).append(model.layers[0].values)
    flat = by_case["planted-flat"]
    assert all(np.array_equal(flat[0], later) for later in flat)
    rising = by_case["planted-together"]
    assert not np.allclose(rising[0], rising[-1], atol=0.5)
    assert np.abs(rising[11] - rising[10]).max() < np.abs(rising[-1] - rising[0]).max()


def test_a_checkpoint_has_what_a_container_and_the_table_of_models_need():
    found = {model.name: model for model in models()}
    assert len(found) == 27 * len(CASES)
    one = found["trajectory-leads-000512"]
    assert one.facts["model"] == "planted:trajectory-leads-000512"
    assert (one.facts["run"], one.facts["step"], one.facts["weights"]) == ("planted-leads", 512, "raw")
    assert one.facts["seen"] == 512 * 2_097_152
    assert one.layers[0].facts["depth"] == 0.75
    assert one.layers[0].values.dtype == np.float32


def test_likeness_and_performance_rise_halfway_where_they_were_planted():
    half = {name: trajectories.half_rise(X, likeness()[name]) for name in LAGS}
    performed = {
        name: trajectories.half_rise(X, np.array([BY_NAME[name].accuracy(step) for step in STEPS])) for name in LAGS
    }
    lag = {name: performed[name] - half[name] for name in LAGS}
    assert lag["leads"] - lag["together"] == pytest.approx(2, abs=0.5)
    assert lag["together"] - lag["follows"] == pytest.approx(2, abs=0.5)
    assert 0 <= lag["together"] <= 1  # CKA is no linear function of quality: it rises before it


def test_the_estimator_of_the_study_finds_the_planted_lags():
    performed = {name: np.array([BY_NAME[name].accuracy(step) for step in STEPS]) for name in LAGS}
    lag = {name: lags.half_rise(X, performed[name]) - lags.half_rise(X, likeness()[name]) for name in LAGS}
    assert lag["leads"] - lag["together"] == pytest.approx(2, abs=0.5)
    assert lag["together"] - lag["follows"] == pytest.approx(2, abs=0.5)
    assert 0 <= lag["together"] <= 1
    assert np.isnan(lags.half_rise(X, likeness()["flat"]))


def test_the_truth_says_so():
    world = made("planted")
    told = trajectories.truth(world, {str(subject): Brain(world, subject) for subject in SUBJECTS})
    half = {run: one["half_rise"] for run, one in told.items()}
    assert {run.removeprefix("planted-"): one["lag"] for run, one in told.items()} == LAGS | {
        "flat": None,
        "averaged": None,
    }
    found = {name: half[f"planted-{name}"]["performance"] - half[f"planted-{name}"]["likeness"] for name in LAGS}
    assert found["leads"] - found["together"] == pytest.approx(2, abs=0.5)
    assert found["together"] - found["follows"] == pytest.approx(2, abs=0.5)
    assert 0 <= found["together"] <= 1
    assert half["planted-flat"]["likeness"] is None
    for name in LAGS:
        assert half[f"planted-{name}"]["likeness"] == pytest.approx(
            trajectories.half_rise(X, likeness()[name]), abs=0.5
        )


def test_a_flat_run_has_no_onset():
    flat, rising = likeness()["flat"], likeness()["together"]
    assert np.ptp(flat) < 1e-9
    assert np.ptp(rising) > 0.1


def test_performance_is_in_the_layout_of_pythias_evaluations(tmp_path):
    trajectories.write(tmp_path, made("planted"))
    folder = tmp_path / "pocket/evaluations/pythia-v1"
    assert len(list(folder.glob("*/zero-shot/*.json"))) == 27 * len(CASES)
    read = json.loads((folder / "pythia-leads/zero-shot/leads_step3000.json").read_text())
    assert set(read) == {"results", "versions", "config"}
    task = read["results"]["lambada_openai"]
    assert task["acc"] == BY_NAME["leads"].accuracy(3000)
    assert task["acc_stderr"] == pytest.approx(np.sqrt(task["acc"] * (1 - task["acc"]) / 5152))
    other = json.loads((folder / "pythia-averaged/zero-shot/averaged_step0.json").read_text())
    assert (read["config"]["weights"], other["config"]["weights"]) == ("raw", "ema")


def test_the_reader_of_pythias_evaluations_reads_them_and_whose_weights_they_are_of(tmp_path):
    trajectories.write(tmp_path, made("planted"))
    read = curves.pythia(tmp_path / trajectories.FOLDER)
    assert read.groupby("run")["weights"].unique().map(list).to_dict() == {
        f"EleutherAI/pythia-{case.name}": [case.evaluated] for case in CASES
    }
    leads = read[read["run"] == "EleutherAI/pythia-leads"].sort_values("step")
    assert tuple(leads["step"]) == STEPS
    assert leads["value"].tolist() == [BY_NAME["leads"].accuracy(step) for step in STEPS]


def test_the_average_of_weights_lags_in_performance_alone():
    case = BY_NAME["averaged"]
    assert [case.quality(step) for step in STEPS] == [BY_NAME["together"].quality(step) for step in STEPS]
    assert case.accuracy(1000) < BY_NAME["together"].accuracy(1000) / 3


@pytest.mark.parametrize("truth", ["null", "width"])
def test_other_worlds_have_none(truth, tmp_path):
    world = made(truth)
    assert list(trajectories.models(world)) == []
    assert trajectories.truth(world, {}) == {}
    trajectories.write(tmp_path, world)
    assert list(tmp_path.iterdir()) == []


def test_the_half_rise_is_interpolated():
    assert trajectories.half_rise(np.array([0.0, 1, 2, 3]), np.array([0.0, 0, 4, 4])) == 1.5
