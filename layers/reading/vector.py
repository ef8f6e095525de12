"""Vector files into batches of rows, through GDAL: whatever a source says, by its driver only."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio

from layers.reading import geojson
from layers.reading.columns import column_from_arrow
from layers.reading.containers import declared_codec
from layers.reading.dates import Dates
from layers.reading.encodings import dbf_texts
from layers.reading.limits import Limits
from layers.reading.plan import Json, Problem, ProblemLog, RefusedError
from layers.reading.projection import Reference, reference_of
from layers.reading.quiet import quiet
from layers.reading.request import BATCH_ROWS, Facts, Names, Raw, Wanted, duplicate_fields, require_rows
from layers.reading.source import Source, chosen_layer
from layers.reading.text import TextRules, codec_of, guess_encoding, note_guessed_encoding
from layers.reading.wkb import is_plain, parse_wkb

#: Bytes that GDAL may put into one batch of rows; more rows go into the next. A single row may have more.
BATCH_BYTES: Final = 32 << 20
pyogrio.set_gdal_config_options(
    {
        "OGR_ARROW_MEM_LIMIT": str(BATCH_BYTES),
        # The Arrow stream of this driver's own gives wrong offsets after a row without geometry (GDAL 3.12).
        "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    }
)
# Gives every byte of a text as one character, to be decoded here. An option of the file, not pyogrio's ``encoding``, which is set for
# the thread in which reading begins and taken back in the one in which it ends.
_RAW: Final = "ISO-8859-1"
_ANY_ENCODING: Final = ("ESRI Shapefile", "FlatGeobuf")
# What pyogrio, GDAL and Arrow raise for a file that they cannot read.
_UNREADABLE: Final = (RuntimeError, OSError, ValueError, LookupError, MemoryError, pa.ArrowException)
# The private path under which a file is opened, in whatever GDAL says of it.
_STAGED: Final = re.compile(r"'?[^\s']*reading-[^\s']*'?")


@dataclass(frozen=True, slots=True)
class _Opened:
    """A layer that can be read: where, and what it says of itself."""

    target: str
    layer: str | None
    options: dict[str, str]
    count: int  # -1 where nobody knows before it is read
    crs: str | None
    types: dict[str, str]  # name in the file → type, as numpy calls it
    codec: str  # of its text
    is_latin: bool = False  # text and names come as bytes, each a character


class VectorStream:
    """A layer of a vector file, opened; see `layers.reading.request.Stream`.

    Raises
    ------
    RefusedError
        On being made, where the file cannot be opened, or has no such layer or attribute.
    """

    def __init__(self, source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> None:
        self._source, self._wanted, self._log = source, wanted, log
        self._opened = opened = _open(source, wanted, facts, log)
        facts.layer = opened.layer or ""
        facts.layers = tuple(layer.name for layer in source.layers)
        facts.encoding = opened.codec
        facts.count = opened.count
        require_rows(opened.count, wanted.limits)
        self.names = Names.of(
            list(opened.types), opened.codec if opened.is_latin else None, wanted, left_out=source.housekeeping
        )
        self._dates = Dates() if source.format in ("GeoJSON", "GeoJSONSeq") else None  # in which they are text
        self.types = (
            self._dates.types
            if self._dates
            else {
                clean: "date" if opened.types[raw].endswith("[D]") else "datetime"
                for raw, clean in self.names.clean.items()
                if opened.types[raw].startswith("datetime")
            }
        )

    def reference(self) -> Reference:
        """Give the reference system of the coordinates."""
        return reference_of(self._opened.crs, self._wanted.options.source_epsg)

    def batches(self) -> Iterator[Raw]:
        """Give the rows; the size of each geometry is looked at before it is taken apart."""
        wanted, log, opened = self._wanted, self._log, self._opened
        rules = TextRules(np.empty(0, np.int64), log, wanted.limits, wanted.repair, wanted.options.encoding is not None)
        done = vertices = 0
        with ExitStack() as stack:
            for batch in _guarded(self._source, opened, self.names, wanted, log, stack):
                column = batch.column(batch.num_columns - 1)
                geometries, refused, count, hashes = parse_wkb(column, done, wanted, log)
                numbers = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
                vertices += count
                done += batch.num_rows
                _require_room(done, vertices, wanted.limits)
                columns = self._columns(batch, rules.of_batch(numbers), is_first=done == batch.num_rows)
                wkb = column if self._source.way == "gdal" and is_plain(column) else None
                yield Raw(geometries, refused, numbers, columns, hashes, wkb)
        if done != opened.count and opened.count >= 0:
            message = f"Only {done:,} of {opened.count:,} rows can be read: the file is damaged."
            raise RefusedError("broken_file", message, "Copy or upload it again.", row=done + 1)

    def _columns(self, batch: pa.RecordBatch, rules: TextRules, *, is_first: bool) -> dict[str, list[Json]]:
        found = {name: position for position, name in enumerate(batch.schema.names[:-1])}
        columns: dict[str, list[Json]] = {}
        for raw, clean in self.names.clean.items():
            values = None
            if (position := found.get(raw)) is not None:  # GDAL leaves out types that it cannot hand over
                column = batch.column(position)
                values = column_from_arrow(column, clean, rules, self._opened.codec, is_latin=self._opened.is_latin)
            if values is not None:
                columns[clean] = values
                if self._dates is not None:
                    self._dates.look(clean, values)
            elif is_first:
                message = "The attribute is binary data, which is not kept."
                self._log.add(Problem("warning", "binary_field", message, "Nothing to do.", field=clean))
        return columns


# Opening


def _open(source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> _Opened:
    """Open a layer, by the driver of its format only, and learn what it says of itself."""
    layer = chosen_layer(source, wanted.options.layer)
    encoding = wanted.options.encoding
    if source.way == "arrow":
        from layers.reading.arrow_layers import open_batches

        with open_batches(source, layer, limits=wanted.limits, batch_rows=BATCH_ROWS) as opened:
            return _Opened("", layer, {}, opened.n_rows, opened.crs, dict(opened.fields), "utf-8")
    if source.format == "GeoJSON":
        return _open_geojson(source, wanted, facts)
    is_latin = source.format == "ESRI Shapefile"
    # The other formats fix the encoding of their text.
    codec = codec_of(encoding) if encoding and source.format in _ANY_ENCODING else source.encoding
    options = dict(source.open_options) | ({"ENCODING": _RAW} if is_latin else {})
    info = _info(source, source.target, layer, options)
    if source.format == "GeoJSONSeq" and any(str(dtype).startswith("datetime") for dtype in info["dtypes"]):
        # Its driver knows no other way than to write anew what looks like a date.
        target, options = f"GeoJSON:{geojson.collected(source.path)}", {"DATE_AS_STRING": "YES"}
        return _opened(target, None, options, _asked(target, None, options), info["crs"], "utf-8")
    if is_latin:
        codec = codec or declared_codec(source.path) or _guessed_codec(source.path, info, facts, log)
    return _opened(source.target, layer, options, info, info["crs"] or source.crs, codec or "utf-8", is_latin=is_latin)


def _open_geojson(source: Source, wanted: Wanted, facts: Facts) -> _Opened:
    text = geojson.as_utf8(source.path, wanted.options.encoding)
    named = geojson.declared_crs(text.path)
    if named is not None and wanted.options.source_epsg is None and not geojson.is_known_crs(named):
        reference_of(named, None)  # refuses a name that nobody knows
        raise RefusedError(
            "unknown_crs", f"The file names its reference system in an unusual way: {named!r}.",
            "Write longitude and latitude without a 'crs' member, as RFC 7946 demands.",
        )  # fmt: skip
    # The prefix makes GDAL use this driver and no other.
    target = f"GeoJSON:{text.path}"
    options = dict(source.open_options)
    try:
        info = _asked(target, None, options)
    except _UNREADABLE as error:
        raise geojson.fault(text.path, str(error)) from error
    opened = _opened(target, None, options, info, info["crs"] or geojson.CRS84, "utf-8")
    facts.encoding = text.encoding
    return opened


def _opened(
    target: str,
    layer: str | None,
    options: dict[str, str],
    info: dict[str, Any],
    crs: str | None,
    codec: str,
    *,
    is_latin: bool = False,
) -> _Opened:
    if info["geometry_type"] is None:
        raise RefusedError(
            "no_geometry_column",
            "The layer is a table without geometry.",
            "Choose a layer with points, lines or areas.",
        )
    names = [str(name) for name in info["fields"]]
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    if twice:
        raise duplicate_fields(twice)
    types = dict(zip(names, (str(dtype) for dtype in info["dtypes"]), strict=True))
    return _Opened(target, layer, options, int(info["features"]), crs, types, codec, is_latin)


def _info(source: Source, target: str, layer: str | None, options: dict[str, str]) -> dict[str, Any]:
    try:
        info = _asked(target, layer, options)
    except _UNREADABLE as error:
        raise _broken(error) from error
    if info["driver"] != source.driver:
        raise RefusedError(
            "mislabelled", f"The content is not {source.format} but {info['driver']}.", "Export the file again."
        )
    return info


def _asked(target: str, layer: str | None, options: dict[str, str]) -> dict[str, Any]:
    with quiet():
        info: dict[str, Any] = pyogrio.read_info(target, layer=layer, force_feature_count=True, **options)
    return info


def _guessed_codec(shp: Path, info: dict[str, Any], facts: Facts, log: ProblemLog) -> str:
    """Guess the encoding of a shapefile's text from the bytes that are not ASCII, wherever they are in it."""
    names = b" ".join(str(name).encode("latin-1", errors="replace") for name in info["fields"])
    sample = b" ".join((names, *dbf_texts(shp.with_suffix(".dbf"))))
    if not sample.isascii():
        facts.is_encoding_guessed = True
        note_guessed_encoding(log, guess_encoding(sample))
    return guess_encoding(sample)


