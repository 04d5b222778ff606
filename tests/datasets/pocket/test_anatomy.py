import numpy as np
import pytest

from homoplasy.datasets.pocket import anatomy, regions, sizes

IDS = regions.label_table()


@pytest.fixture(scope="module", params=sorted(sizes.VOLUMES))
def body(request):
    return anatomy.draw(20250702, request.param)


def test_no_volume_is_cubic_and_all_differ():
    shapes = list(sizes.VOLUMES.values())
    assert all(len(set(shape)) == 3 for shape in shapes)
    assert len(set(shapes)) == 4


def test_regions_have_about_the_planned_voxels_in_both_hemispheres(body):
    for one in regions.REGIONS:
        voxels = body.voxels[one.name]
        assert abs(voxels.size - one.voxels) <= 0.1 * one.voxels
        assert abs(body.left.ravel()[voxels].sum() - voxels.size / 2) <= 0.5
        assert (body.labels.ravel()[voxels] == IDS[one.name]).all()
    assert body.voxels[regions.TINY.name].size == 4


def test_every_kind_of_label_is_there(body):
    assert (body.labels == 0).sum() > 200
    assert (body.labels == -1).sum() > 200
    assert ((body.labels == -1) & body.mask).any()
    assert not ((body.labels >= 0) & ~body.mask).any()
    assert set(np.unique(body.labels)) == {-1, 0, *(IDS[one.name] for one in regions.REGIONS)}


def test_the_hemispheres_together_are_the_merged_volume(body):
    left, right = body.hemisphere("lh"), body.hemisphere("rh")
    assert (np.maximum(left, right) == body.labels).all()
    assert not ((left > -1) & (right > -1)).any()


def test_a_corner_belongs_to_v1_and_its_mirror_places_do_not(body):
    x, y, z = anatomy.corner(body.labels.shape)
    assert body.labels[x, y, z] == IDS["V1"]
    assert not body.constant[x, y, z]
    assert body.labels[-1, 0, 0] == body.labels[0, -1, 0] == -1


def test_three_percent_of_the_voxels_are_constant(body):
    assert abs(body.constant.sum() / body.mask.sum() - 0.03) < 0.003
    for one in regions.REGIONS:
        assert body.constant.ravel()[body.voxels[one.name]].sum() == round(0.03 * body.voxels[one.name].size)


def test_half_of_the_voxels_of_four_regions_are_dropout(body):
    for one in regions.REGIONS:
        lost = body.dropout.ravel()[body.voxels[one.name]] > 1
        assert lost.sum() == (body.voxels[one.name].size // 2 if one.dropout else 0)
    assert {one.name for one in regions.REGIONS if one.dropout} == {"OFC", "TGd", "TE2a", "EC"}
    assert set(np.unique(body.dropout).tolist()) == {0.0, 0.5, 1.5}
    assert not (body.constant & (body.dropout > 1)).any()
