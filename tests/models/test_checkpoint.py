"""A step of a run, read back from its configuration and weights."""

import numpy as np
import pytest
import torch

from homoplasy.errors import BadData, BadRequest
from homoplasy.models import _prompts, _trained_language, _trained_vision, checkpoint

VISION = {
    "kind": "vision", "task": "glyphs", "architecture": "test_resnet", "options": {}, "size": 48, "targets": 3,
    "levels": 4, "seed": 1, "seen": 64,
}  # fmt: skip
NEOX = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def language(stimuli):
    words = _trained_language.words([*stimuli.captions, "zebra"])
    return {"kind": "language", "architecture": "gpt_neox", "options": NEOX, "words": words, "seed": 1, "seen": 512}


def weights_of(network):
    return {name: values.numpy() for name, values in network.state_dict().items()}


def test_the_layers_of_a_vision_run_are_the_blocks_of_its_trunk_with_its_weights(load, stimuli):
    network = checkpoint.build(VISION)
    with torch.no_grad():
        network.trunk.conv1[0].weight.mul_(2)  # not what its seed would give
    stored = VISION, weights_of(network)
    model = load("checkpoint:resnet/step-000064", stored=lambda rest: stored)
    layers, facts = model.represent()
    assert [one.n_units for one in layers] == [32, 48, 192, 96]
    assert (facts["run"], facts["step"], facts["weights"]) == ("resnet", 64, "raw")
    assert (facts["seen"], facts["family"], model.modality) == (64, "resnet", "vision")
    taken = []
    network.eval().trunk.layer4.register_forward_hook(lambda _m, _g, out: taken.append(out.mean((2, 3))))
    with torch.no_grad():
        network(_trained_vision.prepare(stimuli.pictures(stimuli.ids)))
    np.testing.assert_allclose(layers[-1].values, taken[0].numpy(), atol=1e-5)


def test_the_layers_of_a_language_run_are_the_blocks_of_its_model_with_its_weights(load, stimuli):
    config = language(stimuli)
    network = checkpoint.build(config)
    with torch.no_grad():
        network.gpt_neox.embed_in.weight.mul_(2)  # not what its seed would give
    stored = config, weights_of(network)
    model = load("checkpoint:neox/step-000008-ema", stored=lambda rest: stored)
    layers, facts = model.represent()
    assert [one.n_units for one in layers] == [16, 16]
    assert (facts["run"], facts["step"], facts["weights"]) == ("neox", 8, "ema")
    assert (facts["seen"], facts["family"], model.modality) == (512, "gpt_neox", "language")
    tokenizer = _trained_language.tokenizer(config)
    prompt = _prompts.encode(tokenizer, [stimuli.captions[0]], "chat")[0]
    assert tokenizer.unk_token_id not in prompt.tokens
    with torch.no_grad():
        states = network.eval()(torch.tensor([prompt.tokens]), output_hidden_states=True).hidden_states
    np.testing.assert_allclose(layers[0].values[0], states[1][0, -1].numpy(), atol=1e-5)


def test_its_identity_is_its_weights_and_what_builds_their_network(load):
    first, other = weights_of(checkpoint.build(VISION)), weights_of(checkpoint.build(VISION | {"seed": 2}))
    stored = [(VISION, first), (VISION | {"history": [1]}, dict(reversed(first.items()))), (VISION, other)]
    stored.append((VISION | {"options": {"act_layer": "gelu"}}, first))
    found = [load("checkpoint:resnet/step-000001", stored=lambda rest, one=one: one).identity for one in stored]
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert found[0] != found[3]


def test_where_a_glyph_stands_is_not_pooled_away():
    network = checkpoint.build(VISION)
    assert network.head.in_features == 96 * 2 * 2
    assert network(torch.zeros(2, 3, 48, 48)).shape == (2, 3, 4)


def test_a_network_of_photographs_has_the_head_of_timm():
    network = checkpoint.build(VISION | {"task": "classes", "targets": 1, "levels": 7})
    assert network.trunk.num_classes == 7
    assert network(torch.zeros(2, 3, 48, 48)).shape == (2, 1, 7)


def test_a_picture_is_cut_square_from_its_middle_and_resized():
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16, 0] = 200
    found = _trained_vision.square([wide, wide.transpose(1, 0, 2)], 4)
    assert found.shape == (2, 4, 4, 3)
    assert (found == (200, 0, 0)).all()
    np.testing.assert_array_equal(_trained_vision.square(found, 4), found)


def test_stimuli_of_another_size_are_shown_as_the_run_saw_its_own(load):
    stored = VISION | {"size": 32}, weights_of(checkpoint.build(VISION | {"size": 32}))
    layers, _ = load("checkpoint:resnet/step-000001", stored=lambda rest: stored).represent()
    assert layers[0].facts["shape"][-1] == 8  # 48 pixels would give 12


def test_the_pictures_are_given_in_minus_one_to_one():
    prepared = _trained_vision.prepare(np.array([[[[0, 255, 51]]]], dtype=np.uint8))
    torch.testing.assert_close(prepared, torch.tensor([-1.0, 1.0, -0.6]).reshape(1, 3, 1, 1))


def test_faults_are_one_sentence(load):
    for name in ("resnet", "resnet/step-", "resnet/step-000064-average"):
        with pytest.raises(BadRequest, match="expected 'checkpoint:run/step-000064' or"):
            load(f"checkpoint:{name}")
    with pytest.raises(BadRequest, match="no folder of runs"):
        _ = load("checkpoint:resnet/step-000001").identity
    with pytest.raises(BadRequest, match="no network 'test_resne' to train. Nearest: 'test_resnet'"):
        checkpoint.build(VISION | {"architecture": "test_resne"})
    stored = VISION | {"targets": 5}, weights_of(checkpoint.build(VISION))
    with pytest.raises(BadData, match="do not fit its configuration"):
        load("checkpoint:resnet/step-000001", stored=lambda rest: stored).represent()
