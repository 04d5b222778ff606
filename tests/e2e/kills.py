"""SIGKILL at random moments: `python -m tests.e2e.kills --number 50` runs the small world until it was killed so often.

The whole process group dies, as it would with the machine. A run that reaches its end is held against an undisturbed
one: the same hash of every output in dvc.lock, the same metrics. With `--minutes` it stops killing by then and compares
what there is; with `--folder` the next call goes on from there.
"""

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from homoplasy.stages import _journal
from tests.e2e import checkout as checkouts
from tests.e2e.checkout import Checkout


def outcome(checkout: Checkout) -> dict[str, object]:
    """Everything that a run leaves which may not depend on how it came about."""
    texts = [path for name in ("metrics.json", "verdicts.json") if (path := checkout.root / name).is_file()]
    return {**checkout.lock(), **{path.name: path.read_text() for path in texts}}


def kills(checkout: Checkout, sound: Checkout, rng: np.random.Generator, until: float = math.inf) -> Iterator[float]:
    """Start `dvc repro` and kill it, until it ends before its time is up; yield the seconds of each kill.

    Each comes within a third of the time that the stages of the undisturbed run took, on this machine.
    """
    third = sum(one.seconds or 0.0 for one in _journal.read(sound.root)) / 3
    while time.monotonic() < until:
        seconds = float(rng.uniform(1.0, third))
        if not checkout.killed_after(seconds):
            return
        yield seconds


def world(at: Path) -> Checkout:
    """The small world in a folder: a clean one, or what an earlier call left there."""
    if not at.is_dir():
        half = at.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        checkouts.make(half)
        half.rename(at)
    return Checkout(at)


def main() -> None:
    """Kill so many times, in as many worlds as it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which nothing is killed any more")
    parser.add_argument("--folder", type=Path, help="kept, and gone on with if it is there")
    given = parser.parse_args()
    root = given.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    root.mkdir(exist_ok=True)
    journal = root / "kills.txt"
    journal.touch()
    done, worlds, until = len(journal.read_text().splitlines()), 0, time.monotonic() + 60 * given.minutes
    rng = np.random.default_rng([given.seed, done])
    sound = world(root / "sound")
    sound.dvc("repro")
    expected = outcome(sound)
    while (root / "killed").is_dir() or (done < given.number and time.monotonic() < until):
        killed = world(root / "killed")
        for seconds in islice(kills(killed, sound, rng, until), given.number - done):
            done += 1
            said = f"{done}: killed after {seconds:.1f} s"
            print(said, flush=True)
            with journal.open("a") as file:
                file.write(f"{said}\n")
        killed.dvc("repro")
        if outcome(killed) != expected:
            sys.exit(f"other bytes than undisturbed, in {killed.root}")
        worlds += 1
        print(f"{done} kills; {worlds} runs ended in the bytes of the undisturbed one", flush=True)
        shutil.rmtree(killed.root)
    if not given.folder:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
