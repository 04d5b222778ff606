"""A finished figure: SVG, PDF and PNG with the same bytes every run, and the CSV of the numbers drawn."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Literal
from zlib import crc32

import matplotlib as mpl
import pandas as pd
import typst
from matplotlib.figure import Figure

from homoplasy.report.style import PAPER, TOKENS, rc

DPI = 300  # what journals ask of a picture made of points
_INCH = 0.0254  # metres
_HEADER = 33  # bytes of a PNG before its first chunk of choice
_SHEET = b"""#set document(date: none)
#set page(width: auto, height: auto, margin: 0pt, fill: if sys.inputs.paper != "" { rgb(sys.inputs.paper) })
#image(bytes(sys.inputs.drawing), format: "svg")
"""
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
    """Draw in the house style, once; PDF and PNG are made of the SVG, which takes a tenth of drawing them too."""
    with mpl.rc_context(rc(name)):
        figure = draw()
        figure.draw_without_rendering()  # lays it out
        figure.set_layout_engine(None)  # so that it is not laid out again to be saved
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=DPI)
    svg = buffer.getvalue()
    pdf, png = _set(svg, "pdf"), _dense(_set(svg, "png", PAPER))
    csv = table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()
    return Drawing(name, title, caption, svg, pdf, png, csv, reading)


def _set(svg: bytes, kind: Literal["pdf", "png"], paper: str = "") -> bytes:
    """Set a drawing on a sheet of its size, in the letters that it was laid out in."""
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[f"{mpl.get_data_path()}/fonts/ttf"])
    told = {"drawing": svg.decode(), "paper": paper}
    return typst.compile(_SHEET, font_paths=fonts, format=kind, ppi=DPI, sys_inputs=told)


def _dense(png: bytes) -> bytes:
    """Write into a PNG how many of its points make an inch: the chunk pHYs, points a metre in either direction."""
    density = round(DPI / _INCH)
    chunk = b"pHYs" + struct.pack(">IIB", density, density, 1)
    return png[:_HEADER] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", crc32(chunk)) + png[_HEADER:]
