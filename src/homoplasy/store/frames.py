"""Tables on disk: parquet with the schema's name and version inside, the same bytes for the same rows."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from homoplasy.errors import BadData
from homoplasy.store import files
from homoplasy.tables import Schema

FORMAT = 1
_TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}


def write(path: Path, frame: pd.DataFrame, schema: Schema) -> None:
    """Check a table against its schema and write it, whole or not at all."""
    checked = schema.check(frame)
    about = json.dumps({"format": FORMAT, "table": schema.name, "version": schema.version}, sort_keys=True)
    arrow = pa.schema([(column, _TYPES[kind]) for column, kind in schema.columns.items()], {"homoplasy": about})
    with files.whole(path) as part:
        pq.write_table(pa.Table.from_pandas(checked, schema=arrow, preserve_index=False), part, compression="zstd")


def read(path: Path, schema: Schema, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table, or some of its columns; refuse another table or a version that is not known."""
    if not path.exists():
        raise BadData(f"{path} is missing; run the stage that writes it (dvc repro).")
    try:
        found = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as damage:
        raise BadData(f"{path} is not a whole parquet file ({damage}); delete it and run dvc repro.") from None
    about = json.loads((found.metadata or {}).get(b"homoplasy", b"{}"))
    expected = {"format": FORMAT, "table": schema.name, "version": schema.version}
    if about != expected:
        raise BadData(
            f"{path}: expected table '{schema.name}' version {schema.version} in format {FORMAT}, found "
            f"'{about.get('table')}' version {about.get('version')} in format {about.get('format')}; "
            "run dvc repro to write it again."
        )
    frame = pq.read_table(path, columns=columns).to_pandas(ignore_metadata=True)
    return frame if columns else schema.check(frame)
