"""Vision networks: the right layers, widths and pooling, independent of the batch."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from homoplasy.address import Address
from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _layouts, _vision
from homoplasy.models import timm as source
from homoplasy.models._contract import Reading
from homoplasy.models._shelf import Shelf

READING = Reading("patch_mean", "last", 4)


def arrays(model):
    layers, facts = model.represent()
    return {one.address: one.values for one in layers}, layers, facts


def test_a_resnet18_has_eight_blocks(load):
    values, layers, facts = arrays(load("timm:resnet18.random-1", {"size": 32}))
    assert [one.shape[1] for one in values.values()] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert list(values)[:3] == ["layer1.0", "layer1.1", "layer2.0"]
    assert [one.facts["depth"] for one in layers] == [(i + 1) / 8 for i in range(8)]
    assert facts["family"] == "resnet"
    assert facts["parameters"] == 11_689_512


def test_a_swin_gives_vectors_as_wide_as_its_channels_never_as_its_maps(load):
    values, layers, _ = arrays(load("timm:swin_tiny_patch4_window7_224.random-1", {"size": 64}))
    assert [one.shape[1] for one in values.values()] == [96] * 2 + [192] * 2 + [384] * 6 + [768] * 2
    assert layers[0].facts["shape"] == [16, 16, 96]


def test_mean_all_does_what_the_released_code_did_to_channels_last_maps(load):
    values, _, _ = arrays(load("timm:test_mambaout.random-1", {"size": 64}, pool="mean_all"))
    assert next(iter(values.values())).shape[1] == 16  # the height of its first map; its channels are 16 there too
    assert values["stages.3.blocks.0"].shape[1] == 2  # a map of 2 x 2 x 64


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_mambaout"])
def test_the_batch_does_not_matter(load, name):
    one, _, _ = arrays(load(f"timm:{name}.random-3", {"size": 48}, batch_size=1))
    many, _, _ = arrays(load(f"timm:{name}.random-3", {"size": 48}, batch_size=16))
    assert max(abs(one[layer] - many[layer]).max() for layer in one) <= 1e-4


@pytest.mark.parametrize("pool", ["patch_mean", "cls", "mean_all"])
def test_pooling_of_tokens_agrees_with_timm(load, pool):
    model = load("timm:test_vit.random-2", {"size": 48}, pool=pool)
    values, _, _ = arrays(model)
    oracle = model.network()
    assert oracle.num_prefix_tokens == 1
    with torch.inference_mode():
        found = oracle.forward_intermediates(
            prepared(model), norm=False, output_fmt="NLC", return_prefix_tokens=True, intermediates_only=True
        )
    for (patches, prefix), ours in zip(found, values.values(), strict=True):
        everything = torch.cat([prefix, patches], 1)
        expected = {"patch_mean": patches.mean(1), "cls": prefix[:, 0], "mean_all": everything.mean(1)}[pool]
        np.testing.assert_allclose(ours, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["test_vit", "test_mambaout"])
def test_flattened_layers_hold_every_channel_at_every_place(load, name):
    flat, layers, _ = arrays(load(f"timm:{name}.random-2", {"size": 48}, pool="flatten"))
    mean, means, _ = arrays(load(f"timm:{name}.random-2", {"size": 48}))
    for layer, one, many in zip(means, mean.values(), flat.values(), strict=True):
        np.testing.assert_allclose(many.reshape(len(many), -1, one.shape[1]).mean(1), one, atol=1e-5)
        prefix = one.shape[1] if name == "test_vit" else 0  # its class token
        assert many.shape[1] == layer.facts["raw_width"] - prefix
    assert [one.facts["width"] for one in layers] == [one.shape[1] for one in flat.values()]


def test_wide_layers_are_projected_by_a_seeded_map_that_keeps_inner_products(load):
    model = {"address": "timm:test_mambaout.random-2", "options": {"size": 48}, "pool": "flatten"}
    flat, _, _ = arrays(load(**model))
    values, layers, _ = arrays(load(**model, project=500, seed=3))
    again, other = (arrays(load(**model, project=500, seed=seed, batch_size=2))[0] for seed in (3, 4))
    for layer, name in zip(layers, flat, strict=True):
        wide = flat[name].shape[1] > 500
        assert values[name].shape[1] == (500 if wide else flat[name].shape[1])
        assert layer.facts.get("projected") == (500 if wide else None)
        np.testing.assert_allclose(values[name], again[name], atol=1e-4)
        assert np.array_equal(values[name], other[name]) != wide
        norms = np.linalg.norm(values[name], axis=1) / np.linalg.norm(flat[name], axis=1)
        assert np.all(abs(norms - 1) < 6 * np.sqrt(2 / 500))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_a_fast_mode_is_near_the_reference_and_recorded(load, name):
    reference, _, _ = arrays(load(f"timm:{name}.random-2", {"size": 48}))
    model = load(f"timm:{name}.random-2", {"size": 48}, precision="bfloat16", memory_format="channels_last")
    fast, layers, _ = arrays(model)
    for layer, one in reference.items():
        assert not np.array_equal(fast[layer], one)
        assert abs(fast[layer] - one).max() < 0.05 * abs(one).max()
    assert {(one.facts["precision"], one.facts["memory_format"]) for one in layers} == {("bfloat16", "channels_last")}
    assert model.identity["precision"] == "bfloat16"


def test_reading_in_another_precision_leaves_the_network_as_it_was(load, stimuli):
    network = load("timm:test_resnet.random-1", {"size": 48}).network()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    _vision.represent(network, prepare, stimuli, replace(READING, precision="bfloat16", memory_format="channels_last"))
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())


def test_too_little_memory_changes_the_batch_and_not_the_features(load, stimuli, monkeypatch):
    expected, _, _ = arrays(load("timm:test_resnet.random-1", {"size": 48}))
    model = load("timm:test_resnet.random-1", {"size": 48}, batch_size=6)
    network = model.network()

    def little(given):
        if len(given) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return type(network).forward(network, given)

    network.forward = little
    object.__setattr__(model, "network", lambda: network)
    found, _, _ = arrays(model)
    assert all(abs(found[layer] - expected[layer]).max() <= 1e-4 for layer in expected)
    assert not any(module._forward_hooks for module in network.modules())


def test_an_outline_is_what_is_read(load):
    model = load("timm:test_vit.random-1", {"size": 48})
    values, _, facts = arrays(model)
    outline = model.outline()
    assert outline.widths == {name: one.shape[1] for name, one in values.items()}
    assert (outline.modality, outline.parameters) == ("vision", facts["parameters"])


def prepare(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)


@pytest.mark.parametrize("name", ["test_resnet", "test_mambaout"])
def test_pooling_of_maps_agrees_with_timm(load, name):
    model = load(f"timm:{name}.random-2", {"size": 48})
    values, _, _ = arrays(model)
    oracle = model.network()
    with torch.inference_mode():
        found = oracle.forward_intermediates(prepared(model), output_fmt="NCHW", intermediates_only=True)
    ends = [values[name] for name in _layouts.declared(oracle, list(values))]
    for stage, ours in zip(found[-len(ends) :], ends, strict=True):
        np.testing.assert_allclose(ours, stage.mean((2, 3)).numpy(), atol=1e-5)


def prepared(model):
    """The pictures as the network is given them, the first batch of one left out."""
    taken = []
    network = model.network()
    network.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    object.__setattr__(model, "network", lambda: network)
    model.represent()
    return torch.cat(taken[1:])


def test_pictures_are_prepared_as_the_networks_own_configuration_says(load, stimuli):
    model = load("timm:test_resnet.random-1", {"size": 48})
    found = model.represent()[1]["preprocessing"]
    assert found["input_size"] == [3, 48, 48]
    assert found["crop_pct"] == 0.95
    middle = slice(12, 36)
    scaled = stimuli.pictures(stimuli.ids)[:, middle, middle].mean((1, 2)) / 255
    expected = (scaled - found["mean"]) / found["std"]
    np.testing.assert_allclose(prepared(model)[..., middle, middle].mean((2, 3)).numpy(), expected, atol=0.15)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "inception_v3"])
def test_pictures_are_prepared_to_the_bit_as_timm_does_it(load, stimuli, name):
    model = load(f"timm:{name}.random-1", {"size": 80})
    config = source.resolve_model_data_config(model.network()) | {"input_size": (3, 80, 80)}
    transform = source.create_transform(**config, is_training=False)
    expected = torch.stack([transform(Image.fromarray(one)) for one in stimuli.pictures(stimuli.ids)])
    assert torch.equal(prepared(model), expected)


def test_two_networks_of_one_geometry_share_their_pictures(load, stimuli):
    read = []
    counted = replace(stimuli, shelf=Shelf(10**7), pictures=lambda ids: read.append(len(ids)) or stimuli.pictures(ids))
    for seed in (1, 2):
        model = load(f"timm:test_resnet.random-{seed}", {"size": 48})
        alone, shared = arrays(model)[0], arrays(replace(model, stimuli=counted))[0]
        assert all(np.array_equal(shared[name], alone[name]) for name in alone)
    assert sum(read) == len(stimuli.ids)


def test_pretrained_weights_are_those_of_the_file(load, monkeypatch, tmp_path):
    trained = load("timm:test_resnet.random-5", {"size": 48}).network()
    path = tmp_path / "snapshots" / "0123abcd" / "model.safetensors"
    path.parent.mkdir(parents=True)
    save_file(trained.state_dict(), path)
    asked = []
    monkeypatch.setattr(source._hub, "file", lambda *given: asked.append(given) or path)
    model = load("timm:test_resnet.r160_in1k", {"size": 48, "revision": "v1"})
    assert model.identity["weights"] == {"commit": "0123abcd"}
    assert asked[0] == ("timm/test_resnet.r160_in1k", "model.safetensors", "v1")
    found = model.network().state_dict()
    assert all(torch.equal(found[name], values) for name, values in trained.state_dict().items())


def test_an_untrained_twin_is_the_same_network_shown_pictures_in_the_same_way(load):
    name = "test_resnet.r160_in1k"
    assert source.untrained(Address("timm", name)) == Address("timm", f"{name}.random-1")
    assert source.untrained(Address("timm", f"{name}.random-1")) is None
    twin, plain = (load(f"timm:{one}", {"size": 48}) for one in (f"{name}.random-1", "test_resnet.random-1"))
    assert twin.identity["weights"] == {"random": 1}
    pretrained = timm.get_pretrained_cfg(name)
    config = twin._preprocessing(twin.network())
    assert (config["mean"], config["std"], config["crop_pct"]) == (pretrained.mean, pretrained.std, pretrained.crop_pct)
    found, expected = twin.network().state_dict(), plain.network().state_dict()
    assert all(torch.equal(found[key], values) for key, values in expected.items())


def test_the_same_seed_gives_the_same_weights_and_touches_no_other_randomness(load):
    before = torch.random.get_rng_state()
    first, _, _ = arrays(load("timm:test_resnet.random-1", {"size": 48}))
    again, _, _ = arrays(load("timm:test_resnet.random-1", {"size": 48}))
    other, _, _ = arrays(load("timm:test_resnet.random-2", {"size": 48}))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(np.array_equal(first[layer], again[layer]) for layer in first)
    assert not any(np.array_equal(first[layer], other[layer]) for layer in first)


def test_no_hook_stays_and_no_gradient_is_kept(load):
    model = load("timm:test_resnet.random-1", {"size": 48})
    network = model.network()
    object.__setattr__(model, "network", lambda: network)
    model.represent()
    assert not any(module._forward_hooks for module in network.modules())
    assert all(one.grad is None for one in network.parameters())
    assert not network.training


def test_an_unknown_family_is_refused_not_guessed(load):
    with pytest.raises(WorkFailed, match="family 'novel' is not known, and it is never guessed"):
        _layouts.blocks(type("Novel", (nn.Module,), {"__module__": "timm.models.novel"})())


def test_a_known_family_without_its_blocks_is_refused(load):
    with pytest.raises(WorkFailed, match="no module of this 'vgg' network is a block as its layout describes"):
        _layouts.blocks(type("VGG", (nn.Module,), {"__module__": "timm.models.vgg"})())


def test_a_width_that_timm_contradicts_is_refused(load):
    network = load("timm:test_resnet.random-1", {"size": 48}).network()
    network.feature_info[1]["num_chs"] = 12
    with (
        pytest.raises(WorkFailed, match=r"layer 'layer1.0' of ResNet .*declares 12 channels, its NCHW output .*has 32"),
        _vision.evaluating(network),
    ):
        _vision.layers(network, torch.zeros(1, 3, 48, 48), READING)


def test_a_block_that_does_not_run_is_refused(load):
    network = load("timm:test_vit.random-1", {"size": 48}).network()
    network.forward = lambda given: network.blocks[:2](torch.zeros(len(given), 9, 64))
    with (
        pytest.raises(WorkFailed, match=r"layer 'blocks\.2' of VisionTransformer .* did not run"),
        _vision.evaluating(network),
    ):
        _vision.layers(network, torch.zeros(1, 3, 48, 48), READING)


def test_a_network_without_class_token_has_none_to_pool(load):
    with pytest.raises(
        WorkFailed, match=r"layer 'layer1.0' of ResNet .* has no class token; set extract.pool to patch"
    ):
        load("timm:test_resnet.random-1", {"size": 48}, pool="cls").represent()


def test_an_unknown_network_is_named_with_its_nearest(load):
    with pytest.raises(BadRequest, match="no network 'resnet49'. Nearest: 'resnet"):
        load("timm:resnet49.random-1")


def test_pretrained_weights_that_cannot_be_had_are_one_sentence(load):
    with pytest.raises(WorkFailed, match="not in the local cache and the model hub cannot be reached"):
        _ = load("timm:test_resnet.r160_in1k").identity
    with pytest.raises(WorkFailed, match="no pretrained weights called 'resnet18.nonsense'"):
        _ = load("timm:resnet18.nonsense").identity
