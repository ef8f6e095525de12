"""Workbooks read back: each row by the names of its columns, whatever cells are empty."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_by_sheet(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Read a workbook: by the name of the sheet its rows, texts as they are, numbers as floats, None where a cell is empty."""
    found: dict[str, list[dict[str, Any]]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [one.get("name") for one in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")]  # noqa: S314
        for number, name in enumerate(names, start=1):
            text = book.read(f"xl/worksheets/sheet{number}.xml")
            assert b"<f>" not in text
            rows = [_cells(row) for row in ElementTree.fromstring(text).iter(f"{_MAIN}row")]  # noqa: S314
            head = rows[0]
            found[str(name)] = [{title: row.get(letters) for letters, title in head.items()} for row in rows[1:]]
    return found


def _cells(row: ElementTree.Element) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for cell in row.iter(f"{_MAIN}c"):
        letters = "".join(c for c in cell.get("r", "") if c.isalpha())
        plain = "".join(cell.itertext())
        cells[letters] = plain if cell.get("t") == "inlineStr" else float(plain)
    return cells


def codebook_of(
    sheets: dict[str, list[dict[str, Any]]],
) -> tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]]:
    """Return what a codebook says: values by name, and its rows of columns by sheet and name; every column has one row."""
    rows = sheets["codebook"]
    facts = {row["name"]: row["value"] for row in rows if row["part"] == "data"}
    fields = {(row["sheet"], row["name"]): row for row in rows if row["part"] == "field"}
    assert len(fields) == sum(row["part"] == "field" for row in rows)
    return facts, fields
