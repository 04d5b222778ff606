"""Which of two rising curves comes first: half-rise times, and tests that heed that any two rising curves agree."""

import numpy as np
from jaxtyping import Float

from homoplasy.maths.correlation import constant, correlation

_ENDS = 3  # points at either end that say how far a curve rises
_CLEAR = 3.0  # a rise below this many sd of the noise is no rise


def half_rise(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """The x at which y first reaches the middle between its first and its last level; NaN without a clear rise.

    Levels are means of the first and last three points; the noise is judged from second differences,
    sd = sqrt(mean(y_(i-1) - 2 y_i + y_(i+1))^2 / 6); between points the curve is a straight line.
    """
    if len(y) <= 2 * _ENDS or not np.isfinite(y).all():
        return float("nan")
    low, high = y[:_ENDS].mean(), y[-_ENDS:].mean()
    noise = np.sqrt(np.mean(np.diff(y, 2) ** 2) / 6)
    if high - low <= _CLEAR * noise or high <= low:
        return float("nan")
    return _crossing(x, y, (low + high) / 2)


def _crossing(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], level: float) -> float:
    after = int(np.argmax(y >= level))
    if after == 0:
        return float("nan")
    share = (level - y[after - 1]) / (y[after] - y[after - 1])
    return float(x[after - 1] + share * (x[after] - x[after - 1]))


def difference_correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """Correlation of the changes from point to point: what two curves share beyond both rising."""
    return correlation(np.diff(a), np.diff(b))


def circular_shift_p(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """How rarely the changes of b, turned round by any number of places, agree as well with those of a.

    p = #{shifts with |r| >= |r_0|} / m over all m shifts, the unshifted one among them; at best 1/m.
    """
    da, db = np.diff(a), np.diff(b)
    places = (np.arange(len(db))[None, :] - np.arange(len(db))[:, None]) % len(db)
    return _rarity(da, db[places])


def block_permutation_p(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], block: int, draws: int, generator: np.random.Generator
) -> float:
    """The same for random orders of blocks of changes, which keep what neighbouring points share inside a block."""
    da, db = np.diff(a), np.diff(b)
    parts = [np.arange(start, min(start + block, len(db))) for start in range(0, len(db), block)]
    orders = [np.concatenate([parts[i] for i in generator.permutation(len(parts))]) for _ in range(draws)]
    return _rarity(da, db[np.stack([np.arange(len(db)), *orders])])


def _rarity(da: Float[np.ndarray, " k"], orders: Float[np.ndarray, "m k"]) -> float:
    """Share of the orders of b, the true one first, that correlate with a as well as the true one does."""
    if constant(da) or constant(orders[0]):
        return float("nan")
    a, b = da - da.mean(), orders - orders.mean(axis=1, keepdims=True)
    r = np.abs(b @ a)  # every order has the same length
    return float(np.mean(r >= r[0] * (1 - 1e-9)))
