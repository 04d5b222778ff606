"""The rosters of the repository: every name exists, every fact is that of the model, and the rules gave their lines."""

import csv

import pytest
import yaml

from homoplasy.models import _roster
from homoplasy.models._contract import Reading
from homoplasy.models._survey import layers_of
from tests.conftest import ROOT
from tests.models import stratify

ROSTERS = ROOT / "rosters"
LANGUAGE = {"language36": 36, "language_open": 20, "language_tiny": 6, "language_base": 31, "starter": 3}
TYPES = {  # of transformers, by family; several where a family has several
    "qwen": ("qwen2",),
    "llama": ("llama",),
    "gemma": ("gemma", "gemma2"),
    "mistral": ("mistral",),
    "phi": ("phi3",),
    "pythia": ("gpt_neox",),
    "gpt2": ("gpt2",),
    "smollm": ("llama",),
    "olmo": ("olmo2",),
    "yi": ("llama",),
}


def names():
    return sorted(path.stem for path in ROSTERS.glob("*.yaml"))


def entries(name):
    return _roster.read(ROSTERS, name).entries


@pytest.mark.parametrize("name", names())
def test_every_roster_is_read_and_every_model_of_it_is_known(name, stimuli):
    from homoplasy.models.timm import get_pretrained_cfg

    reading = Reading("patch_mean", "last", 1, code_allowed=frozenset({"internlm/internlm2_5-20b-chat"}))
    without = set()
    for one in entries(name):
        one.load(stimuli, reading)
        if one.address.source == "timm" and ".random-" not in one.address.rest:
            config = get_pretrained_cfg(one.address.rest)  # of exactly these weights, or None
            assert config is not None, one.address
            if config.hf_hub_id != f"timm/{one.address.rest}":
                without.add(one.facts.family)
    assert without <= {"gcvit"}  # as the head of vision594 says


def test_the_rosters_together_are_small_and_hold_one_model_a_line():
    paths = sorted(ROSTERS.glob("*.yaml"))
    assert sum(path.stat().st_size for path in paths) < 200_000
    for path in paths:
        lines = yaml.safe_load(path.read_text(encoding="utf-8"))
        flat = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
        assert len(flat) == len(lines)


@pytest.mark.parametrize(("name", "count"), LANGUAGE.items())
def test_every_language_model_has_its_facts_and_a_type_that_transformers_knows(name, count):
    from transformers import CONFIG_MAPPING

    found = [one for one in entries(name) if one.address.source == "transformers"]
    assert len(found) == count
    for one in found:
        facts = one.facts
        assert facts.family
        assert facts.architecture == "Transformer"
        assert None not in (facts.width, facts.depth, facts.parameters)
        if facts.family == "internlm":
            assert one.options.remote_code
            assert "internlm2" not in CONFIG_MAPPING
        else:
            assert all(kind in CONFIG_MAPPING for kind in TYPES[facts.family])
        gated = one.address.rest.split("/")[0] in {"meta-llama", "google", "mistralai"}
        assert one.options.gated == gated
        assert one.options.template == ("plain" if name == "language_base" else "chat")


def test_the_36_are_those_of_the_published_table():
    with (ROOT / "data" / "published" / "language.csv").open(encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    found = {str(one.address): one.facts for one in entries("language36")}
    assert found.keys() == rows.keys()
    for name, facts in found.items():
        row = rows[name]
        assert (facts.family, facts.width) == (row["family"], int(row["hidden_size"]))
        assert facts.parameters == pytest.approx(float(row["parameters"]) / 1e6, rel=0.01)
    assert sum(facts.depth + 1 for facts in found.values()) == 1368  # hidden states, embeddings included


def test_the_smaller_rosters_repeat_lines_of_the_36():
    lines = {str(one.address): one for one in entries("language36")}
    open_ones = entries("language_open")
    assert all(lines[str(one.address)] == one for one in (*open_ones, *entries("language_tiny")))
    assert len(open_ones) == sum(not one.options.gated for one in lines.values())
    assert all(one.facts.parameters < 2000 for one in entries("language_tiny"))


def test_pythia_is_read_where_it_was_evaluated(reference):
    from homoplasy.datasets.performance import curves

    found = entries("pythia")
    steps = set(curves.pythia(reference / "pythia")["step"])
    assert {int(one.address.rest.partition("@step")[2]) for one in found} == steps
    assert len(found) == 6 * 27
    assert {one.options.template for one in found} == {"plain"}


def test_the_roster_of_the_study_is_its_parts_and_the_better_one_holds_what_it_lacked():
    assert len(entries("study")) == 36 + 594 + 6 * 27
    better = entries("better")
    read = {one.facts.family for one in entries("vision594")}
    assert {"resnet", "regnet", "swin_transformer"} <= {one.facts.family for one in better} - read
    assert any("resnext" in one.address.rest for one in better)
    assert any("clip" in one.address.rest for one in better)
    assert any("dinov2" in one.address.rest for one in better)
    classes = {one.facts.architecture for one in entries("vision_balanced")}
    assert classes == {"CNN", "Transformer", "Hybrid", "MLP", "Recurrent"}


def test_the_594_are_written_by_their_rule():
    assert (ROSTERS / "vision594.yaml").read_text(encoding="utf-8") == stratify.text(
        stratify.STUDY_HEAD, stratify.study()
    )


def test_the_balanced_roster_is_written_by_its_rule_and_has_the_sizes_of_timms_table(reference):
    tested = stratify.tested(reference / "timm" / "results-imagenet.csv")
    written = (ROSTERS / "vision_balanced.yaml").read_text(encoding="utf-8")
    assert written == stratify.text(stratify.BALANCED_HEAD, stratify.balanced(tested))
    sizes = {one.name: float(one.parameters) for one in tested}
    for one in entries("vision594"):
        size = sizes.get(one.address.rest, one.facts.parameters)  # those without safetensors are not among the tested
        assert one.facts.parameters == pytest.approx(size, rel=0.01), one.address


def test_the_layers_of_a_sample_are_those_that_building_shows():
    known = stratify.layers()
    assert len(known) > 800
    for name in sorted(known)[7::110]:
        widths = list(layers_of(f"timm:{name}").widths.values())
        assert known[name] == (widths[-1], len(widths)), name
