"""Learning to name what is in pictures: the glyphs of the pocket world, or the class of a photograph."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from homoplasy.errors import BadData
from homoplasy.models._trained_vision import build, prepare, square

_BATCH = 64  # pictures at a time that are judged
_TOP = 5


@dataclass(frozen=True)
class Pictures:
    """Pictures that are read when they are asked for, and the level 0..levels-1 of each target in each of them."""

    read: Callable[[NDArray[np.int64]], NDArray[np.uint8]]  # rows -> (rows, side, side, 3)
    side: int
    targets: NDArray[np.int64]  # (pictures, targets)
    levels: int
    task: str  # glyphs | classes
    digest: str


def glyphs(pictures: NDArray[np.uint8], glyphs: NDArray[np.uint8], levels: int, digest: str) -> Pictures:
    """Pictures in memory, each with the levels of its glyphs; they must be square and have all of them."""
    count, height, width, channels = pictures.shape
    if height != width or channels != 3 or glyphs.shape[0] != count or int(glyphs.max(initial=0)) >= levels:
        raise BadData(
            f"expected square pictures (n, side, side, 3) with glyphs (n, k) of levels 0 to {levels - 1}, found "
            f"pictures {pictures.shape} and glyphs {glyphs.shape} up to {glyphs.max(initial=0)}; fetch them again."
        )
    return Pictures(lambda rows: pictures[rows], height, glyphs.astype(np.int64), levels, "glyphs", digest)


def photographs(
    read: Callable[[NDArray[np.int64]], Iterable[NDArray[np.uint8]]],
    side: int,
    labels: NDArray[np.int64],
    classes: int,
    digest: str,
) -> Pictures:
    """Pictures of one class each, of any size, cut and resized to squares."""
    return Pictures(lambda rows: square(read(rows), side), side, labels[:, None], classes, "classes", digest)


def configuration(architecture: str, options: Mapping[str, Any], pictures: Pictures, seed: int) -> dict[str, Any]:
    """All that rebuilds the network of a run."""
    return {
        "kind": "vision",
        "task": pictures.task,
        "architecture": architecture,
        "options": dict(options),
        "size": pictures.side,
        "targets": pictures.targets.shape[1],
        "levels": pictures.levels,
        "seed": seed,
    }


def target_loss(logits: Float[Tensor, "n g l"], targets: Int[Tensor, "n g"]) -> Float[Tensor, ""]:
    """Mean cross-entropy over pictures and targets: -1/(n g) sum_ij log softmax(z_ij)[y_ij]."""
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def top_share(logits: Float[Tensor, "n g l"], targets: Int[Tensor, "n g"], k: int) -> float:
    """Share of the targets that are among the k likeliest levels."""
    return float((logits.topk(k, dim=-1).indices == targets.unsqueeze(-1)).any(-1).float().mean())


@dataclass(frozen=True)
class Naming:
    """The lesson of a vision run."""

    config: Mapping[str, Any]
    pictures: Pictures

    @property
    def size(self) -> int:
        """The number of pictures."""
        return len(self.pictures.targets)

    def network(self) -> nn.Module:
        """The network before its first step."""
        return build(self.config)

    def loss(self, network: nn.Module, rows: NDArray[np.int64]) -> Tensor:
        """The cross-entropy on some pictures."""
        return target_loss(network(prepare(self.pictures.read(rows))), self._targets(rows))

    def judge(self, network: nn.Module, rows: NDArray[np.int64]) -> dict[str, float]:
        """Loss and share of right answers; where there are more than five classes also the share in the top five."""
        parts = np.array_split(rows, -(-len(rows) // _BATCH))
        logits = torch.cat([network(prepare(self.pictures.read(part))) for part in parts])
        targets = self._targets(rows)
        found = {"loss": float(target_loss(logits, targets)), "accuracy": top_share(logits, targets, 1)}
        return found | ({"top5": top_share(logits, targets, _TOP)} if self.pictures.levels > _TOP else {})

    def seen(self, rows: NDArray[np.int64]) -> int:
        """One picture a row."""
        return len(rows)

    def _targets(self, rows: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self.pictures.targets[rows])
