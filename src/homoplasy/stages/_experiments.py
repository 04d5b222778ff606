"""Experiments of DVC, one for every combination of choices (`python -m homoplasy.stages._experiments preset=a,b …`).

They run one after the other in folders of their own. DVC's queue is not used: its worker may end with experiments still
waiting, and whoever waits for them then waits for ever.
"""

import argparse
import itertools
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from homoplasy.errors import BadRequest, HomoplasyError, WorkFailed
from homoplasy.progress import say
from homoplasy.stages import _gather

_STAGE = "multiverse"
_CHOICE = re.compile(r"([\w.]+)=(.+)")
_COMMA = re.compile(r",(?![^\[]*\])")  # but none inside a list


def grid(choices: Sequence[str]) -> dict[str, list[str]]:
    """Every combination of choices such as `preset=a,b`, under a name made of its values."""
    named = [_CHOICE.fullmatch(one) for one in choices]
    odd = next((one for one, found in zip(choices, named, strict=True) if found is None), "")
    if odd or not choices:
        raise BadRequest(f"expected choices such as preset=as_released,calibrated; found '{odd}'.")
    options = [[f"{found[1]}={value}" for value in _COMMA.split(found[2])] for found in named if found]
    return {_name(one): list(one) for one in itertools.product(*options)}


def _name(settings: Sequence[str]) -> str:
    """A name that git takes: the values, everything else a hyphen."""
    return "-".join(re.sub(r"[^\w.]+", "-", one.partition("=")[2]).strip("-.") for one in settings)


def run(choices: Sequence[str], out: Path) -> None:
    """Run every combination, put them side by side; one that fails is named, the others go on."""
    wanted = grid(choices)
    # a name can be given once; what is unchanged since comes from DVC's cache, which --force would not ask
    for name in _gather.named(Path()).keys() & wanted.keys():
        subprocess.run(["dvc", "exp", "remove", name], check=True, stdout=subprocess.DEVNULL)
    failed = [name for place, name in enumerate(wanted, 1) if not _one(name, wanted[name], f"{place}/{len(wanted)}")]
    if len(failed) < len(wanted):
        _gather.gather(Path(), out)
    if failed:
        raise WorkFailed(f"{len(failed)} of {len(wanted)} experiments failed: {', '.join(failed)}.")


def _one(name: str, settings: Sequence[str], place: str) -> bool:
    say(f"experiments: {place} {' '.join(settings)}")
    given = [part for one in settings for part in ("--set-param", one)]
    done = subprocess.run(["dvc", "exp", "run", "--temp", "--name", name, *given, _STAGE], check=False)
    return done.returncode == 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("choices", nargs="*")
    parser.add_argument("--out", required=True)
    try:
        given = parser.parse_args()
        run(given.choices, Path(given.out))
    except HomoplasyError as error:
        say(f"homoplasy: {error}")
        sys.exit(error.exit_code)
