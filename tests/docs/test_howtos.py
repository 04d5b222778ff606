"""What the how-to pages add to the house really goes in: their files, their changes and their tests, in a copy."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from homoplasy.stages import _place
from tests.conftest import ROOT
from tests.docs import blocks
from tests.e2e import checkout as checkouts

PAGES = [path for path in blocks.DOCUMENTS if path.parent.name == "howto"]
BLOCKS = [block for path in PAGES for block in blocks.blocks(path)]
ADDITIONS = [block for block in BLOCKS if block.file.endswith(".py")]
ROSTERS = [block for block in BLOCKS if block.file.startswith("rosters/")]
LOCAL = [block for path in blocks.DOCUMENTS for block in blocks.blocks(path) if block.file == "local.yaml"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The code, the tests and the rosters of this repository with all that the pages add."""
    root = tmp_path_factory.mktemp("added")
    for name in ("src", "tests", "rosters"):
        shutil.copytree(ROOT / name, root / name)  # with its compiled code
    shutil.copy(ROOT / "pyproject.toml", root)
    for block in [*ADDITIONS, *ROSTERS]:
        (root / block.file).write_text(block.text.partition("\n")[2])
    for block in BLOCKS:
        if block.language == "diff":
            change(root, block.text)
    return root


def change(root: Path, text: str) -> None:
    """Make one change: the lines of a diff without numbers, which must be there once."""
    name, lines = re.match(r"--- (\S+)\n(.*)", text, flags=re.DOTALL).groups()
    before, after = (
        "".join(line[1:] for line in lines.splitlines(keepends=True) if line[0] in signs) for signs in (" -", " +")
    )
    path = root / name
    if before:
        assert path.read_text().count(before) == 1, f"{name} has not once:\n{before}"
        path.write_text(path.read_text().replace(before, after))
    else:
        path.write_text(path.read_text().replace("\nfrom ", f"\n{after}from ", 1))


def inside(copy: Path, *words: str) -> str:
    """Run python in the copy, on its own code."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=checkouts.environment() | {"PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


CHECKED = """
import sys
from pathlib import Path
import numpy as np
import pytest
import yaml
from homoplasy.models import _roster
from homoplasy.models._contract import Reading, Stimuli
from tests.measures import changes, test_laws as laws

ROOT = Path(__file__).parents[1]
ADDED = [one for one in laws.MEASURES if type(one).__name__ == "Distance"]
CHANGED = [(one, change) for one in ADDED for change in changes.CHANGES]
ALL = [laws.test_the_sides_can_be_exchanged, laws.test_the_order_of_the_stimuli_does_not_matter,
       laws.test_likeness_to_itself_is_perfect, laws.test_an_object_without_information_is_a_row_with_a_reason]

@pytest.mark.parametrize(("measure", "change"), CHANGED)
def test_a_law(measure, change):
    held = change in measure.invariances
    law = laws.test_a_declared_law_holds if held else laws.test_an_undeclared_law_fails_somewhere
    law(measure=measure, change=change)

@pytest.mark.parametrize("law", ALL)
@pytest.mark.parametrize("measure", ADDED)
def test_every_other_law(law, measure):
    law(measure=measure)

@pytest.mark.parametrize("name", NAMES)
def test_a_roster_is_read(name):
    pictures = np.random.default_rng(1).integers(0, 255, (12, 48, 48, 3), dtype=np.uint8)
    stimuli = Stimuli(np.arange(12), ["a red ball", "a box"] * 6, lambda ids: pictures[ids])
    read = [one.load(stimuli, Reading("patch_mean", "last", 4)) for one in _roster.read(ROOT / "rosters", name).entries]
    lines = yaml.safe_load((ROOT / f"rosters/{name}.yaml").read_text())
    assert len(read) == len([line for line in lines if "model" in line])
    for model in read:
        layers, _ = model.represent()
        assert layers
        assert all(len(one.values) == 12 and np.isfinite(one.values).all() for one in layers)
"""


@pytest.mark.slow
def test_what_the_pages_add_passes_its_own_tests_and_the_laws_of_the_house(copy):
    own = [block.file for block in ADDITIONS if block.file.startswith("tests/")]
    names = [Path(block.file).stem for block in ROSTERS]
    checked = CHECKED.replace("NAMES", repr(names))
    (copy / "tests/test_added.py").write_text(checked)
    said = inside(copy, "-m", "pytest", *own, "tests/test_added.py", "-p", "no:cacheprovider", "-vv")
    laws = re.findall(r"test_added.py::test_a_law\[", said)
    assert len(laws) == 3 * 6, "three rules of standardising, six changes"
    for word in (*own, "test_every_other_law", *(f"test_a_roster_is_read[{name}]" for name in names)):
        assert word in said


def test_what_the_pages_add_keeps_the_import_contracts(copy):
    inside(copy, "-c", "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])")


def test_what_the_pages_add_is_written_as_the_house_is(copy):
    files = [block.file for block in ADDITIONS]
    inside(copy, "-m", "ruff", "check", "--no-cache", *files)
    inside(copy, "-m", "ruff", "format", "--check", "--no-cache", *files)


@pytest.mark.parametrize("block", LOCAL, ids=lambda block: block.document)
def test_what_the_pages_write_into_local_yaml_is_understood(block, tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.delenv("HOMOPLASY_EXECUTOR", raising=False)
    (tmp_path / "local.yaml").write_text(block.text)
    given = yaml.safe_load(block.text)
    place = _place.read(tmp_path / "params.yaml", "extract")
    assert place.kind == given.get("execution", {}).get("executor", "serial")
    assert set(given) <= {"execution", "nsd", "remote_code"}
