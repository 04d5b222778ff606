import h5py
import nibabel
import numpy as np
import pytest

from homoplasy.datasets.nsd import betas
from homoplasy.errors import BadData
from tests.datasets.nsd import miniature

SHAPE, TRIALS = miniature.SHAPE, miniature.TRIALS
ENDING = {"hdf5": "betas.hdf5", "nifti": "betas.nii.gz"}


@pytest.fixture(params=["hdf5", "nifti"])
def session(request, tmp_path):
    values = np.random.default_rng(1).integers(-32768, 32767, (*SHAPE, TRIALS), dtype=np.int16)
    path = tmp_path / ENDING[request.param]
    miniature.put_session(path, values)
    return path, values


def test_voxels_are_read_in_the_order_asked_for(session):
    path, values = session
    voxels = np.random.default_rng(2).permutation(np.prod(SHAPE))[:40]
    found = betas.read(path, TRIALS, SHAPE, voxels)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, values.reshape(-1, TRIALS)[voxels].T)


@pytest.mark.parametrize("corner", [(6, 0, 0), (0, 5, 0), (0, 0, 4), (6, 5, 4), (6, 0, 4)])
def test_a_planted_corner_voxel_is_found_where_it_was_put(tmp_path, corner):
    values = np.zeros((*SHAPE, TRIALS), dtype=np.int16)
    values[corner] = np.arange(1, TRIALS + 1)
    every = np.arange(np.prod(SHAPE))
    for name in ENDING.values():
        miniature.put_session(tmp_path / name, values)
        found = betas.read(tmp_path / name, TRIALS, SHAPE, every)
        assert np.flatnonzero(found.any(axis=0)).tolist() == [np.ravel_multi_index(corner, SHAPE)]
        np.testing.assert_array_equal(found[:, np.ravel_multi_index(corner, SHAPE)], np.arange(1, TRIALS + 1))


def read(path, trials=TRIALS, shape=SHAPE):
    return betas.read(path, trials, shape, np.arange(10))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadData, match=r"betas\.hdf5 is missing; fetch it again"):
        read(tmp_path / "betas.hdf5")


def test_a_truncated_file_is_one_sentence(session):
    path, _ = session
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadData, match="is not a whole"):
        read(path)


def test_a_file_of_another_kind_is_one_sentence(session):
    path, _ = session
    path.write_text("<html>not found</html>")
    with pytest.raises(BadData, match="is not a whole"):
        read(path)


def test_another_shape_is_refused(session):
    path, _ = session
    with pytest.raises(BadData, match="expected int16 betas of shape"):
        read(path, trials=TRIALS + 1)
    with pytest.raises(BadData, match="expected int16 betas of shape"):
        read(path, shape=SHAPE[::-1])


def test_another_type_is_refused(tmp_path):
    with h5py.File(tmp_path / "betas.hdf5", "w") as file:
        file["betas"] = np.zeros((TRIALS, *SHAPE[::-1]), dtype=np.float32)
    with pytest.raises(BadData, match="found float32"):
        read(tmp_path / "betas.hdf5")


def test_another_dataset_is_refused(tmp_path):
    with h5py.File(tmp_path / "betas.hdf5", "w") as file:
        file["beta"] = np.zeros(3)
    with pytest.raises(BadData, match="no dataset 'betas'; it has beta"):
        read(tmp_path / "betas.hdf5")


def test_a_scaled_nifti_is_refused(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((*SHAPE, TRIALS), dtype=np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 0)
    nibabel.save(image, tmp_path / "betas.nii.gz")
    with pytest.raises(BadData, match="found a scale of 0.5"):
        read(tmp_path / "betas.nii.gz")
