"""What moves the fingerprint of code, and what does not."""

import subprocess
import sys

import pytest

from homoplasy.store import code

MODULES = {
    "house/__init__.py": "from house.lazy import everything\n",
    "house/errors.py": "class Bad(Exception): ...\n",
    "house/room/__init__.py": "",
    "house/room/maker.py": (
        '"""Makes."""\nimport numpy as np\nfrom house.errors import Bad\nfrom house.room import tools\n'
        "import house.other.far\n\n\ndef make(x):\n    # why\n    return tools.twice(x) + 1\n"
    ),
    "house/room/tools.py": 'def twice(x):\n    """Double."""\n    return 2 * x\n',
    "house/other/__init__.py": "",
    "house/other/far.py": "FAR = 1\n",
    "house/other/unused.py": "UNUSED = 1\n",
}


@pytest.fixture
def house(tmp_path):
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def moved(house, name, text):
    before = code.fingerprint.__wrapped__("house.room.maker", house)
    (house / name).write_text(text)
    return code.fingerprint.__wrapped__("house.room.maker", house) != before


def test_the_closure_is_what_is_imported_from_the_package_and_the_packages_around_it(house):
    names = {"house.room", "house.room.maker", "house.room.tools", "house.other", "house.other.far"}
    assert set(code.closure("house.room.maker", house)) == names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("house/room/maker.py", MODULES["house/room/maker.py"].replace("# why", "# another reason")),
        ("house/room/maker.py", MODULES["house/room/maker.py"].replace('"""Makes."""', '"""Makes much."""')),
        ("house/room/tools.py", "def twice(x):\n\n    return (2 *\n        x)\n"),
        ("house/other/unused.py", "UNUSED = 2\n"),
        ("house/errors.py", "class Bad(ValueError): ...\n"),
        ("house/__init__.py", "X = 1\n"),
    ],
    ids=["comment", "docstring", "layout", "unused", "errors", "face"],
)
def test_what_changes_no_number_does_not_move_it(house, name, text):
    assert not moved(house, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("house/room/maker.py", MODULES["house/room/maker.py"].replace("+ 1", "+ 2")),
        ("house/room/tools.py", "def twice(x):\n    return 3 * x\n"),
        ("house/other/far.py", "FAR = 2\n"),
        ("house/room/__init__.py", "import house.other.unused\n"),
    ],
    ids=["own", "imported", "by full name", "package"],
)
def test_a_changed_line_moves_it(house, name, text):
    assert moved(house, name, text)


def test_the_closure_of_a_source_is_what_python_imports_for_it():
    """Read and run agree, but for what is left out on purpose, and for the face, which imports nothing."""
    script = (
        "import sys, homoplasy.models.timm\n"
        "print(*sorted(name for name in sys.modules if name.startswith('homoplasy.')))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(code.closure("homoplasy.models.timm")) == set(ran) - {"homoplasy.errors", "homoplasy.progress"}


def test_a_string_that_is_no_docstring_counts():
    assert code.normalised("x = 'a'") != code.normalised("x = 'b'")
    assert code.normalised("def f():\n    'doc'\n    return 'a'") == code.normalised("def f():\n    return 'a'")
