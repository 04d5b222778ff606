"""A step of a run, read back from its configuration and weights."""

import numpy as np
import pytest
import torch

from homoplasy.errors import BadData, BadRequest
from homoplasy.models import checkpoint

CONFIG = {"architecture": "test_resnet", "size": 48, "glyphs": 3, "levels": 4, "seed": 1}


def weights_of(network):
    return {name: values.numpy() for name, values in network.state_dict().items()}


def test_its_layers_are_the_blocks_of_its_trunk_with_its_weights(load, stimuli):
    network = checkpoint.build(CONFIG)
    with torch.no_grad():
        network.trunk.conv1[0].weight.mul_(2)  # not what its seed would give
    stored = CONFIG, weights_of(network)
    layers, facts = load("checkpoint:glyphs/step-000064", stored=lambda rest: stored).represent()
    assert [one.n_units for one in layers] == [32, 48, 192, 96]
    assert (facts["run"], facts["step"], facts["family"]) == ("glyphs", 64, "resnet")
    taken = []
    network.eval().trunk.layer4.register_forward_hook(lambda _m, _g, out: taken.append(out.mean((2, 3))))
    with torch.no_grad():
        network(checkpoint.prepare(stimuli.pictures(stimuli.ids)))
    np.testing.assert_allclose(layers[-1].values, taken[0].numpy(), atol=1e-5)


def test_its_identity_is_its_weights(load):
    first, other = weights_of(checkpoint.build(CONFIG)), weights_of(checkpoint.build(CONFIG | {"seed": 2}))
    found = [
        load("checkpoint:glyphs/step-000001", stored=lambda rest, one=one: (CONFIG, one)).identity
        for one in (first, dict(reversed(first.items())), other)
    ]
    assert found[0] == found[1] != found[2]


def test_where_a_glyph_stands_is_not_pooled_away():
    network = checkpoint.build(CONFIG)
    assert network.head.in_features == 96 * 2 * 2
    assert network(torch.zeros(2, 3, 48, 48)).shape == (2, 3, 4)


def test_the_pictures_are_given_in_minus_one_to_one():
    prepared = checkpoint.prepare(np.array([[[[0, 255, 51]]]], dtype=np.uint8))
    torch.testing.assert_close(prepared, torch.tensor([-1.0, 1.0, -0.6]).reshape(1, 3, 1, 1))


def test_faults_are_one_sentence(load):
    with pytest.raises(BadRequest, match="expected 'checkpoint:run/step-000064'"):
        load("checkpoint:glyphs")
    with pytest.raises(BadRequest, match="no folder of runs"):
        _ = load("checkpoint:glyphs/step-000001").identity
    with pytest.raises(BadRequest, match="no network 'test_resne' to train. Nearest: 'test_resnet'"):
        checkpoint.build(CONFIG | {"architecture": "test_resne"})
    stored = CONFIG | {"glyphs": 5}, weights_of(checkpoint.build(CONFIG))
    with pytest.raises(BadData, match="do not fit its configuration"):
        load("checkpoint:glyphs/step-000001", stored=lambda rest: stored).represent()
