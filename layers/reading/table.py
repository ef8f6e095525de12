"""A table of text (CSV) with coordinates into a plan of rows and located problems.

Written by people and spreadsheets: any of four separators, a byte order mark or none, UTF-8 or a Windows code page,
Persian digits, decimal commas. Rows are counted as a spreadsheet shows them: the header is row 1.
"""

import csv
import io
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.text import normalise
from layers.reading.checks import check_geometries
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Json, Kind, Plan, Problem, ProblemLog, RefusedError, first_names
from layers.reading.projection import Bounds, Reference, reference_of
from layers.reading.request import Facts, Names, Wanted, rows_of
from layers.reading.source import open_source
from layers.reading.text import (
    TextRules,
    clean_column,
    codec_of,
    guess_encoding,
    note_guessed_encoding,
)
from layers.reading.wording import COMMAND, Wording, option

_SEPARATORS: Final = ",;\t|"
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# A geometry as text can be long; above this a cell is refused by the reader, whatever its attribute limit.
_CELL_CHARACTERS: Final = 32 << 20

# Pairs of column names, as `normalise` gives them, and whether they say by themselves that values are degrees.
_COORDINATE_NAMES: Final = (
    (("lon", "long", "lng", "longitude", "lon dd", "x lon", "طول", "طول جغرافیایی"),
     ("lat", "latitude", "lat dd", "y lat", "عرض", "عرض جغرافیایی"), True),
    (("x", "x coord", "coord x", "xcoord", "utm x", "easting", "east", "point x"),
     ("y", "y coord", "coord y", "ycoord", "utm y", "northing", "north", "point y"), False),
)  # fmt: skip
_GEOMETRY_NAMES: Final = ("geometry", "wkt", "geom", "the geom", "wkt geom", "shape")

_PERSIAN_MARKS: Final = str.maketrans({"٫": ".", "٬": "", "−": "-", "\u200e": "", "\u200f": ""})
_WHOLE: Final = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
# Digits that name something rather than count it: a leading zero, or more of them than a float can keep.
_CODE: Final = re.compile(r"[+-]?0\d.*|[+-]?\d{16,}")
_MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})


def read_table(
    path: Path,
    *,
    x_field: str | None = None,
    y_field: str | None = None,
    source_epsg: int | None = None,
    encoding: str | None = None,
    fields: Collection[str] | None = None,
    name_field: str | None = None,
    expect: Kind | None = None,
    repair: bool = False,
    near: Bounds | None = None,
    limits: Limits = DEFAULT,
    wording: Wording = COMMAND,
) -> Plan:
    """Read a table with coordinates into rows in EPSG:4326, with every problem located. Never raises for a bad file.

    Parameters
    ----------
    path
        A .csv, .tsv or .txt file with a header row.
    x_field, y_field
        Columns with the coordinates; found by their names (lon/lat, longitude/latitude, x/y, طول/عرض …) if None. A
        column with geometries as WKT text (``geometry``, ``wkt`` …) is taken where there are no such columns.
    source_epsg
        EPSG code of the coordinates. May be left out only if the columns' names say that they are degrees.
    encoding
        Encoding of the text; UTF-8 or what a byte order mark says if None, else guessed, saying so.
    fields, name_field, expect, repair, near, limits, wording
        As for `layers.reading.vector.read_vector`.

    Returns
    -------
    Plan
        Loadable only if it has no error. Columns in which every value is a number become numbers.
    """
    wanted = Wanted(None, source_epsg, encoding, fields, name_field, expect, repair, near, limits)
    log = ProblemLog(limits, wording)
    facts = Facts()
    try:
        with open_source(Path(path), limits) as source:
            facts.format, facts.sha256 = source.format, source.sha256
            if source.format != "CSV":
                raise RefusedError(
                    "not_a_table", f"The file is a {source.format}, not a table.", "Choose another file."
                )
            size = source.path.stat().st_size
            if size > limits.table_bytes:
                message = f"The table has {size / 1e6:,.0f} MB, more than {limits.table_bytes / 1e6:,.0f} MB."
                raise RefusedError("file_too_large", message, "Cut it to the city, or bring it as a GeoPackage.")
            text, facts.encoding = _text_of(source.path.read_bytes(), encoding, log)
            _read(_cells(text, limits, log), wanted, (x_field, y_field), facts, log)
    except RefusedError as refused:
        log.add(refused.problem)
    return facts.plan(Path(path).name, log)


def number(text: str) -> float:
    """Read one number as people write it; NaN if it is none.

    Persian and Arabic digits and marks, a decimal comma, and spaces around are understood.

    Examples
    --------
    >>> number("۴۸٫۳۶"), number(" 33,49 "), number("-46.39")
    (48.36, 33.49, -46.39)
    >>> number("35°41'N")
    nan
    """
    if _NUMBER.fullmatch(text):
        return float(text)  # which reads the digits of every script
    plain = text.translate(_PERSIAN_MARKS).strip()
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else math.nan


# Text to cells


