"""The import contracts hold, without exceptions."""

import subprocess
import sys
import tomllib

from tests.architecture.closure import ROOT


def test_imports_go_down_only():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_contract_has_exceptions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for contract in project["tool"]["importlinter"]["contracts"]:
        assert "ignore_imports" not in contract, contract["name"]


def test_no_room_is_a_drawer():
    names = {path.stem for path in (ROOT / "src/homoplasy").rglob("*.py")}
    names |= {path.name for path in (ROOT / "src/homoplasy").rglob("*") if path.is_dir()}
    assert not names & {"utils", "core", "common", "helpers", "base", "misc"}


def test_the_command_starts_without_torch():
    code = "import sys, homoplasy, homoplasy.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
