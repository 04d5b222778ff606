"""The vision networks that are trained here: a timm network from scratch, and what it is to name."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from homoplasy.errors import BadRequest, nearest
from homoplasy.models._seeded import seeded


class GlyphReader(nn.Module):
    """A timm network without its pooling, and a linear map from its last feature map to all levels of all glyphs.

    Pooling over space would throw away where a glyph stands, which is what tells one from another.
    """

    def __init__(self, trunk: nn.Module, size: int, targets: int, levels: int) -> None:
        super().__init__()
        self.trunk = trunk
        with torch.no_grad():
            width = self.trunk.eval()(torch.zeros(1, 3, size, size)).numel()
        self.head = nn.Linear(width, targets * levels)
        self.shape = (targets, levels)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give logits of shape (pictures, targets, levels)."""
        return self.head(self.trunk(pictures).flatten(1)).unflatten(1, self.shape)


class Classifier(nn.Module):
    """A timm network with the head that timm gives it: one target, a level a class."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, pictures: Tensor) -> Tensor:
        """Give logits of shape (pictures, 1, classes)."""
        return self.trunk(pictures).unsqueeze(1)


def build(config: Mapping[str, Any]) -> GlyphReader | Classifier:
    """The network of a run, with the weights of its step 0."""
    name, options = config["architecture"], dict(config["options"])
    if not timm.is_model(name):
        raise BadRequest(f"timm has no network '{name}' to train.{nearest(name, timm.list_models())}")
    pooled: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    head = pooled if config["task"] == "glyphs" else {"num_classes": config["levels"]}
    with seeded(config["seed"]):
        try:
            trunk = timm.create_model(name, **head, **options)
        except TypeError as refusal:
            raise BadRequest(f"timm does not build '{name}' with the options {options}: {refusal}.") from None
        if config["task"] == "classes":
            return Classifier(trunk)
        return GlyphReader(trunk, config["size"], config["targets"], config["levels"])


def square(pictures: Iterable[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """The largest square from the middle of each picture, resized (n, side, side, 3); nothing where it fits already."""
    return np.stack([_square(picture, side) for picture in pictures])


def _square(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width, _ = picture.shape
    if height == width == side:
        return picture
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    cut = Image.fromarray(picture[top : top + edge, left : left + edge])
    return np.asarray(cut.resize((side, side), Image.Resampling.BICUBIC), dtype=np.uint8)


def prepare(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures as the runs are given them: channels first, in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float().div(127.5).sub(1)
