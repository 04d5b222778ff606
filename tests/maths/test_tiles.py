import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import cka, entries, kernels, moments, standardise, tiles
from homoplasy.maths.jackknife import jackknife, left_out
from tests.maths import golden

SIGMA = (1.0, 3.0, 1e2, 1e4, math.inf)


def widths(sigma, count):
    return torch.tensor(sigma, dtype=torch.float64)[:, None].expand(-1, count)


def swept(x, y, sigma=SIGMA, **options):
    return tiles.sweep(x, y, (widths(sigma, len(x)), widths(sigma, len(y))), **options)


def values(of, *, debiased, epsilon=0.0):
    return cka.from_sums(of.cross, of.sources, of.targets, debiased=debiased, epsilon=epsilon)


def kernel(x, sigma):
    """In float64; a wide one less 1, so that it loses nothing, which centring takes away."""
    squared = torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist").square()
    if math.isinf(sigma):
        return kernels.linear(squared)
    return (torch.exp if sigma < 10 else torch.expm1)(squared * (-0.5 / sigma**2))


def naive(x, y, sigma, *, debiased):
    centre = kernels.u_centre if debiased else kernels.centre
    k, l = (
        torch.stack([torch.stack([centre(kernel(a, s)) for a in side]) for s in sigma]).flatten(2) for side in (x, y)
    )
    return k @ l.mT / (k.norm(dim=-1)[..., :, None] * l.norm(dim=-1)[..., None, :])


def objects(seed, n=60, widths=(5, 40), kind="plain"):
    rng = torch.Generator().manual_seed(seed)
    latent = torch.randn(n, 4, generator=rng)
    made = []
    for d in widths:
        x = latent @ torch.randn(4, d, generator=rng) + torch.randn(n, d, generator=rng)
        if kind == "heavy":
            x = x * torch.exp(1.5 * torch.randn(n, 1, generator=rng))
        if kind == "duplicates":
            x[n // 2 :] = x[: n - n // 2]
        made.append(x / x.std())
    return made


@pytest.mark.parametrize("debiased", [True, False])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 40))
def test_float64_is_the_pairwise_definition(debiased, seed, n):
    x, y = objects(seed, n), objects(seed + 1, n, (1, 3, 9))
    found = values(swept(x, y, precision="float64"), debiased=debiased)
    assert torch.allclose(found, naive(x, y, SIGMA, debiased=debiased), atol=1e-9, rtol=0)


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("kind", ["plain", "heavy", "duplicates"])
@pytest.mark.parametrize("n", [100, 300])
def test_float32_keeps_a_millionth_in_hard_cases(kind, n, debiased):
    sigma = (0.5, 2.0, 10.0, 1e2, 1e4, math.inf)
    x, y = objects(1, n, (6, 20), kind), objects(2, n, (3, 15, 4 * n), kind)
    x = [one * math.sqrt(6 / one.shape[1]) for one in x]  # of equal size, so that every width says something
    y = [one * math.sqrt(6 / one.shape[1]) for one in y]
    found = values(swept(x, y, sigma), debiased=debiased)
    assert (found - naive(x, y, sigma, debiased=debiased)).abs().max() < 1e-6


def test_duplicates_are_at_no_distance_however_small_the_width():
    x, y = objects(3, 80, (50,), "duplicates"), objects(4, 80, (60,), "duplicates")
    assert values(swept(x, y, (0.05,)), debiased=True).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("precision", "least", "most"), [("tf32", 1e-7, 1e-5), ("bfloat16", 1e-6, 1e-4)])
def test_rounded_entries_keep_their_bound(precision, least, most):
    x, y = objects(5, 500), objects(6, 500)
    sigma = (3.0, 10.0, math.inf)
    made = swept(x, y, sigma, precision=precision)
    for debiased in (True, False):
        error = (values(made, debiased=debiased) - naive(x, y, sigma, debiased=debiased)).abs().max().item()
        assert least < error < most


