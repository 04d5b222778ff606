"""Do intervals cover the truth, and tests reject nothing, as often as they say? Simulated repeats with known truth.

    python -m benchmarks.calibration --repeats 200

Models come in families: what a family has in common moves score and performance of all its members. Truth is either a
planted relation (coverage of 95 % intervals) or none (share of tests with p <= .05, or of intervals that exclude 0).
"""

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from homoplasy.maths import correlation, hierarchical, lags, partial, permanova, regression, resampling, signs
from homoplasy.studies.convergence.halves import split_half

LEVEL = 0.95


class Row(NamedTuple):
    """One line of the table: what was counted, how often it should be, how often it was."""

    what: str
    nominal: float
    hits: int
    repeats: int

    def line(self) -> str:
        """The line, with the Clopper-Pearson interval of the share."""
        n, k = self.repeats, self.hits
        low = stats.beta.ppf(0.025, k, n - k + 1) if k else 0.0
        high = stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
        return f"| {self.what} | {self.nominal:.2f} | {k / n:.3f} | {low:.3f} to {high:.3f} |"


class Models(NamedTuple):
    """Score, performance, ln width and family of some models."""

    score: np.ndarray
    performance: np.ndarray
    width: np.ndarray
    family: np.ndarray


def models(rng: np.random.Generator, families: int, shared: float, slope: float) -> Models:
    """Score = slope x performance + width + noise, in families of three; `shared` is the variance of their levels."""
    family = np.repeat(np.arange(families), 3)
    own = np.sqrt(1 - shared)

    def column() -> np.ndarray:
        return np.sqrt(shared) * rng.normal(size=families)[family] + own * rng.normal(size=len(family))

    width, performance, noise = column(), column(), column()
    performance = performance + 0.5 * width
    return Models(slope * performance + width + noise, performance, width, family.astype(str))


def partial_truth(slope: float) -> float:
    """Partial correlation of score and performance given width in the population of `models`."""
    return slope / np.sqrt(slope**2 + 1)


def intervals(m: Models, rng: np.random.Generator) -> dict[str, tuple[float, float, str]]:
    """Every interval of the same relation: bounds, and whether of the partial correlation (r) or of the slope (b)."""
    design = regression.with_intercept(m.performance, m.width)
    weights = resampling.group_weights(m.family, 400, rng)
    r = correlation.correlation(m.score, m.performance, m.width)
    drawn = partial.weighted_partial(weights, m.score, m.performance, m.width[:, None])
    clustered = regression.clustered(m.score, design, m.family)
    mixed = hierarchical.random_intercept(m.score, design, m.family).effects
    fisher = correlation.fisher_interval(r, len(m.score), 1)
    anew = resampling.percentile_interval(drawn)
    return {
        "Fisher's z, partial r": (*fisher, "r"),
        "families drawn anew, partial r": (*anew, "r"),
        "the outermost of both, as in the ledger, partial r": (min(fisher[0], anew[0]), max(fisher[1], anew[1]), "r"),
        "errors clustered by family, slope": (float(clustered.low[1]), float(clustered.high[1]), "b"),
        "a level for every family, slope": (float(mixed.low[1]), float(mixed.high[1]), "b"),
    }


