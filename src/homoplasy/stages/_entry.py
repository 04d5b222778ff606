"""How every stage starts and ends: its paths come from dvc.yaml, its errors are one sentence."""

import argparse
import errno
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from homoplasy.errors import BadRequest, HomoplasyError
from homoplasy.execution import Shard, spread
from homoplasy.stages import _journal, _place

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_AGAIN = "make room, then run the same again: what is stored is kept"


def enter(main: Callable[..., None]) -> None:
    """Call `main` with a path for each of its parameters, taken from `--name PATH` on the command line.

    A `main` that takes a `shard` does that share of the work for `--shard i/n`; without one, all shards run first
    where the user's machine says so.
    """
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    parameters = inspect.signature(main).parameters
    for name in parameters:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=name != "shard", dest=name)
    arguments = vars(parser.parse_args())
    try:
        if arguments.get("shard"):
            main(**arguments | {"shard": Shard.parse(str(arguments["shard"]))})
            return
        dry = "record" not in parameters
        with nullcontext() if dry else _journal.kept(_word(main), arguments["params"], _journal.age()):
            if "shard" in parameters:
                _spread(main, arguments)
            main(**arguments)
    except HomoplasyError as error:
        print(f"homoplasy: {error}", file=sys.stderr)  # noqa: T201 - the last word of a stage that failed
        sys.exit(error.exit_code)
    except OSError as fault:
        if fault.errno not in _FULL:
            raise
        where = f" {fault.filename}" if fault.filename else ""
        print(f"homoplasy: cannot write{where} ({fault.strerror}); {_AGAIN}.", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _spread(main: Callable[..., None], arguments: Mapping[str, Path | None]) -> None:
    """Run the shards of this very command where `local.yaml` says."""
    words = [word for key, path in arguments.items() if path for word in (f"--{key.replace('_', '-')}", str(path))]
    place = _place.read(Path(str(arguments["params"])), _word(main))
    spread([sys.executable, "-m", _module(main), *words], place)


def _module(main: Callable[..., None]) -> str:
    """The name by which a stage was started."""
    found = sys.modules[main.__module__].__spec__
    return found.name if found else main.__module__


def _word(main: Callable[..., None]) -> str:
    """The word of a stage."""
    return _module(main).rpartition(".")[2]


def device() -> str:
    """Where networks run: HOMOPLASY_DEVICE where it is set, else the GPU where there is one."""
    import torch

    chosen = os.environ.get("HOMOPLASY_DEVICE")
    if chosen is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):
        raise BadRequest(f"HOMOPLASY_DEVICE is '{chosen}', which is not here; 'cpu' always is.") from None
    return chosen


def threads() -> int:
    """The number of threads for heavy maths: OMP_NUM_THREADS where it is set, else every core."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
