"""How each command of the documents is tested: run here, or by a test that is named, or not at all, for a reason.

`here`: the fast tests run it in a small checkout. `test`: that test runs it, or what it stands for. `needs`: what is
not on a machine that runs tests. A line of `dvc exp run` or `dvc repro` is rehearsed in any case: DVC's own grammar
reads its overrides, every section of the parameters is checked with them, and the stages it names must be there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """Commands that match a pattern as a whole."""

    pattern: str
    here: bool = False
    test: str = ""
    needs: str = ""


_REPRO = "tests/e2e/test_repro.py"
_REMOTE = "tests/e2e/test_remote.py"
_RUNS_THEM = "nothing: the tests are what it runs"

KNOWN: Sequence[Known] = (
    Known(r"homoplasy plan( --slurm\b.*)?", test="tests/command/test_plan.py"),
    Known(r"homoplasy (score|models|plan)\b.*", here=True),
    Known(r"homoplasy status\b.*", test="tests/command/test_status.py"),
    Known(r"homoplasy doctor\b.*", test="tests/command/test_doctor.py"),
    Known(r"homoplasy compare\b.*", test="tests/command/test_compare.py"),
    Known(r"dvc (exp show|metrics show|dag|remote modify|config)\b.*", here=True),
    Known(r"python -m homoplasy\.stages\.(fetch --dry-run|cka) .*", here=True),
    Known(r"dvc exp run .*\bworld=nsd\b.*", needs="a signed agreement and the network"),
    Known(r"dvc exp run .*\bpocket\.truth=.*", test="tests/e2e/test_known_answers.py"),
    Known(r"dvc exp run .*|dvc queue start .*|make table", test="tests/e2e/test_sweep.py"),
    Known(r"dvc plots diff", here=True),
    Known(r"dvc checkout", test="tests/e2e/test_replay.py"),
    Known(r"dvc repro|make repro|head -\d+ metrics\.json", test=_REPRO),
    Known(r"dvc repro -f fetch", test="tests/stages/test_fetch.py"),
    Known(r"dvc (push|pull|repro) .*", test=_REMOTE),
    Known(r"git checkout .*", here=True),
    Known(r"make (check|test)", needs=_RUNS_THEM),
    Known(r"\.venv/bin/pytest tests/.*", test="tests/docs/test_howtos.py"),
    Known(r"\.venv/bin/pytest -m gpu", needs="a GPU"),
    Known(r"make deps", test="tests/architecture/test_pipeline.py"),
    Known(r"make certify.*", test="tests/stages/test_certify.py"),
    Known(r"make multiverse.*|python -m homoplasy\.stages\._gather .*", test="tests/stages/test_multiverse.py"),
    Known(r"make replay", test="tests/e2e/test_replay.py"),
    Known(r"make kills.*", test="tests/e2e/test_kill.py"),
    Known(r"make hostile.*", test="tests/hostile/test_attack.py"),
    Known(r"make docs", test="tests/docs/test_reference.py"),
    Known(r"make conformance", needs="some minutes"),
    Known(r"python -m tests\.models\.stratify .*", needs="reference data beside the checkout"),
    Known(r"pip install .*", needs="the network"),
    Known(r"cd homoplasy|source .*|export .*", needs="a shell"),
)


def find(command: str) -> Known | None:
    """The first entry that speaks of a command."""
    return next((one for one in KNOWN if re.fullmatch(one.pattern, command)), None)
