"""GeoPackage, GeoJSON, Shapefile and FlatGeobuf into a plan of rows and located problems, through GDAL."""

import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
from numpy.typing import NDArray

from layers.reading import geojson
from layers.reading.checks import check_geometries
from layers.reading.columns import column_from_arrow, column_from_bytes
from layers.reading.containers import declared_codec, require_sound_geopackage, require_whole_shapefile
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Json, Kind, Plan, Problem, ProblemLog, RefusedError, first_names
from layers.reading.projection import Bounds, reference_of
from layers.reading.request import Facts, Names, Wanted, duplicate_fields, rows_of
from layers.reading.source import Source, open_source
from layers.reading.text import TextRules, codec_of, guess_encoding, note_guessed_encoding
from layers.reading.wkb import parse_wkb
from layers.reading.wording import COMMAND, Wording, option

_BATCH_ROWS: Final = 16_384
_RAW: Final = "ISO-8859-1"  # gives every byte of a text as one character, to be decoded here
# Read feature by feature: a shapefile because only its bytes tell their encoding, a FlatGeobuf because GDAL's Arrow
# stream of it gives wrong offsets after a row without geometry (GDAL 3.12).
_BY_FEATURE: Final = ("ESRI Shapefile", "FlatGeobuf")
_GUESS_BYTES: Final = 4 << 20
# What pyogrio, GDAL and Arrow raise for a file that they cannot read.
_UNREADABLE: Final = (RuntimeError, OSError, ValueError, LookupError, MemoryError, pa.ArrowException)
# The private path under which a file is opened, in whatever GDAL says of it.
_STAGED: Final = re.compile(r"'?[^\s']*reading-[^\s']*'?")


