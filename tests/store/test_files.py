import pytest

from homoplasy.errors import BadData
from homoplasy.store import files


def test_json_is_the_same_bytes_whatever_the_order(tmp_path):
    files.write_json(tmp_path / "a", {"b": 1, "a": [2]})
    files.write_json(tmp_path / "b", {"a": [2], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert files.read_json(tmp_path / "a") == {"a": [2], "b": 1}


def test_damaged_json_is_one_sentence(tmp_path):
    with pytest.raises(BadData, match="is missing"):
        files.read_json(tmp_path / "none")
    (tmp_path / "cut").write_text('{"a": ')
    with pytest.raises(BadData, match="is not JSON"):
        files.read_json(tmp_path / "cut")
    (tmp_path / "raw").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match="is not JSON"):
        files.read_json(tmp_path / "raw")


def test_a_fresh_folder_keeps_nothing(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stray").write_text("old")
    assert list(files.fresh_folder(tmp_path / "out").iterdir()) == []
