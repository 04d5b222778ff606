"""Ridge regression against the closed form, scikit-learn, and the laws that it keeps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import r2_score

from homoplasy.errors import BadData
from homoplasy.maths import folds, ridge
from homoplasy.maths.factorised import factorise

ALPHAS = torch.logspace(-2, 4, 9, dtype=torch.float64)
SHAPES = {"primal": (40, 12), "tall": (60, 5), "dual": (30, 80), "nearly square": (24, 23), "square": (20, 20)}


def draw(shape, targets=7, seed=0):
    """Features with a falling spectrum and a large mean; targets from noise to signal."""
    rng = np.random.default_rng(seed)
    n, d = shape
    x = rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5 + 20
    y = x @ rng.standard_normal((d, targets)) + np.linspace(0.1, 10, targets) * rng.standard_normal((n, targets))
    return torch.from_numpy(x), torch.from_numpy(y)


def closed_form(x, y, alpha):
    """Weights and intercept by the normal equations, one penalty at a time; shares nothing with the fast code."""
    xc, yc = x - x.mean(0), y - y.mean(0)
    weights = np.linalg.solve(xc.T @ xc + alpha * np.eye(x.shape[1]), xc.T @ yc)
    return weights, y.mean(0) - x.mean(0) @ weights


def refits(x, y, parts, alphas):
    """Pooled mean squared error of the held rows, every fold and penalty fitted anew."""
    error = np.zeros((len(alphas), y.shape[1]))
    for held in parts:
        kept = np.setdiff1d(np.arange(len(x)), held)
        for at, alpha in enumerate(alphas):
            weights, intercept = closed_form(x[kept], y[kept], alpha)
            error[at] += ((y[held] - x[held] @ weights - intercept) ** 2).sum(0)
    return error / len(x)


def cross_validate(x, y, parts=None, alphas=ALPHAS, **how):
    return ridge.fit(factorise(x, parts or folds.blocks(len(x), 4)), y, alphas, **how)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("k", [2, 5])
def test_errors_are_those_of_refitting_every_fold_and_penalty(shape, k):
    x, y = draw(shape)
    parts = folds.shuffled(len(x), k, torch.Generator().manual_seed(3))
    found = cross_validate(x, y, parts)
    naive = refits(x.numpy(), y.numpy(), [part.numpy() for part in parts], ALPHAS.numpy())
    np.testing.assert_allclose(found.errors.numpy(), naive, rtol=1e-8)
    np.testing.assert_array_equal(found.alphas.numpy(), ALPHAS.numpy()[naive.argmin(0)])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_leaving_out_one_by_one_is_as_many_folds_as_rows(shape):
    x, y = draw(shape)
    found = cross_validate(x, y, choice="leave_one_out").errors
    np.testing.assert_allclose(found, cross_validate(x, y, folds.blocks(len(x), len(x))).errors, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_leaving_out_one_by_one_is_that_of_scikit_learn(shape):
    x, y = draw(shape)
    oracle = RidgeCV(ALPHAS.numpy(), alpha_per_target=True, store_cv_results=True).fit(x.numpy(), y.numpy())
    found = cross_validate(x, y, choice="leave_one_out")
    np.testing.assert_allclose(found.errors.T, oracle.cv_results_.mean(0), rtol=1e-7)
    np.testing.assert_array_equal(found.alphas, oracle.alpha_)
    np.testing.assert_allclose(found.errors.amin(0), -oracle.best_score_, rtol=1e-7)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_generalised_cross_validation_is_its_formula_with_explicit_hats(shape):
    x, y = draw(shape)
    n, xc, yc = len(x), x - x.mean(0), y - y.mean(0)
    naive = []
    for alpha in ALPHAS:
        hat = xc @ torch.linalg.solve(xc.T @ xc + alpha * torch.eye(x.shape[1], dtype=x.dtype), xc.T)
        naive.append(n * (yc - hat @ yc).square().sum(0) / (n - 1 - hat.trace()) ** 2)
    np.testing.assert_allclose(cross_validate(x, y, choice="gcv").errors, torch.stack(naive), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_weights_and_predictions_are_those_of_scikit_learn(shape):
    x, y = draw(shape)
    new = draw((9, shape[1]), seed=1)[0]
    found = cross_validate(x, y)
    oracle = Ridge(found.alphas.numpy(), solver="svd").fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(found.weights.T, oracle.coef_, atol=1e-9)
    np.testing.assert_allclose(found.predict(new), oracle.predict(new.numpy()), atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), n=st.integers(8, 20), extra=st.integers(1, 30))
def test_primal_is_dual(seed, n, extra):
    """Columns of zeros change no prediction, and turn the primal into the dual."""
    x, y = draw((n, 6), seed=seed)
    padded = torch.cat([x, torch.zeros(n, n - 6 + extra, dtype=x.dtype)], 1)
    narrow, wide = factorise(x, folds.blocks(n, 4)), factorise(padded, folds.blocks(n, 4))
    assert (narrow.dual, wide.dual) == (False, True)
    one, other = (ridge.fit(source, y, ALPHAS) for source in (narrow, wide))
    np.testing.assert_allclose(one.errors, other.errors, rtol=1e-8)
    np.testing.assert_allclose(one.predict(x), other.predict(padded), atol=1e-8)


LAWS = {
    "a rotation of features": lambda x, y, parts, g: (x @ rotation(x.shape[1], g), y, parts, 1.0),
    "a shift of features": lambda x, y, parts, g: (x + torch.randn(x.shape[1], generator=g), y, parts, 1.0),
    "a scale, with the penalty's": lambda x, y, parts, g: (3 * x, y, parts, 9.0),
    "the order of rows": lambda x, y, parts, g: reordered(x, y, parts, g),
    "the order of folds": lambda x, y, parts, g: (x, y, parts[::-1], 1.0),
}


def rotation(d, generator):
    return torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q


def reordered(x, y, parts, generator):
    order = torch.randperm(len(x), generator=generator)
    return x[order], y[order], [torch.isin(order, part).nonzero().flatten() for part in parts], 1.0


@pytest.mark.parametrize("choice", ridge.CHOICES)
@pytest.mark.parametrize("law", LAWS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31), n=st.integers(8, 24), d=st.integers(2, 40))
def test_a_law_changes_no_error(choice, law, seed, n, d):
    x, y = draw((n, d), seed=seed)
    parts = folds.blocks(n, 4)
    changed, same, cut, scale = LAWS[law](x, y, parts, torch.Generator().manual_seed(seed))
    found = cross_validate(changed, same, cut, ALPHAS * scale, choice=choice)
    np.testing.assert_allclose(found.errors, cross_validate(x, y, parts, choice=choice).errors, rtol=1e-7)


def test_what_is_no_law_is_none():
    x, y = draw((30, 6))
    plain = cross_validate(x, y)
    scaled = cross_validate(x * torch.arange(1, 7), y)
    assert (scaled.errors / plain.errors - 1).abs().max() > 1e-3
    assert (cross_validate(x, y, folds.blocks(30, 3)).errors / plain.errors - 1).abs().max() > 1e-3


@pytest.mark.parametrize("choice", ridge.CHOICES)
@pytest.mark.parametrize("shape", [(40, 12), (30, 80)])
def test_a_target_does_not_hang_on_the_others_nor_on_the_chunk(choice, shape):
    x, y = draw(shape)
    source = factorise(x, folds.blocks(len(x), 4))
    together = ridge.fit(source, y, ALPHAS, choice)
    for chunk in (1, 3):
        apart = ridge.fit(source, y, ALPHAS, choice, chunk)
        np.testing.assert_allclose(apart.errors, together.errors, rtol=1e-11)
        np.testing.assert_array_equal(apart.alphas, together.alphas)
        np.testing.assert_allclose(apart.coefficients, together.coefficients, atol=1e-11)


@pytest.mark.parametrize("shape", [(300, 60), (120, 400), (400, 20)])
@pytest.mark.parametrize("choice", ridge.CHOICES)
def test_single_precision_stays_near_double(shape, choice):
    """The factorisation is in float64; what is left is the rounding of the products with the targets."""
    x, y = draw(shape, targets=30)
    y = y / y.std(0)
    exact, single = cross_validate(x, y, choice=choice), cross_validate(x.float(), y.float(), choice=choice)
    assert single.weights.dtype == single.predict(x.float()).dtype == torch.float32
    np.testing.assert_allclose(single.errors, exact.errors, rtol=2e-4)
    same = single.alphas.double().log() - exact.alphas.log()
    assert (same.abs() < 1e-3).float().mean() >= 0.96
    settled = ridge.solve(factorise(x.float()), y.float(), exact.alphas)
    np.testing.assert_allclose(settled.predict(x.float()), exact.predict(x), atol=2e-4)


def test_nothing_cancels_when_rows_are_nearly_interpolated():
    """More features than rows and a small penalty: residuals and what the leverages leave are both near 0."""
    x, y = draw((40, 300))
    alphas = torch.tensor([1e-5, 1e-3], dtype=torch.float64)
    exact = cross_validate(x, y, alphas=alphas, choice="leave_one_out").errors
    single = cross_validate(x.float(), y.float(), alphas=alphas, choice="leave_one_out").errors
    np.testing.assert_allclose(single, exact, rtol=1e-4)


def test_given_penalties_are_used_as_they_are():
    x, y = draw((40, 12))
    source = factorise(x, folds.blocks(40, 4))
    chosen = ridge.fit(source, y, ALPHAS)
    again = ridge.solve(source, y, chosen.alphas, chunk=2)
    assert torch.equal(again.alphas, chosen.alphas)
    assert again.errors.shape == (0, y.shape[1])
    np.testing.assert_allclose(again.weights, chosen.weights, atol=1e-12)


@pytest.mark.parametrize("choice", ridge.CHOICES)
@pytest.mark.parametrize("shape", [(40, 12), (30, 80)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_does_not_vary_has_a_stated_answer(choice, shape, dtype):
    x, y = (one.to(dtype) for one in draw(shape))
    x[:, 3], y[:, 2] = 0.1, 0.1
    found = cross_validate(x, y, alphas=ALPHAS.to(dtype), choice=choice)
    assert (found.weights[3] == 0).all()
    assert (found.weights[:, 2] == 0).all()
    assert found.alphas[2] == ALPHAS.max().to(dtype)
    assert (found.errors[:, 2] == 0).all()
    np.testing.assert_allclose(found.predict(x)[:, 2], 0.1, rtol=1e-6)
    for score in (ridge.pearson, ridge.determination):
        values = score(y, found.predict(x))
        assert values.isnan().tolist() == [column == 2 for column in range(y.shape[1])]


@pytest.mark.parametrize("choice", ridge.CHOICES)
@pytest.mark.parametrize("d", [5, 50])
def test_a_source_that_does_not_vary_predicts_the_mean(choice, d):
    y = draw((20, 3))[1]
    x = torch.full((20, d), 0.3, dtype=torch.float64)
    found = cross_validate(x, y, choice=choice)
    np.testing.assert_allclose(found.predict(x + 1), y.mean(0).expand(20, -1))
    assert ridge.pearson(y, found.predict(x)).isnan().all()


def test_duplicated_features_and_rows_are_no_trouble():
    x, y = draw((24, 8))
    doubled = torch.cat([x, x], 1)
    np.testing.assert_allclose(cross_validate(doubled, y, alphas=2 * ALPHAS).errors, cross_validate(x, y).errors)
    wide, _ = draw((24, 90))
    wide[12:], y[12:] = wide[:12], y[:12]
    parts = [torch.tensor([i, i + 12]) for i in range(12)]
    naive = refits(wide.numpy(), y.numpy(), [part.numpy() for part in parts], ALPHAS.numpy())
    np.testing.assert_allclose(cross_validate(wide, y, parts).errors, naive, rtol=1e-7)


def test_scores_are_those_of_scikit_learn_and_numpy():
    y, predicted = (draw((25, 4), seed=seed)[1] for seed in (1, 2))
    np.testing.assert_allclose(
        ridge.determination(y, predicted), r2_score(y, predicted, multioutput="raw_values"), rtol=1e-10
    )
    oracle = [np.corrcoef(a, b)[0, 1] for a, b in zip(y.T, predicted.T, strict=True)]
    np.testing.assert_allclose(ridge.pearson(y, predicted), oracle, rtol=1e-10)
    np.testing.assert_allclose(ridge.pearson(y, 5 - 3 * y), -1)


def test_planted_weights_are_found_and_noise_is_shrunk_away():
    rng = np.random.default_rng(5)
    x, w = torch.from_numpy(rng.standard_normal((400, 10))), torch.from_numpy(rng.standard_normal(10))
    y = torch.stack([x @ w + 7, torch.from_numpy(rng.standard_normal(400))], 1)
    found = cross_validate(x, y)
    np.testing.assert_allclose(found.weights[:, 0], w, atol=1e-3)
    assert found.alphas[0] == ALPHAS.min()
    assert found.alphas[1] > 10
    assert found.weights[:, 1].norm() < 0.2


def test_bad_input_is_refused_in_one_sentence():
    x, y = draw((20, 4))
    source = factorise(x)
    with pytest.raises(BadData, match="finite values"):
        factorise(torch.full((3, 2), torch.inf))
    with pytest.raises(BadData, match="finite values"):
        ridge.fit(source, y * torch.nan, ALPHAS, "gcv")
    with pytest.raises(ValueError, match="pass them to factorise"):
        ridge.fit(source, y, ALPHAS)
    with pytest.raises(ValueError, match="one of folds, leave_one_out, gcv, found 'loo'"):
        ridge.fit(source, y, ALPHAS, "loo")
    for alphas in ([], [0.0, 1.0], [-1.0], [torch.inf], [torch.nan]):
        with pytest.raises(ValueError, match="positive and finite"):
            ridge.fit(source, y, torch.tensor(alphas), "gcv")
    for targets in (y[:-1], y[:, :0]):
        with pytest.raises(ValueError, match="20 rows of the source"):
            ridge.fit(source, targets, ALPHAS, "gcv")
    with pytest.raises(ValueError, match="expected 7, found 2"):
        ridge.solve(source, y, ALPHAS[:2])
    with pytest.raises(ValueError, match="each of 20 rows once"):
        factorise(x, folds.blocks(19, 3))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("shape", [(300, 60), (120, 400)])
def test_a_gpu_gives_what_the_cpu_gives(shape):
    x, y = draw(shape)
    here, there = (cross_validate(x.to(device), y, alphas=ALPHAS) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(there.errors.cpu(), here.errors, rtol=1e-9)
    assert torch.equal(there.alphas.cpu(), here.alphas)