# Reading


def _guarded(
    source: Source, opened: _Opened, names: Names, wanted: Wanted, log: ProblemLog, stack: ExitStack
) -> Iterator[pa.RecordBatch]:
    """Give the batches of a layer as Arrow, whoever makes them."""
    if source.way == "arrow":
        from layers.reading.arrow_layers import open_batches

        reading = stack.enter_context(
            open_batches(source, opened.layer, columns=list(names.clean), limits=wanted.limits, batch_rows=BATCH_ROWS)
        )
        yield from reading.batches
        for problem in reading.warnings:
            log.add(problem)
        return
    done = 0
    try:
        with quiet():
            reader = stack.enter_context(_arrow(opened, names))
        while True:
            with quiet():
                batch = next(reader, None)
            if batch is None:
                return
            yield batch
            done += batch.num_rows
    except _UNREADABLE as error:
        raise _broken(error, row=_first_unreadable(opened, names, done)) from error


@contextmanager
def _arrow(opened: _Opened, names: Names, **part: int) -> Iterator[Iterator[pa.RecordBatch]]:
    with pyogrio.raw.open_arrow(
        opened.target,
        layer=opened.layer,
        columns=list(names.clean),
        use_pyarrow=True,
        batch_size=BATCH_ROWS,
        **part,
        **opened.options,
    ) as (_, reader):
        yield iter(reader)


