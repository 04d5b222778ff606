"""A clean checkout of the repository in a folder of its own, as a stranger would have it, and DVC in it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.conftest import ROOT

# The same stages on less: `make repro`, which CI runs before the tests, is the whole.
SMALL = {
    "fetch.subjects": "[1, 2]",
    "train.runs": "[{name: neox, kind: language, architecture: gpt_neox, steps: 12, options: {hidden_size: 16, "
    "intermediate_size: 32, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 128}}, "
    "{name: resnet, kind: vision, architecture: test_resnet, steps: 12}]",
    "train.checkpoints": "4",
    "cka.kernel_sizes": "[28, 36, 68]",
    "cka.relative_sizes": "[0.5, 1, 2]",
    "cka.halves": "2",
    "audit.permutations": "50",
    "audit.voxel_draws": "3",
    "stats.draws": "200",
    "multiverse.depth_bins": "[8]",
    "multiverse.shares": "[0.05]",
    "taxonomy.draws": "100",
}

# One subject and two networks as far as the scores: what it takes to see what is run again, and what is not.
FIRST = ("fetch", "parcellate", "extract", "cka")
TINY = {
    "pocket.truth": "'null'",  # the one with the fewest models to write
    "fetch.subjects": "[1]",
    "fetch.sessions": "3",
    "train.runs": "[]",
    "extract.roster": "tiny",
    "cka.kernel_sizes": "[]",
    "cka.relative_sizes": "[1]",
}
ROSTER = "- {model: timm:test_resnet.random-1, size: 48}\n- model: pixels:cosine\n"


@dataclass(frozen=True)
class Checkout:
    """A repository with one commit, nothing computed; `variables` are added to the environment of its commands."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()  # words that every command starts with

    def run(self, *words: str, expected: int = 0) -> str:
        """Run a command in the checkout; its standard output and error together."""
        done = subprocess.run(
            [*self.prefix, *words],
            cwd=self.root,
            env=environment() | dict(self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stdout
        return done.stdout

    def dvc(self, *words: str, expected: int = 0) -> str:
        return self.run("dvc", *words, expected=expected)

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", message)

    def clone(self, at: Path) -> "Checkout":
        """What a colleague gets: the commits, nothing that git ignores."""
        self.run("git", "clone", "-q", str(self.root), str(at))
        return Checkout(at, self.variables)

    def copy(self, at: Path, **variables: str) -> "Checkout":
        """Everything, with what git ignores."""
        shutil.copytree(self.root, at, symlinks=True)
        return Checkout(at, variables)

    def killed_after(self, seconds: float) -> bool:
        """Start `dvc repro` and end its whole process group with SIGKILL; False if it had ended by itself."""
        child = subprocess.Popen(
            ["dvc", "repro"],
            cwd=self.root,
            env=environment() | dict(self.variables),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return True
        assert child.returncode == 0
        return False

    def lock(self) -> dict:
        """What the run made: the hash of every output of every stage."""
        stages = yaml.safe_load((self.root / "dvc.lock").read_text())["stages"]
        return {name: {out["path"]: out["md5"] for out in body["outs"]} for name, body in stages.items()}


def environment() -> dict[str, str]:
    binaries = Path(sys.executable).parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "HOMOPLASY_", "GIT_"))}
    return kept | {"PATH": f"{binaries}:{kept['PATH']}", "DVC_NO_ANALYTICS": "1"}


def with_knob(params: str, key: str, value: str) -> str:
    """The text of params.yaml with another value for one knob."""
    section, _, name = key.partition(".")
    found, count = re.subn(rf"(?ms)^({section}:.*?^  {name}:)[^\n#]*", rf"\1 {value} ", params, count=1)
    assert count, key
    return found


def make(at: Path, knobs: Mapping[str, str] = SMALL) -> Checkout:
    """Copy what git tracks (and what it would, were it added), make the work small, and commit it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, at / name)
    # what an earlier run wrote down is not part of a clean start
    shutil.rmtree(at / "settings", ignore_errors=True)
    for name in ("dvc.lock", "metrics.json"):
        (at / name).unlink(missing_ok=True)
    params = at / "params.yaml"
    for key, value in knobs.items():
        params.write_text(with_knob(params.read_text(), key, value))
    checkout = Checkout(at)
    checkout.run("git", "init", "-q", "-b", "main")
    checkout.commit("start")
    return checkout


def make_tiny(at: Path) -> Checkout:
    """The same with the first stages alone, but for the training, and little for them to do."""
    made = make(at, SMALL | TINY)
    pipeline = yaml.safe_load((made.root / "dvc.yaml").read_text())
    kept = {name: pipeline["stages"][name] for name in FIRST}
    kept["extract"]["deps"].remove("models")
    shown = [f"settings/{name}.yaml" for name in FIRST]
    (made.root / "dvc.yaml").write_text(yaml.safe_dump({"params": shown, "stages": kept}, sort_keys=False))
    (made.root / "rosters" / "tiny.yaml").write_text(ROSTER)
    made.commit("tiny")
    return made


def ran(output: str) -> list[str]:
    """The stages that DVC says it ran."""
    return re.findall(r"Running stage '([^']+)'", output)