def test_tf32_is_the_nearest_number_of_ten_bits():
    v = torch.randn(1000, generator=torch.Generator().manual_seed(3)) * torch.logspace(-20, 20, 1000)
    fraction, exponent = np.frexp(v.numpy())
    nearest = np.ldexp(np.floor(np.abs(fraction) * 2.0**11 + 0.5) / 2.0**11, exponent) * np.sign(fraction)
    assert np.array_equal(entries.tf32(v.clone()).numpy(), nearest.astype(np.float32))


def test_the_flag_of_the_process_is_given_back_also_after_an_error():
    flags = torch.backends.cuda.matmul
    before, seen = flags.allow_tf32, []
    with pytest.raises(ZeroDivisionError), entries.tensor_cores():
        seen.append(flags.allow_tf32) or 1 / 0
    assert (seen, flags.allow_tf32) == ([True], before)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_memory_changes_nothing_but_rounding(precision):
    x, y = objects(7, 150), objects(8, 150)
    whole = values(swept(x, y, precision=precision), debiased=True)
    tolerance = 1e-13 if precision == "float64" else 5e-7
    for memory in (2e3, 2e4, 2e5):
        part = values(swept(x, y, memory=memory, precision=precision), debiased=True)
        assert (part - whole).abs().max() < tolerance


def test_threads_change_not_one_bit():
    x, y = objects(9, 300), objects(10, 300)
    before = torch.get_num_threads()
    one, three = (swept(x, y, memory=4e5 * threads, threads=threads) for threads in (1, 3))
    assert torch.equal(one.cross, three.cross)
    assert torch.equal(one.sources.rows, three.sources.rows)
    assert torch.equal(one.targets.square, three.targets.square)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("size", [1e-9, 1e6])
def test_sizes_far_from_one_lose_nothing(size):
    x, y = objects(11), objects(12)
    plain = swept(x, y, (2.0, math.inf))
    large = tiles.sweep([one * size for one in x], y, (widths((2.0 * size, math.inf), 2), widths((2.0, math.inf), 2)))
    assert torch.allclose(values(large, debiased=True), values(plain, debiased=True), atol=5e-7, rtol=0)
    assert torch.allclose(
        large.sources.norm_square(debiased=False)[1] / size**4, plain.sources.norm_square(debiased=False)[1], rtol=1e-5
    )


def test_known_answers():
    x, y = ([standardise.drop_constant(one)] for one in golden.raw())
    median = [tiles.median_distances(side) for side in (x, y)]
    relative = torch.tensor([0.5, 1, 1000], dtype=torch.float64)
    found = tiles.sweep(x, y, (relative[:, None] * median[0], relative[:, None] * median[1]), precision="float64")
    expected = {False: [0.4336153314, 0.4536235145, 0.3997800967], True: [-0.0648375344, 0.1069073485, 0.1134601426]}
    for debiased, known in expected.items():
        assert values(found, debiased=debiased).flatten().tolist() == pytest.approx(known, abs=1e-8)
    k, l = found.sources.invariants()[1], found.targets.invariants()[1]
    assert moments.mean_biased(k, l, 12).item() == pytest.approx(0.3683918826, abs=1e-8)


def test_each_object_may_have_a_width_of_its_own():
    x, y = objects(13), objects(14)
    own = torch.tensor([[1.0, 4.0]], dtype=torch.float64)
    found = values(tiles.sweep(x, y, (own, own.flip(1)), precision="float64"), debiased=True)
    one = cka.cka_debiased(kernel(x[1], 4.0), kernel(y[1], 1.0))
    assert found[0, 1, 1].item() == pytest.approx(one.item(), abs=1e-12)


def test_invariants_and_health_are_those_of_the_kernels():
    x = objects(15, 50)
    sums = swept(x, x, (1.0, 3.0, 1e3, math.inf), precision="float64").sources
    for w, sigma in enumerate((1.0, 3.0, 1e3, math.inf)):
        whole = torch.stack(
            [
                kernels.linear(kernels.squared_distances(a.double() - a.double().mean(0)))
                if math.isinf(sigma)
                else kernel(a, sigma) + (sigma >= 10)
                for a in x
            ]
        )
        expected, found = moments.invariants(kernels.centre(whole)), sums.invariants()[w]
        for name in ("trace", "square", "diagonal"):
            assert torch.allclose(getattr(found, name), getattr(expected, name), rtol=1e-6)
        assert torch.allclose(sums.off_diagonal[w], kernels.mean_off_diagonal(whole), rtol=1e-9)


