"""Measures of neighbourhoods, 12 layers x 180 regions at every k: `benchmarks/neighbours.py --n 1000 --rounds 3`.

The published algorithms are written from their definitions: for each value both sides are ranked anew by a full sort
of their inner products in float32, and 0/1 matrices of neighbours are compared; CKNNA multiplies dense masked kernels.
They are timed on random (layer, region, k) and extrapolated to all of them. Errors are against float64 by stable
sorts. Processor seconds of one thread, interleaved, the median of the rounds; compiling is done before. `--profile`
prints where the time of ours goes instead.
"""

import argparse
import resource
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from _sides import Clock, sides, zscored
from _split import split
from torch import Tensor

import homoplasy as hp
from homoplasy.maths import cknna as alignment
from homoplasy.maths import neighbours, overlaps
from homoplasy.measures import CKNNA, CycleKNN, MutualKNN, _neighbourhoods

PARTS = {
    "standardising": [(_neighbourhoods, "ready")],
    "similarities: X X'": [(np, "matmul")],
    "ordering them": [(neighbours, "_order")],
    "comparing lists": [(overlaps, "_shared"), (overlaps, "_met"), (alignment, "_restricted")],
}


def masks(x: Tensor, k: int) -> Tensor:
    """A_ij = 1 where j is one of the k nearest of i, by a full sort; the earlier of equally near ones comes first."""
    lists = (x @ x.T).fill_diagonal_(-torch.inf).argsort(dim=1, descending=True, stable=x.dtype == torch.float64)
    return torch.zeros(len(x), len(x), dtype=x.dtype).scatter_(1, lists[:, :k], 1.0)


def mutual(x: Tensor, y: Tensor, k: int) -> float:
    """mean_i |A_i and B_i| / k."""
    return float((masks(x, k) * masks(y, k)).sum(1).mean() / k)


def cycle(x: Tensor, y: Tensor, k: int) -> float:
    """Share of i that are in A_j for some j in B_i."""
    return float(((masks(x, k).T * masks(y, k)).sum(1) > 0).to(x.dtype).mean())


def cknna(x: Tensor, y: Tensor, k: int) -> float:
    """HSIC_u(M o K, M o L) / sqrt(self terms), by traces of dense matrices."""
    a, b, p, q = masks(x, k), masks(y, k), x @ x.T, y @ y.T
    terms = [hsic(one * u, one * v) for one, u, v in ((a * b, p, q), (a, p, p), (b, q, q))]
    return terms[0] / (terms[1] * terms[2]) ** 0.5


def hsic(p: Tensor, q: Tensor) -> float:
    """Song et al. 2012, eq. 5; the diagonals are zero."""
    n, product = len(p), p @ q
    return float(product.trace() + p.sum() * q.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * product.sum()) / n / (n - 3)


@dataclass(frozen=True)
class Contest:
    """A measure of ours, and the published algorithm of one of its values."""

    ours: MutualKNN | CycleKNN | CKNNA
    published: Callable[[Tensor, Tensor, int], float]


CONTESTS = {
    "mutual": Contest(MutualKNN(k=(20, 40, 60, 80, 200, 400), metric="inner"), mutual),
    "cycle": Contest(CycleKNN(k=(40, 60, 80, 100, 200, 400), metric="inner"), cycle),
    "cknna": Contest(CKNNA(k=(10, 12, 50), metric="inner"), cknna),
}
HEADER = f"{'':8} {'n':>6} {'values':>7} {'ours':>8} {'published':>10} {'ratio':>7} {'our error':>10} {'its error':>10}"


def compare(name: str, given: argparse.Namespace) -> str:
    """One line of the table."""
    rng, clock, contest = np.random.default_rng(given.n), Clock(), CONTESTS[name]
    layers, regions = sides(given.n, rng, given.layers, given.regions)
    hp.score(*([one.select(one.stimulus_ids[:50]) for one in side[:1]] for side in (layers, regions)), [contest.ours])
    ks, errors = contest.ours.k, []
    for _ in range(given.rounds):
        table = clock.run("ours", lambda: hp.score(layers, regions, [contest.ours], memory=given.memory))
        values = table["value"].to_numpy().reshape(len(layers), len(regions), len(ks))
        for _ in range(given.triples):
            s, t, k = (int(rng.integers(size)) for size in values.shape)
            pair = [torch.from_numpy(zscored(one)) for one in (layers[s], regions[t])]
            exact = contest.published(*pair, ks[k])
            single = [one.float() for one in pair]
            theirs = clock.run("published", lambda single=single, k=k: contest.published(*single, ks[k]))
            errors.append((abs(values[s, t, k] - exact), abs(theirs - exact)))
    seconds = clock.of("ours")
    line = f"{name:8} {given.n:6d} {values.size:7d} {seconds:8.2f}"
    if not errors:
        return line
    whole, (ours, theirs) = clock.of("published") * values.size, np.max(errors, axis=0)
    return f"{line} {whole:10.0f} {whole / seconds:7.0f} {ours:10.1e} {theirs:10.1e}"


def profile(name: str, given: argparse.Namespace) -> str:
    """Where the time of ours goes, the second time that it runs."""
    layers, regions = sides(given.n, np.random.default_rng(given.n), given.layers, given.regions)
    task = partial(hp.score, layers, regions, [CONTESTS[name].ours], memory=given.memory)
    task()
    return f"{name}, n={given.n}\n{split(PARTS, task)}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="stimuli")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--regions", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--triples", type=int, default=3, help="published values a round; 0: ours alone")
    parser.add_argument("--memory", default="2GB", help="what our side is allowed")
    parser.add_argument("--measures", nargs="+", choices=CONTESTS, default=list(CONTESTS))
    parser.add_argument("--profile", action="store_true", help="only where the time of ours goes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("" if given.profile else HEADER)
    for name in given.measures:
        print((profile if given.profile else compare)(name, given), flush=True)
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
