from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import ceilings, unit_sampling


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def each_unit(x, y):
    """HSIC of every column alone."""
    return torch.stack([ceilings.linear_hsic(x[:, [u]], y[:, [u]]) for u in range(x.shape[1])])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), n=st.integers(4, 20), d=st.integers(2, 9))
def test_own_terms_are_those_of_every_unit_alone(seed, n, d):
    x, y = noise(seed, n, d) + 3, noise(seed + 1, n, d)
    torch.testing.assert_close(unit_sampling.own_terms(x, y), each_unit(x, y))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), n=st.integers(4, 20), d=st.integers(3, 9))
def test_leaving_out_a_unit_is_computing_without_it(seed, n, d):
    x, y = noise(seed, n, d) + 3, noise(seed + 1, n, d)
    torch.testing.assert_close(unit_sampling.with_all(x, y).sum(), ceilings.linear_hsic(x, y))
    rest = [[u for u in range(d) if u != out] for out in range(d)]
    expected = torch.stack([unit_sampling.between_units(x[:, some], y[:, some]) for some in rest])
    torch.testing.assert_close(unit_sampling.without_each(x, y), expected)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_over_all_subsets_of_units_the_mean_is_the_value_of_all(count):
    """A U-statistic: exact, not in the limit."""
    x = noise(3, 11, 7) @ noise(4, 7, 7)
    whole = unit_sampling.between_units(x, x)
    some = [unit_sampling.between_units(x[:, list(of)], x[:, list(of)]) for of in combinations(range(7), count)]
    torch.testing.assert_close(torch.stack(some).mean(), whole)


@pytest.mark.parametrize("count", [2, 4])
def test_the_plain_value_is_too_large_by_the_terms_of_units_with_themselves(count):
    x = noise(5, 12, 6) @ noise(6, 6, 6)
    own = unit_sampling.own_terms(x, x).sum() / 6
    plain = [ceilings.linear_hsic(x[:, list(of)], x[:, list(of)]) / count**2 for of in combinations(range(6), count)]
    expected = (1 - 1 / count) * unit_sampling.between_units(x, x) + own / count
    torch.testing.assert_close(torch.stack(plain).mean(), expected)


def test_one_unit_says_nothing_of_others():
    assert unit_sampling.between_units(noise(1, 9, 1), noise(1, 9, 1)).isnan()


def planted(seed, units, n=400, k=5):
    """Units that each mix the same few latents at random: the kernel of endless units is that of the latents."""
    latent = noise(seed, n, k) * torch.arange(1, k + 1, dtype=torch.float64) ** -0.5
    return latent, latent @ noise(seed + 1, k, units)


def test_few_units_give_the_score_of_endless_ones_without_bias():
    """The latents themselves are what endless units, each a random mixture of them, come to."""
    truth, plain, corrected = [], [], []
    for seed in range(40):
        latent, x = planted(100 * seed, 6)
        other = torch.cat([latent[:, :2], noise(100 * seed + 9, 400, 3)], 1)
        y = other @ noise(100 * seed + 5, 5, 8)
        truth.append(cka(latent, other))
        plain.append(cka(x, y))
        corrected.append(unit_sampling.cka_of_all_units(x, y).item())
    error = np.array(corrected) - np.array(truth)
    assert np.mean(plain) < np.mean(truth) - 0.1
    assert abs(error.mean()) < 3 * error.std() / 40**0.5 + 0.01


def cka(x, y):
    h = ceilings.linear_hsic
    return (h(x, y) / (h(x, x) * h(y, y)).sqrt()).item()


def test_growth_turns_the_plain_score_into_the_corrected_one():
    x, y = planted(1, 12)[1], planted(1, 30)[1]
    both = cka(x, y) * unit_sampling.growth(x) * unit_sampling.growth(y)
    assert both == pytest.approx(unit_sampling.cka_of_all_units(x, y).item())


def test_growth_of_repeats_takes_noise_and_small_numbers_of_voxels_away():
    latent, signal = planted(7, 24, n=600)
    signal = signal / signal.std(0)
    repeats = signal + 1.5 * noise(8, 3, *signal.shape)
    shown = torch.ones(3, 600, dtype=torch.bool)
    found = cka(latent, repeats.mean(0)) * unit_sampling.noise_free_growth(repeats, shown, repeats.mean(0))
    many = latent @ noise(9, 5, 3000)
    assert cka(latent, repeats.mean(0)) < cka(latent, many / many.std(0)) - 0.2
    assert found == pytest.approx(cka(latent, many / many.std(0)), abs=0.06)


def test_of_few_noisy_voxels_there_is_none_rather_than_an_absurd_one():
    """Corrected scores of what five voxels and three noisy showings say were up to 3 where the truth is below .8."""
    grown = []
    for seed in range(30):
        latent, signal = planted(1000 + 10 * seed, 5, n=200)
        repeats = signal / signal.std(0) * 0.5 + noise(seed, 3, 200, 5)
        shown = torch.ones(3, 200, dtype=torch.bool)
        grown.append(cka(latent, repeats.mean(0)) * unit_sampling.noise_free_growth(repeats, shown, repeats.mean(0)))
    known = np.array(grown)[np.isfinite(grown)]
    assert len(known) < 25
    assert known.max() < 1.6
    assert np.isnan(unit_sampling.growth(noise(1, 50, 2)))


def test_without_two_showings_there_is_no_growth():
    values = noise(1, 1, 9, 4)
    assert np.isnan(unit_sampling.noise_free_growth(values, torch.ones(1, 9, dtype=torch.bool), values[0]))