def test_kernels_without_information_have_no_score():
    constant, plain = [torch.full((30, 4), 0.1)], objects(16, 30)
    for debiased in (True, False):
        assert values(swept(constant, plain), debiased=debiased).isnan().all()
    tiny = swept(plain, plain, (1e-3,))
    assert values(tiny, debiased=True).isnan().all()
    # A biased kernel that is the identity is not constant: its score is 1, and so is its chance level.
    assert torch.allclose(values(tiny, debiased=False), torch.ones(1, 2, 2).double())
    apart = torch.zeros(30, 1)
    apart[0] = 1  # its kernel is a sum a_i + a_j, which U-centring takes away
    assert values(swept([apart], plain, (1.0, 1e3, math.inf)), debiased=True).isnan().all()


def test_epsilon_stands_in_the_denominator_of_the_biased_score_alone():
    x, y = objects(17), objects(18)
    found = swept(x, y, (2.0,), precision="float64")
    norms = [side.norm_square(debiased=False).sqrt() for side in (found.sources, found.targets)]
    product = norms[0][..., :, None] * norms[1][..., None, :]
    plain = values(found, debiased=False)
    assert torch.allclose(values(found, debiased=False, epsilon=0.5), plain * product / (product + 0.5))
    assert torch.equal(values(found, debiased=True, epsilon=0.5), values(found, debiased=True))


