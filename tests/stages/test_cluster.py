"""Job arrays for a roster: shares, memory and time from the models' sizes, held against what local.yaml says."""

import pytest
import torch
import yaml

from homoplasy.errors import BadRequest
from homoplasy.measures import CKA
from homoplasy.models import _effort, _roster
from homoplasy.models._effort import Effort
from homoplasy.scoring import cost
from homoplasy.scoring.request import Means
from homoplasy.stages import _cluster, _jobs, _place, _unread
from homoplasy.stages._cluster import Speeds, Study
from homoplasy.stages._pairs import Choice

CHOICE = Choice("own", "pooled", [CKA(sigma_relative=(1.0,))], "float32")
SPEEDS = Speeds(1e9, cost.NOMINAL, Means(torch.device("cpu"), 10**9, "float32", 1))


def study(*flops, modality="language", weights=1e9):
    models = {f"m{place}": Effort(modality, one, weights, (100, 100)) for place, one in enumerate(flops)}
    return Study("made", models, [], 1000, [(900, (50,) * 4)], CHOICE, 5e8)


def test_a_line_of_a_roster_tells_its_effort():
    line = {"model": "transformers:owner/name", "width": 64, "depth": 3, "parameters": 70.0}
    found = _effort.effort(_roster.entry(line, "a line"))
    assert found == Effort("language", 2 * 70e6 * 48, 140e6, (64, 64, 64))


@pytest.mark.parametrize(("name", "side"), [("resnet50.a1_in1k", 224), ("vit_base_patch16_384.augreg_in1k", 384)])
def test_a_vision_network_works_more_on_larger_pictures(name, side):
    line = {"model": f"timm:{name}", "width": 8, "depth": 2, "parameters": 10.0}
    found = _effort.effort(_roster.entry(line, "a line"))
    assert found.flops == pytest.approx(2 * 10e6 * 170 * (side / 224) ** 2)
    assert _effort.effort(_roster.entry(line | {"size": 112}, "a line")).flops == pytest.approx(2 * 10e6 * 170 / 4)


def test_where_a_line_says_nothing_the_network_does():
    found = _effort.effort(_roster.entry({"model": "timm:test_resnet.random-1", "size": 48}, "a line"))
    assert (len(found.units), found.modality) == (4, "vision")
    assert found.weights == pytest.approx(4 * 0.47e6, rel=0.1)
    assert _effort.effort(_roster.entry({"model": "pixels:cosine"}, "a line")) is None


def test_a_trial_tells_operations_a_second():
    assert 1e8 < _effort.trial("cpu") < 1e14


def test_every_model_is_in_one_share_of_each_stage():
    made = study(*[1e9] * 7)
    reading, scoring = _cluster.arrays_of(made, SPEEDS, 3)
    assert reading.seconds == [3000.0, 2000.0, 2000.0]  # three, two and two models of a thousand seconds
    assert len(scoring.seconds) == 3
    whole = _cluster.arrays_of(made, SPEEDS, 1)[1].seconds[0]
    assert sum(scoring.seconds) > whole > max(scoring.seconds)  # each share goes over the regions anew


def test_the_fewest_tasks_that_end_in_time():
    made = study(*[1e9] * 7)
    assert _cluster.fewest(made, SPEEDS, 1.0) == 3  # 3,600 seconds are three models of a thousand
    assert _cluster.fewest(made, SPEEDS, 2000 / 3600) == 4
    assert _cluster.fewest(made, SPEEDS, 10.0) == 1


def test_a_model_that_takes_longer_alone_does_not_ask_for_a_task_a_model():
    assert _cluster.fewest(study(1e12, *[1e9] * 99), SPEEDS, 1.0) < 10


def test_memory_is_that_of_libraries_weights_features_and_pictures():
    features = 2 * 4 * 1000 * 200
    seen = study(1e9, modality="vision")
    assert _cluster.memory(seen, seen.models["m0"]) == 2e9 + 1e9 + features + 5e8
    said = study(1e9)
    assert _cluster.memory(said, said.models["m0"]) == 2e9 + 1e9 + features


