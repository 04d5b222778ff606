"""The content-keyed store: one file a key, filled once, seen only when whole, shared by every workspace.

The key is the SHA-256 of all that decides the content (address, weights, stimuli, settings, code version), so a
stage that is run again, killed, or run elsewhere computes only what is not there yet. Beside each file lies the SHA-256
of its bytes: another file under its name, or a damaged one, is never taken.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from homoplasy.progress import say
from homoplasy.store import files


def root() -> Path:
    """The store that every workspace of one checkout shares; HOMOPLASY_STORE names another place."""
    chosen = os.environ.get("HOMOPLASY_STORE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("DVC_ROOT") or _git_root(Path.cwd())) / ".store"


@cache
def _git_root(folder: Path) -> str:
    words = ["git", "rev-parse", "--show-toplevel"]
    try:
        found = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return str(folder)
    return found.stdout.strip()


def key(parts: Mapping[str, Any]) -> str:
    """SHA-256 of the sorted JSON of everything that decides the content."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def path(name: str, suffix: str = ".safetensors") -> Path:
    """Where the file of a key is, once it is filled."""
    return root() / name[:2] / f"{name}{suffix}"


def keep(name: str, fill: Callable[[Path], None], suffix: str = ".safetensors") -> Path:
    """The stored file of a key; `fill` is called with a temporary path only if it is not there yet."""
    stored = path(name, suffix)
    if not holds(name, suffix):
        with files.whole(stored) as part:
            fill(part)
            files.write_text(_digest(stored), f"{_sha256(part)}\n")
    return stored


def holds(name: str, suffix: str = ".safetensors") -> bool:
    """Tell whether the file of a key is there, and is what was put there; another is taken away."""
    stored = path(name, suffix)
    if not (stored.is_file() and _digest(stored).is_file()):  # without a digest it was never finished
        return False
    about = stored.stat()
    if _intact(stored, about.st_mtime_ns, about.st_size):
        return True
    say(f"  the store held another file than it was given as {stored.name}; it is deleted and made again")
    stored.unlink(missing_ok=True)
    return False


@cache
def _intact(stored: Path, _changed: int, _size: int) -> bool:
    """Whether a file has the digest that lies beside it; looked up once while it does not change."""
    return _digest(stored).read_bytes().strip() == _sha256(stored).encode()


def _digest(stored: Path) -> Path:
    return stored.with_name(f"{stored.name}.sha256")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def name_of(file: Path) -> str:
    """What stands for the content of a file in other keys: its own key if it is stored, else the hash of its bytes."""
    if file.is_relative_to(root()):
        return file.stem
    return _sha256(file)


def place(stored: Path, at: Path) -> None:
    """Put a stored file where a stage's output wants it: a hard link where that can be, else a copy."""
    at.parent.mkdir(parents=True, exist_ok=True)
    at.unlink(missing_ok=True)
    try:
        os.link(stored, at)
    except OSError:  # another file system
        with files.whole(at) as part:
            shutil.copyfile(stored, part)
