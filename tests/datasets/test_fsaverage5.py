"""The surface of the cortex: its facts, the approximation of its areas, and the labels that NSD ships."""

import nibabel
import numpy as np
import pytest

from homoplasy.datasets import fsaverage5, hcp_mmp1
from homoplasy.datasets.nsd import keys
from homoplasy.errors import BadData
from tests.conftest import ROOT

ANNOTATED = ROOT.parent / "shared/reference/atlas"


@pytest.fixture(scope="module")
def approximate(tmp_path_factory):
    return fsaverage5.read(tmp_path_factory.mktemp("no-labels"))


def tree(root, labels):
    """A raw folder with the label table and the labels of both hemispheres."""
    table = root / keys.LABELS
    table.parent.mkdir(parents=True)
    names = ["Unknown", *hcp_mmp1.anterior()]
    table.write_text("".join(f"{number} {name} 0 0 0 0\n" for number, name in enumerate(names)))
    for hemisphere in ("lh", "rh"):
        image = nibabel.freesurfer.MGHImage(labels.reshape(-1, 1, 1).astype(np.int32), np.eye(4))
        nibabel.save(image, root / keys.surface_labels(hemisphere))
    return names


def test_the_meshes_are_closed_and_of_the_stated_size(approximate):
    surfaces, exact = approximate
    assert not exact
    assert list(surfaces) == ["left", "right"]
    for one in surfaces.values():
        assert one.folded.shape == one.inflated.shape == (fsaverage5.POINTS, 3)
        assert one.triangles.shape == (fsaverage5.TRIANGLES, 3)
        edges = np.sort(one.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert surfaces["left"].folded[:, 0].mean() < 0 < surfaces["right"].folded[:, 0].mean()


def test_the_approximation_has_every_area_and_agrees_with_the_atlas_as_said(approximate):
    surfaces, _ = approximate
    for one in surfaces.values():
        assert set(one.parts) == {"", *hcp_mmp1.anterior()}
    if not ANNOTATED.exists():
        pytest.skip("the reference labels are not on this machine")
    for side, short in fsaverage5.SIDES.items():
        found, _, names = nibabel.freesurfer.read_annot(ANNOTATED / f"fsa5_{short}_glasser_360.annot")
        real = np.array(["", *(name.decode() for name in names[1:])])[found]
        assert (real == surfaces[side].parts).mean() == pytest.approx(0.72, abs=0.01)


def test_areas_lie_from_back_to_front_where_the_atlas_has_them(approximate):
    surfaces, _ = approximate
    one, forward = surfaces["left"], hcp_mmp1.anterior()
    middles = [one.folded[one.parts == name, 1].mean() for name in forward]
    assert np.corrcoef(middles, list(forward.values()))[0, 1] > 0.98


def test_the_labels_of_nsd_are_used_where_they_are(tmp_path):
    labels = np.zeros(163_842)
    labels[: fsaverage5.POINTS] = np.arange(fsaverage5.POINTS) % 182 - 1
    names = tree(tmp_path, labels)
    surfaces, exact = fsaverage5.read(tmp_path)
    assert exact
    assert surfaces["right"].parts[:4].tolist() == ["", "", names[1], names[2]]
    assert surfaces["right"].parts[181] == names[180]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.zeros(10_242), "expected 163842 labels from -1 to 180, found 10242"),
        (np.full(163_842, 181), "found 163842 from 181"),
    ],
)
def test_labels_of_another_size_or_atlas_are_refused(tmp_path, labels, said):
    tree(tmp_path, labels)
    with pytest.raises(BadData, match=said):
        fsaverage5.read(tmp_path)


def test_a_damaged_label_file_is_named(tmp_path):
    tree(tmp_path, np.zeros(163_842))
    (tmp_path / keys.surface_labels("rh")).write_bytes(b"not a label file")
    with pytest.raises(BadData, match=r"rh\.HCP_MMP1\.mgz is not a whole FreeSurfer label file"):
        fsaverage5.read(tmp_path)
