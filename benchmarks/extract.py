"""Feature extraction against a bare forward loop, and the fast mode against the reference: `benchmarks/extract.py`.

Networks have random weights, and are built before the clock starts. The bare loop runs prepared tensors through the
network, in eval mode and without gradients, in batches of the same size, and keeps nothing. Ours starts from pictures
of 425 x 425 pixels as NSD has them, resizes them (`cold`) or finds them resized by an earlier model (`warm`), shows the
network one of them first to learn its shapes, and keeps a pooled vector of every block. Rounds are interleaved; a
figure is the median of the CPU-milliseconds of one thread, a picture.

The fast mode (`--fast`) is bfloat16 with channels-last maps. Its CKA shift is the largest change, over all blocks, of
the debiased CKA (linear, and Gaussian at the median distance) with made-up voxels that mix the units of one block.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _sides import Clock

import homoplasy as hp
from homoplasy.models import timm as source
from homoplasy.models._contract import Reading, Stimuli
from homoplasy.models._roster import entry
from homoplasy.models._shelf import Shelf

BATCH = 8
SMALL = ("resnet18", "convnext_atto", "vit_tiny_patch16_224")
LARGE = ("resnet50", "vit_base_patch16_224")


def pictures(count: int) -> Stimuli:
    """Pictures of blurred noise in the size of NSD's."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 27, 27))).float()
    fine = torch.nn.functional.interpolate(coarse, size=425, mode="bicubic").clamp(0, 255).byte()
    shown = np.ascontiguousarray(fine.permute(0, 2, 3, 1).numpy())
    return Stimuli(np.arange(count), [""] * count, lambda ids: shown[ids])


def model(name: str, stimuli: Stimuli, reading: Reading) -> source.Timm:
    """A network whose weights are drawn before anything is timed."""
    made: Any = entry({"model": f"timm:{name}.random-1"}, "the benchmark").load(stimuli, reading)
    network = made.network()
    object.__setattr__(made, "network", lambda: network)
    return made


def prepared(of: source.Timm) -> list[torch.Tensor]:
    """The batches as the network is given them, without the one that shows the shapes."""
    taken: list[torch.Tensor] = []
    handle = of.network().register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    of.represent()
    handle.remove()
    return taken[1:]


def bare(network: torch.nn.Module, batches: list[torch.Tensor]) -> Callable[[], None]:
    """The loop that one cannot do without."""

    def loop() -> None:
        with torch.inference_mode():
            for batch in batches:
                network(batch)

    return loop


def throughput(name: str, count: int, rounds: int) -> None:
    """One line: core-milliseconds a picture, and ours over the bare loop."""
    clock, stimuli = Clock(), pictures(count)
    cold = model(name, stimuli, Reading("patch_mean", "last", BATCH))
    warm = replace(cold, stimuli=replace(stimuli, shelf=Shelf(10**9)))
    object.__setattr__(warm, "network", cold.network)
    batches = prepared(warm)
    for _ in range(rounds):
        clock.run("bare", bare(cold.network(), batches))
        clock.run("warm", warm.represent)
        clock.run("cold", cold.represent)
    each = {task: 1000 * clock.of(task) / count for task in ("bare", "warm", "cold")}
    ratios = " ".join(f"{each[task] / each['bare']:8.3f}" for task in ("warm", "cold"))
    print(f"{name:28} {each['bare']:8.1f} {each['warm']:8.1f} {each['cold']:8.1f} {ratios}", flush=True)


def fast(name: str, count: int, rounds: int) -> None:
    """One line: core-milliseconds a picture in both modes, and how far the fast one moves CKA."""
    clock, stimuli = Clock(), replace(pictures(count), shelf=Shelf(10**9))
    reference = model(name, stimuli, Reading("patch_mean", "last", BATCH))
    quick = replace(reference, reading=replace(reference.reading, precision="bfloat16", memory_format="channels_last"))
    object.__setattr__(quick, "network", reference.network)
    prepared(reference)
    for _ in range(rounds):
        layers, _ = clock.run("float32", reference.represent)
        others, _ = clock.run("bfloat16", quick.represent)
    slow, swift = (1000 * clock.of(task) / count for task in ("float32", "bfloat16"))
    print(f"{name:28} {slow:8.1f} {swift:8.1f} {slow / swift:8.2f} {shift(layers, others):10.1e}", flush=True)


def shift(layers: list[hp.Representation], others: list[hp.Representation]) -> float:
    """The largest change of CKA with voxels that mix the units of the middle block."""
    rng, middle = np.random.default_rng(1), layers[len(layers) // 2]
    mixed = middle.values @ rng.standard_normal((middle.n_units, 200)) / middle.values.std()
    voxels = hp.Representation(
        (mixed + mixed.std() * rng.standard_normal(mixed.shape)).astype(np.float32), middle.stimulus_ids, "voxels"
    )
    measures = [
        hp.measures.CKA(kernel="linear", debiased=True),
        hp.measures.CKA(kernel="rbf", sigma_relative=1.0, debiased=True),
    ]
    found = [hp.score(one, [voxels], measures)["value"].to_numpy() for one in (layers, others)]
    return float(np.abs(found[0] - found[1]).max())


def main() -> None:
    """Print both tables, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fast", action="store_true", help="the fast mode instead of the bare loop")
    parser.add_argument("--networks", nargs="*")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.fast:
        print(f"{'core-ms a picture':28} {'float32':>8} {'bfloat16':>8} {'times':>8} {'CKA shift':>10}")
    else:
        print(f"{'core-ms a picture':28} {'bare':>8} {'warm':>8} {'cold':>8} {'warm/':>8} {'cold/':>8}")
    for name in asked.networks or (LARGE if asked.fast else SMALL):
        (fast if asked.fast else throughput)(name, asked.pictures, asked.rounds)


if __name__ == "__main__":
    main()
