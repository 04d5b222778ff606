"""What a model is made of, from its address alone; and the command that tells it."""

import json

import pytest
from typer.testing import CliRunner

from homoplasy.command import app
from homoplasy.errors import BadRequest
from homoplasy.models._survey import layers_of

WIDTHS = [64, 64, 128, 128, 256, 256, 512, 512]


def test_the_layers_of_an_address_are_told_without_weights():
    found = layers_of("timm:resnet18.a1_in1k")
    assert list(found.widths.values()) == WIDTHS
    assert found.parameters == 11_689_512
    with pytest.raises(BadRequest, match="'words:bag' shows its layers only when it reads stimuli"):
        layers_of("words:bag")


def test_the_command_lists_them():
    shown = CliRunner().invoke(app, ["models", "timm:resnet18"])
    first, head, *layers = shown.output.splitlines()
    assert first == "timm:resnet18: 8 layers, 11.69 million parameters (vision)"
    assert head.split() == ["layer", "depth", "units"]
    assert layers[0].split() == ["layer1.0", "0.125", "64"]
    assert layers[-1].split() == ["layer4.1", "1.000", "512"]


def test_the_command_speaks_to_scripts():
    shown = CliRunner().invoke(app, ["models", "timm:resnet18", "--json"])
    about = json.loads(shown.output)
    assert [one["units"] for one in about["layers"]] == WIDTHS
    assert about["layers"][-1]["depth"] == 1


def test_an_address_that_is_none_is_one_sentence():
    shown = CliRunner().invoke(app, ["models", "timm:resnet81"])
    assert isinstance(shown.exception, BadRequest)
    assert "timm has no network 'resnet81'" in str(shown.exception)