def test_a_median_is_that_of_the_whole_up_to_its_limit_and_of_the_same_rows_above():
    for n in (50, 2100):
        x = torch.randn(n, 3, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
        assert tiles.median_distances([x]).item() == pytest.approx(
            kernels.median_distance(kernels.squared_distances(x)).item(), rel=1e-12
        )


def test_nothing_of_size_n_by_n_is_made(monkeypatch):
    largest, make = [0], torch.empty

    def watched(*shape, **kind):
        made = make(*shape, **kind)
        largest[0] = max(largest[0], made.nbytes)
        return made

    monkeypatch.setattr(torch, "empty", watched)
    x, y = objects(19, 800), objects(20, 800)
    swept(x, y, (1.0,), memory=1e6)
    assert largest[0] <= 1e6
    assert 800**2 * 4 * 4 > 1e7


def plain(monkeypatch):
    """Take the plain form where the compiled one would be."""
    made = entries.Entries.__init__

    def unfused(self, *args, **options):
        made(self, *args, **options)
        self.fused = False

    monkeypatch.setattr(entries.Entries, "__init__", unfused)


@pytest.mark.parametrize("kind", ["plain", "heavy", "duplicates"])
def test_the_compiled_form_is_the_plain_one(kind, monkeypatch):
    x, y = objects(23, 150, (5, 40, 7, 3, 9), kind), objects(24, 150, (3, 15), kind)
    compiled = swept(x, y, groups=4)
    plain(monkeypatch)
    same = swept(x, y, groups=4)
    for debiased in (True, False):
        assert torch.allclose(values(compiled, debiased=debiased), values(same, debiased=debiased), atol=1e-6, rtol=0)
    assert torch.allclose(compiled.sources.rows[:2], same.sources.rows[:2], atol=2e-5)
    assert torch.allclose(compiled.jackknife.cross[:, :2], same.jackknife.cross[:, :2], atol=2e-3)


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_no_bit_depends_on_which_other_objects_are_there(precision):
    x, y = objects(25, 200, (5, 9, 30, 4, 6)), objects(26, 200, (7, 20, 3, 12))
    sigma = (1.0, 30.0, math.inf)
    whole, one = (swept(a, b, sigma, precision=precision, groups=5) for a, b in ((x, y), (x[3:4], y[2:3])))
    for debiased in (True, False):
        assert torch.equal(values(whole, debiased=debiased)[:, 3:4, 2:3], values(one, debiased=debiased))
        errors = [spread(of, debiased=debiased) for of in (whole, one)]
        assert torch.equal(errors[0][:, 3:4, 2:3], errors[1])


def spread(of, *, debiased, epsilon=0.0):
    score = cka.from_sums(of.cross, of.sources, of.targets, debiased=debiased, epsilon=epsilon)
    without = left_out(of.cross, of.sources, of.targets, of.jackknife, debiased=debiased, epsilon=epsilon)
    return jackknife(score, without, of.jackknife.bounds)


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize(("precision", "bound"), [("float64", 1e-11), ("float32", 2e-6)])
@pytest.mark.parametrize(("n", "groups"), [(30, 4), (30, 100), (330, 5), (150, 20)])
def test_leaving_a_group_out_of_the_sums_is_leaving_it_out(n, groups, precision, bound, debiased):
    x, y = objects(27, n), objects(28, n)
    sigma = (2.0, 30.0, math.inf)
    found = swept(x, y, sigma, precision=precision, groups=groups)
    options = {"debiased": debiased, "epsilon": 0.01}
    without = left_out(found.cross, found.sources, found.targets, found.jackknife, **options)
    bounds = tiles.group_bounds(n, groups)
    assert len(without) == min(groups, n)
    for g in (0, len(without) // 2, len(without) - 1):
        stay = [i for i in range(n) if not bounds[g] <= i < bounds[g + 1]]
        rest = swept([one[stay] for one in x], [one[stay] for one in y], sigma, precision="float64")
        assert (without[g] - values(rest, **options)).abs().max() < bound


def test_groups_change_no_sum():
    x, y = objects(29, 330), objects(30, 330)
    plain, grouped = (swept(x, y, precision="float64", groups=groups) for groups in (0, 7))
    assert torch.allclose(values(plain, debiased=True), values(grouped, debiased=True), atol=1e-12)
    assert plain.jackknife is None


def test_even_groups_give_the_textbook_jackknife():
    n, groups = 60, 6
    x, y = objects(31, n), objects(32, n)
    found = swept(x, y, (2.0,), precision="float64", groups=groups)
    without = left_out(found.cross, found.sources, found.targets, found.jackknife, debiased=True)
    textbook = ((groups - 1) / groups * (without - without.mean(0)).square().sum(0)).sqrt()
    assert torch.allclose(spread(found, debiased=True), textbook, rtol=1e-10)


def test_a_jackknife_error_is_the_spread_over_samples():
    samples = [(objects(seed, 120, (20,)), seed) for seed in range(80)]
    rng = torch.Generator().manual_seed(33)
    found, claimed = [], []
    for (x,), _ in samples:
        y = x[:, :10] + 2 * torch.randn(120, 10, generator=rng)
        one = swept([x], [y], (4.0,), groups=20)
        found.append(values(one, debiased=True).item())
        claimed.append(spread(one, debiased=True).item())
    assert np.mean(claimed) == pytest.approx(np.std(found, ddof=1), rel=0.3)


def test_a_flat_kernel_has_no_error():
    found = swept([torch.full((40, 4), 0.1)], objects(34, 40), groups=4)
    assert spread(found, debiased=True).isnan().all()


@settings(max_examples=200, deadline=None)
@given(n=st.integers(4, 3000), groups=st.integers(1, 60))
def test_groups_are_even_and_whole(n, groups):
    bounds = tiles.group_bounds(n, groups)
    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1], len(sizes)) == (0, n, min(n, groups))
    assert sizes.min() > 0
    assert sizes.max() - sizes.min() <= (31 if n >= 32 * groups else 1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(
    ("precision", "bound"), [("float64", 1e-10), ("float32", 1e-6), ("tf32", 1e-5), ("bfloat16", 1e-4)]
)
def test_a_gpu_gives_the_same_scores(precision, bound):
    x, y = objects(21, 1500), objects(22, 1500)
    sigma = (3.0, 1e3, math.inf)
    found = swept([one.cuda() for one in x], [one.cuda() for one in y], sigma, precision=precision, memory=1e9)
    assert (values(found, debiased=True).cpu() - naive(x, y, sigma, debiased=True)).abs().max() < bound
