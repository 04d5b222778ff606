"""Files that are whole or absent: written beside their place, then moved into it."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from homoplasy import written
from homoplasy.errors import BadData


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def fresh_folder(path: Path) -> Path:
    """Empty a folder that a stage is about to fill, so that nothing of an earlier run stays in it."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that the same value gives the same bytes."""
    write_text(path, json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; say which file is missing or damaged."""
    try:
        return written.read_json(path)
    except FileNotFoundError:
        raise BadData(f"{path} is missing; run the stage that writes it (dvc repro).") from None
    except written.Damaged as damage:
        raise BadData(f"{path} is not JSON {damage}; delete it and run dvc repro.") from None
