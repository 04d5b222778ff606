"""One network of every family of timm, without weights: every layer is a block, and every vector its channels.

The oracle is timm itself: what its own `forward_intermediates` gives, averaged over space, must be among the layers.
A third of the families runs by default, all of them with `make conformance`.
"""

import itertools

import numpy as np
import pytest
import torch

from homoplasy.errors import WorkFailed
from homoplasy.models import _layouts, _vision
from homoplasy.models import timm as source
from homoplasy.models._contract import Reading, Stimuli
from homoplasy.models._seeded import seeded
from tests.models.families import BIG, PARTLY, SMALL

COUNT = 4
READING = Reading("patch_mean", "last", COUNT)
EVERY = [name if row % 3 == 0 else pytest.param(name, marks=pytest.mark.conformance) for row, name in enumerate(SMALL)]


def built(name, size, device="cpu"):
    """The network at a size; only networks of a fixed size need be told."""
    told = {"img_size": size} if source.get_pretrained_cfg(name).fixed_input_size else {}
    with seeded(1), torch.device(device):
        return source.timm.create_model(name, **told)


def shown(size):
    pictures = np.random.default_rng(4).integers(0, 256, (COUNT, *size, 3), dtype=np.uint8)
    ids = np.arange(COUNT) * 5
    return Stimuli(ids, [""] * COUNT, lambda wanted: pictures[np.searchsorted(ids, wanted)])


def prepare(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)


@pytest.mark.parametrize("family", EVERY)
def test_a_family_is_read_as_it_is_laid_out(family):
    name, size = SMALL[family]
    network = built(name, size)
    network.train()
    next(network.children()).eval()
    modes = [module.training for module in network.modules()]
    stimuli = shown(size)
    layers = _vision.represent(network, prepare, stimuli, READING)
    assert modes == [module.training for module in network.modules()]
    assert not any(module._forward_hooks for module in network.modules())
    assert all(one.grad is None for one in network.parameters())
    check_depths(layers)
    check_widths(layers, family)
    check_batches(network, stimuli, layers)
    check_intermediates(network, stimuli, layers, family)


def check_depths(layers):
    depths = [one.facts["depth"] for one in layers]
    assert len(depths) > 1
    assert depths == [(place + 1) / len(depths) for place in range(len(depths))]
    assert [one.facts["index"] for one in layers] == list(range(len(layers)))


def check_widths(layers, family):
    """Turned on its side, a picture gives maps of other heights and widths, and as many channels."""
    for one in layers:
        assert one.n_units == one.facts["width"] <= one.facts["raw_width"]
        assert one.values.dtype == np.float32
        assert np.isfinite(one.values).all()
    name, (height, width) = SMALL[family]
    if height == width:  # not to be had at another shape; timm's own intermediates must do
        return
    turned = outlined(name, (width, height))
    assert {one.address: one.n_units for one in layers} == {address: one.width for address, one in turned.items()}
    for one in layers:
        maps = one.facts["shape"], turned[one.address].shapes[0]
        if one.facts["axes"] in {"NCHW", "NHWC"} and isinstance(maps[0][0], int) and len(set(maps[0])) == 3:
            channel = 0 if one.facts["axes"] == "NCHW" else 2
            assert maps[0][channel] == maps[1][channel] == one.n_units
            assert maps[0] != maps[1]


def outlined(name, size):
    network = built(name, size, "meta")
    with _vision.evaluating(network):
        return _vision.layers(network, torch.zeros(1, 3, *size, device="meta"), READING)


def check_batches(network, stimuli, layers):
    """Alone, in other company and in another order, a picture gives the same."""
    order = np.random.default_rng(9).permutation(COUNT)
    turned = Stimuli(stimuli.ids[order], stimuli.captions, stimuli.pictures)
    alone = _vision.represent(network, prepare, stimuli, Reading("patch_mean", "last", 1))
    mixed = _vision.represent(network, prepare, turned, Reading("patch_mean", "last", 3))
    for one, single, other in zip(layers, alone, mixed, strict=True):
        bound = 1e-4 * max(1, abs(one.values).max())
        assert abs(one.values - single.values).max() <= bound
        assert abs(one.values[order] - other.values).max() <= bound
        assert np.array_equal(other.stimulus_ids, stimuli.ids[order])


def check_intermediates(network, stimuli, layers, family):
    """What timm calls an intermediate is one of the layers; the first of them may be of the stem, which is none."""
    if not hasattr(network, "forward_intermediates"):
        return
    with _vision.evaluating(network):
        maps = network.forward_intermediates(prepare(stimuli.pictures(stimuli.ids)), intermediates_only=True)
    known = [one.values for one in layers]
    agree = [any(same(pooled(one), values) for values in known) for one in maps]
    after_stem = agree[agree.index(True) :] if any(agree) else agree
    if family in PARTLY:
        assert not all(after_stem), f"{family} agrees in all; take it out of PARTLY"
    else:
        assert all(after_stem), agree


