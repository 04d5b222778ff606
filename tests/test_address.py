import pytest

from homoplasy import address
from homoplasy.errors import BadRequest


def test_only_the_first_colon_divides():
    assert address.parse("checkpoint:run:step-4") == address.Address("checkpoint", "run:step-4")
    assert str(address.parse("timm:resnet18")) == "timm:resnet18"


@pytest.mark.parametrize("text", ["resnet50", ":x", "timm:", ""])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(BadRequest, match="expected an address"):
        address.parse(text)


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(BadRequest, match="no source 'tim' in models; .*Nearest: 'timm'"):
        address.load("tim", "models")


@pytest.mark.parametrize("word", ["_torchvision", "os", "../secrets"])
def test_a_private_or_foreign_module_is_never_loaded(word):
    with pytest.raises(BadRequest):
        address.load(word, "models")
