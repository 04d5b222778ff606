import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import cka, floors, kernels, moments, resampling


def kernel(seed, n, d, linear=False):
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    squared = kernels.squared_distances(x)
    return kernels.linear(squared) if linear else kernels.rbf(squared, kernels.median_distance(squared))


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 25), linear=st.booleans())
def test_a_re_pairing_scores_what_cka_says_of_the_moved_kernel(seed, n, linear):
    of = [kernel(seed + k, n, d, linear) for k, d in enumerate((3, 30))]
    to = [kernel(seed + 7 + k, n, d) for k, d in enumerate((1, 8, 40))]
    orders = resampling.draws("permutation", n, 3, seed % 1000)
    found = floors.repaired(floors.pack(of), floors.pack(to), orders)
    for d, order in enumerate(orders):
        for s, k in enumerate(of):
            for t, l in enumerate(to):
                moved = l[order][:, order]
                assert found.biased[d, s, t].item() == pytest.approx(cka.cka_biased(k, moved).item(), abs=2e-6)
                assert found.debiased[d, s, t].item() == pytest.approx(cka.cka_debiased(k, moved).item(), abs=2e-6)


def test_the_invariants_are_those_of_the_centred_kernels():
    of = [kernel(k, 30, d) for k, d in enumerate((2, 9, 100))]
    known = moments.invariants(torch.stack([kernels.centre(k) for k in of]))
    for ours, theirs in zip(vars(floors.pack(of).invariants).values(), vars(known).values(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_epsilon_dampens_the_biased_score_alone():
    k, l = (floors.pack([kernel(seed, 20, 5)]) for seed in (1, 2))
    order = [np.arange(20)]
    plain, damped = floors.repaired(k, l, order), floors.repaired(k, l, order, epsilon=1.0)
    size = (k.biased * l.biased).item()
    assert damped.biased.item() == pytest.approx(plain.biased.item() * size / (size + 1))
    assert damped.debiased.item() == plain.debiased.item()


def test_threads_and_batches_move_no_bit(monkeypatch):
    k, l = (floors.pack([kernel(seed + d, 40, 5) for d in range(3)]) for seed in (1, 20))
    orders = resampling.draws("permutation", 40, 6, 1)
    whole = floors.repaired(k, l, orders)
    monkeypatch.setattr(floors, "_GATHERED", l.entries.nbytes)
    single = floors.repaired(k, l, orders, threads=2)
    torch.testing.assert_close(single.debiased, whole.debiased, rtol=0, atol=1e-7)
    again = floors.repaired(k, l, orders, threads=1)
    assert torch.equal(single.debiased, again.debiased)
    assert torch.equal(single.biased, again.biased)


def test_a_flat_kernel_has_no_score():
    flat = torch.ones(12, 12, dtype=torch.float64)
    found = floors.repaired(floors.pack([flat, kernel(1, 12, 3)]), floors.pack([kernel(2, 12, 3)]), [np.arange(12)])
    assert found.debiased[0, 0].isnan().all()
    assert found.biased[0, 0].isnan().all()
    assert found.debiased[0, 1].isfinite().all()


@pytest.mark.parametrize(("d", "v"), [(3, 4), (30, 300), (400, 20)])
def test_a_long_run_over_noise_agrees_with_the_closed_forms(d, v):
    n, draws = 40, 3000
    k, l = floors.pack([kernel(d, n, d)]), floors.pack([kernel(v + 1, n, v)])
    found = floors.repaired(k, l, resampling.draws("permutation", n, draws, 5))
    mean, sd = (moment(k.invariants, l.invariants, n).item() for moment in (moments.mean_biased, moments.sd_biased))
    assert abs(found.biased.mean().item() - mean) < 4 * sd / draws**0.5
    assert found.biased.std().item() == pytest.approx(sd, rel=0.08)
    null = moments.sd_debiased(n)
    assert abs(found.debiased.mean().item()) < 4 * null / draws**0.5
    assert found.debiased.std().item() == pytest.approx(null, rel=0.08)


def test_tallies_of_blocks_of_draws_add_up():
    rng = np.random.default_rng(1)
    values, own, mean = rng.normal(size=(50, 3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    own[1, 2] = np.nan
    sd = np.full((3, 4), 2.0)
    whole = floors.tally(values, own, mean, sd)
    assert whole.reached[0, 1] == (values[:, 0, 1] >= own[0, 1]).sum()
    assert whole.reached[1, 2] == 0
    kept = np.isfinite(own)
    np.testing.assert_allclose(whole.largest, ((values - mean) / 2)[:, kept].max(1))
    np.testing.assert_allclose(whole.square, ((values - mean) ** 2).sum(0))
    first, second = (floors.tally(values[part], own, mean, sd) for part in (slice(20), slice(20, None)))
    np.testing.assert_array_equal(first.reached + second.reached, whole.reached)
    np.testing.assert_array_equal(np.concatenate([first.largest, second.largest]), whole.largest)


def test_family_p_counts_draws_whose_largest_reaches_the_excess():
    largest = np.array([1.0, 2.0, 3.0, 4.0])
    found = floors.family_p(np.array([[5.0, 4.0, 2.5, -1.0, np.nan]]), largest)
    np.testing.assert_allclose(found, [[0.2, 0.4, 0.6, 1.0, np.nan]])


def test_under_the_null_the_family_is_rejected_at_its_level():
    n, draws, runs, rejected = 16, 39, 120, 0
    for run in range(runs):
        k = floors.pack([kernel(1000 * run + one, n, d) for one, d in enumerate((2, 10, 50))])
        l = floors.pack([kernel(1000 * run + 500 + one, n, d) for one, d in enumerate((3, 30))])
        orders = [np.arange(n), *resampling.draws("permutation", n, draws, run)]
        values = floors.repaired(k, l, orders).debiased.numpy()
        zero = np.zeros_like(values[0])
        kept = floors.tally(values[1:], values[0], zero, zero + moments.sd_debiased(n))
        rejected += floors.family_p(values[0] / moments.sd_debiased(n), kept.largest).min() <= 0.05
    # 2 of 40: exactly .05 in the mean; 120 runs have a standard error of .02
    assert rejected / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert rejected > 0
