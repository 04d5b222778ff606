"""Every command of the documents works: it runs here, or a named test runs it, or it is said what it needs."""

import ast
import runpy
import shlex
import subprocess
import sys

import pytest
import yaml

from homoplasy.command import main
from homoplasy.stages import _settings
from tests.conftest import ROOT
from tests.docs import blocks, known
from tests.docs.parameters import settings_of
from tests.e2e import checkout as checkouts
from tests.stages.conftest import choices

__all__ = ["choices"]

COMMANDS = sorted({one.text: one for path in blocks.DOCUMENTS for one in blocks.commands(path)}.items())
CLASSES = {text: known.find(text) for text, _ in COMMANDS}
HERE = [text for text, entry in CLASSES.items() if entry and entry.here]


@pytest.mark.parametrize(("text", "command"), COMMANDS, ids=[text for text, _ in COMMANDS])
def test_it_is_known_how_a_command_is_tested(text, command):
    assert CLASSES[text], f"{command.document}: say in tests/docs/known.py how '{text}' is tested"


@pytest.mark.parametrize("entry", known.KNOWN, ids=lambda entry: entry.pattern)
def test_an_entry_is_used_and_the_test_it_names_is_there(entry):
    assert entry in CLASSES.values(), "no document has such a command any more"
    assert bool(entry.here) + bool(entry.test) + bool(entry.needs) == 1
    path, _, function = entry.test.partition("::")
    if path:
        defined = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if hasattr(node, "name")}
        assert not function or function in defined


@pytest.mark.parametrize("text", [text for text in HERE if text.startswith(("homoplasy", "python"))])
def test_a_command_of_ours_runs(text, world, monkeypatch, capsys):
    words = shlex.split(text)
    monkeypatch.chdir(world.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr(sys, "argv", words if words[0] == "homoplasy" else words[2:])
    try:
        main() if words[0] == "homoplasy" else runpy.run_path(module(words[2]), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code or 0
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out + said.err


def module(name: str) -> str:
    return str(ROOT / "src" / f"{name.replace('.', '/')}.py")


@pytest.mark.parametrize("text", [text for text in HERE if text.startswith("git checkout")])
def test_what_is_taken_back_is_tracked(text):
    assert all((ROOT / name).is_file() for name in text.split()[2:])


@pytest.mark.parametrize("text", [text for text in HERE if text.startswith("dvc")])
def test_a_command_of_dvc_runs(text, said_by_dvc):
    assert said_by_dvc["run"][text] == ""


@pytest.mark.parametrize("text", [text for text in CLASSES if text.startswith("dvc exp run")])
def test_the_overrides_of_an_experiment_are_valid(text, said_by_dvc, choices):
    before = yaml.safe_load(choices.read_text())
    for given in said_by_dvc["rehearse"][text]:
        choices.write_text(given)
        after = yaml.safe_load(given)
        assert after != before
        chosen = any(after[word] != before[word] for word in _settings.CHOICES)
        for section in _settings.SECTIONS:
            if chosen or after[section] != before[section]:
                _settings.read(choices, section, settings_of(section))


@pytest.mark.parametrize("text", [text for text in CLASSES if text.startswith("dvc repro")])
def test_the_stages_of_a_repro_are_there(text):
    named = [word for word in text.split()[2:] if not word.startswith("-")]
    assert set(named) <= set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])


@pytest.mark.parametrize("text", [text for text in CLASSES if text.split()[0] == "make"])
def test_make_knows_its_targets(text, checkout):
    done = subprocess.run(
        ["make", "--dry-run", *text.split()[1:]],
        cwd=checkout.root,
        env=checkouts.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
