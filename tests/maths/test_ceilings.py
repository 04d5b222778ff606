import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import ceilings


def naive_hsic(x, y):
    """Song et al. 2012, eq. 5, term by term on the n x n kernels."""
    k, l = x @ x.T, y @ y.T
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    inner = (
        np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)
    )
    return inner / (n * (n - 3))


def hsic(x, y):
    return float(ceilings.linear_hsic(torch.from_numpy(x), torch.from_numpy(y)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(4, 30), v=st.integers(1, 40), w=st.integers(1, 9))
def test_hsic_from_features_is_hsic_from_kernels(seed, n, v, w):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, v)) + 3, rng.standard_normal((n, w))
    assert hsic(x, y) == pytest.approx(naive_hsic(x, y), rel=1e-8, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_hsic_does_not_see_a_shift_or_the_order_of_rows(seed):
    rng = np.random.default_rng(seed)
    x, y, order = rng.standard_normal((12, 5)), rng.standard_normal((12, 3)), rng.permutation(12)
    assert hsic(x + 10, y) == pytest.approx(hsic(x, y), abs=1e-10)
    assert hsic(x[order], y[order]) == pytest.approx(hsic(x, y), abs=1e-10)


def test_cka_of_the_golden_arrays():
    i = np.arange(1, 13)[:, None]
    x = np.sin(0.7 * i * np.arange(1, 6) + np.arange(1, 6))
    y = np.cos(0.9 * i * np.arange(1, 4)) + 0.3 * np.sin(i)
    x, y = ((a - a.mean(0)) / a.std(0, ddof=1) for a in (x, y))
    assert hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y)) == pytest.approx(0.1134601117, abs=1e-8)


def test_variance_ceiling_known_answers():
    assert ceilings.variance_ceiling(np.array([0.5]), np.array([3] * 7))[0] == pytest.approx(42.857, abs=1e-3)
    # two images with three trials, one with two, one with one
    assert ceilings.variance_ceiling(np.array([0.5]), np.array([3, 3, 2, 1]))[0] == pytest.approx(31.579, abs=1e-3)


def test_variance_ceiling_at_its_ends():
    found = ceilings.variance_ceiling(np.array([0.0, np.inf]), np.array([3]))
    assert found.tolist() == [0.0, 100.0]


def test_ncsnr_at_its_ends():
    found = ceilings.ncsnr(np.array([1.0, 1.2, 0.5, 0.0]), np.ones(4))
    assert found.tolist() == [0.0, 0.0, 1.0, np.inf]


def ragged(rng, v=4):
    """Images shown once, twice, three times; places that were not shown hold rubbish."""
    repeats = rng.standard_normal((3, 9, v))
    shown = np.array([[True] * 9, [True] * 6 + [False] * 3, [True] * 2 + [False] * 7])
    return repeats, shown


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_mean_and_noise_variance_against_loops(seed):
    repeats, shown = ragged(np.random.default_rng(seed))
    mean = ceilings.mean_response(repeats, shown)
    variances = []
    for i in range(9):
        seen = repeats[shown[:, i], i]
        np.testing.assert_allclose(mean[i], seen.mean(0))
        if len(seen) > 1:
            variances.append(seen.var(0, ddof=1))
    np.testing.assert_allclose(ceilings.noise_variance(repeats, shown, mean), np.mean(variances, axis=0))


def test_noise_variance_without_repeats_is_not_known():
    repeats, shown = np.zeros((1, 5, 2)), np.ones((1, 5), dtype=bool)
    assert np.isnan(ceilings.noise_variance(repeats, shown, repeats[0])).all()


def planted(rng, n, v, snr, r=3):
    """Responses of known reliability: two latent dimensions of content, white noise."""
    latent = rng.standard_normal((n, 6)) * np.arange(1, 7) ** -0.5
    signal = latent @ rng.standard_normal((6, v))
    signal = (signal - signal.mean(0)) / signal.std(0)
    return latent, signal, snr * signal + rng.standard_normal((r, n, v))


def cka(x, y):
    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


@pytest.mark.parametrize(("v", "snr"), [(24, 0.5), (96, 0.4), (300, 0.55)])
def test_the_corrected_cka_is_the_noise_free_one(v, snr):
    rng = np.random.default_rng(v)
    latent, signal, repeats = planted(rng, 240, v, snr)
    shown = np.ones((3, 240), dtype=bool)
    mean = ceilings.mean_response(repeats, shown)
    limit = ceilings.cka_ceiling(*(torch.from_numpy(a) for a in (repeats, shown, mean)))
    raw, free = cka(latent, mean), cka(latent, signal)
    assert limit.reason == ""
    assert raw < free - 0.03
    assert ceilings.corrected(raw, limit.value) == pytest.approx(free, abs=0.05)


def test_the_ceiling_holds_for_images_that_differ_in_repeats():
    rng = np.random.default_rng(5)
    latent, signal, repeats = planted(rng, 400, 80, 0.5)
    shown = np.arange(3)[:, None] < rng.integers(1, 4, 400)
    mean = ceilings.mean_response(repeats, shown)
    limit = ceilings.cka_ceiling(*(torch.from_numpy(a) for a in (repeats, shown, mean)))
    assert ceilings.corrected(cka(latent, mean), limit.value) == pytest.approx(cka(latent, signal), abs=0.05)


def test_noise_has_no_ceiling():
    found = []
    for seed in range(40):
        repeats = torch.from_numpy(np.random.default_rng(seed).standard_normal((3, 60, 20)))
        found.append(ceilings.cka_ceiling(repeats, torch.ones(3, 60, dtype=torch.bool), repeats.mean(0)).reason)
    # two standard errors: one in forty on each side, a little more for a skewed statistic
    assert found.count("no_signal") >= 35


def test_one_showing_gives_no_ceiling():
    values = torch.randn(1, 9, 3, generator=torch.Generator().manual_seed(1))
    found = ceilings.cka_ceiling(values, torch.ones(1, 9, dtype=torch.bool), values[0])
    assert np.isnan(found.value)
    assert found.reason == "no_repeats"


def test_agreement_is_the_mean_correlation_and_its_re_pairing_sd():
    rng = np.random.default_rng(2)
    _, _, (a, b) = planted(rng, 30, 7, 0.6, r=2)
    mean, sd = ceilings.agreement(torch.from_numpy(a), torch.from_numpy(b))

    def average(c):
        return np.mean([np.corrcoef(a[:, j], c[:, j])[0, 1] for j in range(7)])

    assert mean == pytest.approx(average(b), abs=1e-12)
    drawn = [average(b[rng.permutation(30)]) for _ in range(2000)]
    assert sd == pytest.approx(np.std(drawn), rel=0.06)  # 1/sqrt(2 draws) is .016
    assert abs(np.mean(drawn)) < 4 * sd / np.sqrt(2000)


def test_agreement_sd_by_full_enumeration():
    from itertools import permutations

    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 6, 3))
    _, sd = ceilings.agreement(torch.from_numpy(a), torch.from_numpy(b))
    z = [(m - m.mean(0)) / m.std(0, ddof=1) for m in (a, b)]
    every = [(z[0] * z[1][list(order)]).sum() / (5 * 3) for order in permutations(range(6))]
    assert sd == pytest.approx(np.std(every), rel=1e-10)
