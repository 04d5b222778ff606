"""Where the blocks of a timm family are, and what the axes of their outputs mean: known per family, never guessed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from homoplasy.errors import WorkFailed, listing

Axes = Literal["NCHW", "NHWC", "tokens", "patches"]  # tokens: after `num_prefix_tokens` of class and register tokens


@dataclass(frozen=True)
class Layout:
    """A pattern of the names of all residual or transformer blocks, and the axes of what they give out."""

    blocks: str
    axes: Axes


_TOKENS = Layout(r"blocks\.\d+", "tokens")
_STAGED = Layout(r"stages\.\d+\.blocks\.\d+", "NCHW")
_NESTED = Layout(r"stages\.\d+\.\d+", "NCHW")
_MOBILE = Layout(r"blocks\.\d+\.\d+", "NCHW")
FAMILIES: Mapping[str, Layout] = {  # the module of timm that defines the network
    "beit": _TOKENS,
    "byobnet": _NESTED,
    "cait": Layout(r"blocks\.\d+", "patches"),  # its class token joins after them
    "convnext": _STAGED,
    "deit": _TOKENS,
    "edgenext": _STAGED,
    "efficientnet": _MOBILE,
    "eva": _TOKENS,
    "focalnet": Layout(r"layers\.\d+\.blocks\.\d+", "NCHW"),
    "ghostnet": _MOBILE,
    "levit": Layout(r"stages\.\d+\.blocks\.\d+", "patches"),
    "mambaout": Layout(r"stages\.\d+\.blocks\.\d+", "NHWC"),
    "maxxvit": _STAGED,
    "metaformer": _STAGED,
    "mlp_mixer": Layout(r"blocks\.\d+", "patches"),
    "mobilenetv3": _MOBILE,
    "nfnet": _NESTED,
    "pvt_v2": Layout(r"stages\.\d+\.blocks\.\d+", "patches"),
    "regnet": Layout(r"s\d\.b\d+", "NCHW"),
    "resnet": Layout(r"layer\d\.\d+", "NCHW"),
    "resnetv2": _STAGED,
    "rexnet": Layout(r"features\.(?:\d|1[0-5])", "NCHW"),  # features.16 is the convolution of the head
    "swin_transformer": Layout(r"layers\.\d+\.blocks\.\d+", "NHWC"),
    "swin_transformer_v2": Layout(r"layers\.\d+\.blocks\.\d+", "NHWC"),
    "swin_transformer_v2_cr": Layout(r"stages\.\d+\.blocks\.\d+", "NHWC"),
    "vision_transformer": _TOKENS,
    "vision_transformer_relpos": _TOKENS,
    "xcit": Layout(r"blocks\.\d+", "patches"),
}
_CHANNELS: Mapping[Axes, tuple[int, int]] = {"NCHW": (4, 1), "NHWC": (4, 3), "tokens": (3, 2), "patches": (3, 2)}


def family(network: nn.Module) -> str:
    """The module of timm that defines a network."""
    return type(network).__module__.rpartition(".")[2]


def layout(network: nn.Module) -> Layout:
    """The layout of a network's family."""
    name = family(network)
    if name not in FAMILIES:
        raise WorkFailed(
            f"the layout of timm's family '{name}' is not known, and it is never guessed; known are "
            f"{listing(sorted(FAMILIES), 40)}. Add a line to src/homoplasy/models/_layouts.py."
        )
    return FAMILIES[name]


def blocks(network: nn.Module) -> dict[str, nn.Module]:
    """Every block of a network, in forward order."""
    pattern = layout(network).blocks
    found = {name: module for name, module in network.named_modules() if re.fullmatch(pattern, name)}
    if not found:
        raise WorkFailed(
            f"no module of this '{family(network)}' network is called like {pattern}; timm has changed it."
        )
    return found


def check(network: nn.Module, name: str, output: Any) -> None:
    """Hold the layout against the output itself, and against the width that timm declares for the stage it ends."""
    axes = layout(network).axes
    dimensions, channel = _CHANNELS[axes]
    if not isinstance(output, Tensor) or output.ndim != dimensions:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise WorkFailed(f"layer '{name}': expected {axes}, found {found}; the layout of this network is not known.")
    declared = _declared(network).get(name)
    if declared is not None and output.shape[channel] != declared:
        raise WorkFailed(
            f"layer '{name}': timm declares {declared} channels, axis {channel} has {output.shape[channel]}."
        )


def _declared(network: nn.Module) -> dict[str, int]:
    """The width that timm's feature table declares, for each block that ends a stage of it."""
    names, found = list(blocks(network)), {}
    for stage in network.feature_info:  # type: ignore[union-attr] # every network of timm has this list of dictionaries
        inside = [name for name in names if name == stage["module"] or name.startswith(stage["module"] + ".")]
        if inside:
            found[inside[-1]] = int(stage["num_chs"])
    return found


def patch_mean(output: Tensor, axes: Axes, prefix: int) -> Tensor:
    """Mean over space only: one value a channel, class and register tokens left out."""
    spatial = {"NCHW": (2, 3), "NHWC": (1, 2)}
    return output.mean(spatial[axes]) if axes in spatial else output[:, prefix:].mean(1)


def cls(output: Tensor, axes: Axes, prefix: int) -> Tensor:
    """The class token."""
    if axes != "tokens" or prefix == 0:
        raise WorkFailed("it has no class token; set extract.pool to patch_mean.")
    return output[:, 0]


def mean_all(output: Tensor, axes: Axes, prefix: int) -> Tensor:  # noqa: ARG001 - one signature for all
    """As the released code: all tokens, or the last two axes whatever they are (channels-last maps keep height)."""
    return output.mean(1) if output.ndim == 3 else output.mean((-2, -1))


POOLS: Mapping[str, Callable[[Tensor, Axes, int], Tensor]] = {
    "patch_mean": patch_mean,
    "cls": cls,
    "mean_all": mean_all,
}
