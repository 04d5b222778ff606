"""Time and memory of the tile engine against stimuli and objects, and what the full study would take.

`OMP_NUM_THREADS=1 benchmarks/scaling.py [--n 200 400 ...]` sweeps 180 regions and some layers at eleven widths, each
case in a process of its own with one thread, and fits the CPU-seconds by four constants, none negative:

    points a n U + distances b n^2 U / 2 + entries c n^2 B W / 2 + products d n^2 S T W / 2

for n stimuli, U units of all B objects, S sources, T targets and W widths. The projection puts the full study into
that: 4 subjects of 8,859 stimuli and 180 regions of 225 voxels, 630 models of 12 layers with 1,000 units in batches of
63 models. It is drawn to benchmarks/figures/scaling.svg. Layers have 512 units, and in two cases more, without which
distances could not be told from entries.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import cka as bench
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls

LAYERS, REGIONS, WIDTHS = 12, 180, len(bench.SIGMA)
PARTS = ("points", "distances", "entries", "products")
FIGURE = Path(__file__).parent / "figures" / "scaling.svg"


def work(n: int, units: int, sources: int, targets: int) -> list[float]:
    """How much there is of each part of the work."""
    half = n**2 / 2
    pairs = sources * targets
    return [n * units, half * units, half * (sources + targets) * WIDTHS, half * pairs * WIDTHS]


def case(n: int, layers: int, width: int) -> None:
    """Print units, CPU-seconds (the second of two runs) and peak memory of one sweep, in bytes above the features."""
    x, y = bench.objects(n, layers, REGIONS, "cpu", width)
    bench.ours([x[0][:50]], [y[0][:50]], {})
    before = bench.status("VmRSS")
    taken = [bench.timed("cpu", lambda: bench.ours(x, y, {}))[0] for _ in range(2)]
    units = sum(one.shape[1] for one in (*x, *y))
    print(units, min(taken), (bench.status("VmHWM") - before) * 1e3)


def measured(n: int, layers: int, width: int = bench.WIDTH) -> tuple[float, ...]:
    """One case in a process of its own."""
    command = [sys.executable, __file__, "--case", str(n), str(layers), str(width)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def draw(
    by_n: dict[int, tuple[float, ...]], by_layers: dict[int, tuple[float, ...]], cost: NDArray[np.float64]
) -> None:
    """Dots are measured, lines the fit."""
    mpl.rcParams["svg.hashsalt"] = "scaling"
    figure, axes = plt.subplots(2, 2, figsize=(7, 5), layout="constrained")
    sides = ((by_n, "stimuli"), (by_layers, f"layers, against {REGIONS} regions"))
    for column, (cases, label) in zip(axes.T, sides, strict=True):
        keys = list(cases)
        whole = [(key, LAYERS) if cases is by_n else (max(by_n), key) for key in keys]
        fit = [np.dot(cost, work(n, int(cases[key][0]), s, REGIONS)) for key, (n, s) in zip(keys, whole, strict=True)]
        column[0].plot(keys, fit, color="0.6")
        column[0].plot(keys, [cases[key][1] for key in keys], "o")
        column[0].set(ylabel="CPU-seconds", ylim=0)
        column[1].plot(keys, [cases[key][2] / 1e6 for key in keys], "o-")
        column[1].set(ylabel="peak memory, MB", xlabel=label, ylim=0)
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, metadata={"Date": None})


def project(cost: NDArray[np.float64]) -> None:
    """The full study by the constants."""
    batches, layers, n = 10, 756, 8859
    one = np.array(work(n, layers * 1000 + REGIONS * 225, layers, REGIONS))
    seconds = 4 * batches * one * cost
    for name, part in zip(PARTS, seconds, strict=True):
        print(f"{name:10}{part / 3600:9.1f} CPU-h")
    values = 4 * batches * layers * REGIONS * WIDTHS
    print(f"full study: {values:,} values, {seconds.sum() / 3600:.0f} CPU-h, {seconds.sum() / 7200:.0f} h on two cores")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[200, 400, 800, 1200])
    parser.add_argument("--layers", type=int, nargs="+", default=[3, 24, 48, 96])
    parser.add_argument("--units", type=int, nargs="+", default=[2048, 4096], help="of a layer, in further cases")
    parser.add_argument("--case", type=int, nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.case:
        case(*chosen.case)
        return
    start = time.perf_counter()
    by_n = {n: measured(n, LAYERS) for n in chosen.n}
    by_layers = {layers: measured(max(chosen.n), layers) for layers in chosen.layers}
    by_units = {units: measured(max(chosen.n), LAYERS, units) for units in chosen.units}
    cases = [(n, LAYERS, bench.WIDTH, of) for n, of in by_n.items()]
    cases += [(max(chosen.n), layers, bench.WIDTH, of) for layers, of in by_layers.items()]
    cases += [(max(chosen.n), LAYERS, units, of) for units, of in by_units.items()]
    print(f"{'n':>6}{'layers':>8}{'units':>7}{'CPU-s':>8}{'MB':>7}")
    for n, layers, width, (_, seconds, memory) in cases:
        print(f"{n:6}{layers:8}{width:7}{seconds:8.2f}{memory / 1e6:7.0f}")
    rows = np.array([work(n, int(units), layers, REGIONS) for n, layers, _, (units, *_) in cases])
    taken = np.array([seconds for *_, (_, seconds, _) in cases])
    scale = rows.max(0)
    cost = nnls(rows / scale / taken[:, None], np.ones(len(taken)))[0] / scale  # relative errors
    print("seconds a unit of work:", ", ".join(f"{name} {one:.2e}" for name, one in zip(PARTS, cost, strict=True)))
    print(
        f"largest error of the fit: {np.abs(rows @ cost / taken - 1).max():.0%}, {time.perf_counter() - start:.0f} s\n"
    )
    draw(by_n, by_layers, cost)
    project(cost)


if __name__ == "__main__":
    main()
