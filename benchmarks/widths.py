"""Any pair of kernel widths from one pass, beside a pass at eleven widths: `benchmarks/widths.py [--quick] [--n 1000]`.

12 layers of 512 units x 180 regions of 50 to 400 voxels, z-scored, widths 20 to 100. "direct" sums eleven widths
(`maths.tiles`), "basis" the polynomials (`maths.widths`) from which all 121 pairs of them, and all between, follow;
"values" is the time of those 121 pairs. Errors are against exact float64 kernels at random widths off the grid.
Processor seconds of one thread, interleaved, medians over rounds; one small run before them compiles.
"""

import argparse
from collections.abc import Sequence
from statistics import median

import torch
from cka import SIGMA, exact, objects, timed
from cka import widths as at_all

from homoplasy.maths import cka, tiles, widths

TRIPLES = 6


def basis(x: list[torch.Tensor], y: list[torch.Tensor]) -> widths.Continuum:
    """One pass for widths from 20 to 100."""
    low, high = (tuple(torch.full((len(one),), bound).double() for one in (x, y)) for bound in (SIGMA[0], SIGMA[-1]))
    return widths.sweep(x, y, low, high)


def values(found: widths.Continuum, sigma: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Biased and debiased values of every source at every width and every target at every width."""
    grid = (torch.tensor(sigma).double()[:, None].expand(-1, len(rest)) for rest in found.rests)
    there = found.grid(tuple(grid))
    biased, debiased = (cka.from_sums(there.cross, there.sources, there.targets, debiased=d) for d in (False, True))
    return biased, debiased


def error(x: list[torch.Tensor], y: list[torch.Tensor], found: widths.Continuum) -> float:
    """Largest error on random pairs of objects and widths off the grid."""
    rng, worst = torch.Generator().manual_seed(2), 0.0
    for _ in range(TRIPLES):
        s, t = (int(torch.randint(len(one), (1,), generator=rng)) for one in (x, y))
        sigma = SIGMA[0] + (SIGMA[-1] - SIGMA[0]) * float(torch.rand(1, generator=rng))
        both = [one[0, s, t].item() for one in values(found, [sigma])]
        worst = max(worst, *(abs(a - b) for a, b in zip(both, exact(x[s], y[t], sigma), strict=True)))
    return worst


def compare(n: int, layers: int, regions: int, rounds: int) -> str:
    """One line of the table."""
    x, y = objects(n, layers, regions, "cpu")
    grid = (at_all(len(x), "cpu"), at_all(len(y), "cpu"))
    seconds: dict[str, list[float]] = {"direct": [], "basis": [], "values": []}
    for _ in range(rounds):
        seconds["direct"].append(timed("cpu", lambda: tiles.sweep(x, y, grid))[0])
        taken, found = timed("cpu", lambda: basis(x, y))
        seconds["basis"].append(taken)
        seconds["values"].append(timed("cpu", lambda found=found: values(found, SIGMA))[0])
    direct, ours, after = (median(one) for one in seconds.values())
    m = "+".join(str(len(side.basis.centre)) for side in (found.sources, found.targets))
    rest = max(float(one.max()) for one in found.rests)
    off = error(x, y, found)
    return f"{n:6d} {m:>6} {direct:8.2f} {ours:8.2f} {ours / direct:7.2f} {after:8.2f} {rest:8.0e} {off:8.0e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one small size, in seconds")
    parser.add_argument("--n", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--regions", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    compare(150, 2, 3, 1)
    print("polynomials of sources + targets; CPU-s of one thread")
    print(f"{'n':>6} {'m':>6} {'direct':>8} {'basis':>8} {'ratio':>7} {'values':>8} {'rest':>8} {'error':>8}")
    for n in [300] if chosen.quick else chosen.n:
        size = (3, 20, 2) if chosen.quick else (chosen.layers, chosen.regions, chosen.rounds)
        print(compare(n, *size), flush=True)


if __name__ == "__main__":
    main()