def read_vector(
    path: Path,
    *,
    layer: str | None = None,
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
    """Read a vector file into rows in EPSG:4326, with every problem located. Never raises for a bad file.

    Parameters
    ----------
    path
        A .gpkg, .geojson, .json, .fgb or .shp file, a folder with one shapefile, or a .zip with one.
    layer
        Layer of a GeoPackage; may be left out if it has only one.
    source_epsg
        EPSG code of the coordinates, where the file says nothing or something wrong.
    encoding
        Encoding of the text, where the file says nothing or something wrong.
    fields
        Attributes to keep; all if None. Names are compared in their cleaned form.
    name_field
        Attribute that becomes each row's name; it is kept among the attributes only if ``fields`` says so.
    expect
        Kind of geometry the rows must have; None accepts any one kind.
    repair
        Mend invalid geometries and spoilt text, and leave out rows without a geometry, saying so for each.
    near
        Bounds of the city in degrees (west, south, east, north), to notice data that lies elsewhere.
    limits
        Sizes accepted.
    wording
        How remedies call these options: in the caller's words.

    Returns
    -------
    Plan
        Loadable only if it has no error. Feature 1 of the layer is row 1.
    """
    wanted = Wanted(layer, source_epsg, encoding, fields, name_field, expect, repair, near, limits)
    log = ProblemLog(limits, wording)
    facts = Facts()
    try:
        with open_source(Path(path), limits) as source:
            facts.format, facts.sha256 = source.format, source.sha256
            if source.format in ("CSV", "GTiff"):
                raise RefusedError(
                    "not_a_vector_file", f"The file is a {source.format}, not a vector layer.", "Choose another file."
                )
            _read(source, wanted, facts, log)
    except RefusedError as refused:
        log.add(refused.problem)
    return facts.plan(Path(path).name, log)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A layer that GDAL has opened: where, and what it says of it."""

    target: str
    layer: str | None
    count: int
    crs: str | None
    fields: dict[str, str]  # name in the file → type
    codec: str | None  # None while it has to be guessed


@dataclass(frozen=True, slots=True)
class _Table:
    """A layer as read: geometries in the file's system, attributes not yet cleaned, rows already refused."""

    geometries: NDArray[np.object_]
    refused: NDArray[np.bool_]
    columns: dict[str, Any]  # name in the file → Arrow or numpy column
    codec: str


def _read(source: Source, wanted: Wanted, facts: Facts, log: ProblemLog) -> None:
    opened = _open(source, wanted)
    facts.layer = opened.layer or ""
    facts.encoding = opened.codec or ""
    reference = reference_of(opened.crs, wanted.source_epsg)
    facts.crs = reference.label
    if opened.count == 0:
        raise RefusedError("no_rows", "The layer has no rows.", "Export it again, or choose another layer.")
    if opened.count > wanted.limits.rows:
        raise RefusedError(
            "too_many_rows",
            f"The layer has {opened.count:,} rows, more than {wanted.limits.rows:,}.",
            "Cut it to the city, or split it.",
        )
    by_feature = source.format in _BY_FEATURE
    # Names are bytes there; until the encoding is known, they are chosen by a provisional reading.
    names = Names.of(list(opened.fields), opened.codec or "utf-8" if by_feature else None, wanted)
    table = _read_features(opened, names, wanted, log) if by_feature else _read_arrow(opened, names, wanted, log)
    if opened.codec is None:
        names = Names.of(list(opened.fields), table.codec, wanted)
    facts.encoding = table.codec
    n = len(table.geometries)
    if n != opened.count and opened.count >= 0:
        message = f"Only {n:,} of {opened.count:,} rows can be read: the file is damaged."
        raise RefusedError("broken_file", message, "Copy or upload it again.", row=n + 1)
    numbers = np.arange(1, n + 1, dtype=np.int64)
    rules = TextRules(numbers, log, wanted.limits, wanted.repair, wanted.encoding is not None)
    columns: dict[str, list[Json]] = {}
    for raw, clean in names.clean.items():
        values = None
        if (column := table.columns.get(raw)) is not None:  # GDAL leaves out types that it cannot hand over
            values = (
                column_from_bytes(column, opened.fields[raw], clean, table.codec, rules)
                if by_feature
                else column_from_arrow(column, clean, rules)
            )
        if values is None:
            message = "The attribute is binary data, which is not kept."
            log.add(Problem("warning", "binary_field", message, "Nothing to do.", field=clean))
        else:
            columns[clean] = values
    checked = check_geometries(table.geometries, numbers, wanted.rules(reference), log, table.refused)
    facts.kind = checked.kind
    facts.rows = rows_of(checked.geometries_4326, numbers, columns, names.name, names.kept, checked.kept)


# Opening


def _open(source: Source, wanted: Wanted) -> _Opened:
    """Open a layer, by the driver of its format only, and learn what it says of itself."""
    if source.format == "GeoJSON":
        return _open_geojson(source, wanted)
    path = source.path
    layer = None
    codec = codec_of(wanted.encoding) if wanted.encoding else None
    encoding = None
    if source.format == "GPKG":
        layer = _layer_of_geopackage(path, wanted)
        codec = codec or "utf-8"
    elif source.format == "ESRI Shapefile":
        require_whole_shapefile(path)
        codec = codec or declared_codec(path)
        encoding = _RAW
    else:
        codec = codec or "utf-8"
        encoding = _RAW
    if layer is None:
        _require_no_layer(source, wanted)
    try:
        info = _info(str(path), layer, encoding)
    except _UNREADABLE as error:
        raise _broken(error) from error
    if info["driver"] != source.format:
        raise RefusedError(
            "mislabelled", f"The content is not {source.format} but {info['driver']}.", "Export the file again."
        )
    return _opened(str(path), layer, info, codec)


def _open_geojson(source: Source, wanted: Wanted) -> _Opened:
    _require_no_layer(source, wanted)
    text = geojson.as_utf8(source.path, wanted.encoding)
    named = geojson.declared_crs(text.path)
    if named is not None and wanted.source_epsg is None and not geojson.is_known_crs(named):
        reference_of(named, None)  # refuses a name that nobody knows
        raise RefusedError(
            "unknown_crs", f"The file names its reference system in an unusual way: {named!r}.",
            "Write longitude and latitude without a 'crs' member, as RFC 7946 demands.",
        )  # fmt: skip
    # The prefix makes GDAL use this driver and no other.
    target = f"GeoJSON:{text.path}"
    try:
        info = _info(target, None, None)
    except _UNREADABLE as error:
        raise geojson.fault(text.path, str(error)) from error
    if info["crs"] is None:
        info["crs"] = geojson.CRS84
    opened = _opened(target, None, info, "utf-8")
    return _Opened(opened.target, None, opened.count, opened.crs, opened.fields, text.encoding)


def _opened(target: str, layer: str | None, info: dict[str, Any], codec: str | None) -> _Opened:
    if info["geometry_type"] is None:
        raise RefusedError(
            "no_geometry_column",
            "The layer is a table without geometry.",
            "Choose a layer with points, lines or areas.",
        )
    names = [str(name) for name in info["fields"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise duplicate_fields(twice)
    types = dict(zip(names, (str(dtype) for dtype in info["dtypes"]), strict=True))
    return _Opened(target, layer, int(info["features"]), info["crs"], types, codec)


def _info(target: str, layer: str | None, encoding: str | None) -> dict[str, Any]:
    with _quiet():
        info: dict[str, Any] = pyogrio.read_info(target, layer=layer, encoding=encoding, force_feature_count=True)
    return info


def _layer_of_geopackage(path: Path, wanted: Wanted) -> str:
    views = require_sound_geopackage(path)
    try:
        with _quiet():
            listed = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
    except _UNREADABLE as error:
        raise _broken(error) from error
    layers = [name for name, kind in listed if kind is not None and name not in views]
    if wanted.layer is not None:
        if wanted.layer in layers:
            return wanted.layer
        raise RefusedError(
            "no_such_layer",
            f"The GeoPackage has no layer '{wanted.layer}' with geometry.",
            f"Its layers are {first_names(layers)}; choose one with {option('layer')}.",
        )
    if len(layers) == 1:
        return layers[0]
    if not layers:
        raise RefusedError("no_layers", "The GeoPackage has no layer with geometry.", "Export a layer into it.")
    raise RefusedError(
        "several_layers",
        f"The GeoPackage has {len(layers)} layers: {first_names(layers)}.",
        f"Choose one with {option('layer')}.",
    )


def _require_no_layer(source: Source, wanted: Wanted) -> None:
    if wanted.layer is not None:
        raise RefusedError(
            "no_such_layer", f"A {source.format} file has one layer only.", f"Leave {option('layer')} out."
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


# Reading


def _read_arrow(opened: _Opened, names: Names, wanted: Wanted, log: ProblemLog) -> _Table:
    """Read a layer in batches, looking at the size of each geometry before it is taken apart."""
    geometries: list[NDArray[np.object_]] = []
    refused: list[NDArray[np.bool_]] = []
    attributes: list[pa.RecordBatch] = []
    done = vertices = 0
    try:
        with (
            _quiet(),
            pyogrio.raw.open_arrow(
                opened.target, layer=opened.layer, columns=list(names.clean), use_pyarrow=True, batch_size=_BATCH_ROWS
            ) as (_, reader),
        ):
            for batch in reader:
                parsed, bad, count = parse_wkb(batch.column(batch.num_columns - 1), done, wanted, log)
                vertices += count
                done += batch.num_rows
                _require_room(done, vertices, wanted.limits)
                geometries.append(parsed)
                refused.append(bad)
                attributes.append(batch.select(list(range(batch.num_columns - 1))))
    except _UNREADABLE as error:
        raise _broken(error, row=_first_unreadable(opened, names)) from error
    columns = {}
    if attributes:
        table = pa.Table.from_batches(attributes)
        columns = {name: table.column(position) for position, name in enumerate(table.schema.names)}
    return _Table(_joined(geometries, object), _joined(refused, bool), columns, opened.codec or "utf-8")


def _read_features(opened: _Opened, names: Names, wanted: Wanted, log: ProblemLog) -> _Table:
    """Read a layer with its text as bytes, which alone tell in which encoding they are."""
    try:
        with _quiet():
            meta, _, shapes, data = pyogrio.raw.read(
                opened.target, encoding=_RAW, columns=list(names.clean), datetime_as_string=True
            )
    except _UNREADABLE as error:
        raise _broken(error, row=_first_unreadable(opened, names)) from error
    codec = opened.codec
    columns = dict(zip((str(name) for name in meta["fields"]), data, strict=True))
    if codec is None:
        sample = _sample_of_text(list(opened.fields), list(columns.values()))
        codec = guess_encoding(sample)
        if not sample.isascii():
            note_guessed_encoding(log, codec)
    geometries: list[NDArray[np.object_]] = []
    refused: list[NDArray[np.bool_]] = []
    vertices = 0
    for start in range(0, len(shapes), _BATCH_ROWS):
        batch = pa.array(shapes[start : start + _BATCH_ROWS], pa.large_binary())
        shapes[start : start + _BATCH_ROWS] = None  # so that a geometry is in memory once
        parsed, bad, count = parse_wkb(batch, start, wanted, log)
        vertices += count
        _require_room(start + len(parsed), vertices, wanted.limits)
        geometries.append(parsed)
        refused.append(bad)
    return _Table(_joined(geometries, object), _joined(refused, bool), columns, codec)


def _sample_of_text(names: list[str], columns: list[NDArray[Any]]) -> bytes:
    pieces = [name.encode("latin-1", errors="replace") for name in names]
    room = _GUESS_BYTES
    for column in columns:
        if column.dtype != object:
            continue
        for value in {str(value) for value in column if value is not None}:
            if not value.isascii():
                pieces.append(value.encode("latin-1", errors="replace"))
                room -= len(value)
        if room < 0:
            break
    return b" ".join(pieces)


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


def _first_unreadable(opened: _Opened, names: Names) -> int:
    """Find the row at which reading stops, by halving the number of rows asked for."""
    whole, broken = 0, max(1, opened.count)
    while broken - whole > 1:
        half = (whole + broken) // 2
        try:
            with _quiet():
                pyogrio.raw.read(
                    opened.target, layer=opened.layer, encoding=_RAW, columns=list(names.clean), max_features=half
                )
        except _UNREADABLE:
            broken = half
        else:
            whole = half
    return broken


def _joined(parts: list[Any], dtype: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep GDAL's warnings from the terminal: what matters in them is found by the checks, with its row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
