"""The content-keyed store: one file a key, filled once, seen only when whole, shared by every workspace.

The key is the SHA-256 of all that decides the content (address, weights, stimuli, settings, code version), so a
stage that is run again, killed, or run elsewhere computes only what is not there yet.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from homoplasy.store import files


def root() -> Path:
    """The store that every workspace of one checkout shares; HOMOPLASY_STORE names another place."""
    chosen = os.environ.get("HOMOPLASY_STORE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("DVC_ROOT") or _git_root()) / ".store"


def _git_root() -> str:
    try:
        found = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return str(Path.cwd())
    return found.stdout.strip()


def key(parts: Mapping[str, Any]) -> str:
    """SHA-256 of the sorted JSON of everything that decides the content."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def keep(name: str, fill: Callable[[Path], None], suffix: str = ".safetensors") -> Path:
    """The stored file of a key; `fill` is called with a temporary path only if it is not there yet."""
    path = root() / name[:2] / f"{name}{suffix}"
    if not path.exists():
        with files.whole(path) as part:
            fill(part)
    return path


def place(stored: Path, at: Path) -> None:
    """Put a stored file where a stage's output wants it: a hard link where that can be, else a copy."""
    at.parent.mkdir(parents=True, exist_ok=True)
    at.unlink(missing_ok=True)
    try:
        os.link(stored, at)
    except OSError:  # another file system
        with files.whole(at) as part:
            shutil.copyfile(stored, part)
