import pytest
import torch

from homoplasy.maths.clouds import Clouds


def points(n=70, d=6):
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(1))
    x[n // 2 :] = x[: n - n // 2] * (1 + 1e-6)  # too close for an inner product in float32
    return 100 * x + 1000


def exact(x, clouds, place):
    x = x.double()
    squared = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square()
    return squared / clouds.size[place] ** 2


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize(("i", "j"), [(slice(0, 33), slice(0, 33)), (slice(3, 20), slice(31, 70))])
def test_distances_of_a_tile_are_those_of_the_points(i, j, dtype, bound):
    x, y = points(), points(d=9)
    clouds = Clouds([x, y], dtype)
    out = clouds.room(40)
    clouds.tile(i, j, out)
    for place, one in enumerate((x, y)):
        known = exact(one, clouds, place)[i, j]
        found = out[place, : i.stop - i.start, : j.stop - j.start].double()
        assert torch.allclose(found, known, rtol=bound, atol=2e-9)
        assert (found[known == 0] == 0).all()


def test_distances_to_some_stimuli_are_columns_of_the_tile():
    clouds = Clouds([points()], torch.float64)
    out = clouds.room(70)
    clouds.tile(slice(0, 70), slice(0, 70), out)
    some = torch.tensor([0, 35, 69])
    assert torch.allclose(clouds.some(0, some), out[0, :70, some], atol=1e-12)


def test_points_are_centred_and_of_unit_size_and_a_constant_object_is_at_the_centre():
    clouds = Clouds([points(), torch.full((70, 3), 5.0)], torch.float32)
    assert clouds.points[0].mean(0).abs().max() < 1e-6
    assert clouds.norms[0].mean() == pytest.approx(1, abs=1e-6)
    assert not clouds.points[1].any()
    assert len(clouds) == 2
