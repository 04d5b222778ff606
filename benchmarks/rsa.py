"""Spearman RSA, 12 layers x 180 regions, against scipy and rsatoolbox: `benchmarks/rsa.py [--quick] [--profile]`.

scipy.stats.spearmanr is given the vectors of dissimilarities ready made, is timed on random pairs and extrapolated.
rsatoolbox.rdm.compare is given all of them ready made and run whole; where it is not installed its column is empty.
Ours starts from the features, and is run once before the rounds, which compiles what it compiles. Processor seconds of
one thread, interleaved. Peak memory is that of our scoring alone, above what the process held before, the features
being in it.
"""

import argparse
import importlib.util
import math
import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _sides import LAYERS, REGIONS, Clock, sides, zscored
from _split import split
from scipy import stats
from scipy.spatial.distance import pdist

import homoplasy as hp
from homoplasy.maths import clouds, pairs

PARTS = {
    "standardising": [(hp.measures.RSA, "prepare")],
    "the range of distances, from 32 columns": [(pairs, "_ranges")],
    "distances: X X'": [(clouds.Clouds, "tile")],
    "counting them in bins": [(pairs, "_count")],
    "ranks of the bins": [(pairs, "_ranked")],
    "looking ranks up": [(pairs.Table, "look")],
}


def toolbox(ours: np.ndarray, theirs: np.ndarray) -> Any:
    """All pairs by rsatoolbox."""
    from rsatoolbox.rdm import RDMs
    from rsatoolbox.rdm import compare as compare_rdms

    return compare_rdms(RDMs(ours), RDMs(theirs), method="spearman")


def compare(n: int, rounds: int, pairs: int, *, with_toolbox: bool) -> str:
    """One line of the table."""
    rng, clock, errors = np.random.default_rng(n), Clock(), []
    layers, regions = sides(n, rng)
    peak = peaked(lambda: hp.score(layers, regions, [hp.measures.RSA()]))
    left, right = (np.stack([pdist(zscored(one)) for one in side]) for side in (layers, regions))
    for _ in range(rounds):
        table = clock.run("ours", lambda: hp.score(layers, regions, [hp.measures.RSA()]))
        values = table["value"].to_numpy().reshape(LAYERS, REGIONS)
        for _ in range(pairs):
            s, t = (int(rng.integers(size)) for size in values.shape)
            scipy = clock.run("scipy", lambda s=s, t=t: stats.spearmanr(left[s], right[t])[0])
            errors.append(abs(values[s, t] - scipy))
        if with_toolbox:
            clock.run("rsatoolbox", lambda: toolbox(left, right))
    scipy, ours = clock.of("scipy") * values.size, clock.of("ours")
    other = clock.of("rsatoolbox") if with_toolbox else math.nan
    return (
        f"{n:6d} {ours:8.2f} {scipy:9.1f} {other:11.1f} {scipy / ours:8.0f} {other / ours:12.1f} {max(errors):10.1e}"
        f" {peak:8.0f}"
    )


def profile(n: int) -> str:
    """Where the time of ours goes, the second time that it runs; the rest is sums, products and reading."""
    layers, regions = sides(n, np.random.default_rng(n))
    hp.score(layers, regions, [hp.measures.RSA()])
    return split(PARTS, lambda: hp.score(layers, regions, [hp.measures.RSA()]))


def peaked(task: Callable[[], Any]) -> float:
    """Megabytes that a task adds to the most that this process ever held; Linux only."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    task()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 400 once, in seconds")
    parser.add_argument("--n", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="only where the time of ours goes")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.profile:
        for n in chosen.n:
            print(f"n={n}\n{profile(n)}")
        return
    with_toolbox = importlib.util.find_spec("rsatoolbox") is not None
    if not with_toolbox:
        print("rsatoolbox is not here, its column is empty; install it where Python finds it to compare.")
    print(f"Spearman RSA, {LAYERS} x {REGIONS} values; CPU-s of one thread; scipy: extrapolated")
    print(
        f"{'n':>6} {'ours':>8} {'scipy':>9} {'rsatoolbox':>11} {'/ scipy':>8} {'/ rsatoolbox':>12} {'error':>10}"
        f" {'peak MB':>8}"
    )
    sizes, rounds = ([400], 1) if chosen.quick else (chosen.n, chosen.rounds)
    for n in sizes:
        print(compare(n, rounds, pairs=3, with_toolbox=with_toolbox), flush=True)


if __name__ == "__main__":
    main()
