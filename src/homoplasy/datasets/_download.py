"""Objects of a bucket into a folder: several at once, resumed where they stopped, checked before they count.

An object grows as NAME.part and gets its name only when it is whole. MANIFEST.part records, a line a step, which
version each object is and its SHA-256 once it is known, so that a kill at any moment loses no more than a chunk.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

from homoplasy import written
from homoplasy.datasets import _manifest
from homoplasy.datasets._bucket import Bucket, Changed, Interrupted, Remote
from homoplasy.datasets._manifest import File
from homoplasy.errors import WorkFailed
from homoplasy.progress import track

THREADS = 4
PAUSES = (1.0, 4.0, 15.0, 60.0)  # seconds before each new try that follows one without a byte
MEGABYTE = 1_000_000
_Arrived = SimpleQueue["int | Future[File]"]


class Journal:
    """What is known of the files of a folder that is being filled."""

    def __init__(self, root: Path) -> None:
        self._path = root / _manifest.MARK
        self._lock = Lock()
        lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n") if self._path.exists() else []
        self._begun: dict[str, tuple[int, str]] = {}
        self.done: dict[str, File] = {}
        for line in lines:
            self._take(line)

    def _take(self, line: str) -> None:
        try:
            entry = written.parse_json(line)
            key, size, sha256, etag = str(entry["key"]), int(entry["size"]), entry["sha256"], entry["etag"]
        except (written.Damaged, LookupError, TypeError, ValueError, OverflowError):
            # torn by a kill: as if it had not been written
            return
        if sha256 is None:
            self._begun[key] = (size, etag)
        else:
            self.done[key] = File(size, str(sha256), etag)

    def began(self, remote: Remote) -> bool:
        """Tell whether a part that lies there belongs to this version of the object."""
        return self._begun.get(remote.key) == (remote.size, remote.etag)

    def begin(self, remote: Remote) -> None:
        """Record which version of an object is being fetched."""
        self._add({"key": remote.key, "size": remote.size, "etag": remote.etag, "sha256": None})

    def end(self, key: str, file: File) -> None:
        """Record what a whole file is."""
        self._add({"key": key, **asdict(file)})

    def _add(self, entry: Mapping[str, Any]) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(entry, sort_keys=True))  # a torn line never swallows the next one


@dataclass(frozen=True)
class Download:
    """The objects of one bucket that go into one folder."""

    bucket: Bucket
    root: Path

    def run(self, remotes: Sequence[Remote], expected: Mapping[str, str]) -> dict[str, File]:
        """Fetch all of them, with progress in megabytes; `expected` holds the SHA-256 of those known from before."""
        journal, arrived, stop = Journal(self.root), _Arrived(), Event()
        todo = sum(remote.size - self.kept(remote, journal) for remote in remotes)
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = {
                remote.key: pool.submit(self._one, remote, expected.get(remote.key), journal, arrived, stop)
                for remote in remotes
            }
            for job in jobs.values():
                job.add_done_callback(arrived.put)
            try:
                for _ in track(_megabytes(arrived, len(jobs)), "downloading, MB", total=todo // MEGABYTE):
                    pass
            except BaseException:  # also Ctrl-C: the other threads must end before the error is told
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return {key: job.result() for key, job in jobs.items()}

    def kept(self, remote: Remote, journal: Journal) -> int:
        """Count the bytes of this version that an earlier run left in its part."""
        part = self._part(remote)
        return min(part.stat().st_size, remote.size) if journal.began(remote) and part.exists() else 0

    def _part(self, remote: Remote) -> Path:
        return _manifest.inside(self.root, f"{remote.key}.part")

    def _one(self, remote: Remote, expected: str | None, journal: Journal, arrived: _Arrived, stop: Event) -> File:
        path, part = _manifest.inside(self.root, remote.key), self._part(remote)
        with _manifest.writing(part):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not journal.began(remote):
                part.unlink(missing_ok=True)
                journal.begin(remote)
            try:
                self._fill(part, remote, arrived, stop)
            except Changed:
                part.unlink()
                raise
            file = File(remote.size, _checked(part, remote, expected), remote.etag)
            journal.end(remote.key, file)
            os.replace(part, path)
        return file

    def _fill(self, part: Path, remote: Remote, arrived: _Arrived, stop: Event) -> None:
        """Append to a part until it has the size of the object; give up after some tries without a byte."""
        part.touch()
        pauses = iter(PAUSES)
        while (have := part.stat().st_size) < remote.size:
            cause = self._append(part, remote, have, arrived, stop)
            if stop.is_set():
                raise WorkFailed("stopped, because another file could not be fetched.")
            if part.stat().st_size > have:
                pauses = iter(PAUSES)
                continue
            pause = next(pauses, None)
            if pause is None:
                raise WorkFailed(
                    f"'{remote.key}' stops after {have} of {remote.size} bytes ({cause}); run dvc repro fetch again "
                    "to go on from there."
                )
            stop.wait(pause)

    def _append(self, part: Path, remote: Remote, have: int, arrived: _Arrived, stop: Event) -> str:
        """Append what one request gives; say why it ended."""
        with part.open("ab") as file:
            try:
                for chunk in self.bucket.stream(remote, have):
                    file.write(chunk)
                    arrived.put(len(chunk))
                    if stop.is_set():
                        break
            except Interrupted as fault:
                return str(fault)
        return "the server ended the transfer"


def _checked(part: Path, remote: Remote, expected: str | None) -> str:
    """Check a part that ended; give its SHA-256, or remove it and say what is wrong."""
    found = _manifest.digest(part)
    checks: list[tuple[str, object, object]] = [("size", remote.size, part.stat().st_size)]
    if expected:
        checks.append(("SHA-256", expected, found))
    if remote.md5:
        checks.append(("MD5", remote.md5, _manifest.digest(part, "md5")))
    for what, wanted, has in checks:
        if wanted != has:
            part.unlink()
            raise WorkFailed(
                f"'{remote.key}' arrived damaged: expected {what} {wanted}, found {has}; it was removed, run "
                "dvc repro fetch again."
            )
    return found


def _megabytes(arrived: _Arrived, jobs: int) -> Iterator[None]:
    """Yield once a megabyte until every job is done; a job that failed raises here."""
    carried = 0
    while jobs:
        news = arrived.get()
        if isinstance(news, Future):
            news.result()
            jobs -= 1
            continue
        carried += news
        while carried >= MEGABYTE:
            carried -= MEGABYTE
            yield None
