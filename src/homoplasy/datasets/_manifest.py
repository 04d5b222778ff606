"""MANIFEST.json: what a raw folder holds. It is written last, so a folder without it is not finished.

While a folder is being filled it carries MANIFEST.part instead, which also says that fetch may empty it: a folder with
neither was made by somebody else and is left alone.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from homoplasy import written
from homoplasy.errors import BadData, WorkFailed
from homoplasy.progress import track

FORMAT = 1
NAME = "MANIFEST.json"
MARK = "MANIFEST.part"
_STRANGE = re.compile(r"[\\:\x00-\x1f\x7f\ud800-\udfff]")  # a backslash or a drive names another place on some systems
_LONGEST = 255  # bytes that the name of a file may have
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READERS = 4  # hashlib releases the interpreter lock
_BLOCK = 1 << 20


@dataclass(frozen=True)
class File:
    """One file as it was fetched; the ETag is the bucket's name for that version of it."""

    size: int
    sha256: str
    etag: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What was asked for, and every file that answers it, by its key (a path with `/` below the folder)."""

    dataset: str
    request: Mapping[str, Any]
    files: Mapping[str, File]


def read(root: Path) -> Manifest:
    """Read the manifest of a raw folder; refuse keys that point outside it."""
    found = find(root)
    if found is None:
        raise BadData(f"{root / NAME} is missing: the data were not fetched to the end; run dvc repro fetch.")
    return found


def find(root: Path) -> Manifest | None:
    """Read the manifest where there is one; a damaged one is an error, an absent one is None."""
    path = root / NAME
    try:
        about = written.read_json(path)
    except FileNotFoundError:
        return None
    except written.Damaged as damage:
        raise BadData(f"{path} is not JSON {damage}; delete it and run dvc repro fetch.") from None
    return _parsed(path, about)


def _parsed(path: Path, about: Any) -> Manifest:
    version = about.get("format") if isinstance(about, dict) else None
    if version != FORMAT:
        raise BadData(f"{path}: expected manifest format {FORMAT}, found {version}; delete it and run dvc repro fetch.")
    try:
        files = {key: File(**entry) for key, entry in about["files"].items()}
        manifest = Manifest(str(about["dataset"]), dict(about["request"]), files)
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as fault:
        raise BadData(f"{path} lacks a part of a manifest ({fault}); delete it and run dvc repro fetch.") from None
    for key, file in files.items():
        _parts(key)
        if not (isinstance(file.size, int) and _SHA256.fullmatch(str(file.sha256))):
            raise BadData(f"{path}: '{key}' has no size and SHA-256; delete the manifest and run dvc repro fetch.")
    return manifest


def _parts(key: str) -> list[str]:
    """The steps of a key; one that leaves the folder is refused whatever is on the disk."""
    parts = key.split("/")
    if any(part in {"", ".", ".."} or _STRANGE.search(part) or len(part.encode()) > _LONGEST for part in parts):
        raise BadData(f"the key {key!r} points outside the data folder; expected a plain path such as 'a/b.csv'.")
    return parts


def inside(root: Path, key: str) -> Path:
    """Give the path of a key below `root`; refuse a key that leaves it, also through a symbolic link."""
    path = root
    for part in _parts(key):
        path = path / part
        if path.is_symlink():
            raise BadData(f"{path} is a symbolic link, so '{key}' could point outside {root}; remove the link.")
    return path


def digest(path: Path, kind: str = "sha256") -> str:
    """Hash a file block by block."""
    found = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def measure(root: Path, key: str, etag: str | None = None) -> File:
    """Size and SHA-256 of a file as it lies there."""
    path = inside(root, key)
    return File(path.stat().st_size, digest(path), etag)


def faults(root: Path, files: Mapping[str, File]) -> dict[str, str]:
    """Compare files with what is recorded of them; name what is wrong with each that differs."""
    with ThreadPoolExecutor(_READERS) as pool:
        checked = pool.map(lambda item: _fault(root, *item), files.items())
        found = dict(zip(files, track(checked, "verifying files", total=len(files)), strict=True))
    return {key: fault for key, fault in found.items() if fault}


def _fault(root: Path, key: str, file: File) -> str:
    path = inside(root, key)
    if not path.is_file():
        return "missing"
    if path.stat().st_size != file.size:
        return f"{path.stat().st_size} bytes instead of {file.size}"
    return "" if digest(path) == file.sha256 else "another SHA-256"


def holds(root: Path, dataset: str, request: Mapping[str, Any]) -> bool:
    """Tell whether a folder holds exactly what this request made: every file whole, and nothing else."""
    found = find(root)
    if found is None or found.dataset != dataset or found.request != request:
        return False
    return keys(root) == {NAME, *found.files} and not faults(root, found.files)


@contextmanager
def filling(root: Path, dataset: str, request: Mapping[str, Any]) -> Iterator[None]:
    """Empty a folder, let the block fill it, and write the manifest of what it made."""
    with writing(root):
        claim(root)
        clean(root, keep={MARK})
        yield
    made = sorted(keys(root) - {MARK})
    with ThreadPoolExecutor(_READERS) as pool:
        measured = track(pool.map(lambda key: measure(root, key), made), "hashing files", total=len(made))
        files = dict(zip(made, measured, strict=True))
    with writing(root):
        finish(root, Manifest(dataset, request, files))


def claim(root: Path) -> None:
    """Mark a folder as being filled; refuse one that holds files which fetch did not put there."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / NAME).exists() and not (root / MARK).exists() and any(root.iterdir()):
        raise BadData(
            f"{root} holds files but no {NAME}, so fetch did not make it and will not clear it; move them elsewhere."
        )
    (root / MARK).touch()


@contextmanager
def writing(at: Path) -> Iterator[None]:
    """Turn a disk that is full or closed to us into one sentence."""
    try:
        yield
    except OSError as fault:
        full = fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        advice = "make room" if full else "check the disk and your permission to write there"
        raise WorkFailed(
            f"cannot write {fault.filename or at} ({fault.strerror or fault}); {advice}, then run dvc repro fetch "
            "again: what has arrived is kept."
        ) from None


def finish(root: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all, and take the mark away; the same content gives the same bytes."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, sort_keys=True, indent=1, ensure_ascii=False)
    part = root / f".{NAME}.part"
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, root / NAME)
    (root / MARK).unlink(missing_ok=True)


def clean(root: Path, keep: Collection[str]) -> int:
    """Delete the files of a folder whose keys are not to be kept, and count them; links are not followed."""
    strays = keys(root) - set(keep)
    for key in strays:
        (root / key).unlink()
    folders = [path for path in root.rglob("*") if path.is_dir() and not path.is_symlink()]
    for folder in sorted(folders, reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    return len(strays)


def keys(root: Path) -> set[str]:
    """The keys of all files that lie in a folder; links are not followed."""
    found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(root).as_posix() for path in found}
