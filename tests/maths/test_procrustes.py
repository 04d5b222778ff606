import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.maths import gram, procrustes


def sample(seed, n=9, d=4):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), d=st.integers(1, 6))
def test_it_is_what_scipy_finds(seed, d):
    x, y = sample(seed, d=d), sample(seed + 1, d=d)
    ours = procrustes.likeness(procrustes.shape(x), procrustes.shape(y)).item()
    a, b = (one.numpy() - one.numpy().mean(0) for one in (x, y))
    scale = scipy.linalg.orthogonal_procrustes(a / np.linalg.norm(a), b / np.linalg.norm(b))[1]
    assert ours == pytest.approx(scale, abs=1e-12)
    if d > 1:  # scipy asks for two columns
        assert 1 - ours**2 == pytest.approx(scipy.spatial.procrustes(x.numpy(), y.numpy())[2], abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), d=st.integers(10, 40), e=st.integers(1, 40))
def test_fewer_dimensions_say_the_same(seed, d, e):
    x, y = sample(seed, d=d), sample(seed + 1, d=e)
    a, b = (one - one.mean(0) for one in (x, y))
    direct = torch.linalg.svdvals((a / a.norm()).T @ (b / b.norm())).sum().item()
    assert procrustes.shape(x).shape == (9, 9)
    assert procrustes.likeness(procrustes.shape(x), procrustes.shape(y)).item() == pytest.approx(direct, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), form=st.sampled_from([procrustes.angle, procrustes.distance]))
def test_angle_and_distance_obey_the_triangle(seed, form):
    shapes = [procrustes.shape(sample(seed + one)) for one in range(3)]
    ab, bc, ac = (form(procrustes.likeness(shapes[i], shapes[j])).item() for i, j in ((0, 1), (1, 2), (0, 2)))
    assert ac <= ab + bc + 1e-12


def test_the_distance_is_that_of_the_best_rotation():
    x, y = procrustes.shape(sample(1)), procrustes.shape(sample(2))
    q = torch.from_numpy(scipy.linalg.orthogonal_procrustes(y.numpy(), x.numpy())[0])
    assert procrustes.distance(procrustes.likeness(x, y)).item() == pytest.approx((x - y @ q).norm().item(), abs=1e-12)


def test_gram_takes_rows_in_any_layout():
    x = sample(3)
    for one in (x, x.T, x[::2], x.T.contiguous().T):
        assert torch.allclose(gram.gram(one), one @ one.T, atol=1e-13)
