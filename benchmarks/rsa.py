"""Spearman RSA, 12 layers x 180 regions, against scipy and rsatoolbox: `benchmarks/rsa.py [--quick]`.

scipy.stats.spearmanr is given the vectors of dissimilarities ready made, is timed on random pairs and extrapolated.
rsatoolbox.rdm.compare is given all of them ready made and run whole; where it is not installed its column is empty.
Ours starts from the features. Processor seconds of one thread, interleaved.
"""

import argparse
import importlib.util
import math
from typing import Any

import numpy as np
import torch
from _sides import LAYERS, REGIONS, Clock, sides, zscored
from scipy import stats
from scipy.spatial.distance import pdist

import homoplasy as hp


def toolbox(ours: np.ndarray, theirs: np.ndarray) -> Any:
    """All pairs by rsatoolbox."""
    from rsatoolbox.rdm import RDMs
    from rsatoolbox.rdm import compare as compare_rdms

    return compare_rdms(RDMs(ours), RDMs(theirs), method="spearman")


def compare(n: int, rounds: int, pairs: int, *, with_toolbox: bool) -> str:
    """One line of the table."""
    rng, clock, errors = np.random.default_rng(n), Clock(), []
    layers, regions = sides(n, rng)
    left, right = (np.stack([pdist(zscored(one)) for one in side]) for side in (layers, regions))
    for _ in range(rounds):
        table = clock.run("ours", lambda: hp.score(layers, regions, [hp.measures.RSA()], memory="16GB"))
        values = table["value"].to_numpy().reshape(LAYERS, REGIONS)
        for _ in range(pairs):
            s, t = (int(rng.integers(size)) for size in values.shape)
            scipy = clock.run("scipy", lambda s=s, t=t: stats.spearmanr(left[s], right[t])[0])
            errors.append(abs(values[s, t] - scipy))
        if with_toolbox:
            clock.run("rsatoolbox", lambda: toolbox(left, right))
    scipy, ours = clock.of("scipy") * values.size, clock.of("ours")
    other = clock.of("rsatoolbox") if with_toolbox else math.nan
    return f"{n:6d} {ours:8.2f} {scipy:9.1f} {other:11.1f} {scipy / ours:8.0f} {other / ours:12.1f} {max(errors):10.1e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 300 once, in seconds")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    with_toolbox = importlib.util.find_spec("rsatoolbox") is not None
    if not with_toolbox:
        print("rsatoolbox is not here, its column is empty; install it where Python finds it to compare.")
    print(f"Spearman RSA, {LAYERS} x {REGIONS} values; CPU-s of one thread; scipy: extrapolated")
    print(f"{'n':>6} {'ours':>8} {'scipy':>9} {'rsatoolbox':>11} {'/ scipy':>8} {'/ rsatoolbox':>12} {'error':>10}")
    for n, rounds in [(300, 1)] if quick else [(500, 3), (1000, 3)]:
        print(compare(n, rounds, pairs=3, with_toolbox=with_toolbox), flush=True)


if __name__ == "__main__":
    main()
