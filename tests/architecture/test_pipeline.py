"""The pipeline file and the code say the same: words, sections, paths, closures."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from homoplasy.stages._settings import CHOICES, SECTIONS
from tests.architecture import closure

ROOT = closure.ROOT
PIPELINE = {
    name: body for path in closure.PIPELINES for name, body in yaml.safe_load(path.read_text())["stages"].items()
}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
CONF = sorted((ROOT / "conf").glob("*/*.yaml"))
NO_STAGE = {"pocket"}  # a section of the world itself


def test_a_stage_is_one_word_everywhere():
    stages = {path.stem for path in (ROOT / "src/homoplasy/stages").glob("*.py") if not path.stem.startswith("_")}
    assert set(PIPELINE) == stages == set(SECTIONS) - NO_STAGE
    assert set(PARAMS) == {*CHOICES, *SECTIONS}


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_runs_its_own_module_and_records_its_settings(stage):
    body = PIPELINE[stage]
    assert body["cmd"].startswith(f"python -m homoplasy.stages.{stage} ")
    assert f"--record settings/{stage}.yaml" in body["cmd"]
    outs = dict(next(iter(out.items())) if isinstance(out, dict) else (out, {}) for out in body["outs"])
    assert f"settings/{stage}.yaml" in outs
    # DVC keeps no run-cache of a stage that has an uncached output which is not a metric. Certificates are uncached, so
    # that a checkout never asks for them; the worlds they count are in the store.
    assert stage == "certify" or not [name for name, options in outs.items() if options.get("cache") is False]


@pytest.mark.parametrize("stage", PIPELINE)
def test_the_code_a_stage_depends_on_is_its_import_closure(stage):
    named = [path for path in PIPELINE[stage]["deps"] if path.startswith("src/")]
    assert named == closure.code(stage), f"run `make deps`: dvc.yaml does not name the closure of {stage}"


@pytest.mark.parametrize("path", CONF, ids=lambda path: path.stem)
def test_every_conf_file_has_every_section_of_a_stage(path):
    sections = yaml.safe_load(path.read_text())
    assert set(sections) == set(SECTIONS) - NO_STAGE


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_depends_on_the_conf_files_that_speak_of_it(stage):
    watched = {name for entry in PIPELINE[stage]["params"] if isinstance(entry, dict) for name in entry}
    speaking = {
        kind
        for kind in CHOICES
        for path in (ROOT / "conf" / f"{kind}s").glob("*.yaml")
        if yaml.safe_load(path.read_text())[stage]
    }
    expected = {f"conf/{kind}s/${{{kind}}}.yaml" for kind in speaking}
    assert watched >= expected, "a change of that conf file would not run the stage"
    assert watched <= expected | {"conf/worlds/${world}.yaml"}, "a switch of preset would run the stage for nothing"


def test_presets_have_the_same_keys():
    presets = [yaml.safe_load(path.read_text()) for path in CONF if path.parent.name == "presets"]
    for preset in presets[1:]:
        for section, values in preset.items():
            assert set(values) == set(presets[0][section]), section


def test_every_knob_of_a_preset_stands_in_params_by_name():
    preset = yaml.safe_load((ROOT / "conf/presets/calibrated.yaml").read_text())
    for section, values in preset.items():
        assert set(values) <= set(PARAMS[section] or {}), section


def test_no_analysis_stage_reads_the_planted_truth():
    for path in (ROOT / "src/homoplasy").rglob("*.py"):
        if path.is_relative_to(ROOT / "src/homoplasy/datasets/pocket"):
            continue
        words = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        hits = [word for word in words if isinstance(word, str) and re.search(r"truth\.(json|npz)", word)]
        assert not hits, path


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_is_short(stage):
    path = ROOT / f"src/homoplasy/stages/{stage}.py"
    assert len(path.read_text().splitlines()) <= 80


def test_nothing_unpickles_or_runs_what_it_reads():
    source = {path: path.read_text() for path in (ROOT / "src").rglob("*.py")}
    for path, text in source.items():
        for call in re.findall(r"torch\.load\([^)]*\)", text):
            assert "weights_only=True" in call, path
        for call in re.findall(r"np\.load\([^)]*\)", text):
            assert "allow_pickle=False" in call, path
        assert "yaml.load(" not in text, path
        assert "allow_pickle=True" not in text, path


def test_no_data_file_is_tracked_that_belongs_to_dvc():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    outs = {next(iter(out)) if isinstance(out, dict) else out for body in PIPELINE.values() for out in body["outs"]}
    for out in outs:
        assert any(Path("/" + out).is_relative_to(line) for line in ignored if line.startswith("/")), out
