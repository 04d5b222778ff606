"""A finished figure: SVG, PDF and PNG with the same bytes every run, and the CSV of the numbers drawn."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from homoplasy.report.style import PAPER, TOKENS, rc

DPI = 300  # what journals ask of a picture made of points
_IDS = re.compile(r'(\bid="|href="#|url\(#)')
_IMAGE_IDS = re.compile(r'(<image\b[^>]*?) id="[^"]*"')


@dataclass(frozen=True)
class Drawing:
    """One figure in its four files, with what is said of it: the caption, and the reading made of its numbers."""

    name: str
    title: str
    caption: str
    svg: bytes
    pdf: bytes
    png: bytes
    csv: bytes
    reading: str = ""

    def files(self) -> dict[str, bytes]:
        """File name to content."""
        kinds = {"svg": self.svg, "pdf": self.pdf, "png": self.png, "csv": self.csv}
        return {f"{self.name}.{kind}": content for kind, content in kinds.items()}

    def inline(self) -> str:
        """The SVG as part of a page: as wide as its column, its ids its own, its inks those of the page."""
        text = self.svg.decode()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
        text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r'<svg \1role="img" ', text, count=1)
        # Ids of pictures are made of the content, so that two like pictures share one; nothing refers to them.
        text = _IMAGE_IDS.sub(r"\1", text)
        text = _IDS.sub(lambda found: f"{found.group(1)}{self.name}-", text)
        for colour, token in TOKENS.items():
            text = re.sub(colour, f"var(--{token})", text, flags=re.IGNORECASE)
        return text.replace("<svg ", f'<svg aria-label="{escape(self.title, quote=True)}" ', 1)


def finish(
    name: str, title: str, caption: str, table: pd.DataFrame, draw: Callable[[], Figure], *, reading: str = ""
) -> Drawing:
    """Draw in the house style and save in every format."""
    with mpl.rc_context(rc(name)):
        figure = draw()
        figure.draw_without_rendering()  # lays it out; once is enough for the three formats
        figure.set_layout_engine("none")
        svg = _saved(figure, "svg", {"Date": None, "Creator": None}, dpi=DPI)
        pdf = _saved(figure, "pdf", {"CreationDate": None, "Creator": None, "Producer": None}, dpi=DPI)
        png = _saved(figure, "png", {"Software": None}, dpi=DPI, facecolor=PAPER)
    csv = table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()
    return Drawing(name, title, caption, svg, pdf, png, csv, reading)


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None], **options: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, metadata=metadata, **options)
    return buffer.getvalue()
