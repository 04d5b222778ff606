import numpy as np
import torch

from homoplasy.maths import ceilings, resampling, subsets


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_pair_of_subsets_has_its_hsic():
    x, y = noise(1, 15, 3, 4) + 2, noise(2, 15, 3, 4)
    found = subsets.linear_hsic_between(x, y)
    for d in range(3):
        for e in range(3):
            torch.testing.assert_close(found[d, e], ceilings.linear_hsic(x[:, d], y[:, e]))


def test_one_subset_is_the_region_itself():
    repeats, shown = noise(1, 3, 20, 1, 6), torch.ones(3, 20, dtype=torch.bool)
    shown[2, 12:] = False
    mean = repeats.mean(0)
    found, whole = subsets.reliability_of_subsets(repeats, shown, mean)
    known = ceilings.reliability(repeats[:, :, 0], shown, mean[:, 0])
    assert np.isclose(found.shared, known.shared)
    assert np.isclose(found.whole, known.whole)
    assert np.isclose(whole.item(), known.whole)


def test_the_sd_of_overlapping_subsets_is_that_of_re_pairing():
    n, at = 30, np.stack([np.random.default_rng(d).permutation(12)[:8] for d in range(5)])
    a, b = (noise(seed, n, 12) @ noise(9, 12, 12) for seed in (3, 4))
    shown = torch.ones(2, n, dtype=torch.bool)

    def shared(other):
        return subsets.reliability_of_subsets(torch.stack([a, other])[..., at], shown, a[:, at])[0]

    drawn = [shared(b[order]).shared for order in resampling.draws("permutation", n, 1500, 1)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / 1500**0.5
    assert np.isclose(np.std(drawn), shared(b).sd, rtol=0.08)


def test_without_two_showings_nothing_is_shared():
    values = noise(1, 1, 9, 2, 3)
    found, whole = subsets.reliability_of_subsets(values, torch.ones(1, 9, dtype=torch.bool), values[0])
    assert found is None
    assert whole.shape == (2,)
