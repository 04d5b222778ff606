"""What of a raw folder may be passed on: by its key, whatever the world; of NSD nothing that a subject gave."""

import pytest

from homoplasy.datasets import _manifest, _open, published
from homoplasy.datasets.nsd import keys
from homoplasy.errors import BadData

ATLAS = {keys.LABELS, keys.surface_labels("lh"), keys.surface_labels("rh")}
LENT = {
    *(keys.DESIGN, keys.STIMULUS_TABLE, keys.PICTURES, *keys.CAPTIONS.values()),
    *(keys.responses(1), keys.volume(1, "brainmask"), keys.atlas(1), keys.ncsnr(1, keys.BETA_VERSIONS[0])),
    keys.betas(1, 1, keys.BETA_VERSIONS[0], "hdf5"),
}
OURS = {"performance/results-imagenet.csv", "performance/pythia-v1/a/b.json", "pocket/performance.csv"}


@pytest.fixture
def raw(tmp_path):
    """A raw folder with every kind of file, its key as its content."""
    with _manifest.filling(tmp_path / "raw", "nsd", {}):
        for key in ATLAS | LENT | OURS | {*published.KEYS, "pocket/truth/truth.json"}:
            (tmp_path / "raw" / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "raw" / key).write_text(key)
    return tmp_path / "raw"


def test_nothing_is_passed_on_that_was_lent(raw, tmp_path):
    _open.carry(raw, tmp_path / "open")
    assert _manifest.keys(tmp_path / "open") == {_manifest.NAME, *ATLAS, *OURS, *published.KEYS}
    assert _manifest.read(tmp_path / "open") == _manifest.read(raw)
    assert all((tmp_path / "open" / key).read_text() == key for key in ATLAS | OURS)


def test_a_folder_that_is_not_finished_or_leads_elsewhere_is_refused(raw, tmp_path):
    elsewhere = raw / keys.LABELS
    elsewhere.unlink()
    elsewhere.symlink_to("/etc/passwd")
    with pytest.raises(BadData, match="is a symbolic link"):
        _open.carry(raw, tmp_path / "open")
    (raw / _manifest.NAME).unlink()
    with pytest.raises(BadData, match="were not fetched to the end"):
        _open.carry(raw, tmp_path / "open")