def pooled(intermediate):
    return intermediate.mean((2, 3) if intermediate.ndim == 4 else 1).numpy()


def same(one, other):
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4 * max(1, abs(one).max()))


@pytest.mark.conformance
@pytest.mark.parametrize("family", BIG)
def test_a_family_without_a_small_network_has_its_layout_by_shapes_alone(family):
    name, size = BIG[family]
    found = [outlined(name, one) for one in (size, size[::-1])]
    assert len(found[0]) > 1
    assert [one.width for one in found[0].values()] == [one.width for one in found[1].values()]


def test_every_family_of_timm_is_here():
    modules = set(source.timm.models._registry._model_to_module.values())
    assert modules == set(SMALL) | set(BIG)
    assert not set(SMALL) & set(BIG)


def test_the_network_of_a_family_belongs_to_it():
    registry = source.timm.models._registry._model_to_module
    assert all(registry[name] == family for family, (name, _) in (SMALL | BIG).items())


def test_every_line_of_the_table_is_some_networks():
    registry = source.timm.models._registry._model_to_module
    defined = {source.timm.models._registry._model_entrypoints[name].__module__ for name in registry}
    assert {f"timm.models.{name}" for name in _layouts.FAMILIES} <= defined


def test_the_published_study_could_not_hook_these_and_we_can():
    """Names and widths by hand, from the papers of these networks."""
    expected = {
        "resnet50": ("layer1.0", 16, [256] * 3 + [512] * 4 + [1024] * 6 + [2048] * 3),
        "resnext50_32x4d": ("layer1.0", 16, [256] * 3 + [512] * 4 + [1024] * 6 + [2048] * 3),
        "regnetx_002": ("s1.b1", 13, [24] + [56] + [152] * 4 + [368] * 7),
        "regnety_016": ("s1.b1", 27, [48] * 2 + [120] * 6 + [336] * 17 + [888] * 2),
        "swin_tiny_patch4_window7_224": ("layers.0.blocks.0", 12, [96] * 2 + [192] * 2 + [384] * 6 + [768] * 2),
        "swinv2_cr_tiny_ns_224": ("stages.0.blocks.0", 12, [96] * 2 + [192] * 2 + [384] * 6 + [768] * 2),
        "convnext_tiny": ("stages.0.blocks.0", 18, [96] * 3 + [192] * 3 + [384] * 9 + [768] * 3),
        "vit_base_r26_s32_224": (
            "patch_embed.backbone.stages.0.blocks.0", 20, [256] * 2 + [512] * 2 + [1024] * 2 + [2048] * 2 + [768] * 12
        ),
        "vgg16": ("features.1", 13, [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6),
    }  # fmt: skip
    for name, (first, count, widths) in expected.items():
        found = outlined(name, (224, 224))
        assert (next(iter(found)), len(found)) == (first, count), name
        assert [one.width for one in found.values()] == widths, name


def test_stages_are_the_last_blocks_of_a_resolution_and_a_vit_has_none():
    staged = Reading("patch_mean", "last", 1, granularity="stage")
    for name, ends in {
        "resnet18": ["layer1.1", "layer2.1", "layer3.1", "layer4.1"],
        "swin_tiny_patch4_window7_224": [f"layers.{stage}.blocks.{last}" for stage, last in enumerate([1, 1, 5, 1])],
        "vit_tiny_patch16_224": [f"blocks.{block}" for block in range(12)],
    }.items():
        network = built(name, (224, 224), "meta")
        with _vision.evaluating(network):
            assert list(_vision.layers(network, torch.zeros(1, 3, 224, 224, device="meta"), staged)) == ends


def test_branches_lie_side_by_side():
    found = outlined("crossvit_tiny_240", (240, 240))
    assert {name: one.width for name, one in found.items()} == {f"blocks.{block}": 96 + 192 for block in range(3)}
    assert found["blocks.0"].places == [20 * 20, 14 * 14]


@pytest.mark.parametrize("wrong", ["NHWC", "patches"])
def test_a_wrong_line_of_the_table_is_refused_with_the_model_and_the_layer(monkeypatch, wrong):
    line = (_layouts.Blocks(r"layer[1-4]\.\d+", wrong),)
    monkeypatch.setattr(_layouts, "FAMILIES", {**_layouts.FAMILIES, "resnet": line})
    with pytest.raises(WorkFailed, match=r"layer 'layer\d\.\d' of ResNet \(timm's family 'resnet'\)"):
        outlined("resnet18", (64, 96))


def test_every_pair_of_axes_that_one_line_allows_differs_in_number():
    for layout in _layouts.FAMILIES.values():
        for line in layout:
            if not isinstance(line.axes, str):
                counts = [4 if one in {"NCHW", "NHWC", "windows"} else 3 for one in line.axes]
                assert all(one != other for one, other in itertools.pairwise(counts))
