"""Rosters: what is in ours, and every refusal."""

import pytest

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _roster
from homoplasy.models._contract import Reading
from tests.conftest import ROOT

ROSTERS = ROOT / "rosters"


def test_the_rosters_of_the_repository_are_sound():
    names = {path.stem for path in ROSTERS.glob("*.yaml")}
    assert names >= {"none", "pocket", "starter"}
    assert _roster.read(ROSTERS, "none") == _roster.Roster((), planted=False, checkpoints=False)
    pocket = _roster.read(ROSTERS, "pocket")
    assert pocket.planted
    assert pocket.checkpoints
    assert len({str(one.address) for one in pocket.entries}) == len(pocket.entries)


def test_the_starter_names_weights_that_timm_knows(stimuli):
    from homoplasy.models.timm import get_pretrained_cfg

    roster = _roster.read(ROSTERS, "starter")
    for one in roster.entries:
        one.load(stimuli, Reading("patch_mean", "last", 1))
        if one.address.source == "timm":
            assert get_pretrained_cfg(one.address.rest).hf_hub_id == f"timm/{one.address.rest}"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"model": "timm:resnet18"}, "expected a list of lines"),
        (["timm:resnet18"], "expected a list of lines"),
        (
            [{"modle": "timm:resnet18"}],
            "line 1: expected one of model, include, planted, checkpoints, found 'modle'. Nearest",
        ),
        ([{"model": 3}], "expected one of model"),
        ([{"model": "timm"}], "expected an address"),
        ([{"model": "tim:resnet18"}], "no source 'tim' in models.* Nearest: 'timm'"),
        (
            [{"model": "timm:resnet18", "sise": 48}],
            "unknown key 'sise'; it takes model, size, revision, family.* Nearest: 'size'",
        ),
        ([{"model": "timm:resnet18", "size": "big"}], "'size' is 'big'"),
        ([{"model": "timm:resnet18", "size": 0}], "'size' is 0"),
        ([{"model": "timm:resnet18"}] * 2, "'timm:resnet18' is listed more than once"),
        ([{"model": "timm:resnet18", "width": 0}], "'width' is 0"),
        ([{"model": "timm:resnet18", "architecture": "cnn"}], "'architecture' is 'cnn' .*'CNN'"),
        ([{"model": "transformers:a/b", "steps": []}], "'steps' is \\[\\]; expected a list of whole numbers"),
        ([{"model": "transformers:a/b", "steps": [1, 1]}], "'transformers:a/b@step1' is listed more than once"),
        ([{"include": "x", "size": 3}], "expected 'include: NAME' of a roster alone in its line"),
        ([{"planted": "some"}], "expected 'planted: all' alone in its line"),
        ([{"checkpoints": "all", "size": 3}], "expected 'checkpoints: all' alone"),
        ([{"model": "transformers:a/b", "trust_remote_code": True}], "unknown key 'trust_remote_code'"),
    ],
)
def test_a_fault_is_one_sentence(lines, words):
    with pytest.raises(BadRequest, match=words):
        _roster.parse(lines, "rosters/x.yaml", lambda name: _roster.Roster((), planted=False, checkpoints=False))


def test_a_roster_that_is_not_there_or_not_yaml(tmp_path):
    (tmp_path / "pocket.yaml").write_text("- model: [")
    with pytest.raises(BadRequest, match="no roster 'poket'; there are pocket. Nearest: 'pocket'"):
        _roster.read(tmp_path, "poket")
    with pytest.raises(BadRequest, match=r"rosters/pocket.yaml is not valid YAML at line \d"):
        _roster.read(tmp_path, "pocket")


def test_yaml_that_would_run_code_is_refused(tmp_path):
    (tmp_path / "bad.yaml").write_text("- !!python/object/apply:os.system ['touch owned']")
    with pytest.raises(BadRequest, match="is not valid YAML"):
        _roster.read(tmp_path, "bad")


def test_a_roster_may_include_others(tmp_path):
    (tmp_path / "a.yaml").write_text("- {model: 'timm:resnet18', family: resnet}\n- planted: all\n")
    (tmp_path / "b.yaml").write_text("- include: a\n- model: timm:resnet34\n")
    (tmp_path / "c.yaml").write_text("- include: a\n- include: b\n- checkpoints: all\n")
    found = _roster.read(tmp_path, "c")
    assert [one.address.rest for one in found.entries] == ["resnet18", "resnet34"]
    assert found.planted
    assert found.checkpoints
    (tmp_path / "d.yaml").write_text("- include: a\n- {model: 'timm:resnet18', family: other}\n")
    with pytest.raises(BadRequest, match="'timm:resnet18' comes with other facts from two places"):
        _roster.read(tmp_path, "d")
    (tmp_path / "a.yaml").write_text("- include: c\n")
    with pytest.raises(BadRequest, match=r"rosters/c.yaml includes itself, by way of c and a"):
        _roster.read(tmp_path, "c")


def test_a_line_of_steps_is_one_model_a_step_and_keeps_its_facts():
    line = {"model": "transformers:a/b", "template": "plain", "family": "x", "steps": [0, 512]}
    found = _roster.parse([line], "x", lambda name: None)
    assert [str(one.address) for one in found.entries] == ["transformers:a/b@step0", "transformers:a/b@step512"]
    assert all(one.options.template == "plain" and one.facts.labels == {"family": "x"} for one in found.entries)


def test_labels_win_in_the_table_of_models_and_sizes_are_held_against_the_model():
    line = {"model": "timm:test_vit.random-1", "family": "mine", "architecture": "Transformer", "parameters": 1.5}
    one = _roster.entry(line, "x")
    assert one.facts.labels == {"family": "mine", "architecture": "Transformer", "parameters": 1.5e6}
    outline = one.outline()
    assert outline.modality == "vision"
    wrong = _roster.entry(line | {"depth": len(outline.widths) + 1}, "x")
    with pytest.raises(WorkFailed, match="has depth .*, its configuration says"):
        wrong.verify(frozenset())
    assert _roster.entry({"model": "words:bag", "width": 3}, "x").outline() is None
    _roster.entry({"model": "words:bag", "width": 3}, "x").verify(frozenset())
