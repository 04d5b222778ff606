import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homoplasy.errors import BadData
from homoplasy.store import frames
from homoplasy.tables import MODELS, PERFORMANCE, Schema

TABLE = pd.DataFrame({"model": ["b", "a"], "benchmark": ["x", "x"], "performance": [1.5, float("nan")]})


def test_what_is_written_is_read(tmp_path):
    frames.write(tmp_path / "t.parquet", TABLE, PERFORMANCE)
    pd.testing.assert_frame_equal(frames.read(tmp_path / "t.parquet", PERFORMANCE), TABLE.astype({"model": "str"}))
    assert list(frames.read(tmp_path / "t.parquet", PERFORMANCE, ["model"]).columns) == ["model"]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in "ab":
        frames.write(tmp_path / name, TABLE, PERFORMANCE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_empty_table_passes(tmp_path):
    frames.write(tmp_path / "t.parquet", MODELS.empty(), MODELS)
    assert len(frames.read(tmp_path / "t.parquet", MODELS)) == 0


def test_wrong_tables_are_one_sentence(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(BadData, match="is missing"):
        frames.read(path, PERFORMANCE)
    frames.write(path, TABLE, PERFORMANCE)
    newer = Schema("performance", PERFORMANCE.columns, PERFORMANCE.key, version=2)
    with pytest.raises(BadData, match="expected table 'performance' version 2 .* found 'performance' version 1"):
        frames.read(path, newer)
    with pytest.raises(BadData, match="expected table 'models'"):
        frames.read(path, MODELS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadData, match="not a whole parquet file"):
        frames.read(path, PERFORMANCE)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(BadData, match="found 'None'"):
        frames.read(path, PERFORMANCE)


def test_a_flipped_byte_of_a_value_is_found(tmp_path):
    path = tmp_path / "t.parquet"
    table = pd.DataFrame({"model": [f"m{row}" for row in range(300)], "benchmark": "x", "performance": range(300)})
    frames.write(path, table.astype({"performance": "float64"}), PERFORMANCE)
    sound, whole = path.read_bytes(), frames.read(path, PERFORMANCE)
    refused, places = 0, range(0, len(sound), 41)
    for place in places:
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        try:  # a byte of a header that says nothing about the values may be any
            assert frames.read(path, PERFORMANCE).equals(whole)
        except BadData:
            refused += 1
    assert refused > len(places) / 2


def test_a_column_of_another_type_or_no_column_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    frames.write(path, TABLE, PERFORMANCE)
    sound = pq.read_table(path)
    pq.write_table(sound.set_column(2, "performance", [["a", "b"]]), path)
    with pytest.raises(BadData, match="column 'performance': expected double, found string"):
        frames.read(path, PERFORMANCE, ["performance"])
    pq.write_table(sound.drop_columns("performance"), path)
    with pytest.raises(BadData, match="column 'performance': expected double, found no such column"):
        frames.read(path, PERFORMANCE)


def test_notes_that_are_no_json_are_those_of_a_strange_table(tmp_path):
    path = tmp_path / "t.parquet"
    frames.write(path, TABLE, PERFORMANCE)
    for notes, sentence in ((b"[" * 50_000, "nested too deeply"), (b"[1]", "found 'None'")):
        pq.write_table(pq.read_table(path).replace_schema_metadata({"homoplasy": notes}), path)
        with pytest.raises(BadData, match=sentence):
            frames.read(path, PERFORMANCE)
