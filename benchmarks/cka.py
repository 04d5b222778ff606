"""CKA with Gaussian kernels: ours beside its rivals, `benchmarks/cka.py [--quick] [--full] [--profile]`.

L layers x R regions x 11 widths over n stimuli, all of them seeded and sharing latents. Rivals:

published  the algorithm of published code, from its definition: for each value both kernels anew, tr(K H L H) three
           times by nine dense products of n x n, float32. Timed on a few random triples and extrapolated.
textbook   for each value both kernels anew, each centred once, the products summed entry by entry. Extrapolated too.
expert     distances once an object; each width's kernels centred, held, and all pairs by one matrix product.

"ours, tf32" and "ours, bfloat16" round the entries before they are multiplied; a CPU shows the error, not the speed.
"ours, jackknife" takes the standard errors of both estimators from the same pass, by leaving out each of 20 groups.
--full runs ours alone, both estimators with errors, by default at the size of the real study with 24 layers and two
threads, and prints the share of the measured matrix throughput of the device that its products and distances reach.

Times are CPU-seconds of one thread (on a GPU, seconds), medians over rounds in which ours and the rivals take turns.
Errors are against exact pairwise float64 kernels on random triples. Peak memory is that of a process of its own.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import product
from pathlib import Path

import torch
from _split import split
from torch import Tensor

from homoplasy.maths import _fused, cka, clouds, entries, kernels, tiles
from homoplasy.maths.entries import tensor_cores
from homoplasy.maths.jackknife import jackknife, left_out

SIGMA = (20, 28, 36, 44, 52, 60, 68, 72, 84, 92, 100)
WIDTH, LATENTS = 512, 20
TRIPLES, GROUPS = 3, 20
GRAMS_LIMIT = 8e9  # bytes: above it the expert's kernels are left out
PARTS = {
    "distances: X X'": [(clouds.Clouds, "tile")],
    "entries and their products": [(_fused, "add")],
    "room for sums, and adding them up": [
        (entries.Entries, "blank"), (tiles._Piece, "add"), (tiles._Total, "__init__"), (tiles._Total, "add")
    ],
    "centring": [(cka, "from_sums")],
    "the scores without each group": [(sys.modules[__name__], "left_out")],
    "their spread": [(sys.modules[__name__], "jackknife")],
}  # fmt: skip


def objects(n: int, layers: int, regions: int, device: str, width: int = WIDTH) -> tuple[list[Tensor], list[Tensor]]:
    """Layers of 512 units, unless told otherwise, and regions of 50 to 400 voxels, z-scored."""
    rng = torch.Generator().manual_seed(n)
    latent = torch.randn(n, LATENTS, generator=rng)

    def one(units: int) -> Tensor:
        x = latent @ torch.randn(LATENTS, units, generator=rng) + 2 * torch.randn(n, units, generator=rng)
        return ((x - x.mean(0)) / x.std(0)).to(device)

    voxels = torch.randint(50, 400, (regions,), generator=rng).tolist()
    return [one(width) for _ in range(layers)], [one(count) for count in voxels]


def widths(count: int, device: str) -> Tensor:
    """The widths of every object."""
    return torch.tensor(SIGMA, dtype=torch.float64, device=device)[:, None].expand(-1, count)


def ours(x: list[Tensor], y: list[Tensor], options: dict[str, object]) -> tuple[Tensor, ...]:
    """Biased and debiased values of all pairs and widths, and their standard errors where groups are asked for."""
    device = str(x[0].device)
    found = tiles.sweep(x, y, (widths(len(x), device), widths(len(y), device)), **options)
    parts, groups = (found.cross, found.sources, found.targets), found.jackknife
    values = [cka.from_sums(*parts, debiased=d) for d in (False, True)]
    if groups is None:
        return tuple(values)
    without = [left_out(*parts, groups, debiased=d) for d in (False, True)]
    return *values, *(jackknife(*pair, groups.bounds) for pair in zip(values, without, strict=True))


def published(x: Tensor, y: Tensor, sigma: float) -> float:
    """One value: HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), each tr(K H L H)."""
    n = len(x)
    k, l = (torch.exp(torch.cdist(one, one) ** 2 / (-2 * sigma**2)) for one in (x, y))
    h = torch.eye(n, device=x.device) - 1 / n
    hsic = [torch.trace(a @ h @ b @ h) for a, b in ((k, l), (k, k), (l, l))]
    return float(hsic[0] / (hsic[1] * hsic[2]).sqrt())


def textbook(x: Tensor, y: Tensor, sigma: float) -> float:
    """One value: <K_c, L_c> / (|K_c| |L_c|), each kernel centred once."""
    k, l = (torch.exp(torch.cdist(one, one) ** 2 / (-2 * sigma**2)) for one in (x, y))
    k, l = (one - one.mean(0) - one.mean(1, keepdim=True) + one.mean() for one in (k, l))
    return float((k * l).sum() / (k.norm() * l.norm()))


def expert(x: list[Tensor], y: list[Tensor]) -> Tensor:
    """All values, biased, from kernels that are held."""
    squared = [torch.cdist(one, one).square_() for one in (*x, *y)]
    values = []
    for sigma in SIGMA:
        held = torch.stack([(one * (-0.5 / sigma**2)).exp_() for one in squared])
        held -= held.mean(1, keepdim=True)
        held -= held.mean(2, keepdim=True)
        flat = held.flatten(1)
        norms = flat.norm(dim=1)
        values.append((flat[: len(x)] @ flat[len(x) :].T) / torch.outer(norms[: len(x)], norms[len(x) :]))
    return torch.stack(values)


def exact(x: Tensor, y: Tensor, sigma: float) -> tuple[float, float]:
    """Biased and debiased value in float64; kernels less 1, which centring takes away."""
    k, l = (torch.expm1(kernels.squared_distances(one.double()) * (-0.5 / sigma**2)) for one in (x, y))
    return float(cka.cka_biased(k, l)), float(cka.cka_debiased(k, l))


def timed(device: str, call: Callable[[], object]) -> tuple[float, object]:
    """CPU-seconds, or seconds on a GPU, and the result."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    result = call()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - start, result


