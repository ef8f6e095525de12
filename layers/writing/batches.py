"""Rows as a format takes them: typed, in the reference system asked for, with what has to be said of them counted."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, project
from layers.models import Release
from layers.writing.columns import ARROW, Column
from layers.writing.formats import Format
from layers.writing.rows import Raw, raw_batches


class ContradictedError(Exception):
    """A value is not of the type that its field was said to have."""


@dataclass(slots=True)
class Facts:
    """What the values of one field are."""

    filled: int = 0
    withheld: int = 0
    cut: int = 0
    minimum: Any = None
    maximum: Any = None

    def add(self, column: pa.Array) -> None:
        """Count some values."""
        self.filled += len(column) - column.null_count
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind):
            found = pc.min_max(column).as_py()
            if found["min"] is not None:
                self.minimum = found["min"] if self.minimum is None else min(self.minimum, found["min"])
                self.maximum = found["max"] if self.maximum is None else max(self.maximum, found["max"])


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some rows as they go out.

    Attributes
    ----------
    first
        Number of the first row in the export, from 1.
    columns
        Typed; what the format has no type for as text.
    shapes
        Well-known binary in the reference system asked for, or KML.
    lon_lat
        A point of each row in degrees, shape ``(n, 2)``; None where the format does not say it.
    """

    first: int
    columns: list[pa.Array]
    shapes: pa.Array
    lon_lat: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.shapes)


@dataclass(slots=True)
class Told:
    """What an export says of itself once it is written."""

    facts: list[Facts]
    n_rows: int = 0
    bounds: tuple[float, float, float, float] | None = None
    geometry_types: set[str] = field(default_factory=set)
    n_long: int = 0


LONG_TEXTS: Final = "long-texts.csv"


def batches(
    release: Release,
    columns: Sequence[Column],
    form: Format,
    epsg: int,
    told: Told,
    *,
    is_multi: bool = False,
    wants_points: bool = False,
    long_texts: Any = None,
) -> Iterator[Batch]:
    """Give the rows of a release as a format takes them.

    Parameters
    ----------
    told
        Is filled on the way.
    is_multi
        Whether single geometries are made collections of one.
    wants_points
        Whether a point of each row in degrees is wanted.
    long_texts
        Takes texts that the format would cut: called with the row, the field and the text.

    Raises
    ------
    ContradictedError
        Where a value is not of its field's type: nothing of it was written yet.
    """
    for raw in raw_batches(release, columns, form.shape, is_multi=is_multi):
        typed = [_typed(column, texts, form) for column, texts in zip(columns, raw.texts, strict=True)]
        first = told.n_rows + 1
        for at, (column, facts) in enumerate(zip(columns, told.facts, strict=True)):
            values, shown = typed[at]
            if column.below:
                values, shown, facts.withheld = _withheld(column, values, shown, facts.withheld)
            facts.add(values)
            if form.longest_text and pa.types.is_string(shown.type):
                before = told.n_long
                shown = _cut(shown, form, first, column.name, long_texts, told)
                facts.cut += told.n_long - before
            typed[at] = values, shown
        shapes, lon_lat = _shapes(raw, epsg, form, wants_points, told)
        told.n_rows += len(raw)
        yield Batch(first, [shown for _, shown in typed], shapes, lon_lat)


def arrow_type(column: Column, form: Format) -> pa.DataType:
    """Return what the values of a field are to Arrow in a format."""
    return pa.string() if column.type in form.as_text else ARROW.get(column.type, pa.string())


def _typed(column: Column, texts: pa.Array, form: Format) -> tuple[pa.Array, pa.Array]:
    """Return the values of a column, and how they are shown in the format."""
    kind = ARROW.get(column.type)
    if kind is None:
        return texts, texts
    try:
        # A time may be more exact than the formats: the rest is cut.
        values = texts.cast(pa.timestamp("us", kind.tz)) if pa.types.is_timestamp(kind) else texts.cast(kind)
        values = values.cast(kind, safe=False) if pa.types.is_timestamp(kind) else values
    except pa.ArrowInvalid as error:
        raise ContradictedError(column.key) from error
    return values, texts if column.type in form.as_text else values


def _withheld(column: Column, values: pa.Array, shown: pa.Array, before: int) -> tuple[pa.Array, pa.Array, int]:
    """Take out counts of few people; of a field that should be numbers and is not, everything."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        few = pc.fill_null(pc.and_(pc.greater(values, 0), pc.less(values, column.below)), False)
    else:
        few = pc.is_valid(values)
    count = int(pc.sum(few).as_py() or 0)
    return (
        pc.if_else(few, pa.scalar(None, values.type), values),
        pc.if_else(few, pa.scalar(None, shown.type), shown),
        before + count,
    )


def _cut(texts: pa.Array, form: Format, first: int, name: str, long_texts: Any, told: Told) -> pa.Array:
    """Cut what is longer than the format can hold, after the last whole letter, and hand over the whole of it."""
    # No text has more letters than bytes.
    maybe = pc.fill_null(pc.greater(pc.binary_length(texts), form.longest_text), False).to_numpy(zero_copy_only=False)
    if not maybe.any():
        return texts
    values = texts.to_pylist()
    for at in np.flatnonzero(maybe).tolist():
        whole = values[at]
        values[at] = shortened(whole, form)
        if values[at] != whole:
            long_texts(first + at, name, whole)
            told.n_long += 1
    return pa.array(values, pa.string())


def shortened(text: str, form: Format) -> str:
    """Return as much of a text as a format can hold."""
    if form.is_byte_limit:
        return text.encode()[: form.longest_text].decode(errors="ignore")
    # A letter outside the first plane counts as two in a worksheet.
    return text[: form.longest_text].encode("utf-16-le")[: 2 * form.longest_text].decode("utf-16-le", errors="ignore")


def _shapes(
    raw: Raw, epsg: int, form: Format, wants_points: bool, told: Told
) -> tuple[pa.Array, NDArray[np.float64] | None]:
    if form.shape == "kml":
        return raw.shapes.cast(pa.string()), None
    is_moved = epsg != STORAGE_EPSG
    if not (is_moved or wants_points or form.code == "parquet"):
        return raw.shapes, None
    geometries = shapely.from_wkb(raw.shapes.to_numpy(zero_copy_only=False))
    lon_lat = None
    if wants_points:
        is_point = shapely.get_type_id(geometries) == 0
        points = geometries if is_point.all() else np.where(is_point, geometries, shapely.point_on_surface(geometries))
        lon_lat = shapely.get_coordinates(points)
    shapes = raw.shapes
    if is_moved:
        geometries = project(geometries, STORAGE_EPSG, epsg)
        shapes = pa.array(shapely.to_wkb(geometries), pa.binary())
    _describe(geometries, told)
    return shapes, lon_lat


def _describe(geometries: NDArray[np.object_], told: Told) -> None:
    told.geometry_types |= {_TYPES[int(kind)] for kind in np.unique(shapely.get_type_id(geometries)) if kind in _TYPES}
    west, south, east, north = (float(v) for v in shapely.total_bounds(geometries))
    box = told.bounds
    told.bounds = (
        (west, south, east, north)
        if box is None
        else (min(west, box[0]), min(south, box[1]), max(east, box[2]), max(north, box[3]))
    )


_TYPES: Final = {
    0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
}  # fmt: skip


def digest_header(sha256: str) -> str:
    """Return a hash as the header ``Repr-Digest`` says it (RFC 9530).

    Examples
    --------
    >>> digest_header("00" * 32)
    'sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:'
    """
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
