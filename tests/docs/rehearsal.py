"""What `dvc` makes of the lines of the documents: a program of its own, since DVC is slow to load and has its own ways.

    python -m tests.docs.rehearsal CHECKOUT < lines.json

reads two lists of commands. Those of `run` it runs in the checkout, and prints what DVC said of each that failed. Of
those of `rehearse` it prints the texts of params.yaml that they would run with, read in DVC's own grammar.
"""

import contextlib
import io
import itertools
import json
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from dvc.cli import main as dvc
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps


def run(command: str) -> str:
    """Run one command of dvc in this process; what it said if it failed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = dvc(shlex.split(command)[1:])
    return (said.getvalue() or f"exit code {code}") if code else ""


def rehearse(command: str) -> list[str]:
    """The parameters of every experiment that a line asks for."""
    words = shlex.split(command)
    given = [word for flag, word in itertools.pairwise(words) if flag in {"-S", "--set-param"}]
    sweeps = get_hydra_sweeps({"params.yaml": given}) if given else []
    return [_with(one["params.yaml"]) for one in sweeps]


def _with(overrides: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        params = Path(shutil.copy("params.yaml", folder))
        apply_overrides(params, overrides)
        return params.read_text()


if __name__ == "__main__":
    lines = json.load(sys.stdin)
    os.chdir(sys.argv[1])
    found = {
        "run": {one: run(one) for one in lines["run"]},
        "rehearse": {one: rehearse(one) for one in lines["rehearse"]},
    }
    json.dump(found, sys.stdout)
