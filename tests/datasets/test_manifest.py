"""What a raw folder holds: written last, verified before it is believed, never reaching outside."""

import json

import pytest

from homoplasy.datasets import _manifest
from homoplasy.datasets._manifest import MARK, NAME, File, Manifest
from homoplasy.errors import BadData, WorkFailed

REQUEST = {"subjects": [1], "sessions": 2}


@pytest.fixture
def filled(tmp_path):
    root = tmp_path / "raw"
    with _manifest.filling(root, "pocket", REQUEST):
        (root / "a").mkdir()
        (root / "a" / "b.bin").write_bytes(b"hello")
        (root / "c.csv").write_bytes(b"")
    return root


def test_it_names_every_file_with_size_and_hash(filled):
    found = _manifest.read(filled)
    assert found == Manifest(
        "pocket",
        REQUEST,
        {
            "a/b.bin": File(5, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
            "c.csv": File(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        },
    )
    assert _manifest.holds(filled, "pocket", REQUEST)
    assert _manifest.keys(filled) == {NAME, "a/b.bin", "c.csv"}


def test_the_same_content_gives_the_same_bytes(filled, tmp_path):
    other = tmp_path / "other"
    with _manifest.filling(other, "pocket", dict(reversed(REQUEST.items()))):
        (other / "c.csv").write_bytes(b"")
        (other / "a").mkdir()
        (other / "a" / "b.bin").write_bytes(b"hello")
    assert (other / NAME).read_bytes() == (filled / NAME).read_bytes()


def test_another_request_is_not_held(filled):
    assert not _manifest.holds(filled, "pocket", REQUEST | {"sessions": 3})
    assert not _manifest.holds(filled, "nsd", REQUEST)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.write_bytes(b"hullo"), "another SHA-256"),
        (lambda path: path.write_bytes(b"hell"), "4 bytes instead of 5"),
        (lambda path: path.unlink(), "missing"),
    ],
)
def test_a_damaged_file_is_found(filled, damage, fault):
    damage(filled / "a" / "b.bin")
    assert _manifest.faults(filled, _manifest.read(filled).files) == {"a/b.bin": fault}
    assert not _manifest.holds(filled, "pocket", REQUEST)


def test_a_stray_is_found_and_cleaned(filled):
    (filled / "a" / "deep").mkdir()
    (filled / "a" / "deep" / "stray").touch()
    assert not _manifest.holds(filled, "pocket", REQUEST)
    assert _manifest.clean(filled, keep={NAME, "a/b.bin", "c.csv"}) == 1
    assert _manifest.holds(filled, "pocket", REQUEST)
    assert not (filled / "a" / "deep").exists()


def test_cleaning_never_follows_a_link(filled, tmp_path):
    outside = tmp_path / "mine"
    outside.mkdir()
    (outside / "thesis.tex").write_text("years of work")
    (filled / "link").symlink_to(outside)
    (filled / "file-link").symlink_to(outside / "thesis.tex")
    assert _manifest.clean(filled, keep={NAME, "a/b.bin", "c.csv"}) == 2
    assert (outside / "thesis.tex").read_text() == "years of work"


def test_filling_again_starts_from_an_empty_folder(filled):
    with _manifest.filling(filled, "pocket", REQUEST):
        assert _manifest.keys(filled) == {MARK}
        (filled / "d").touch()
    assert _manifest.keys(filled) == {NAME, "d"}


def test_a_run_that_dies_leaves_no_manifest_and_the_next_may_clear(filled):
    with pytest.raises(ZeroDivisionError), _manifest.filling(filled, "pocket", REQUEST):
        (filled / "half").write_text(str(1 / 0))
    assert _manifest.find(filled) is None
    with _manifest.filling(filled, "pocket", REQUEST):
        pass
    assert _manifest.keys(filled) == {NAME}


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").touch()
    with (
        pytest.raises(BadData, match=r"holds files but no MANIFEST\.json, so fetch did not make it"),
        _manifest.filling(tmp_path, "pocket", {}),
    ):
        pass
    assert _manifest.keys(tmp_path) == {"photo.jpg"}


OUTSIDE = ["/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a/./b", "a\\b", "C:/x", "a\nb", "a\0b", "a/"]


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_that_points_outside_is_refused(tmp_path, key):
    with pytest.raises(BadData, match="points outside the data folder"):
        _manifest.inside(tmp_path, key)


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_manifest_with_such_a_key_is_refused(filled, key):
    about = json.loads((filled / NAME).read_text())
    about["files"][key] = about["files"]["c.csv"]
    (filled / NAME).write_text(json.dumps(about))
    with pytest.raises(BadData, match="points outside the data folder"):
        _manifest.read(filled)


@pytest.mark.parametrize("key", ["link/x", "link"])
def test_a_key_through_a_symbolic_link_is_refused(tmp_path, key):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(BadData, match="is a symbolic link"):
        _manifest.inside(tmp_path / "root", key)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "expected manifest format 1, found None"),
        ('{"format": 2}', "expected manifest format 1, found 2"),
        ('{"format": 1}', "lacks a part of a manifest"),
        ('{"format": 1, "dataset": "nsd", "request": {}, "files": {"a": {"size": 1}}}', "lacks a part"),
        (
            '{"format": 1, "dataset": "nsd", "request": {}, "files": {"a": {"size": 1, "sha256": "0", "etag": null}}}',
            "'a' has no size and SHA-256",
        ),
    ],
)
def test_a_damaged_manifest_says_so(tmp_path, text, sentence):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(BadData, match=sentence):
        _manifest.read(tmp_path)


def test_a_folder_without_manifest_says_so(tmp_path):
    with pytest.raises(BadData, match="were not fetched to the end"):
        _manifest.read(tmp_path)


@pytest.mark.parametrize(("number", "advice"), [(28, "make room"), (13, "check the disk and your permission")])
def test_a_full_or_closed_disk_is_one_sentence(tmp_path, number, advice):
    with pytest.raises(WorkFailed, match=advice), _manifest.filling(tmp_path / "raw", "pocket", {}):
        raise OSError(number, "no", "somewhere")
