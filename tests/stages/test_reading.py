"""How the report names what it read."""

import hashlib

from homoplasy.stages import _reading


def test_a_file_is_named_without_its_place_and_with_the_hash_that_dvc_gives_it(tmp_path):
    path = tmp_path / "stats" / "facts.parquet"
    path.parent.mkdir()
    content = b"x" * (_reading._BLOCK + 1)
    path.write_bytes(content)
    source = _reading._source(path)
    assert source.path == "stats/facts.parquet"
    assert (source.size, source.md5) == (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
