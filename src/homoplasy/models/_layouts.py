"""Where the blocks of a timm family are, and what the axes of their outputs mean: known per family, never guessed.

A layer is a residual or transformer block, or what a family has in its place: an inception module, a dense block, a
convolution of VGG. Downsampling layers between blocks, stems and heads are none. The backbone of a hybrid counts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from homoplasy.errors import WorkFailed, listing

# patches: tokens that all stand for a place; tokens: patches after class and register tokens; windows: (n, window,
# token, channel).
Axes = Literal["NCHW", "NHWC", "tokens", "patches", "windows"]


@dataclass(frozen=True)
class Blocks:
    """The blocks of one kind: the pattern of their names, the axes of their outputs, the pattern of their classes."""

    names: str
    axes: Axes | tuple[Axes, Axes]  # two that differ in their number, where blocks of one name differ
    kinds: str = ".+"  # lists of blocks may hold norms and downsampling too
    part: int | None = None  # which of several outputs is the stream; None: each of them is a branch of it


@dataclass(frozen=True)
class Block:
    """One block of a network."""

    module: nn.Module
    axes: tuple[Axes, ...]
    prefix: int  # class and register tokens before the patches
    part: int | None


def _flat(axes: Axes | tuple[Axes, Axes], root: str = "blocks", **more: Any) -> Blocks:
    return Blocks(rf"{root}\.\d+", axes, **more)


def _staged(axes: Axes | tuple[Axes, Axes], root: str = "stages", **more: Any) -> Blocks:
    return Blocks(rf"{root}\.\d+\.blocks\.\d+", axes, **more)


def _nested(axes: Axes | tuple[Axes, Axes], root: str = "stages", **more: Any) -> Blocks:
    return Blocks(rf"{root}\.\d+\.\d+", axes, **more)


_HYBRID = Blocks(r"patch_embed\.backbone\.(\d+\.)*(stages\.\d+\.(blocks\.)?\d+|layer\d\.\d+)", "NCHW")
_RESNET = Blocks(r"layer[1-4]\.\d+", "NCHW")
FAMILIES: Mapping[str, tuple[Blocks, ...]] = {  # the module of timm that defines the network; the first line that fits
    "beit": (_flat("tokens"),),
    "byobnet": (_nested("NCHW"),),
    "cait": (_flat("patches"),),  # its class token joins after them
    "coat": (Blocks(r"serial_blocks\d\.\d+", "tokens"), _flat("tokens", "parallel_blocks")),
    "convit": (_flat("tokens"),),
    "convmixer": (_flat("NCHW"),),
    "convnext": (_staged("NCHW"),),
    "cpubone": (_nested("NCHW"),),
    "crossvit": (_flat("tokens"),),
    "csatv2": (_nested("NCHW", kinds="Block|TransformerBlock"),),
    "cspnet": (_staged("NCHW"), _flat("NCHW", "stages", kinds=r"CrossStage\d?")),  # the blocks see part of the channels
    "cspnext": (Blocks(r"stages\.\d+\.\d+\.blocks\.\d+", "NCHW"), _nested("NCHW", kinds="CspNextLayer")),
    "davit": (Blocks(r"stages\.\d+\.blocks\.\d+\.(\d+|(spatial|channel)_block)", "NCHW"),),
    "deepseek_vit": (Blocks(r"(encoder\.)?blocks\.\d+", "tokens"),),
    "deit": (_flat("tokens"),),
    "densenet": (Blocks(r"features\.denseblock\d", "NCHW"),),  # a dense layer gives only what it adds
    "dla": (Blocks(r"level\d(\.\w+)*", "NCHW", kinds="DlaBasic|DlaBottleneck|DlaBottle2neck|DlaRoot"),),
    "dpn": (Blocks(r"features\.conv\d_\d+", "NCHW", kinds="DualPathBlock"),),
    "edgenext": (_staged("NCHW"),),
    "efficientformer": (_staged(("NCHW", "patches"), kinds=r"MetaBlock\dd"),),
    "efficientformer_v2": (_staged("NCHW"),),
    "efficientnet": (_nested("NCHW", "blocks"),),
    "efficientvim": (_staged("NCHW", part=0),),  # beside the map it gives the hidden state of its mixer
    "efficientvit_mit": (_staged("NCHW"),),
    "efficientvit_msra": (_staged("NCHW"),),
    "eva": (_flat("tokens"),),
    "fasternet": (_staged("NCHW"),),
    "fastvit": (_staged("NCHW"),),
    "focalnet": (_staged("NCHW", "layers"),),
    "gcvit": (_staged("NHWC"),),
    "gemma4_vit": (Blocks(r"(encoder\.)?blocks\.\d+", "tokens"),),
    "ghostnet": (_nested("NCHW", "blocks"),),
    "hgnet": (_staged("NCHW"),),
    "hiera": (_flat("patches"),),
    "hieradet_sam2": (_flat("NHWC"),),
    "hrnet": (Blocks(r"layer1\.\d+|stage\d\.\d+", "NCHW"),),  # a module gives one map a resolution
    "iformer": (_staged("NCHW"),),
    "inception_next": (_staged("NCHW"),),
    "inception_resnet_v2": (Blocks(r"mixed_\d[ab]|repeat(_\d)?\.\d+|block8", "NCHW"),),
    "inception_v3": (Blocks(r"Mixed_\d[a-e]", "NCHW"),),
    "inception_v4": (_flat("NCHW", "features", kinds=r"Mixed\da|(Inception|Reduction)[ABC]"),),
    "lcnetv2": (_nested("NCHW"),),
    "levit": (_staged(("patches", "NCHW")),),  # levit_conv keeps maps
    "lowformer": (_nested("NCHW"),),
    "mambaout": (_staged("NHWC"),),
    "maxxvit": (_staged("NCHW"),),
    "metaformer": (_staged(("NCHW", "patches")),),  # stages of attention hold tokens
    "mlp_mixer": (_flat("patches"),),
    "mobilenetv3": (_nested("NCHW", "blocks"),),
    "mobilenetv5": (_nested("NCHW", "blocks"),),
    "mvitv2": (_staged("tokens", part=0),),  # beside the tokens it gives the size of their map
    "naflexvit": (_flat("tokens"),),
    "nasnet": (Blocks(r"(cell_stem|cell|reduction_cell)_\d+", "NCHW"),),
    "nest": (Blocks(r"levels\.\d+\.transformer_encoder\.\d+", "windows"),),
    "nextvit": (_staged("NCHW"),),
    "nfnet": (_nested("NCHW"),),
    "pit": (_staged("tokens", "transformers"),),
    "pnasnet": (Blocks(r"(cell_stem|cell)_\d+", "NCHW"),),
    "pvt_v2": (_staged("patches"),),
    "qwen3_vit": (Blocks(r"(encoder\.)?blocks\.\d+", "tokens"),),
    "rdnet": (_nested("NCHW", "dense_stages", kinds="DenseStage"),),
    "regnet": (Blocks(r"s\d\.b\d+", "NCHW"),),
    "repghost": (_nested("NCHW", "blocks"),),
    "repvit": (_staged("NCHW"),),
    "resnet": (_RESNET,),
    "resnetv2": (_staged("NCHW"),),
    "rexnet": (_flat("NCHW", "features", kinds="LinearBottleneck"),),
    "selecsls": (_flat("NCHW", "features", part=0),),  # beside the map it gives the one that later blocks skip to
    "senet": (_RESNET,),
    "sequencer": (_staged("NHWC"),),
    "shvit": (_staged("NCHW"),),
    "starnet": (_nested("NCHW", kinds="Block"),),
    "swiftformer": (_staged("NCHW"),),
    "swin_transformer": (_staged("NHWC", "layers"),),
    "swin_transformer_v2": (_staged("NHWC", "layers"),),
    "swin_transformer_v2_cr": (_staged("NHWC"),),
    "tiny_vit": (_staged("NCHW", kinds="MBConv"), _staged("NHWC", kinds="TinyVitBlock")),
    "tnt": (_flat("tokens", part=1),),  # the patches; part 0 is the pixels inside them
    "tresnet": (Blocks(r"body\.layer\d\.\d+", "NCHW"),),
    "twins": (_nested("patches", "blocks"),),
    "vgg": (_flat("NCHW", "features", kinds="ReLU"),),
    "visformer": (Blocks(r"stage\d\.\d+", "NCHW"),),
    "vision_transformer": (_HYBRID, _flat("tokens")),
    "vision_transformer_relpos": (_HYBRID, _flat("tokens")),
    "vision_transformer_sam": (_flat("NHWC"),),
    "volo": (_nested("NHWC", "network"),),
    "vovnet": (_staged("NCHW"),),
    "xception": (Blocks(r"block\d+", "NCHW"),),
    "xception_aligned": (_flat("NCHW"),),
    "xcit": (_flat("patches"),),
}
# How many class and register tokens a block gives, where `num_prefix_tokens` of the network does not say it.
PREFIXES: Mapping[str, Callable[[Any, Any], int]] = {
    "coat": lambda _network, _block: 1,
    "convit": lambda _network, block: 0 if block.use_gpsa else 1,  # the class token joins the last blocks
    "crossvit": lambda _network, _block: 1,
    "pit": lambda network, _block: network.num_tokens,
}


def family(network: nn.Module) -> str:
    """The module of timm that defines a network."""
    return type(network).__module__.rpartition(".")[2]


def blocks(network: nn.Module) -> dict[str, Block]:
    """Every block of a network by its name, in no promised order."""
    name = family(network)
    if name not in FAMILIES:
        raise WorkFailed(
            f"the layout of timm's family '{name}' is not known, and it is never guessed; known are "
            f"{listing(sorted(FAMILIES), len(FAMILIES))}. Add a line to src/homoplasy/models/_layouts.py."
        )
    found = {
        path: Block(
            module,
            (kind.axes,) if isinstance(kind.axes, str) else kind.axes,
            _prefix(network, module) if kind.axes == "tokens" else 0,
            kind.part,
        )
        for path, module in network.named_modules()
        if (kind := _kind(FAMILIES[name], path, module)) is not None
    }
    if not found:
        raise WorkFailed(f"no module of this '{name}' network is a block as its layout describes; timm has changed it.")
    return found


def _kind(layout: tuple[Blocks, ...], path: str, module: nn.Module) -> Blocks | None:
    """The first line of a layout that a module fits."""
    kinds = (one for one in layout if re.fullmatch(one.names, path) and re.fullmatch(one.kinds, type(module).__name__))
    return next(kinds, None)


def _prefix(network: nn.Module, block: nn.Module) -> int:
    """How many tokens before the patches are class or register tokens."""
    own = PREFIXES.get(family(network))
    return own(network, block) if own else int(getattr(network, "num_prefix_tokens", 0) or 0)


def declared(network: nn.Module, ran: list[str]) -> dict[str, int]:
    """The width that timm's own feature table declares, for each block that ends an entry of it."""
    table = list(getattr(network, "feature_info", []))
    modules = [entry["module"] for entry in table]
    found = {}
    for entry in table:
        inside = [name for name in ran if f"{name}.".startswith(f"{entry['module']}.")]
        if inside and modules.count(entry["module"]) == 1:  # an entry a branch says nothing of their sum
            found[inside[-1]] = int(entry["num_chs"])
    return found
