"""Vision networks: the right layers, widths and pooling, independent of the batch."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _layouts
from homoplasy.models import timm as source

SMALL = [
    "resnet", "vit", "vit_relpos", "convnext", "mambaout", "efficientnet", "byobnet", "nfnet", "maxvit",
]  # fmt: skip
# One of every other family of the table, with a size that it takes.
OTHERS = {
    "beit_base_patch16_224": 32, "cait_xxs24_224": 32, "deit_tiny_distilled_patch16_224": 32,
    "edgenext_xx_small": 64, "eva02_tiny_patch14_224": 28, "focalnet_tiny_srf": 64, "ghostnet_050": 64,
    "levit_128s": 224, "mixer_s32_224": 64, "mobilenetv3_small_050": 64, "poolformer_s12": 64, "pvt_v2_b0": 64,
    "regnetx_002": 64, "resnetv2_50": 64, "rexnet_100": 64, "swin_tiny_patch4_window7_224": 64,
    "swinv2_tiny_window8_256": 64, "swinv2_cr_tiny_224": 224, "xcit_nano_12_p16_224": 32,
}  # fmt: skip


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


@pytest.mark.parametrize("name", ["test_resnet", "test_mambaout"])
def test_pooling_of_maps_agrees_with_timm(load, name):
    model = load(f"timm:{name}.random-2", {"size": 48})
    values, _, _ = arrays(model)
    oracle = model.network()
    with torch.inference_mode():
        found = oracle.forward_intermediates(prepared(model), output_fmt="NCHW", intermediates_only=True)
    ends = [values[name] for name in _layouts._declared(oracle)]
    for stage, ours in zip(found[-len(ends) :], ends, strict=True):
        np.testing.assert_allclose(ours, stage.mean((2, 3)).numpy(), atol=1e-5)


def prepared(model):
    """The pictures as the network is given them."""
    taken = []
    network = model.network()
    network.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    object.__setattr__(model, "network", lambda: network)
    model.represent()
    return torch.cat(taken)


def test_pictures_are_prepared_as_the_networks_own_configuration_says(load, stimuli):
    model = load("timm:test_resnet.random-1", {"size": 48})
    found = model.represent()[1]["preprocessing"]
    assert found["input_size"] == [3, 48, 48]
    assert found["crop_pct"] == 0.95
    middle = slice(12, 36)
    scaled = stimuli.pictures(stimuli.ids)[:, middle, middle].mean((1, 2)) / 255
    expected = (scaled - found["mean"]) / found["std"]
    np.testing.assert_allclose(prepared(model)[..., middle, middle].mean((2, 3)).numpy(), expected, atol=0.15)


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


@pytest.mark.parametrize("name", SMALL)
def test_every_small_family_is_laid_out_as_its_line_says(load, name):
    check_conformance(*arrays(load(f"timm:test_{name}.random-1", {"size": 64 if name == "maxvit" else 48})))


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_family_is_laid_out_as_its_line_says(load, name):
    check_conformance(*arrays(load(f"timm:{name}.random-1", {"size": OTHERS[name]})))


def test_every_family_of_the_table_is_tested():
    tested = {source.timm.create_model(f"test_{name}").__class__.__module__.rpartition(".")[2] for name in SMALL}
    modules = source.timm.models._registry._model_to_module
    assert tested | {modules[name] for name in OTHERS} | {"swin_transformer_v2_cr"} == set(_layouts.FAMILIES)


def check_conformance(values, layers, facts):
    depths = [one.facts["depth"] for one in layers]
    assert depths == sorted(set(depths))
    assert depths[-1] == 1
    assert all(0 < depth <= 1 for depth in depths)
    assert all(one.dtype == np.float32 and np.isfinite(one).all() for one in values.values())
    assert [one.facts["raw_width"] for one in layers] == [one.shape[1] for one in values.values()]
    assert facts["parameters"] > 0


def test_an_unknown_family_is_refused_not_guessed(load):
    with pytest.raises(WorkFailed, match="family 'vgg' is not known, and it is never guessed"):
        _layouts.blocks(type("VGG", (nn.Module,), {"__module__": "timm.models.vgg"})())


def test_a_layout_that_the_output_contradicts_is_refused(load):
    network = load("timm:test_resnet.random-1", {"size": 48}).network()
    with pytest.raises(WorkFailed, match=r"expected NCHW, found \(2, 9, 32\)"):
        _layouts.check(network, "layer1.0", torch.zeros(2, 9, 32))
    with pytest.raises(WorkFailed, match="timm declares 32 channels, axis 1 has 12"):
        _layouts.check(network, "layer1.0", torch.zeros(2, 12, 12, 32))


def test_a_network_without_class_token_has_none_to_pool(load):
    with pytest.raises(WorkFailed, match=r"no class token; set extract.pool to patch_mean"):
        load("timm:test_resnet.random-1", {"size": 48}, pool="cls").represent()


def test_an_unknown_network_is_named_with_its_nearest(load):
    with pytest.raises(BadRequest, match="no network 'resnet49'. Nearest: 'resnet"):
        load("timm:resnet49.random-1")


def test_pretrained_weights_that_cannot_be_had_are_one_sentence(load):
    with pytest.raises(WorkFailed, match="not in the local cache and the model hub cannot be reached"):
        _ = load("timm:test_resnet.r160_in1k").identity
    with pytest.raises(WorkFailed, match="no pretrained weights called 'resnet18.nonsense'"):
        _ = load("timm:resnet18.nonsense").identity