def relations(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    """Coverage with a planted relation and rejection without one, by number of families and what they share."""
    for families in (8, 20):
        for shared in (0.0, 0.5):
            for slope in (0.5, 0.0):
                truth = {"r": partial_truth(slope), "b": slope}
                hits: dict[str, int] = {}
                for _ in range(repeats):
                    for name, (low, high, kind) in intervals(models(rng, families, shared, slope), rng).items():
                        inside = low <= truth[kind] <= high
                        hits[name] = hits.get(name, 0) + (inside if slope else not inside)
                about = f"{families} families of 3 that share {shared:.0%}"
                kind = "covers" if slope else "excludes 0 without a relation"
                for name, count in hits.items():
                    yield Row(f"{name} {kind}; {about}", LEVEL if slope else 1 - LEVEL, count, repeats)


def nulls(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    """Tests of the study on data in which there is nothing to find."""
    groups = np.repeat(np.arange(3), 6)

    def walks() -> tuple[np.ndarray, np.ndarray]:
        a, b = np.cumsum(rng.normal(size=(2, 27)), axis=1)
        return a, b

    tests: dict[str, tuple[Callable[[], float], float]] = {
        "Spearman's p, n = 36": (lambda: correlation.spearman_p(*rng.normal(size=(2, 36))), 0.05),
        "changes turned round, two random walks": (lambda: lags.circular_shift_p(*walks()), 0.05),
        "blocks of changes, two random walks": (lambda: lags.block_permutation_p(*walks(), 3, 99, rng), 0.05),
        "PERMANOVA, three groups of 6": (
            lambda: permanova.permanova(rng.normal(size=(18, 5)), groups, 99, rng)[2],
            0.05,
        ),
        "signs of four subjects turned round (at best 1/8)": (lambda: signs.flip_p(rng.normal(size=(4, 24))), 0.125),
    }
    for name, (test, level) in tests.items():
        yield Row(f"{name}: rejects", level, sum(test() <= level for _ in range(repeats)), repeats)
    plain = sum(correlation.p_value(correlation.correlation(*walks()), 27) <= 0.05 for _ in range(repeats))
    yield Row("for contrast: p of the plain correlation of two random walks rejects", 0.05, plain, repeats)


def selection(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    """The brain score of a model in pure noise: best regions as they are, and chosen on the other half."""
    index = pd.MultiIndex.from_product(
        [range(repeats), ["a", "b"], range(10), range(60), [0, 1]],
        names=["source", "subject", "split", "region", "half"],
    )
    halves = pd.Series(rng.normal(size=len(index)), index=index, name="value").reset_index()
    held_out = split_half(halves, 0.05)
    first = halves[(halves["half"] == 0) & (halves["split"] == 0)].groupby(["source", "subject"])["value"]
    in_sample = first.apply(lambda values: values.nlargest(3).mean()).groupby("source").mean()
    for name, found in (("chosen on the other half", held_out), ("for contrast: chosen on the data scored", in_sample)):
        yield Row(f"brain score in noise is above 0, best 5 % of regions {name}", 0.5, int((found > 0).sum()), repeats)


def split_scores(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    """The split-half score against performance: no relation in noise, a planted one with its interval.

    24 models in 8 families, 2 subjects, 25 regions, 10 splits: regions hold noise alone, or in two of them the quality
    of the model. Performance is the quality and noise in both; the interval is the outermost of Fisher's z and families
    drawn anew, as in the ledger.
    """
    family = np.repeat(np.arange(8), 3).astype(str)
    for name, strength, kind in (("noise", 0.0, "excludes 0 without a relation"), ("signal", 0.6, "covers")):
        hits = rejected = 0
        truth = strength / np.sqrt(2 * (strength**2 + 1 / 8))  # noise: of 2 regions and 2 subjects, variance 1/2 each
        for _ in range(repeats):
            quality = rng.normal(size=24)
            score = _split_score(strength * quality, rng)
            performance = quality + rng.normal(size=24)
            r = correlation.correlation(score, performance)
            fisher = correlation.fisher_interval(r, 24)
            drawn = resampling.weighted_correlation(resampling.group_weights(family, 400, rng), score, performance)
            anew = resampling.percentile_interval(drawn)
            inside = min(fisher[0], anew[0]) <= truth <= max(fisher[1], anew[1])
            hits += inside if strength else not inside
            rejected += correlation.p_value(r, 24) <= 0.05
        nominal = LEVEL if strength else 1 - LEVEL
        yield Row(f"split-half score in {name} with performance: interval {kind}", nominal, hits, repeats)
        if not strength:
            yield Row("split-half score in noise with performance: p rejects", 0.05, rejected, repeats)


def _split_score(quality: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Halves of a score share what is there and differ by noise: their mean is the score of all images."""
    shape = {"source": range(len(quality)), "subject": ["a", "b"], "region": range(25), "split": range(10)}
    index = pd.MultiIndex.from_product(shape.values(), names=list(shape))
    cells = (len(quality), 2, 25)
    noise = rng.normal(size=(*cells, 1)) / np.sqrt(2)  # of all images, the same in every split
    apart = rng.normal(size=(*cells, 10)) / np.sqrt(2)
    carried = np.zeros(cells)
    carried[:, :, :2] = (8 + quality[:, None, None]) * quality.any()
    both = [(carried[..., None] + noise + sign * apart).ravel() for sign in (1, -1)]
    halves = pd.concat([pd.DataFrame({"value": one}, index=index).assign(half=half) for half, one in enumerate(both)])
    return split_half(halves.reset_index(), 0.05).to_numpy()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| what | nominal | seen | 95 % of the share |\n|---|---|---|---|")
    for part in (relations, nulls, selection, split_scores):
        for row in part(given.repeats, np.random.default_rng([given.seed, len(part.__name__)])):
            print(row.line(), flush=True)


if __name__ == "__main__":
    main()
