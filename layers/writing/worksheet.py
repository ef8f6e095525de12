"""A workbook with one sheet, written row by row: GDAL's own writer keeps all cells in memory.

Texts are cells of text and never formulas; those that look like one carry the mark by which Excel keeps them text also
after they were edited.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import escape

import pyarrow as pa

LONGEST: Final = 32_767
"""Characters that a cell can hold, in UTF-16."""
_EPOCH: Final = datetime.date(1899, 12, 30)
_FIRST_DAY: Final = datetime.date(1900, 3, 1)
"""Before it, Excel counts a day that never was."""
_WHOLE: Final = 10**15
"""Excel keeps fifteen digits of a number."""
_STYLES: Final = {"date": 1, "datetime": 2, "quoted": 3}
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_PARTS: Final = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="layer" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/>'
    "</cellXfs></styleSheet>",
}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_xlsx(
    path: Path,
    names: Sequence[str],
    tables: Iterator[tuple[int, list[pa.Array]]],
    long_texts: Callable[[int, str, str], None],
) -> None:
    """Write a workbook.

    Parameters
    ----------
    names
        Of the columns: the first row.
    tables
        Number of the first row, and the columns.
    long_texts
        Takes geometries that are longer than a cell; the cell stays empty.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in _PARTS.items():
            book.writestr(name, _HEAD + text)
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            _sheet(sheet, names, tables, long_texts)


def _sheet(
    sheet: IO[bytes],
    names: Sequence[str],
    tables: Iterator[tuple[int, list[pa.Array]]],
    long_texts: Callable[[int, str, str], None],
) -> None:
    sheet.write((_HEAD + '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">').encode())
    sheet.write(b'<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" ')
    sheet.write(b'state="frozen"/></sheetView></sheetViews><sheetData>')
    letters = [_letters(at) for at in range(len(names))]
    sheet.write(_row(1, [_text(f"{letter}1", name) for letter, name in zip(letters, names, strict=True)]))
    for first, columns in tables:
        values = [column.to_pylist() for column in columns]
        lines = []
        for index in range(len(columns[0]) if columns else 0):
            number = first + index + 1
            cells = []
            for letter, name, column in zip(letters, names, values, strict=True):
                value = column[index]
                if isinstance(value, str) and len(value) > LONGEST:
                    long_texts(first + index, name, value)
                elif value is not None:
                    cells.append(_cell(f"{letter}{number}", value))
            lines.append(_row(number, cells))
        sheet.write(b"".join(lines))
    sheet.write(b"</sheetData></worksheet>")


def _letters(at: int) -> str:
    """Return the letters of a column.

    Examples
    --------
    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    found = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        found = chr(65 + rest) + found
    return found


def _row(number: int, cells: list[str]) -> bytes:
    return f'<row r="{number}">{"".join(cells)}</row>'.encode()


def _cell(at: str, value: Any) -> str:
    match value:
        case bool():
            return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
        case int() if abs(value) < _WHOLE:
            return f'<c r="{at}"><v>{value}</v></c>'
        case float():
            return f'<c r="{at}"><v>{value!r}</v></c>'
        case datetime.datetime() if value.date() >= _FIRST_DAY:
            plain = value.replace(tzinfo=None)
            days = (plain - datetime.datetime.combine(_EPOCH, datetime.time())) / datetime.timedelta(days=1)
            return f'<c r="{at}" s="{_STYLES["datetime"]}"><v>{days!r}</v></c>'
        case datetime.datetime():
            return _text(at, value.isoformat())
        case datetime.date() if value >= _FIRST_DAY:
            return f'<c r="{at}" s="{_STYLES["date"]}"><v>{(value - _EPOCH).days}</v></c>'
        case _:
            return _text(at, str(value))


def _text(at: str, text: str) -> str:
    style = f' s="{_STYLES["quoted"]}"' if text.startswith(_STARTS) else ""
    plain = escape(_FORBIDDEN.sub(" ", text), {"\r": "_x000D_"})
    return f'<c r="{at}"{style} t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'
