"""Ridge encoding, ours, himalaya's and scikit-learn's on the same data: `benchmarks/ridge.py [--quick]`.

Twelve penalties, five folds of neighbouring rows, an intercept, one penalty a voxel. Every contestant is given the
data and gives weights or dual coefficients. The rounds are interleaved; a line is the median of the CPU-seconds of one
thread. scikit-learn's GridSearchCV is run on a few voxels and multiplied, which the table says. The reference is
our float64, which the tests hold to the closed form and to scikit-learn. Needs himalaya (`pip install himalaya`).
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold

from homoplasy.maths import folds, ridge
from homoplasy.maths.factorised import factorise

try:
    from himalaya.backend import set_backend
    from himalaya.kernel_ridge import KernelRidgeCV
    from himalaya.ridge import RidgeCV
except ImportError as absent:
    raise SystemExit("this benchmark compares with himalaya, which is absent: pip install himalaya") from absent

ALPHAS = np.logspace(-1, 5, 12).astype(np.float32)
FOLDS, ALONE = 5, 3  # voxels that are cross-validated one by one


@dataclass(frozen=True)
class Answer:
    """The penalty of every voxel, by its place, and its prediction for new rows."""

    chosen: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class Data:
    """Seen rows and new ones."""

    x: np.ndarray
    y: np.ndarray
    new: np.ndarray


def draw(n: int, d: int, v: int, decay: float) -> Data:
    """Turned features whose spectrum falls as j^-decay, z-scored; voxels from noise to signal."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n + 200, d)) * np.arange(1, d + 1) ** -decay
    x = x @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    x = (x - x[:n].mean(0)) / x[:n].std(0)
    signal = x @ rng.standard_normal((d, v)) / d**0.5
    y = signal * rng.uniform(0, 1, v) + 2 * rng.standard_normal(signal.shape)
    return Data(*(one.astype(np.float32) for one in (x[:n], y[:n] - y[:n].mean(0), x[n:])))


def place(alphas: object) -> np.ndarray:
    """The nearest penalty of the list: every library rounds it in its own way."""
    return abs(np.log(np.asarray(alphas, dtype=float))[:, None] - np.log(ALPHAS)).argmin(1)


def ours(data: Data, choice: ridge.Choice, dtype: torch.dtype = torch.float32) -> Callable[[], Answer]:
    """Our fit; the seconds are those of factorising, choosing, fitting and predicting."""
    x, y, new, alphas = (torch.from_numpy(one).to(dtype) for one in (data.x, data.y, data.new, ALPHAS))
    parts = folds.blocks(len(x), FOLDS) if choice == "folds" else ()

    def run() -> Answer:
        found = ridge.fit(factorise(x, parts), y, alphas, choice)
        return Answer(place(found.alphas), found.predict(new).numpy())

    return run


def primal(data: Data, backend: str) -> Callable[[], Answer]:
    """Himalaya's RidgeCV: a singular value decomposition a fold."""

    def run() -> Answer:
        give = set_backend(backend).asarray
        quiet = {"warn": False}
        model = RidgeCV(ALPHAS, fit_intercept=True, cv=KFold(FOLDS), solver_params=quiet)
        model.fit(give(data.x), give(data.y))
        return Answer(place(model.best_alphas_), np.asarray(model.predict(give(data.new))))

    return run


def dual(data: Data, backend: str) -> Callable[[], Answer]:
    """Himalaya's KernelRidgeCV with a linear kernel; it has no intercept, the data are centred as a whole."""

    def run() -> Answer:
        give = set_backend(backend).asarray
        model = KernelRidgeCV(ALPHAS, kernel="linear", cv=KFold(FOLDS), warn=False).fit(give(data.x), give(data.y))
        return Answer(place(model.best_alphas_), np.asarray(model.predict(give(data.new))))

    return run


def alone(data: Data) -> Callable[[], Answer]:
    """Cross-validate voxel by voxel with scikit-learn."""

    def run() -> Answer:
        grid = {"alpha": ALPHAS}
        found = [
            GridSearchCV(Ridge(), grid, cv=KFold(FOLDS), scoring="neg_mean_squared_error").fit(data.x, data.y[:, i])
            for i in range(ALONE)
        ]
        chosen = place([model.best_params_["alpha"] for model in found])
        return Answer(chosen, np.stack([model.predict(data.new) for model in found], 1))

    return run


def timed(run: Callable[[], Answer]) -> tuple[float, Answer]:
    """CPU-seconds of one run."""
    start = time.process_time()
    answer = run()
    return time.process_time() - start, answer


def table(data: Data, rounds: int) -> None:
    """Run everyone in turn, print one line each."""
    references: dict[str, Answer] = {choice: ours(data, choice, torch.float64)() for choice in ridge.CHOICES}
    runs = {f"ours, {choice}": ours(data, choice) for choice in ridge.CHOICES}
    runs |= {f"himalaya RidgeCV, {name}": primal(data, name) for name in ("torch", "numpy")}
    runs |= {f"himalaya KernelRidgeCV, {name}": dual(data, name) for name in ("torch", "numpy")}
    runs |= {f"scikit-learn GridSearchCV, {ALONE} voxels multiplied": alone(data)}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    answers = {}
    for _ in range(rounds):
        for name, run in runs.items():
            taken, answers[name] = timed(run)
            seconds[name].append(taken * (data.y.shape[1] / ALONE if "multiplied" in name else 1))
    base = {choice: statistics.median(seconds[f"ours, {choice}"]) for choice in ridge.CHOICES}
    print(f"{'':52}{'CPU-s':>9}{'/ folds':>10}{'/ gcv':>10}{'same alpha':>12}{'prediction':>12}")
    for name, answer in answers.items():
        choice = name.removeprefix("ours, ") if name.startswith("ours") else "folds"
        median, exact = statistics.median(seconds[name]), references[choice]
        many = len(answer.chosen)
        same = answer.chosen == exact.chosen[:many]
        error = abs(answer.predicted - exact.predicted[:, :many])[:, same].max() if same.any() else np.nan
        ratios = f"{median / base['folds']:10.1f}{median / base['gcv']:10.1f}"
        print(f"{name:52}{median:9.2f}{ratios}{100 * same.mean():11.2f}%{error:12.0e}")
    for choice in ("leave_one_out", "gcv"):
        alike = (references[choice].chosen == references["folds"].chosen).mean()
        print(f"{choice} chooses the penalty of the folds for {100 * alike:.0f}% of the voxels")


def main() -> None:
    """Print the table for one size, or for a small primal and a small dual one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, two rounds: seconds")
    parser.add_argument("--n", type=int, default=1500)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--voxels", type=int, default=4000)
    parser.add_argument("--decay", type=float, default=0.5, help="how fast the spectrum of the features falls")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sizes = [(given.n, given.features, given.voxels)]
    for n, d, v in [(300, 100, 500), (150, 400, 500)] if given.quick else sizes:
        print(f"n={n} d={d} V={v}, {len(ALPHAS)} penalties, {FOLDS} folds, float32, one thread")
        table(draw(n, d, v, given.decay), 2 if given.quick else given.rounds)


if __name__ == "__main__":
    main()
