import json

import numpy as np
import pytest

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd import keys
from homoplasy.errors import BadData, BadRequest
from tests.datasets.nsd import miniature


def manifest(root, **request):
    path = root / "MANIFEST.json"
    about = json.loads(path.read_text())
    about["request"] |= request
    path.write_text(json.dumps(about))


def test_subjects_and_sessions_come_from_the_manifest(kept):
    tree = nsd.open_tree(kept.root)
    assert tree.subjects == [1, 2]
    assert tree.sessions == {1: 5, 2: 5}


def test_a_world_without_subjects_has_nothing_to_show(tmp_path):
    about = {"format": 1, "dataset": "published", "request": {"subjects": [], "sessions": 0}, "files": {}}
    (tmp_path / "MANIFEST.json").write_text(json.dumps(about))
    tree = nsd.open_tree(tmp_path)
    assert tree.subjects == []
    assert len(tree.stimuli("lowest_id")) == 0
    assert len(tree.performance()) == 0
    assert tree.chosen_sessions(3, first_release=True) == {}


def test_an_unknown_beta_version_is_refused(tree):
    manifest(tree.root, beta_version="betas_fithrf_GLMdenoise")
    with pytest.raises(BadRequest, match="no beta version 'betas_fithrf_GLMdenoise'; NSD has"):
        nsd.open_tree(tree.root)


def test_betas_of_another_version_are_not_taken(tree):
    manifest(tree.root, beta_version="betas_fithrf")
    with pytest.raises(BadData, match=r"does not list .*/betas_fithrf/betas_session01\.hdf5"):
        nsd.open_tree(tree.root)


def test_a_gap_between_sessions_is_refused(tree):
    path = tree.root / "MANIFEST.json"
    about = json.loads(path.read_text())
    del about["files"][keys.betas(1, 3, miniature.VERSION, "hdf5")]
    path.write_text(json.dumps(about))
    with pytest.raises(BadData, match=r"does not list .*subj01.*betas_session03\.hdf5"):
        nsd.open_tree(tree.root)


@pytest.mark.parametrize(("most", "first_release", "count"), [(0, False, 5), (3, False, 3), (0, True, 4), (2, True, 2)])
def test_how_many_sessions_are_read(kept, most, first_release, count):
    assert nsd.open_tree(kept.root).chosen_sessions(most, first_release=first_release) == {1: count, 2: count}


def test_more_sessions_than_were_fetched_are_refused(kept):
    with pytest.raises(BadRequest, match=r"parcellate\.sessions is 6, but 5 were fetched"):
        nsd.open_tree(kept.root).chosen_sessions(6, first_release=False)


def test_performance_is_read_where_there_is_some(tree):
    path = tree.path("pocket/performance.csv")
    path.write_text("model,benchmark,performance\nplanted:vision-00,planted,31.5\n")
    assert nsd.open_tree(tree.root).performance()["performance"].tolist() == [31.5]
    path.write_text("model,benchmark,performance\nplanted:vision-00,planted,high\n")
    with pytest.raises(BadData, match="is not a whole table"):
        nsd.open_tree(tree.root).performance()


def test_both_formats_hold_the_same_responses(tmp_path, kept):
    other = miniature.write(tmp_path, form="nifti")
    voxels = np.arange(np.prod(miniature.SHAPE))
    found = [nsd.open_tree(one.root).responses(2, 3, miniature.SHAPE, voxels) for one in (kept, other)]
    np.testing.assert_array_equal(*found)
