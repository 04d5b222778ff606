"""SIGKILL at random moments: `python -m tests.e2e.kills --number 50` runs the small world until it was killed so often.

The whole process group dies, as it would with the machine. A run that reaches its end is held against an undisturbed
one: the same hash of every output in dvc.lock, the same metrics.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.e2e import checkout as checkouts
from tests.e2e.checkout import Checkout

LONGEST = 40.0  # seconds until a kill, at most


def outcome(checkout: Checkout) -> dict[str, object]:
    """Everything that a run leaves which may not depend on how it came about."""
    texts = {name: (checkout.root / name).read_text() for name in ("metrics.json", "verdicts.json")}
    return {**checkout.lock(), **texts}


def kills(checkout: Checkout, rng: np.random.Generator) -> Iterator[float]:
    """Start `dvc repro` and kill it, until it ends before its time is up; yield the seconds of each kill."""
    while True:
        seconds = float(rng.uniform(1.0, LONGEST))
        if not checkout.killed_after(seconds):
            return
        yield seconds


def main() -> None:
    """Kill so many times, in as many worlds as it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, done, worlds = np.random.default_rng(given.seed), 0, 0
    root = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        (root / "sound").mkdir()
        sound = checkouts.make(root / "sound")
        sound.dvc("repro")
        expected = outcome(sound)
        while done < given.number:
            (root / "killed").mkdir()
            killed = checkouts.make(root / "killed")
            for seconds in kills(killed, rng):
                done += 1
                print(f"{done}: killed after {seconds:.1f} s", flush=True)
                if done == given.number:
                    break
            killed.dvc("repro")
            assert outcome(killed) == expected, f"other bytes than undisturbed, in {killed.root}"
            worlds += 1
            shutil.rmtree(root / "killed")
    finally:
        print(f"{done} kills; {worlds} runs ended in the bytes of the undisturbed one", flush=True)
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
