"""Tables on disk: parquet with the schema's name and version inside, the same bytes for the same rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from homoplasy import written
from homoplasy.errors import BadData
from homoplasy.store import files
from homoplasy.tables import Schema

FORMAT = 1
_TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}


def write(path: Path, frame: pd.DataFrame, schema: Schema) -> None:
    """Check a table against its schema and write it, whole or not at all."""
    checked = schema.check(frame)
    told = {"format": FORMAT, "table": schema.name, "version": schema.version, "rows": len(checked)}
    about = json.dumps(told, sort_keys=True)
    arrow = pa.schema([(column, _TYPES[kind]) for column, kind in schema.columns.items()], {"homoplasy": about})
    with files.whole(path) as part:
        table = pa.Table.from_pandas(checked, schema=arrow, preserve_index=False)
        pq.write_table(table, part, compression="zstd", write_page_checksum=True)


def read(path: Path, schema: Schema, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table, or some of its columns; refuse another table or a version that is not known."""
    if not path.exists():
        raise BadData(f"{path} is missing; run the stage that writes it (dvc repro).")
    with _whole(path):
        file = pq.ParquetFile(path, page_checksum_verification=True)
    with file:
        return _checked(path, file, schema, columns)


def _checked(path: Path, file: pq.ParquetFile, schema: Schema, columns: list[str] | None) -> pd.DataFrame:
    with _whole(path):
        about = _about(file.schema_arrow)
    rows = about.pop("rows", None)
    expected = {"format": FORMAT, "table": schema.name, "version": schema.version}
    if about != expected:
        raise BadData(
            f"{path}: expected table '{schema.name}' version {schema.version} in format {FORMAT}, found "
            f"'{about.get('table')}' version {about.get('version')} in format {about.get('format')}; "
            "run dvc repro to write it again."
        )
    with _whole(path):
        table = file.read(columns)
        frame = table.to_pandas(ignore_metadata=True)
    if rows not in (None, len(frame)):
        raise BadData(f"{path}: expected {rows} rows, found {len(frame)}; delete it and run dvc repro.")
    for column in columns or schema.columns:
        found = table.schema.field(column).type if column in table.schema.names else "no such column"
        if found != _TYPES[schema.columns[column]]:
            raise BadData(f"{path}, column '{column}': expected {_TYPES[schema.columns[column]]}, found {found}.")
    return frame if columns else schema.check(frame)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn what is raised on a damaged file into one sentence about it."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as damage:
        words = str(damage).strip().partition("\n")[0].rstrip(".")
        raise BadData(f"{path} is not a whole parquet file ({words}); delete it and run dvc repro.") from None


def _about(schema: pa.Schema) -> dict[str, object]:
    """What a table says of itself; nothing where it says nothing that can be read."""
    found = written.parse_json((schema.metadata or {}).get(b"homoplasy", b"{}").decode())
    return found if isinstance(found, dict) else {}
