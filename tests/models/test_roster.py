"""Rosters: what is in ours, and every refusal."""

import pytest

from homoplasy.errors import BadRequest
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
        ([{"modle": "timm:resnet18"}], "line 1: expected one of model, planted, checkpoints, found 'modle'. Nearest"),
        ([{"model": 3}], "expected one of model"),
        ([{"model": "timm"}], "expected an address"),
        ([{"model": "tim:resnet18"}], "no source 'tim' in models.* Nearest: 'timm'"),
        (
            [{"model": "timm:resnet18", "sise": 48}],
            "unknown key 'sise'; it takes model, family, size.* Nearest: 'size'",
        ),
        ([{"model": "timm:resnet18", "size": "big"}], "'size' is 'big'"),
        ([{"model": "timm:resnet18", "size": 0}], "'size' is 0"),
        ([{"model": "timm:resnet18"}] * 2, "'timm:resnet18' is listed more than once"),
        ([{"planted": "some"}], "expected 'planted: all' alone in its line"),
        ([{"checkpoints": "all", "size": 3}], "expected 'checkpoints: all' alone"),
        ([{"model": "transformers:a/b", "trust_remote_code": True}], "unknown key 'trust_remote_code'"),
    ],
)
def test_a_fault_is_one_sentence(lines, words):
    with pytest.raises(BadRequest, match=words):
        _roster.parse(lines, "rosters/x.yaml")


def test_a_roster_that_is_not_there_or_not_yaml(tmp_path):
    (tmp_path / "pocket.yaml").write_text("- model: [")
    with pytest.raises(BadRequest, match="no roster 'poket'; there are pocket. Nearest: 'pocket'"):
        _roster.read(tmp_path, "poket")
    with pytest.raises(BadRequest, match=r"rosters/pocket.yaml is not valid YAML at line 1"):
        _roster.read(tmp_path, "pocket")


def test_yaml_that_would_run_code_is_refused(tmp_path):
    (tmp_path / "bad.yaml").write_text("- !!python/object/apply:os.system ['touch owned']")
    with pytest.raises(BadRequest, match="is not valid YAML"):
        _roster.read(tmp_path, "bad")
