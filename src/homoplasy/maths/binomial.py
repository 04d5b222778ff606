"""What a count of successes says of the rate behind it."""

from scipy import stats


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a rate: every p at which neither tail of Bin(n, p) at x is below (1 - level)/2.

    Its bounds are quantiles of Beta(x, n - x + 1) and Beta(x + 1, n - x)  (Clopper & Pearson 1934).

    >>> [round(bound, 4) for bound in clopper_pearson(0, 20)]
    [0.0, 0.1684]
    >>> clopper_pearson(0, 0)
    (0.0, 1.0)
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high