def errors(found: tuple[Tensor, ...], known: dict[tuple[int, ...], tuple[float, float]]) -> list[float]:
    """Largest errors of the biased and the debiased values on the triples that are known."""
    off = [[abs(values[at].item() - truth[e]) for at, truth in known.items()] for e, values in enumerate(found[:2])]
    return [max(column) for column in off]


def memory(n: int, layers: int, regions: int, which: str) -> str:
    """Peak memory in MB of one of the two in a process of its own, above what the process holds before it starts."""
    command = [sys.executable, __file__, "--memory-of", which, "--n", str(n)]
    command += ["--layers", str(layers), "--regions", str(regions)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def peak(n: int, layers: int, regions: int, which: str) -> None:
    """Print the peak memory of this process in MB, less that before."""
    x, y = objects(n, layers, regions, "cpu")
    before = status("VmRSS")
    if which == "ours":
        ours(x, y, {})
    else:
        expert(x, y)
    print(round((status("VmHWM") - before) / 1e3))


def status(name: str) -> int:
    """One line of Linux's account of this process, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def compare(n: int, layers: int, regions: int, rounds: int, device: str) -> None:
    """One size: all rivals in turn."""
    x, y = objects(n, layers, regions, device)
    values = len(SIGMA) * layers * regions
    rng = torch.Generator().manual_seed(1)
    triples = [
        [int(torch.randint(size, (1,), generator=rng)) for size in (len(SIGMA), layers, regions)] for _ in range(9)
    ]
    modes = {"ours": {}, "ours, jackknife": {"groups": GROUPS}}
    modes |= {f"ours, {precision}": {"precision": precision} for precision in ("tf32", "bfloat16")}
    times: dict[str, list[float]] = {}
    off: dict[str, list[float]] = {}
    ours([x[0][:50]], [y[0][:50]], {})  # compiles, or reads what was compiled before
    known = {(w, s, t): exact(x[s], y[t], SIGMA[w]) for w, s, t in triples}
    holds = 2 * (layers + regions) * n**2 * 4 < GRAMS_LIMIT
    for _ in range(rounds):
        for name, options in modes.items():
            room = {"memory": 1e9 if device == "cpu" else 16e9, **options}
            seconds, found = timed(device, lambda room=room: ours(x, y, room))
            times.setdefault(name, []).append(seconds)
            off[name] = errors(found, known)
        if holds:
            seconds, found = timed(device, lambda: expert(x, y))
            times.setdefault("expert", []).append(seconds)
            off["expert"] = errors((found,), known)
        for name, rival in {"published": published, "textbook": textbook}.items():
            for w, s, t in triples[:TRIPLES]:
                seconds, found = timed(device, lambda w=w, s=s, t=t, rival=rival: rival(x[s], y[t], SIGMA[w]))
                times.setdefault(name, []).append(seconds * values)
                off.setdefault(name, []).append(abs(found - known[w, s, t][0]))
    base = statistics.median(times["ours"])
    print(f"\nn={n} {layers}x{regions}x{len(SIGMA)} = {values:,} values, {rounds} rounds, {device}")
    print(f"{'':16}{'seconds':>12}{'ratio':>10}{'values/s':>12}{'error biased':>14}{'debiased':>10}  peak MB")
    for name, taken in times.items():
        middle = statistics.median(taken)
        worst = [max(off[name])] if name in ("published", "textbook") else off[name]
        shown = "".join(f"{one:>12.1e}" for one in worst) + " " * 12 * (2 - len(worst))
        peaked = memory(n, layers, regions, name) if device == "cpu" and name in ("ours", "expert") else ""
        print(f"{name:16}{middle:>12.2f}{middle / base:>10.1f}{values / middle:>12.0f}  {shown}  {peaked}")


def profile(n: int, layers: int, regions: int, groups: int) -> str:
    """Where the time of ours goes, the second time that it runs."""
    x, y = objects(n, layers, regions, "cpu")
    ours(x, y, {"groups": groups})
    return split(PARTS, lambda: ours(x, y, {"groups": groups}))


def best(device: str, precision: str, threads: int) -> float:
    """FLOP/s of a large matrix product, of all threads together on a CPU."""
    side = 2048 if device == "cpu" else 8192
    a = torch.randn(side, side, device=device)
    factor = a.bfloat16() if precision == "bfloat16" else a
    with tensor_cores() if precision == "tf32" else nullcontext():
        torch.mm(factor, factor)
        seconds = min(timed(device, lambda: torch.mm(factor, factor))[0] for _ in range(5))
    return 2 * side**3 / seconds * (threads if device == "cpu" else 1)


def full(n: int, layers: int, regions: int, threads: int, device: str) -> None:
    """Ours alone, with both estimators and their errors: seconds, values a second, share of what products can do."""
    x, y = objects(n, layers, regions, device)
    work = n**2 * (sum(one.shape[1] for one in (*x, *y)) + len(SIGMA) * layers * regions)  # the upper half, doubled
    for precision in ("float32",) if device == "cpu" else ("float32", "tf32", "bfloat16"):
        options = {"precision": precision, "groups": GROUPS, "threads": threads}
        start, cpu = time.perf_counter(), time.process_time()
        ours(x, y, {"memory": 1e9 if device == "cpu" else 16e9, **options})
        if device != "cpu":
            torch.cuda.synchronize()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        most, values = best(device, precision, threads), len(SIGMA) * layers * regions
        print(
            f"\n{device} n={n} {layers}x{regions}x{len(SIGMA)} {precision}, {threads} threads: {wall:.1f} s, {cpu:.1f} "
            f"CPU-s, {values / wall:,.0f} values/s, peak {status('VmHWM') / 1e6:.1f} GB, "
            f"{work / wall / 1e9:,.0f} GFLOP/s = {work / wall / most:.0%} of the {most / 1e9:,.0f} of a matrix product"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one small size, in seconds")
    parser.add_argument("--full", action="store_true", help="ours alone, 8,859 stimuli and 24 layers by default")
    parser.add_argument(
        "--profile", action="store_true", help="only where the time of ours goes, without errors and with"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--n", type=int, nargs="+")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--regions", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of --full; the comparisons take one")
    parser.add_argument("--memory-of", choices=["ours", "expert"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.memory_of:
        peak(chosen.n[0], chosen.layers, chosen.regions, chosen.memory_of)
    elif chosen.profile:
        for n, groups in product(chosen.n or [500, 1000, 2000], (0, GROUPS)):
            print(f"\nn={n}, {groups} groups\n{profile(n, chosen.layers or 12, chosen.regions, groups)}")
    elif chosen.quick:
        compare(300, 3, 20, 2, chosen.device)
    elif chosen.full:
        for n in chosen.n or [8859]:
            full(n, chosen.layers or 24, chosen.regions, chosen.threads, chosen.device)
    else:
        for n in chosen.n or [500, 1000, 2000]:
            compare(n, chosen.layers or 12, chosen.regions, chosen.rounds, chosen.device)


if __name__ == "__main__":
    main()