@dataclass(frozen=True, slots=True)
class _Cells:
    """A table as text: header, rows, their numbers in the file, which have a wrong length, how fractions are written."""

    header: list[str]
    rows: list[list[str]]
    numbers: NDArray[np.int64]
    ragged: NDArray[np.bool_]
    decimal_comma: bool


def _text_of(data: bytes, encoding: str | None, log: ProblemLog) -> tuple[str, str]:
    codec = codec_of(encoding) if encoding else None
    if codec is None:
        codec = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if codec is None:
        codec = guess_encoding(data)
        if codec != "utf-8":
            note_guessed_encoding(log, codec)
    try:
        text = data.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        likely = guess_encoding(data)
        row = data.count(b"\n", 0, error.start) + 1
        raise RefusedError(
            "wrong_encoding",
            f"The text is not in the encoding {codec}: byte {error.start + 1:,} is wrong.",
            f"Name the true encoding, which may be {likely}, with {option('encoding', likely)}.",
            row=row,
        ) from error
    at = text.find("\x00")
    if at >= 0:
        row = text.count("\n", 0, at) + 1
        raise RefusedError("broken_file", "The table holds a zero byte.", "Export it again as CSV in UTF-8.", row=row)
    return text, "utf-8" if codec == "utf-8-sig" else codec


