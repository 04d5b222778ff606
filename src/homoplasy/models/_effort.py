"""What reading a model takes, estimated from its size alone; good for hours against days, not for minutes."""

import time
from dataclasses import dataclass

import timm
import torch
from timm.models import get_pretrained_cfg
from torch.utils.flop_counter import FlopCounterMode

from homoplasy.errors import HomoplasyError
from homoplasy.models._contract import Outline
from homoplasy.models._roster import Entry
from homoplasy.models._seeded import seeded

# Multiplications of a vision network at 224 pixels, for each of its parameters: of fourteen common networks from
# MobileNetV3 (40) to DenseNet (355) the median is 170, transformers of patches of 16 pixels have 200.
_REUSE = 170
_SIDE = 224
_TOKENS = 48  # of a prompt: a caption of a dozen words inside a chat template
_BYTES = {"vision": 4, "language": 2}  # of a parameter: language models stay in bfloat16
_TRIAL = "vit_tiny_patch16_224"
_BATCH = 8


@dataclass(frozen=True)
class Effort:
    """One model: operations for one stimulus, bytes of its weights, units of its layers."""

    modality: str
    flops: float
    weights: float
    units: tuple[int, ...]


def effort(entry: Entry) -> Effort | None:
    """The effort of a roster line, from what it says or from shapes; None where neither tells."""
    sizes = entry.facts
    if sizes.parameters and sizes.width and sizes.depth:
        modality = "vision" if entry.address.source == "timm" else "language"
        return _of(
            entry, Outline(modality, dict.fromkeys(map(str, range(sizes.depth)), sizes.width), 0), sizes.parameters
        )
    try:
        outline = entry.outline()
    except (HomoplasyError, OSError, ValueError):  # its configuration is on a hub that is not asked, or not there
        return None
    return _of(entry, outline, outline.parameters / 1e6) if outline else None


def _of(entry: Entry, outline: Outline, millions: float) -> Effort:
    parameters = millions * 1e6
    uses = _TOKENS if outline.modality == "language" else _REUSE * (_side(entry) / _SIDE) ** 2
    weights = parameters * _BYTES[outline.modality]
    return Effort(outline.modality, 2 * parameters * uses, weights, tuple(outline.widths.values()))


def _side(entry: Entry) -> int:
    """Pixels of a side that a vision network is given."""
    size = getattr(entry.options, "size", None)
    if size is None:
        try:
            known = get_pretrained_cfg(entry.address.rest)
        except RuntimeError:  # no such tag
            known = None
        size = known.input_size[-1] if known else _SIDE
    return int(size)


def trial(device: str) -> float:
    """Operations a second that a small network reaches here, by the processor's time of all threads on a CPU."""
    with seeded(1):
        network = timm.create_model(_TRIAL, pretrained=False).eval().to(device)
    given = torch.zeros(_BATCH, 3, _SIDE, _SIDE, device=device)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(given)
    best = min(_seconds(network, given) for _ in range(3))
    return float(counter.get_total_flops()) / best


def _seconds(network: torch.nn.Module, given: torch.Tensor) -> float:
    on_gpu = given.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    start = clock()
    with torch.inference_mode():
        network(given)
        if on_gpu:
            torch.cuda.synchronize()
    return (clock() - start) / (1 if on_gpu else torch.get_num_threads())
