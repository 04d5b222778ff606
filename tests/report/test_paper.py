"""The PDF: the same twice, every figure on a page, letters embedded, nothing lost at the margins."""

import re

import pytest

from homoplasy.report.paper import paper

pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2, which renders the pages, is not installed")


@pytest.fixture(scope="module")
def made(inputs, drawn):
    return paper(inputs, drawn)


@pytest.fixture(scope="module")
def pages(made):
    document = pdfium.PdfDocument(made)
    yield [document[number] for number in range(len(document))]
    document.close()


def text(pages):
    return re.sub(r"\s+", " ", " ".join(page.get_textpage().get_text_range() for page in pages))


def test_the_same_inputs_give_the_same_bytes(inputs, drawn, made):
    assert paper(inputs, drawn) == made
    assert not re.search(rb"CreationDate|ModDate|/work/|/tmp/", made)


def test_every_figure_and_its_caption_are_there(pages, drawn):
    said = text(pages)
    for number, one in enumerate(drawn, 1):
        assert f"Figure {number}." in said
        assert one.title in said
    forms = sum(found.type == pdfium.raw.FPDF_PAGEOBJ_FORM for page in pages for found in page.get_objects(max_depth=1))
    assert forms >= len(drawn)  # figures stay vectors


def test_nothing_reaches_into_the_margins(pages):
    for page in pages:
        picture = page.render(scale=0.5).to_numpy()
        width = picture.shape[1]
        assert (picture[:, : width // 30] > 250).all()
        assert (picture[:, -(width // 30) :] > 250).all()
        assert picture.min() < 200


def test_the_summary_is_made_of_the_ledger(pages, inputs):
    said = text(pages)
    assert "claims of the study were tested" in said
    assert "A <made-up> world" in said
    assert "0123456789abcdef" in said