def _first_unreadable(opened: _Opened, names: Names, done: int) -> int:
    """Find the row at which reading stops, by halving the number of rows asked for."""
    whole, broken = 0, BATCH_ROWS if opened.count < 0 else max(1, min(BATCH_ROWS, opened.count - done))
    while broken - whole > 1:
        half = (whole + broken) // 2
        try:
            with quiet(), _arrow(opened, names, skip_features=done, max_features=half) as reader:
                for _ in reader:
                    pass
        except _UNREADABLE:
            broken = half
        else:
            whole = half
    return done + broken


def _require_room(rows: int, vertices: int, limits: Limits) -> None:
    if rows > limits.rows:
        raise RefusedError("too_many_rows", f"The layer has more than {limits.rows:,} rows.", "Cut it to the city.")
    if vertices > limits.vertices:
        raise RefusedError(
            "too_many_vertices",
            f"The geometries of the first {rows:,} rows have more than {limits.vertices:,} vertices together.",
            "Simplify the layer, or cut it to the city.",
            row=rows,
        )


def _broken(error: BaseException, *, row: int | None = None) -> RefusedError:
    beyond = "cannot be read" if row is None else f"cannot be read from row {row:,} on"
    return RefusedError(
        "broken_file",
        f"The file {beyond}: {_detail(error)}.",
        "Copy, export or upload it again; it may be cut off.",
        row=row,
    )


def _detail(error: BaseException) -> str:
    """Give the first sentence of what GDAL says, without the private name under which the file was opened."""
    if isinstance(error, LookupError):
        return "no layer can be found in it"
    words = " ".join(_STAGED.sub("the file", str(error)).split(";")[0].split())
    return words.rstrip(". ")[:200] or type(error).__name__