def _cells(text: str, limits: Limits, log: ProblemLog) -> _Cells:
    stream = io.StringIO(text, newline="")
    skipped = 0
    separator = None
    first = stream.readline()
    # Spreadsheets write the separator into a first line of its own.
    if match := re.fullmatch(f"sep=([{_SEPARATORS}])\\s*", first, re.IGNORECASE):
        separator, skipped = match[1], 1
    else:
        stream.seek(0)
    start = stream.tell()
    header_line = next((line for line in stream if line.strip()), "")
    separator = separator or max(_SEPARATORS, key=header_line.count)
    stream.seek(start)
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_CHARACTERS))
    reader = csv.reader(stream, delimiter=separator, strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[bool] = []
    number_of_row = skipped
    try:
        for cells in reader:
            number_of_row += 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = cells
                continue
            if len(cells) != len(header):
                message = f"The row has {len(cells)} values, the header {len(header)}."
                remedy = "Put texts that hold the separator between quotation marks."
                log.add(Problem("error", "ragged_row", message, remedy, number_of_row))
            ragged.append(len(cells) != len(header))
            rows.append((cells + [""] * len(header))[: len(header)])
            numbers.append(number_of_row)
            if len(rows) > limits.rows:
                message = f"The table has more than {limits.rows:,} rows."
                raise RefusedError("too_many_rows", message, "Cut it to the city.", row=number_of_row)
    except csv.Error as error:
        raise RefusedError(
            "broken_file",
            f"The table cannot be read on from here: {error}.",
            "Look for a quotation mark that is not closed.",
            row=number_of_row + 1,
        ) from error
    if header is None:
        raise RefusedError("no_rows", "The table holds nothing but blank lines.", "Export it again.")
    if not rows:
        raise RefusedError("no_rows", "The table has a header but no rows.", "Export it again.", row=1)
    # Where a comma marks the fraction, it cannot separate the cells.
    return _Cells(header, rows, np.array(numbers, dtype=np.int64), np.array(ragged, dtype=bool), separator == ";")


# Cells to rows


def _read(
    cells: _Cells, wanted: Wanted, coordinate_fields: tuple[str | None, str | None], facts: Facts, log: ProblemLog
) -> None:
    if all(not math.isnan(number(cell)) for cell in cells.header):
        raise RefusedError(
            "no_header", f"The first row holds numbers, not names: {first_names(cells.header)}.",
            "Write a first row with the names of the columns.", row=1,
        )  # fmt: skip
    blank = [name.strip() or f"column_{position}" for position, name in enumerate(cells.header, start=1)]
    everything = Names.of(blank, None, Wanted(limits=wanted.limits))
    header = list(everything.clean.values())
    names = Names.of(header, None, wanted)
    columns = dict(zip(header, (list(values) for values in zip(*cells.rows, strict=True)), strict=True))
    place = _place_of(header, coordinate_fields)
    reference = _reference(place, wanted.source_epsg)
    facts.crs = reference.label
    geometries, refused = _geometries(place, columns, cells, log)
    rules = TextRules(cells.numbers, log, wanted.limits, wanted.repair, wanted.encoding is not None)
    kept = {
        name: _typed(columns[name], name, cells.decimal_comma, rules)
        for name in names.clean.values()
        # A geometry as text is kept once, as geometry.
        if name != place.wkt
    }
    checked = check_geometries(geometries, cells.numbers, wanted.rules(reference), log, refused)
    facts.kind = checked.kind
    facts.rows = rows_of(checked.geometries_4326, cells.numbers, kept, names.name, names.kept, checked.kept)


@dataclass(frozen=True, slots=True)
class _Place:
    """The columns that say where a row is: two numbers, or one text."""

    x: str = ""
    y: str = ""
    wkt: str = ""
    is_degrees: bool = False


def _place_of(header: Sequence[str], given: tuple[str | None, str | None]) -> _Place:
    by_form = {normalise(name): name for name in reversed(header)}
    if given[0] or given[1]:
        found = [by_form.get(normalise(name)) if name else None for name in given]
        if found[0] and found[1]:
            degrees = any(
                normalise(found[0]) in xs and normalise(found[1]) in ys for xs, ys, is_lon in _COORDINATE_NAMES[:1]
            )
            return _Place(found[0], found[1], is_degrees=degrees)
        missing = [str(name) for name, column in zip(given, found, strict=True) if column is None]
        raise RefusedError(
            "no_such_field",
            f"The table has no column {first_names(missing)} for the coordinates.",
            f"Its columns are {first_names(header, 40)}; give both {option('x_field')} and {option('y_field')}.",
            row=1,
        )
    for xs, ys, is_degrees in _COORDINATE_NAMES:
        x = next((by_form[form] for form in xs if form in by_form), None)
        y = next((by_form[form] for form in ys if form in by_form), None)
        if x and y:
            return _Place(x, y, is_degrees=is_degrees)
    wkt = next((by_form[form] for form in _GEOMETRY_NAMES if form in by_form), None)
    if wkt:
        return _Place(wkt=wkt)
    raise RefusedError(
        "no_coordinates",
        f"No columns with coordinates were found among {first_names(header, 40)}.",
        f"Name them with {option('x_field')} and {option('y_field')}, or call them lon and lat.",
        row=1,
    )


def _reference(place: _Place, source_epsg: int | None) -> Reference:
    if source_epsg is None and not place.is_degrees:
        columns = f"'{place.wkt}'" if place.wkt else f"'{place.x}' and '{place.y}'"
        raise RefusedError(
            "no_crs",
            f"Nothing says which reference system the coordinates in {columns} are in.",
            f"Name it with {option('source_epsg')}: 4326 for degrees, 32639 for UTM zone 39N; or call the columns lon and lat.",
            row=1,
        )
    return reference_of("EPSG:4326", source_epsg)


def _geometries(
    place: _Place, columns: dict[str, list[str]], table: _Cells, log: ProblemLog
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    if place.wkt:
        return _geometries_of_text(place.wkt, columns[place.wkt], table, log)
    values = {field: columns[field] for field in (place.x, place.y)}
    xy = np.column_stack([[number(cell) for cell in cells] for cells in values.values()])
    for position, (field, cells) in enumerate(values.items()):

        def describe(index: int, field: str = field, cells: list[str] = cells) -> Problem:
            cell = cells[index].strip()
            what = f"The coordinate is {cell[:40]!r}, not a number." if cell else "The coordinate is missing."
            remedy = "Write degrees or metres as a decimal number, such as 48.36; or delete the row."
            return Problem("error", "bad_coordinate", what, remedy, int(table.numbers[index]), field)

        log.add_rows("error", "bad_coordinate", np.flatnonzero(np.isnan(xy[:, position]) & ~table.ragged), describe)
    refused = np.isnan(xy).any(axis=1) | table.ragged
    points = np.full(len(xy), None, dtype=object)
    points[~refused] = shapely.points(xy[~refused])
    return points, refused


def _geometries_of_text(
    field: str, cells: list[str], table: _Cells, log: ProblemLog
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    texts = np.array([cell.strip() or None for cell in cells], dtype=object)
    geometries = np.asarray(shapely.from_wkt(texts, on_invalid="ignore"), dtype=object)
    broken = shapely.is_missing(geometries) & np.array([text is not None for text in texts]) & ~table.ragged

    def describe(index: int) -> Problem:
        message = f"{texts[index][:40]!r} is not a geometry in WKT."
        return Problem("error", "broken_geometry", message, "Export the table again.", int(table.numbers[index]), field)

    log.add_rows("error", "broken_geometry", np.flatnonzero(broken), describe)
    return geometries, np.asarray(broken | table.ragged)


def _typed(cells: list[str], field: str, decimal_comma: bool, rules: TextRules) -> list[Json]:
    """Make a column of numbers into numbers, if every value is one; codes such as 0012 stay text."""
    plain = [cell.strip() if cell.isascii() else cell.translate(_PERSIAN_MARKS).strip() for cell in cells]
    if decimal_comma:
        plain = [cell.replace(",", ".") if cell.count(",") == 1 else cell for cell in plain]
    plain = ["" if cell.lower() in _MISSING else cell for cell in plain]
    filled = [cell for cell in plain if cell]
    if filled and all(_WHOLE.fullmatch(cell) for cell in filled):
        return [int(cell) if cell else None for cell in plain]
    if filled and all(_NUMBER.fullmatch(cell) and not _CODE.fullmatch(cell) for cell in filled):
        return [_finite(float(cell)) if cell else None for cell in plain]
    return list(clean_column([cell or None for cell in cells], field, rules))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
