"""Principal components to 95 % of the variance, ours and scikit-learn's: `benchmarks/pca.py [--quick] [--profile]`.

Ours works in float64 whatever it is given, so scikit-learn is timed in float32 and in float64. Its randomized solver
cannot be asked for a share of the variance; it is told how many components that takes. The rounds are interleaved; a
line is the median of the CPU-seconds of one thread. The error is that of the scores' products with each other, which
no sign or turn changes, relative to the largest, against scikit-learn's full solver in float64. Below ours stands what
nothing that decomposes a Gram matrix can do without, its product alone.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _split import split
from sklearn.decomposition import PCA

from homoplasy.maths import pca

FLOOR = "of ours: X X' alone, float64"
Run = Callable[[], np.ndarray]
PARTS = {"the Gram matrix: X X'": [(pca, "centred_gram"), (pca, "gram")], "its eigenvectors": [(pca, "eigh")]}


def draw(n: int, d: int, decay: float) -> np.ndarray:
    """Rows of features that mix `min(n, d)` sources whose spread falls as j^-decay, off the origin."""
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((n, min(n, d))) * np.arange(1, min(n, d) + 1) ** -decay
    return sources @ rng.standard_normal((min(n, d), d)) + 3


def runs(x: np.ndarray, share: float, components: int) -> dict[str, Run]:
    """Everyone's scores of the rows."""
    single, tensor = x.astype(np.float32), torch.from_numpy(x.astype(np.float32))
    known = {"n_components": components, "svd_solver": "randomized", "random_state": 0}
    return {
        "ours": lambda: pca.scores(tensor, share).numpy(),
        FLOOR: lambda: x @ x.T,
        "scikit-learn full, float64": lambda: PCA(share, svd_solver="full").fit_transform(x),
        "scikit-learn full, float32": lambda: PCA(share, svd_solver="full").fit_transform(single),
        "scikit-learn randomized, float64": lambda: PCA(**known).fit_transform(x),
        "scikit-learn randomized, float32": lambda: PCA(**known).fit_transform(single),
    }


def table(x: np.ndarray, share: float, rounds: int) -> None:
    """Run everyone in turn, print one line each."""
    exact = PCA(share, svd_solver="full").fit_transform(x)
    products = exact @ exact.T
    contestants = runs(x, share, exact.shape[1])
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    found = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.process_time()
            found[name] = run().astype(np.float64)
            seconds[name].append(time.process_time() - start)
    ours = statistics.median(seconds["ours"])
    print(f"{'':36}{'CPU-s':>9}{'/ ours':>9}{'components':>12}{'error':>9}")
    for name, scores in found.items():
        median = statistics.median(seconds[name])
        line = f"{name:36}{median:9.2f}{median / ours:9.1f}"
        if name == FLOOR:
            print(line)
            continue
        error = abs(scores @ scores.T - products).max() / products.max()
        print(f"{line}{scores.shape[1]:12}{error:9.0e}")


def main() -> None:
    """Print the table for one size, or for two small ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, two rounds: seconds")
    parser.add_argument("--n", type=int, default=1500)
    parser.add_argument("--features", type=int, default=12000)
    parser.add_argument("--share", type=float, default=0.95)
    parser.add_argument("--decay", type=float, default=0.5, help="how fast the spread of the sources falls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="only where the time of ours goes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for n, d in [(300, 2000), (600, 200)] if given.quick else [(given.n, given.features)]:
        print(f"n={n} d={d}, {given.share:.0%} of the variance, spread j^-{given.decay:g}, one thread")
        if given.profile:
            x = torch.from_numpy(draw(n, d, given.decay).astype(np.float32))
            print(split(PARTS, partial(pca.scores, x, given.share)))
            continue
        table(draw(n, d, given.decay), given.share, 2 if given.quick else given.rounds)


if __name__ == "__main__":
    main()
