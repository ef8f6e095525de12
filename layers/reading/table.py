"""A table (CSV or worksheet) into batches of rows: by coordinates, by geometries as text, or none where it is joined.

Numbers are understood as people write them: Persian digits, decimal commas, spaces.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from geo.core.text import normalise
from layers.reading.columns import column_from_arrow
from layers.reading.csv_text import CsvText
from layers.reading.plan import Json, Problem, ProblemLog, RefusedError, first_names
from layers.reading.projection import Reference, reference_of
from layers.reading.quiet import quiet
from layers.reading.request import BATCH_ROWS, Facts, Names, Raw, Wanted, require_rows
from layers.reading.source import Source, chosen_layer
from layers.reading.text import TextRules, clean_column
from layers.reading.wording import option

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


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Some rows of a table: its cells by column, and a way to the values that are kept."""

    cells: Mapping[str, Sequence[Json]]
    numbers: NDArray[np.int64]
    ragged: NDArray[np.bool_]
    values: Callable[[str], list[Json]]


class _Rows(Protocol):
    """Where the rows of a table come from."""

    header: list[str]
    types: dict[str, str]

    def chunks(self) -> Iterator[_Chunk]: ...


class TableStream:
    """A table, opened; see `layers.reading.request.Stream`.

    Raises
    ------
    RefusedError
        On being made, where the file is no table with coordinates, or has no such column.
    """

    def __init__(self, source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> None:
        self._wanted, self._log = wanted, log
        rows: _Rows = (
            _CsvRows(source, wanted, facts, log) if source.format == "CSV" else _SheetRows(source, wanted, facts, log)
        )
        self._rows = rows
        self.names = Names.of(rows.header, None, wanted)
        self.types = rows.types
        self._place = place = _place_of(rows.header, wanted)
        # That "lon" and "lat" mean WGS 84 is what nearly everybody means by them.
        facts.is_crs_guessed = place.is_degrees and wanted.options.source_epsg is None

    def reference(self) -> Reference:
        """Give the reference system of the coordinates; nothing but a name such as "lon" says it of a table."""
        place, source_epsg = self._place, self._wanted.options.source_epsg
        if place.code:
            return reference_of("EPSG:4326", None)
        if source_epsg is None and not place.is_degrees:
            columns = f"'{place.wkt}'" if place.wkt else f"'{place.x}' and '{place.y}'"
            raise RefusedError(
                "no_crs",
                f"Nothing says which reference system the coordinates in {columns} are in.",
                f"Name it with {option('source_epsg')}: 4326 for degrees, 32639 for UTM zone 39N; or call the columns lon and lat.",
                row=1,
            )
        return reference_of("EPSG:4326", source_epsg)

    def batches(self) -> Iterator[Raw]:
        """Give the rows with their geometries; columns in which every value is a number are numbers."""
        for chunk in self._rows.chunks():
            geometries, refused = self._geometries(chunk)
            # A geometry as text is kept once, as geometry.
            kept = {name: chunk.values(name) for name in self.names.clean.values() if name != self._place.wkt}
            yield Raw(geometries, refused, chunk.numbers, kept)

    def _geometries(self, chunk: _Chunk) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        place = self._place
        if place.code:  # it takes the geometries of what it is joined to: `layers.reading.joining`
            return np.full(len(chunk.numbers), None, dtype=object), chunk.ragged
        if place.wkt:
            return _geometries_of_text(place.wkt, chunk, self._log)
        values = {field: chunk.cells[field] for field in (place.x, place.y)}
        xy = np.column_stack([[_coordinate(cell) for cell in cells] for cells in values.values()])
        for position, (field, cells) in enumerate(values.items()):

            def describe(index: int, field: str = field, cells: Sequence[Json] = cells) -> Problem:
                cell = "" if cells[index] is None else str(cells[index]).strip()
                what = f"The coordinate is {cell[:40]!r}, not a number." if cell else "The coordinate is missing."
                remedy = "Write degrees or metres as a decimal number, such as 48.36; or delete the row."
                return Problem("error", "bad_coordinate", what, remedy, int(chunk.numbers[index]), field)

            bad = np.flatnonzero(np.isnan(xy[:, position]) & ~chunk.ragged)
            self._log.add_rows("error", "bad_coordinate", bad, describe)
        refused = np.isnan(xy).any(axis=1) | chunk.ragged
        points = np.full(len(xy), None, dtype=object)
        points[~refused] = shapely.points(xy[~refused])
        return points, refused


# Where rows come from


class _CsvRows:
    """The rows of a table of text. It is gone through once to know of each column whether all of it is numbers."""

    def __init__(self, source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> None:
        limits = wanted.limits
        text = CsvText(source.path, wanted.options.encoding, limits, log)
        facts.encoding, facts.is_encoding_guessed = text.codec, text.is_guessed
        if all(not math.isnan(number(cell)) for cell in text.header):
            raise RefusedError(
                "no_header", f"The first row holds numbers, not names: {first_names(text.header)}.",
                "Write a first row with the names of the columns.", row=1,
            )  # fmt: skip
        blank = [name.strip() or f"column_{position}" for position, name in enumerate(text.header, start=1)]
        self.header = list(Names.of(blank, None, Wanted(limits=limits)).clean.values())
        self.types: dict[str, str] = {}
        self._text = text
        self._rules = TextRules(np.empty(0, np.int64), log, limits, wanted.repair, wanted.options.encoding is not None)
        kinds = [_Kind(decimal_comma=text.decimal_comma) for _ in self.header]
        count = 0
        for cells in text.batches(BATCH_ROWS):
            count += len(cells.numbers)
            for kind, column in zip(kinds, cells.columns, strict=True):
                kind.look(column)
        if not count:
            raise RefusedError("no_rows", "The table has a header but no rows.", "Export it again.", row=1)
        facts.count = count
        self._kinds = dict(zip(self.header, kinds, strict=True))

    def chunks(self) -> Iterator[_Chunk]:
        for cells in self._text.batches(BATCH_ROWS, is_told=True):
            columns = dict(zip(self.header, cells.columns, strict=True))
            rules = self._rules.of_batch(cells.numbers)

            def values(name: str, columns: Mapping[str, list[str]] = columns, rules: TextRules = rules) -> list[Json]:
                return self._kinds[name].values(columns[name], name, rules)

            yield _Chunk(columns, cells.numbers, cells.ragged, values)


class _Kind:
    """Whether every value of a column is a whole number, or a number; codes such as 0012 stay text."""

    def __init__(self, *, decimal_comma: bool) -> None:
        self._decimal_comma = decimal_comma
        self._is_filled = False
        self._is_whole = self._is_number = True

    def look(self, cells: list[str]) -> None:
        """Look at some more of its values."""
        if not self._is_whole and not self._is_number:
            return
        filled = {cell for cell in self._plain(cells) if cell}
        self._is_filled |= bool(filled)
        self._is_whole = self._is_whole and all(_WHOLE.fullmatch(cell) for cell in filled)
        self._is_number = self._is_number and all(_NUMBER.fullmatch(c) and not _CODE.fullmatch(c) for c in filled)

    def values(self, cells: list[str], field: str, rules: TextRules) -> list[Json]:
        """Give values as what the whole column is."""
        if self._is_filled and self._is_whole:
            return [int(cell) if cell else None for cell in self._plain(cells)]
        if self._is_filled and self._is_number:
            return [_finite(float(cell)) if cell else None for cell in self._plain(cells)]
        return list(clean_column([cell or None for cell in cells], field, rules))

    def _plain(self, cells: list[str]) -> list[str]:
        plain = [cell.strip() if cell.isascii() else cell.translate(_PERSIAN_MARKS).strip() for cell in cells]
        if self._decimal_comma:
            plain = [cell.replace(",", ".") if cell.count(",") == 1 else cell for cell in plain]
        return ["" if cell.lower() in _MISSING else cell for cell in plain]


class _SheetRows:
    """The rows of a worksheet, whose cells have types of their own."""

    def __init__(self, source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> None:
        self._source, self._log = source, log
        self._layer = chosen_layer(source, wanted.options.layer)
        self._rules = TextRules(np.empty(0, np.int64), log, wanted.limits, wanted.repair)
        try:
            with quiet():
                info: dict[str, Any] = pyogrio.read_info(
                    source.target, layer=self._layer, force_feature_count=True, **source.open_options
                )
        except (RuntimeError, OSError, ValueError, LookupError) as error:
            raise _broken_sheet() from error
        facts.layer, facts.layers = self._layer or "", tuple(layer.name for layer in source.layers)
        facts.encoding, facts.count = "utf-8", int(info["features"])
        require_rows(facts.count, wanted.limits)
        raw = [str(name) for name in info["fields"]]
        clean = Names.of(raw, None, Wanted(limits=wanted.limits)).clean
        self.header = list(clean.values())
        self.types = {
            clean[name]: "date" if str(dtype).endswith("[D]") else "datetime"
            for name, dtype in zip(raw, info["dtypes"], strict=True)
            if str(dtype).startswith("datetime")
        }

        # A cell may hold digits as text, in whatever script: a column of nothing else is a column of numbers.
        self._kinds = {clean[name]: _Kind(decimal_comma=False) for name in raw}
        texts = set()
        for batch in self._batches():
            for name, column in zip(self.header, batch.columns, strict=False):
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    texts.add(name)
                    self._kinds[name].look([cell or "" for cell in column.to_pylist()])
        self._texts = frozenset(texts)

    def chunks(self) -> Iterator[_Chunk]:
        done = 0
        for batch in self._batches():
            # The header is row 1.
            numbers = np.arange(done + 2, done + batch.num_rows + 2, dtype=np.int64)
            done += batch.num_rows
            rules = self._rules.of_batch(numbers)
            columns: dict[str, list[Json]] = {}
            for name, column in zip(self.header, batch.columns, strict=False):
                if name in self._texts:
                    cells = [cell or "" for cell in column.to_pylist()]
                    columns[name] = self._kinds[name].values(cells, name, rules)
                else:
                    columns[name] = column_from_arrow(column, name, rules) or [None] * batch.num_rows
            yield _Chunk(columns, numbers, np.zeros(len(numbers), dtype=bool), columns.__getitem__)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            with ExitStack() as stack:
                with quiet():
                    _, reader = stack.enter_context(
                        pyogrio.raw.open_arrow(
                            self._source.target, layer=self._layer, use_pyarrow=True, batch_size=BATCH_ROWS,
                            read_geometry=False, **self._source.open_options,
                        )
                    )  # fmt: skip
                while True:
                    with quiet():
                        batch = next(reader, None)
                    if batch is None:
                        return
                    yield batch
        except (RuntimeError, OSError, ValueError) as error:
            raise _broken_sheet() from error


def _broken_sheet() -> RefusedError:
    return RefusedError("broken_file", "The worksheet cannot be read.", "Save it again as .xlsx, or export it as CSV.")


# Where rows lie


@dataclass(frozen=True, slots=True)
class _Place:
    """The columns that say where a row is: two numbers, one text, or the code of a place."""

    x: str = ""
    y: str = ""
    wkt: str = ""
    code: str = ""
    is_degrees: bool = False


def _place_of(header: Sequence[str], wanted: Wanted) -> _Place:
    by_form = {normalise(name): name for name in reversed(header)}
    options = wanted.options
    for kind, given in (("code_field", options.code_field), ("wkt_field", options.wkt_field)):
        if not given:
            continue
        column = by_form.get(normalise(given))
        if column is None:
            raise RefusedError(
                "no_such_field",
                f"The table has no column '{given}'.",
                f"Its columns are {first_names(header, 40)}; name another with {option(kind)}.",
                row=1,
            )
        return _Place(code=column) if kind == "code_field" else _Place(wkt=column)
    if options.x_field or options.y_field:
        return _named_place(header, (options.x_field, options.y_field), by_form)
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
        f"Name them with {option('x_field')} and {option('y_field')}, name a column with codes or names of places with "
        f"{option('code_field')}, or call them lon and lat.",
        row=1,
    )


def _named_place(header: Sequence[str], given: tuple[str | None, str | None], by_form: Mapping[str, str]) -> _Place:
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


def _coordinate(cell: Json) -> float:
    if isinstance(cell, str):
        return number(cell)
    return float(cell) if isinstance(cell, (int, float)) and not isinstance(cell, bool) else math.nan


def _geometries_of_text(field: str, chunk: _Chunk, log: ProblemLog) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    cells = ["" if cell is None else str(cell).strip() for cell in chunk.cells[field]]
    texts = np.array([cell or None for cell in cells], dtype=object)
    geometries = np.asarray(shapely.from_wkt(texts, on_invalid="ignore"), dtype=object)
    broken = shapely.is_missing(geometries) & np.array([bool(cell) for cell in cells]) & ~chunk.ragged

    def describe(index: int) -> Problem:
        message = f"{cells[index][:40]!r} is not a geometry in WKT."
        return Problem("error", "broken_geometry", message, "Export the table again.", int(chunk.numbers[index]), field)

    log.add_rows("error", "broken_geometry", np.flatnonzero(broken), describe)
    return geometries, np.asarray(broken | chunk.ragged)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
