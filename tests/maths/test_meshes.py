"""Meshes seen from one side: the nearest face, exact weights, normals that point outwards."""

import numpy as np
import pytest

from homoplasy.maths import meshes


def sphere(rings=24):
    """A ball of radius 1 from a grid of angles, its faces turned outwards."""
    up, around = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings), indexing="ij")
    points = np.stack([np.sin(up) * np.cos(around), np.sin(up) * np.sin(around), np.cos(up)], axis=-1).reshape(-1, 3)
    at = np.arange(rings * 2 * rings).reshape(rings, 2 * rings)
    a, b, c, d = (one.ravel() for one in (at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    corners = points[faces]
    size = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return points, faces[size > 1e-9]


def placed(points, scale, middle):
    """Pixels of points seen from above: columns to the right, rows downwards."""
    return np.stack([middle + scale * points[:, 0], middle - scale * points[:, 1], points[:, 2]], axis=1)


def test_a_ball_shows_its_upper_half_and_covers_a_disc():
    points, faces = sphere()
    seen = meshes.see(placed(points, 40, 50), faces, (100, 100))
    shown = seen.triangle >= 0
    assert shown.mean() == pytest.approx(np.pi * 40**2 / 100**2, rel=0.02)
    height = seen.blend(points[:, 2], faces)
    rows, columns = np.nonzero(shown)
    away = ((columns + 0.5 - 50) ** 2 + (rows + 0.5 - 50) ** 2) / 40**2
    np.testing.assert_allclose(height[shown], np.sqrt(np.maximum(1 - away, 0)), atol=0.12)
    assert np.isnan(height[~shown]).all()


def test_weights_put_a_pixel_where_it_is():
    points, faces = sphere()
    places = placed(points, 40, 50)
    seen = meshes.see(places, faces, (100, 100))
    shown = seen.triangle >= 0
    rows, columns = np.nonzero(shown)
    np.testing.assert_allclose(seen.blend(places[:, 0], faces)[shown], columns + 0.5, atol=1e-9)
    np.testing.assert_allclose(seen.blend(places[:, 1], faces)[shown], rows + 0.5, atol=1e-9)


def test_the_nearer_of_two_faces_is_seen_whatever_their_order():
    far = np.array([[2.0, 18, 0], [18, 18, 0], [2, 2, 0]])
    near = far + np.array([0, 0, 5])
    for order in ([0, 1], [1, 0]):
        places = np.concatenate([[far, near][one] for one in order])
        seen = meshes.see(places, np.array([[0, 1, 2], [3, 4, 5]]), (20, 20))
        assert set(np.unique(seen.triangle)) == {-1, order.index(1)}


def test_a_face_turned_away_is_not_seen_and_what_lies_outside_is_cut_off():
    corners = np.array([[2.0, 18, 0], [18, 18, 0], [2, 2, 0]])
    away = meshes.see(
        np.concatenate([corners, corners + np.array([30, 0, 0])]), np.array([[0, 2, 1], [3, 4, 5]]), (20, 40)
    )
    assert (away.triangle[:, :20] == -1).all()
    cut = meshes.see(corners - np.array([10, 0, 0]), np.array([[0, 1, 2]]), (20, 20))
    assert 0 < (cut.triangle >= 0).sum() < 0.5 * 16 * 16 / 2 + 20


def test_the_nearest_corner_is_the_one_of_the_largest_weight():
    points, faces = sphere()
    seen = meshes.see(placed(points, 40, 50), faces, (100, 100))
    nearest = seen.nearest(faces)
    assert nearest[0, 0] == -1
    top = points[nearest[50, 50]]
    assert top[2] == pytest.approx(1, abs=0.02)


def test_normals_of_a_ball_point_outwards():
    points, faces = sphere()
    used = np.isin(np.arange(len(points)), faces)
    found = meshes.normals(points, faces)
    seam = np.isclose(points[:, 1], 0) & (points[:, 0] > -1e-9)  # points of the seam have faces on one side only
    inner = used & ~seam
    assert (found[inner] * points[inner]).sum(axis=1).min() > 0.99
