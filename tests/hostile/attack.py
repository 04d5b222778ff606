"""Damaged files at every door: one sentence or success; `python -m tests.hostile.attack --minutes 60`.

A worker of its own does the cases of a door, so that a crash or a hang in a foreign library is seen and costs one case.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np

from homoplasy.errors import HomoplasyError
from tests.hostile.damage import damage
from tests.hostile.doors import DOORS, Door

_PATIENCE = 300.0  # seconds that one case may take on a busy machine
_TURN = 30.0  # seconds of one door, before the next has its turn
_MEMORY = 12 << 30
_LONGEST = 1500  # characters of a sentence
_WRITES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "shutil.rmtree")
_FORBIDDEN = ("pickle.find_class", "os.system", "subprocess.Popen", "socket.connect")
_watched: list[Path] = []  # the folder of the case that runs: an audit hook cannot be taken back
_seen: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note every write outside the folder of the case, and everything that runs what a file says."""
    if not _watched:
        return
    if event in _FORBIDDEN:
        _seen.append(f"{event}{arguments[:2]}")
    relative = event in _WRITES and isinstance(arguments[-1], int) and arguments[-1] >= 0  # to a folder that is open
    writes = (event in _WRITES and not relative) or (event == "open" and _is_write(arguments))
    if writes and isinstance(arguments[0], str | bytes | os.PathLike):
        path = Path.cwd() / os.fsdecode(arguments[0])
        if ".." in path.parts or not (path.is_relative_to(_watched[0]) or path == Path(os.devnull)):
            _seen.append(f"{event} {path}")


def _is_write(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


@contextmanager
def _watching(folder: Path) -> Iterator[None]:
    _seen.clear()
    _watched.append(folder)
    try:
        yield
    finally:
        _watched.clear()


def case(name: str, door: Door, folder: Path, number: int) -> dict[str, Any] | None:
    """Damage one file, read it, mend it; what is wrong with the answer, or None."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), number])
    paths = sorted(path for path in folder.glob(door.damaged) if path.is_file())
    path = paths[int(rng.integers(len(paths)))]
    sound = path.read_bytes()
    about: dict[str, Any] = {"door": name, "case": number, "file": str(path.relative_to(folder))}
    try:
        about["damage"] = damage(path, rng)
        with _watching(folder):
            fault = _fault(door, folder, path)
    finally:
        path.write_bytes(sound)
    fault = fault or ("; ".join(_seen[:3]) and {"wrong": "; ".join(_seen[:3]), "at": ""})
    return {**about, **fault} if fault else None


def _fault(door: Door, folder: Path, path: Path) -> dict[str, str] | None:
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
            warnings.simplefilter("error")
            door.read(folder, path)
    except HomoplasyError as error:
        said = str(error)
        if "\n" in said or not said.strip() or len(said) > _LONGEST:
            return {"wrong": f"no single sentence: {said[:300]!r}", "at": ""}
        return None
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/homoplasy/" in frame.filename]
        last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
        wrong = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        return {"wrong": wrong, "at": f"{Path(last.filename).name}:{last.lineno} {last.name}"}
    return None


def _work(name: str, numbers: list[int], root: Path, pipe: Any) -> None:
    """Do the cases of a door; tell before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["HOMOPLASY_STORE"] = str(root / "case" / ".store")
    os.environ.pop("DVC_ROOT", None)
    try:
        folder = root / "case"
        folder.mkdir()
        DOORS[name].make(folder)
        DOORS[name].read(folder, next(path for path in sorted(folder.glob(DOORS[name].damaged)) if path.is_file()))
        for number in numbers:
            pipe.send(("begins", number))
            pipe.send(("ends", case(name, DOORS[name], folder, number)))
        pipe.send(("done", None))
    except BaseException as error:  # noqa: BLE001 - also what ends the worker is told
        pipe.send(("broken", "".join(traceback.format_exception(error))))


def attack(name: str, numbers: list[int]) -> Iterator[dict[str, Any] | None]:
    """Do the cases of a door in workers; yield the outcome of each. A worker that dies or hangs is replaced."""
    while numbers:
        root = Path(tempfile.mkdtemp(prefix="hostile-")).resolve()
        ours, theirs = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.get_context("fork").Process(target=_work, args=(name, numbers, root, theirs))
        worker.start()
        theirs.close()
        at = None
        try:
            while True:
                if not ours.poll(_PATIENCE):
                    raise TimeoutError
                word, what = ours.recv()
                if word == "broken":
                    raise RuntimeError(f"the sound files of '{name}' cannot be read: {what}")
                if word == "done":
                    return
                if word == "begins":
                    at = what
                else:
                    numbers = numbers[numbers.index(at) + 1 :]
                    yield what
        except (EOFError, TimeoutError) as end:
            how = "hang" if isinstance(end, TimeoutError) else "crash"
            yield {"door": name, "case": at, "file": "", "damage": "", "wrong": how, "at": ""}
            numbers = numbers[numbers.index(at) + 1 :] if at is not None else []
        finally:
            worker.kill()
            worker.join()
            shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    """Attack until the time is over or the cases are done; print findings, then how many cases there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--cases", type=int, default=20, help="of each door, in one round")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--door", choices=list(DOORS))
    given = parser.parse_args()
    sys.addaudithook(_watch)
    end, counts, known = time.monotonic() + 60 * given.minutes, dict.fromkeys(DOORS, 0), set()
    while True:
        for name in [given.door] if given.door else DOORS:
            first, began = given.first + counts[name], time.monotonic()
            for finding in attack(name, list(range(first, first + -(-given.cases // DOORS[name].cost)))):
                counts[name] += 1
                if finding and (key := (name, finding["wrong"].partition(":")[0], finding["at"])) not in known:
                    known.add(key)
                    print(json.dumps(finding), flush=True)
                if given.minutes and time.monotonic() - began > _TURN:
                    break
        if time.monotonic() > end:
            break
    told = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    print(f"{sum(counts.values())} cases ({told}); {len(known)} kinds of findings", flush=True)
    sys.exit(1 if known else 0)


if __name__ == "__main__":
    main()
