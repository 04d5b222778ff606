"""The Python of the documents runs as it stands."""

import re

import numpy as np
import pytest

from tests.conftest import ROOT

RNG = np.random.default_rng(1)
GIVEN = {  # what a reader of the README has at hand
    "features": RNG.standard_normal((40, 12)),
    "voxels": RNG.standard_normal((40, 7)),
    "ids": np.arange(40),
}


@pytest.mark.parametrize("document", ["README.md", "docs/engine.md"])
def test_its_examples_run(document):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)
    assert blocks
    names = dict(GIVEN)
    for block in blocks:
        exec(compile(block, document, "exec"), names)  # a document of this repository
    assert len(names["table"]) > 0


def test_its_pictures_are_there():
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", document.read_text()):
            assert (document.parent / picture).is_file(), (document, picture)
