import gzip
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd import atlas, keys
from homoplasy.errors import BadData
from tests.datasets.nsd import miniature
from tests.datasets.nsd.miniature import CORNER, NAMES, PLANTED, SHAPE


def test_voxels_come_region_by_region_left_before_right_then_by_index(kept):
    found = nsd.open_tree(kept.root).atlas(1)
    assert found.shape == SHAPE
    assert found.voxels.size == sum(left + right for left, right, _ in PLANTED.values())
    keys_of = list(zip(found.labels, found.right, found.voxels, strict=True))
    assert keys_of == sorted(keys_of)
    for name, span in found.regions().items():
        left, right, _ = PLANTED[name]
        assert found.right[span].tolist() == [False] * left + [True] * right
    where = np.flatnonzero(found.voxels == np.ravel_multi_index(CORNER, SHAPE))[0]
    assert found.names[int(found.labels[where])] == "MST"
    assert found.right[where]


def test_regions_without_a_voxel_are_absent(kept):
    assert list(nsd.open_tree(kept.root).atlas(1).regions()) == ["V1", "MST", "4", "FEF"]


def test_names_stay_text(kept):
    names = atlas.read_names(kept.root / keys.LABELS)
    assert list(names) == list(range(1, 181))
    assert {"1", "2", "4", "3a", "10d", "46"} <= set(names.values())
    assert (names[1], names[2], names[180]) == ("V1", "MST", "p24")


def test_a_table_with_179_names_is_refused(tree):
    path = tree.root / keys.LABELS
    whole = path.read_text()
    path.write_text(whole.replace("180 p24\n", ""))
    with pytest.raises(BadData, match="with 180 different region names, found 179 names"):
        atlas.read_names(path)
    path.write_text(whole.replace("180 p24\n", "180 V1\n"))
    with pytest.raises(BadData, match="found 179 names"):
        atlas.read_names(path)
    path.write_text("one V1\n")
    with pytest.raises(BadData, match="is not a whole label table"):
        atlas.read_names(path)


def label(tree, change, side=""):
    path = tree.root / keys.atlas(1, side)
    values = np.asarray(nibabel.load(path).dataobj).copy()
    change(values)
    miniature.put_volume(path, values)


def test_a_voxel_of_neither_hemisphere_is_named(tree):
    def change(values):
        values[CORNER] = 17

    label(tree, change)
    with pytest.raises(
        BadData,
        match=f"carry their label in neither hemisphere, the first is voxel {np.ravel_multi_index(CORNER, SHAPE)}",
    ):
        nsd.open_tree(tree.root).atlas(1)


@pytest.mark.parametrize("value", [181, -2, 0.5])
def test_labels_that_no_region_has_are_refused(tree, value):
    def change(values):
        values[CORNER] = value

    label(tree, change, "rh.")
    with pytest.raises(BadData, match="expected labels from -1 to 180, found"):
        nsd.open_tree(tree.root).atlas(1)


def test_volumes_of_other_shapes_are_refused(tree):
    miniature.put_volume(tree.root / keys.atlas(1, "lh."), np.zeros(SHAPE[::-1]))
    with pytest.raises(BadData, match="the three label volumes differ in shape"):
        nsd.open_tree(tree.root).atlas(1)
    miniature.put_volume(tree.root / keys.volume(2, "signaldropout"), np.zeros((*SHAPE, 2)))
    found = nsd.open_tree(tree.root)
    with pytest.raises(BadData, match=r"expected a volume \(X, Y, Z\)"):
        found.values(2, "signaldropout", found.atlas(2))
    miniature.put_volume(tree.root / keys.volume(2, "signaldropout"), np.zeros(SHAPE[::-1]))
    with pytest.raises(BadData, match="of the label volume"):
        found.values(2, "signaldropout", found.atlas(2))


def test_a_truncated_volume_is_one_sentence(tree):
    path = tree.root / keys.atlas(1)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadData, match="is not a whole NIfTI image"):
        nsd.open_tree(tree.root).atlas(1)


def test_a_volume_of_an_unknown_type_is_one_sentence(tree):
    path = tree.root / keys.atlas(1)
    bits = bytearray(gzip.decompress(path.read_bytes()))
    bits[70:72] = (1040).to_bytes(2, "little")  # the code of its numbers
    path.write_bytes(gzip.compress(bytes(bits)))
    with pytest.raises(BadData, match=r"is not a whole NIfTI image \(data code 1040 not recognized\)"):
        nsd.open_tree(tree.root).atlas(1)


def test_maps_are_read_at_the_labelled_voxels(kept):
    tree = nsd.open_tree(kept.root)
    of = tree.atlas(1)
    np.testing.assert_array_equal(
        tree.values(1, "signaldropout", of), kept.dropout[1].ravel()[of.voxels].astype(np.float32)
    )
    assert {1.5, 1.0, 0.0} == set(tree.values(1, "ncsnr", of))


NAMED = dict(enumerate(NAMES, start=1))
ORDER = ["Visual", "Somatomotor", "Dorsal Attention", "Ventral Attention", "Limbic", "Frontoparietal", "Default"]


@pytest.mark.parametrize(
    ("table", "side", "counts"),
    [
        ("xcpd", 0, [29, 28, 24, 25, 13, 27, 34]),
        ("xcpd", 1, [25, 28, 24, 21, 15, 18, 49]),
        ("study", 0, [30, 27, 17, 31, 14, 26, 35]),
        ("study", 1, [30, 27, 17, 31, 14, 26, 35]),
    ],
)
def test_networks_have_the_sizes_that_their_source_gives(table, side, counts):
    found = [networks[side] for networks in atlas.networks(table, NAMED).values()]
    assert [found.count(network) for network in ORDER] == counts


def test_the_tables_agree_where_their_source_says():
    xcpd, study = (atlas.networks(table, NAMED) for table in ("xcpd", "study"))
    assert sum(xcpd[name][0] == study[name][0] for name in NAMES) == 170
    assert sum(xcpd[name][1] == study[name][0] for name in NAMES) == 152
    assert sum(xcpd[name][0] == xcpd[name][1] for name in NAMES) == 156
    both = {name for name in NAMES if study[name][0] not in xcpd[name]}
    assert both == {"IPS1", "7Am", "7PL", "7PC", "LIPv", "VIP", "MIP"}
    limbic = {name for name in NAMES if study[name][0] == "Limbic"}
    assert limbic == {"10v", "10pp", "13l", "OFC", "Pir", "EC", "H", "PeEc", "TGd", "TE2a", "TF", "25", "pOFC", "TGv"}


def test_a_region_without_a_network_is_refused():
    with pytest.raises(BadData, match="no network is known for the regions V1a. Nearest: 'V1'"):
        atlas.networks("xcpd", {1: "V1a"})


def test_the_network_table_is_the_one_of_the_reference(reference):
    ours = Path(atlas.__file__).parents[1] / "hcp_mmp1_yeo7.csv"
    assert pd.read_csv(ours, dtype=str).equals(pd.read_csv(reference / "atlas" / ours.name, dtype=str))
