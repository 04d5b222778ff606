"""The report as a paper would print it: typst sets it from the same sentences, figures and tables as the page."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typst

from homoplasy.report import contents, ledger, published_tables, verdicts
from homoplasy.report.drawing import Drawing
from homoplasy.report.figures import PUBLISHED, SUPPLEMENT
from homoplasy.report.inputs import Inputs
from homoplasy.report.page import AGAIN, PROVENANCE, certified, facts, notes, sections, stands

_READINGS = {"calibrated": "calibrated", "released": "as released"}
_TABLES = ("correlations", "fits", "subjects", "certificates", "choices")  # in the body; the others are files
_MOST = 48  # rows of a table on paper


def paper(inputs: Inputs, drawn: list[Drawing]) -> bytes:
    """Compose the PDF; the same inputs give the same bytes."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for drawing in drawn:
            (root / f"{drawing.name}.pdf").write_bytes(drawing.pdf)
        (root / "report.json").write_text(json.dumps(_told(inputs, drawn)), encoding="utf-8")
        template = resources.files("homoplasy.report").joinpath("paper.typ").read_text(encoding="utf-8")
        (root / "paper.typ").write_text(template, encoding="utf-8")
        return typst.compile(root / "paper.typ", root=root, ignore_system_fonts=True, format="pdf")


def _told(inputs: Inputs, drawn: list[Drawing]) -> Mapping[str, Any]:
    rows = ledger.rows(inputs.claims, inputs.study["correlations"], stands(inputs))
    found = verdicts.verdicts(inputs.study["model_scores"], inputs.study["correlations"], inputs.audit)
    check = published_tables.checks(inputs.again["printed_checks"])
    return {
        "title": inputs.title,
        "question": verdicts.QUESTION,
        "about": inputs.about,
        "facts": facts(inputs),
        "summary": ledger.summary(rows),
        "meanings": ledger.MEANINGS,
        "places": list(ledger.PLACES.values()),
        "ledger": [_claim(row) for row in rows if row.testable],
        "untestable": [row.id for row in rows if not row.testable],
        "again": f"{AGAIN} {check.note}",
        "checked": check.note,
        "verdicts": [
            f"{one.modality.capitalize()}, {_READINGS[one.reading]}: {one.word}. {one.sentence}" for one in found
        ],
        "notes": notes(inputs),
        "figures": [
            {"name": one.name, "title": one.title, "caption": one.caption, "reading": one.reading}
            | {"published": one.name in PUBLISHED, "supplement": one.name.startswith(SUPPLEMENT)}
            | {"number": number}
            for number, one in enumerate(drawn, 1)
        ],
        "tables": [_table(one) for one in sections(inputs) if one.name in _TABLES and one.table.rows],
        "settings": "\n".join(inputs.settings.values()),
        "provenance": PROVENANCE,
        "source": inputs.source,
        "certified": certified(inputs),
        "read": [[one.path, f"{one.size:,}", one.md5] for one in inputs.read],
    }


def _claim(row: ledger.Row) -> Mapping[str, Any]:
    cells = [{"verdict": cell.verdict, "ours": cell.ours} for cell in row.cells]
    return {
        "id": row.id,
        "says": row.says,
        "published": row.published,
        "floor": row.floor,
        "certificate": row.certificate,
        "cells": cells,
    }


def _table(section: contents.Section) -> Mapping[str, Any]:
    columns = [{"title": column.title, "right": column.right} for column in section.table.columns]
    left = len(section.table.rows) - _MOST
    more = f" The first {_MOST} rows; {left} more are in tables/{section.name}.csv." if left > 0 else ""
    return {
        "title": section.title,
        "note": section.note + more,
        "columns": columns,
        "rows": section.table.rows[:_MOST],
    }
