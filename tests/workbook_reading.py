"""Workbooks read back cell by cell, empty ones too, without the code that wrote them."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def tables_of(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each sheet by the names in its first row: texts as they are, numbers as floats, None where empty.

    A formula anywhere fails the test that reads it.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{MAIN}sheet")  # noqa: S314
        return {
            str(sheet.get("name")): _rows(book.read(f"xl/worksheets/sheet{number}.xml"))
            for number, sheet in enumerate(sheets, start=1)
        }


def _rows(text: bytes) -> list[dict[str, Any]]:
    rows = []
    for row in ElementTree.fromstring(text).iter(f"{MAIN}row"):  # noqa: S314
        cells: dict[int, Any] = {}
        for cell in row.iter(f"{MAIN}c"):
            assert cell.find(f"{MAIN}f") is None, f"a formula in {cell.get('r')}"
            plain = "".join(cell.itertext())
            cells[_column(cell.get("r", ""))] = plain if cell.get("t") == "inlineStr" else float(plain)
        rows.append(cells)
    names = rows[0]
    return [{name: cells.get(at) for at, name in names.items()} for cells in rows[1:]]


def _column(reference: str) -> int:
    number = 0
    for letter in filter(str.isalpha, reference):
        number = number * 26 + ord(letter) - 64
    return number


__all__ = ["tables_of"]
