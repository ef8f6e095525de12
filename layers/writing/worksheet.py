"""Workbooks, written row by row: GDAL's own writer keeps all cells in memory.

Texts are cells of text and never formulas; those that look like one carry the mark by which Excel keeps them text also
after they were edited.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KINDS: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLESHEET: Final = (
    f'<styleSheet xmlns="{_MAIN}">'
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
    "</cellXfs></styleSheet>"
)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_BEGINNING: Final = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
).encode()


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
        _frame(book, ["layer"])
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            _sheet(sheet, names, tables, long_texts)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name (31 letters at most, without brackets and slashes), the first row, the rows below it."""

    name: str
    names: Sequence[str]
    rows: Iterable[Sequence[Any]]


def write_sheets(file: IO[bytes], sheets: Sequence[Sheet]) -> None:
    """Write a workbook of several small sheets; texts longer than a cell are cut."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
        _frame(book, [sheet.name for sheet in sheets])
        for number, sheet in enumerate(sheets, start=1):
            letters = [_letters(at) for at in range(len(sheet.names))]
            with book.open(f"xl/worksheets/sheet{number}.xml", "w") as out:
                out.write(_BEGINNING)
                for row, values in enumerate([sheet.names, *sheet.rows], start=1):
                    cells = [
                        _cell(f"{letter}{row}", value[:LONGEST] if isinstance(value, str) else value)
                        for letter, value in zip(letters, values, strict=True)
                        if value is not None
                    ]
                    out.write(_row(row, cells))
                out.write(b"</sheetData></worksheet>")


def _frame(book: zipfile.ZipFile, names: Sequence[str]) -> None:
    """Write all parts of a workbook but its sheets."""
    numbers = range(1, len(names) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KINDS}.worksheet+xml"/>' for n in numbers
    )
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    styles = f'<Relationship Id="rId{len(names) + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_KINDS}.sheet.main+xml"/>{overrides}<Override PartName="/xl/styles.xml" '
        f'ContentType="{_KINDS}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}{styles}</Relationships>',
        "xl/styles.xml": _STYLESHEET,
    }
    for name, text in parts.items():
        book.writestr(name, _HEAD + text)


def _sheet(
    sheet: IO[bytes],
    names: Sequence[str],
    tables: Iterator[tuple[int, list[pa.Array]]],
    long_texts: Callable[[int, str, str], None],
) -> None:
    sheet.write(_BEGINNING)
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
