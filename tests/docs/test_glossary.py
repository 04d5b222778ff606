"""The glossary names modules that are there, and explains every word that a run can choose or print."""

import re

import pytest

from homoplasy.stages._settings import CHOICES
from tests.conftest import ROOT
from tests.docs import parameters

TEXT = (ROOT / "docs/glossary.md").read_text()
TERMS = re.findall(r"^### ([^\n]+)\n\n(.*?)(?=^### |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
FIELDS = [("pocket", "truth"), ("cka", "images"), ("cka", "estimators"), ("stats", "binning"), ("stats", "kernel")]


@pytest.mark.parametrize(("term", "meaning"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_is_computed_where_it_says(term, meaning):
    for path in re.findall(r"`([\w/]+\.py)`", meaning):
        assert (ROOT / "src/homoplasy" / path).is_file(), path


def test_terms_stand_in_order():
    names = [term.lower() for term, _ in TERMS]
    assert names == sorted(names)


@pytest.mark.parametrize("kind", CHOICES)
def test_worlds_and_presets_are_explained(kind):
    assert all(f"`{path.stem}`" in TEXT for path in (ROOT / f"conf/{kind}s").glob("*.yaml"))


@pytest.mark.parametrize(("section", "knob"), FIELDS)
def test_the_words_of_a_knob_are_explained(section, knob):
    words = re.findall(r"`'?(\w+)'?`", parameters.kind(parameters.settings_of(section).model_fields[knob]))
    assert words
    assert all(re.search(rf"\b{word}\b", TEXT) for word in words)


def test_verdicts_are_explained():
    from homoplasy.studies.convergence.claims import RULES

    words = re.findall(r"\*([a-z ]+)\*", RULES)
    assert words
    assert all(f"*{word}*" in TEXT for word in words)
