"""A folder that holds exactly the chosen objects of a bucket: plan, tell, download, verify, record."""

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homoplasy.datasets import _manifest
from homoplasy.datasets._bucket import Absent, Bucket, Remote
from homoplasy.datasets._download import THREADS, Download, Journal
from homoplasy.datasets._manifest import File, Manifest
from homoplasy.errors import WorkFailed
from homoplasy.progress import say, track

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Own:
    """Files that a bucket need not hold, and that a user may bring in a folder of their own."""

    keys: Collection[str] = ()
    folder: Path | None = None
    advice: str = ""
    extra: Mapping[str, Path] = field(default_factory=dict)  # files that no bucket is asked for, each by its key
    welcome: Collection[str] = ()  # files that are taken where the bucket has them, and not missed where it has not

    def find(self, key: str) -> Path:
        """The user's own file of that name."""
        path = self.folder / key.rpartition("/")[2] if self.folder else None
        if path is None or not path.is_file():
            raise WorkFailed(f"neither the bucket holds '{key}' nor {path or 'a folder of yours'}: {self.advice}")
        return path

    def changed(self, there: Mapping[str, File]) -> set[str]:
        """The extra files that are no longer what was copied of them."""
        known = self.extra.keys() & there.keys()
        return {key for key in known if _manifest.digest(self.extra[key]) != there[key].sha256}


@dataclass(frozen=True)
class Plan:
    """What is there and whole, what comes from the bucket, what comes from the user's own disk."""

    recorded: Mapping[str, File]  # of earlier runs, whole or not
    whole: frozenset[str]
    remotes: Sequence[Remote]
    copies: Mapping[str, Path]
    to_come: int  # bytes

    @property
    def missing(self) -> int:
        """The number of files to come."""
        return len(self.remotes) + len(self.copies)

    def lines(self) -> list[str]:
        """List every file that is to come, with its size."""
        sizes = {remote.key: remote.size for remote in self.remotes}
        sizes |= {key: path.stat().st_size for key, path in self.copies.items()}
        return [f"{spoken(size):>10}  {key}" for key, size in sizes.items()]

    def summary(self, root: Path) -> str:
        """Say in one line how much is to come, and how much room there is."""
        files = f"{self.missing} of {self.missing + len(self.whole)} files"
        size, free = spoken(self.to_come), spoken(_free(root))
        return f"{files} to fetch into {root}, {size}; {free} are free on that disk."


def plan(root: Path, bucket: Bucket, keys: Sequence[str], own: Own, dataset: str) -> Plan:
    """Verify what is there and ask the bucket for the rest; the user's own files serve where it has none."""
    found, journal, keys = _manifest.find(root), Journal(root), [*keys, *own.extra, *own.welcome]
    recorded = {**(found.files if found and found.dataset == dataset else {}), **journal.done}
    there = {key: recorded[key] for key in keys if key in recorded}
    wrong = {*_manifest.faults(root, there), *own.changed(there)} if there else set()
    missing = [key for key in keys if key not in there or key in wrong]
    asked = _ask(bucket, missing, own) if missing else {}
    remotes = [remote for remote in asked.values() if isinstance(remote, Remote)]
    copies = {key: path for key, path in asked.items() if isinstance(path, Path)}
    for remote in remotes:
        _same_as_before(remote, recorded.get(remote.key), root)
    download = Download(bucket, root)
    to_come = sum(remote.size - download.kept(remote, journal) for remote in remotes)
    to_come += sum(path.stat().st_size for path in copies.values())
    return Plan(recorded, frozenset(there) - frozenset(wrong), remotes, copies, to_come)


def carry_out(todo: Plan, root: Path, bucket: Bucket, about: tuple[str, Mapping[str, Any]]) -> Manifest:
    """Do what was planned; delete files that the request does not need; write the manifest last."""
    if todo.to_come > _free(root):
        raise WorkFailed(
            f"the disk is too small: {todo.summary(root)} Make room, or choose fewer subjects or sessions."
        )
    with _manifest.writing(root):
        _manifest.claim(root)
        _to_journal(root, todo.recorded)
    fetched = {key: todo.recorded[key] for key in todo.whole}
    expected = {key: file.sha256 for key, file in todo.recorded.items() if file.etag is not None}
    fetched |= Download(bucket, root).run(todo.remotes, expected) if todo.remotes else {}
    fetched |= {key: _copy(path, root, key) for key, path in todo.copies.items()}
    strays = _manifest.clean(root, keep={_manifest.MARK, *fetched})
    if strays:
        say(f"  {strays} files that this request does not need were deleted from {root}")
    manifest = Manifest(*about, dict(sorted(fetched.items())))
    with _manifest.writing(root):
        _manifest.finish(root, manifest)
    return manifest


def settled(root: Path, todo: Plan, about: tuple[str, Mapping[str, Any]]) -> bool:
    """Tell whether a folder holds exactly what is asked for, as its manifest says; the plan has verified the files."""
    found = _manifest.find(root)
    same = found is not None and (found.dataset, found.request) == about
    return same and not todo.missing and _manifest.keys(root) == {_manifest.NAME, *todo.whole}


def _to_journal(root: Path, recorded: Mapping[str, File]) -> None:
    """Let the journal know all that the manifest knows before the manifest goes: the folder is unfinished again."""
    journal = Journal(root)
    for key, file in recorded.items():
        if journal.done.get(key) != file:
            journal.end(key, file)
    (root / _manifest.NAME).unlink(missing_ok=True)


def _ask(bucket: Bucket, keys: Sequence[str], own: Own) -> dict[str, Remote | Path | None]:
    def one(key: str) -> Remote | Path | None:
        if key in own.extra:
            return own.extra[key]
        try:
            return bucket.describe(key)
        except Absent:
            if key in own.welcome:
                return None
            if key not in own.keys:
                raise
            return own.find(key)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = track(pool.map(one, keys), f"asking bucket '{bucket.name}' for sizes", total=len(keys))
        return dict(zip(keys, answers, strict=True))


def _same_as_before(remote: Remote, before: File | None, root: Path) -> None:
    """Stop when the bucket now holds another version of a file that was fetched earlier."""
    if before is not None and before.etag is not None and (before.size, before.etag) != (remote.size, remote.etag):
        raise WorkFailed(
            f"'{remote.key}' is not what it was when it was first fetched: expected {before.size} bytes, ETag "
            f"{before.etag}, the bucket has {remote.size} bytes, ETag {remote.etag}; to start over with the new "
            f"version, delete {root}."
        )


def _copy(path: Path, root: Path, key: str) -> File:
    target, part = _manifest.inside(root, key), _manifest.inside(root, f"{key}.part")
    with _manifest.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        os.replace(part, target)
    return _manifest.measure(root, key)


def _free(root: Path) -> int:
    there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    return shutil.disk_usage(there).free


def spoken(size: float) -> str:
    """Say a number of bytes as people do.

    >>> spoken(1_050_000_000)
    '1.05 GB'
    """
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