@pytest.fixture
def checkout(choices, monkeypatch):
    """A checkout of the world nsd with two models of known size, before anything is fetched."""
    for name in ("DVC_ROOT", "HOMOPLASY_EXECUTOR", "HOMOPLASY_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    choices.write_text(choices.read_text().replace("world: pocket", "world: nsd"))
    (choices.parent / "rosters").mkdir()
    lines = "- {model: transformers:a/b, width: 64, depth: 3, parameters: 7000}\n- {model: pixels:cosine}\n"
    (choices.parent / "rosters" / "starter.yaml").write_text(lines)
    monkeypatch.setattr(_effort, "trial", lambda device: 1e12)
    monkeypatch.setattr(cost, "trial", lambda means: cost.NOMINAL)
    return choices.parent


def test_a_plan_before_anything_is_fetched_stands_on_what_nsd_promises(checkout):
    found = _jobs.facts(checkout, None, 4.0, 20)
    assert (found["models"], found["unknown"], found["stimuli"], found["subjects"]) == (1, ["pixels:cosine"], 37_000, 4)
    reading, scoring = found["stages"]
    assert reading["hours_all"] == pytest.approx(2 * 7e9 * 48 * 37_000 / 1e12 / 3600)
    assert reading["memory_gb"] == 21  # 1.25 x (2 GB + 14 GB of weights + features)
    assert scoring["stage"] == "cka"
    text = _jobs.text(found)
    assert "extract  1 tasks of up to " in text
    assert "not counted, since their sizes are not known here: 1 models" in text
    assert "train    1 tasks; how long in all: not known before it has run here" not in text  # nsd trains nothing
    assert "audit    1 tasks; how long in all: not known before it has run here" in text


def written(text):
    """What a person copies out of the plan."""
    return "".join(f"{line[2:]}\n" for line in text.partition("In local.yaml:\n")[2].splitlines())


@pytest.mark.parametrize("gpu", [False, True])
def test_what_the_plan_prints_is_what_every_stage_and_submitit_take(checkout, monkeypatch, gpu):
    submitit = pytest.importorskip("submitit", reason="submitit is not installed: pip install 'homoplasy[slurm]'")
    lines = [f"- {{model: transformers:a/b{i}, width: 64, depth: 3, parameters: 7000}}\n" for i in range(9)]
    (checkout / "rosters" / "starter.yaml").write_text("".join(lines))
    if gpu:
        monkeypatch.setattr(_jobs, "device", lambda: "cuda")
        monkeypatch.setenv("HOMOPLASY_DEVICE", "cuda")
        monkeypatch.setattr(_cluster, "device", lambda: "cpu")
    (checkout / "local.yaml").write_text(written(_jobs.text(_jobs.facts(checkout, None, 10.0, 20))))
    places = {stage: _place.read(checkout / "params.yaml", stage) for stage in _place.SPREAD}
    assert {place.kind for place in places.values()} == {"slurm"}
    worlds = yaml.safe_load((checkout / "params.yaml").read_text())["certify"]["seeds"]
    assert {stage: place.shards for stage, place in places.items()} == dict.fromkeys(places, 9) | {
        "certify": min(9, worlds)
    }
    asking = {stage for stage, place in places.items() if place.options.get("gpus_per_node")}
    assert asking == ({"extract", "cka", "audit"} if gpu else set())
    assert [place.options.get("slurm_setup") for place in places.values()].count(
        ["export HOMOPLASY_DEVICE=cuda"]
    ) == 2 * gpu
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda cls: 1))  # as where there is a SLURM
    for stage, place in places.items():
        executor = submitit.AutoExecutor(checkout / "logs", cluster="slurm")
        executor.update_parameters(slurm_array_parallelism=place.at_once, **place.options)
        sheet = executor._executor._make_submission_file_text("true", "1")
        assert ("#SBATCH --gpus-per-node=1" in sheet) == (stage in asking)
        assert "#SBATCH --mem=21GB" in sheet
    assert _jobs.facts(checkout, None, 10.0, 20)["lacks"] == []


def test_what_local_yaml_says_is_planned_and_what_it_lacks_is_said(checkout):
    options = "{mem_gb: 8, timeout_min: 10}"
    (checkout / "local.yaml").write_text(f"execution: {{executor: slurm, shards: 3, options: {options}}}")
    found = _jobs.facts(checkout, None, 4.0, 20)
    assert [one["tasks"] for one in found["stages"]] == [3, 3]
    assert found["lacks"][0] == "local.yaml allows mem_gb 8, and a task of extract takes about 21"
    assert found["lacks"][1].startswith("local.yaml allows timeout_min 10, and a task of extract takes about ")
    assert found["lacks"][0] in _jobs.text(found)


def test_a_roster_without_sizes_and_a_world_without_data_are_one_sentence(checkout):
    (checkout / "rosters" / "odd.yaml").write_text("- model: pixels:cosine\n")
    with pytest.raises(BadRequest, match="'odd' names no model whose size is known"):
        _jobs.facts(checkout, "odd", 4.0, 20)
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("world: nsd", "world: pocket"))
    with pytest.raises(BadRequest, match="there are no patterns under data/brain yet"):
        _jobs.facts(checkout, "starter", 4.0, 20)


def test_models_that_have_features_are_not_read_again(checkout):
    assert _unread.facts(checkout)["models"] == 2
    at = checkout / "data" / "features" / "transformers" / "a--b.safetensors"
    at.parent.mkdir(parents=True)
    at.touch()
    found = _unread.facts(checkout)
    assert found == {"models": 1, "unknown": 1, "seconds": 0.0}
    said = "extract  1 models to read, about 0 s by their sizes, 1 of unknown size not counted."
    assert _unread.text(found) == said
    assert "nothing to read" in _unread.text({"models": 0})
