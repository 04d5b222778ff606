"""The Python of the documents runs as it stands, prints what they say, and every link and picture is there."""

import contextlib
import io
import json
import re
from collections.abc import Iterator

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.docs import blocks, reference

RNG = np.random.default_rng(1)
GIVEN = {  # what a reader of the README has at hand
    "features": RNG.standard_normal((40, 12)),
    "voxels": RNG.standard_normal((40, 7)),
    "ids": np.arange(40),
}
WRITTEN = [*blocks.DOCUMENTS, *sorted((ROOT / "docs/decisions").glob("*.md"))]
EXAMPLES = {
    path.relative_to(ROOT).as_posix(): found
    for path in blocks.DOCUMENTS
    if (found := [one for one in blocks.blocks(path) if not one.file])
    and any(one.language == "python" for one in found)
}


@pytest.mark.parametrize("document", EXAMPLES)
def test_its_examples_run_and_print_what_it_says(document, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names, said = dict(GIVEN), ""
    for block in EXAMPLES[document]:
        if block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(block.text, document, "exec"), names)  # a document of this repository
            said = printed.getvalue()
        elif block.language == "text" and said:
            assert said == block.text
            said = ""
    assert not said, "it prints something that the document does not show"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_its_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in set(anchors(target.read_text())), link


def anchors(text: str) -> Iterator[str]:
    """The names that a hosting site gives the headings of a page."""
    for heading in re.findall(r"(?m)^#+ (.+)$", text):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_can_be_reached_from_the_index():
    named = set(re.findall(r"\]\(([^)#]+)", (ROOT / "docs/README.md").read_text()))
    pages = {
        path.relative_to(ROOT / "docs").as_posix() for path in blocks.DOCUMENTS if path.is_relative_to(ROOT / "docs")
    }
    assert pages - {"README.md"} <= named


def test_the_numbers_of_the_tutorial_are_those_of_the_run():
    metrics = json.loads((ROOT / "metrics.json").read_text())
    rows = re.findall(reference.QUOTED, (ROOT / "docs/tutorial.md").read_text())
    assert rows
    for section, name, value in rows:
        assert float(value) == pytest.approx(metrics[section][name], abs=0.006), f"{name}: run `make docs`"
