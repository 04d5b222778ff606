"""The formats that are written here hold the same bytes whatever writes them."""

import hashlib

import numpy as np

from homoplasy.datasets.pocket import formats


def test_an_archive_of_arrays_is_read_by_numpy_and_has_known_bytes(tmp_path):
    arrays = {"a": np.arange(6, dtype=np.float64).reshape(2, 3), "b": np.array([7], dtype=np.int64)}
    formats.npz(tmp_path / "x.npz", arrays)
    found = np.load(tmp_path / "x.npz")
    assert found.files == ["a", "b"]
    for name, values in arrays.items():
        assert np.array_equal(found[name], values)
    # the digest was the same under two releases of Python that numpy.savez writes different bytes with
    assert hashlib.sha256((tmp_path / "x.npz").read_bytes()).hexdigest() == (
        "3f1f32f207a502cc15e1725966c410ab55af68c8fb236fd2c27a66dd419091e7"
    )
