"""How every stage starts and ends: its paths come from dvc.yaml, its errors are one sentence."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from homoplasy.errors import HomoplasyError


def enter(main: Callable[..., None]) -> None:
    """Call `main` with a path for each of its parameters, taken from `--name PATH` on the command line."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    for name in inspect.signature(main).parameters:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, dest=name)
    arguments = vars(parser.parse_args())
    try:
        main(**arguments)
    except HomoplasyError as error:
        print(f"homoplasy: {error}", file=sys.stderr)  # noqa: T201 - the last word of a stage that failed
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def threads() -> int:
    """The number of threads for heavy maths: OMP_NUM_THREADS where it is set, else every core."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
