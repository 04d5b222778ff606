"""Mutual kNN, 12 layers x 180 regions x 6 k, against the published algorithm: `benchmarks/neighbours.py [--quick]`.

The published algorithm is written from its definition: for each value both sides are ranked anew by a full sort of
their inner products in float32, and the two 0/1 matrices of neighbours are multiplied entry by entry. It is timed on
random (layer, region, k) and extrapolated to all of them. Processor seconds of one thread, interleaved.
"""

import argparse

import numpy as np
import torch
from _sides import LAYERS, REGIONS, Clock, sides, zscored
from torch import Tensor

import homoplasy as hp

KS = (20, 40, 60, 80, 200, 400)


def published(x: Tensor, y: Tensor, k: int) -> float:
    """mean_i |A_i and B_i| / k."""
    masks = []
    for one in (x, y):
        lists = (one @ one.T).fill_diagonal_(-1e8).argsort(dim=1, descending=True)[:, :k]
        masks.append(torch.zeros(len(one), len(one)).scatter_(1, lists, 1.0))
    return float((masks[0] * masks[1]).sum(1).mean() / k)


def reference(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """The same in float64 by a stable sort."""
    lists = []
    for one in (x, y):
        similarity = one @ one.T
        np.fill_diagonal(similarity, -np.inf)
        lists.append(np.argsort(-similarity, axis=1, kind="stable")[:, :k])
    return float(np.mean([len(np.intersect1d(a, b)) for a, b in zip(*lists, strict=True)]) / k)


def compare(n: int, rounds: int, triples: int) -> str:
    """One line of the table."""
    rng, clock, errors = np.random.default_rng(n), Clock(), []
    layers, regions = sides(n, rng)
    measure = hp.measures.MutualKNN(k=KS, metric="inner")
    for _ in range(rounds):
        table = clock.run("ours", lambda: hp.score(layers, regions, [measure], memory="16GB"))
        values = table["value"].to_numpy().reshape(LAYERS, REGIONS, len(KS))
        for _ in range(triples):
            s, t, k = (int(rng.integers(size)) for size in values.shape)
            x, y = zscored(layers[s]), zscored(regions[t])
            pair = [torch.from_numpy(one.astype(np.float32)) for one in (x, y)]
            theirs = clock.run("published", lambda pair=pair, k=k: published(*pair, KS[k]))
            exact = reference(x, y, KS[k])
            errors.append((abs(values[s, t, k] - exact), abs(theirs - exact)))
    whole, (ours, theirs) = clock.of("published") * values.size, np.max(errors, axis=0)
    return f"{n:6d} {clock.of('ours'):10.2f} {whole:14.0f} {whole / clock.of('ours'):8.0f} {ours:11.1e} {theirs:11.1e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 500 once, in seconds")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print(f"mutual kNN, {LAYERS} x {REGIONS} x {len(KS)} values; CPU-s of one thread; published: extrapolated")
    print(f"{'n':>6} {'ours':>10} {'published':>14} {'ratio':>8} {'our error':>11} {'its error':>11}")
    for n, rounds in [(500, 1)] if quick else [(1000, 3), (4000, 1)]:
        print(compare(n, rounds, triples=3), flush=True)


if __name__ == "__main__":
    main()
