"""What reading a file gives: rows ready to be stored, and every problem with its place and remedy.

Nothing here touches a file or a database. A plan with an error is never stored in part: fix the file, or accept the
repair that the message offers, and read it again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geo.errors import InvalidInput, LimitExceeded
from layers.reading.problems import Json, Problem, ProblemLog, RefusedError, Severity, first_names

__all__ = [
    "Candidate", "FieldFacts", "Json", "Kind", "Plan", "Problem", "ProblemLog", "RasterPlan", "RefusedError", "Rows",
    "Severity", "Trouble", "first_names", "summary",
]  # fmt: skip

Kind: TypeAlias = Literal["point", "line", "polygon"]

#: Codes of problems about size, which the web answers with 413 instead of 400.
_LIMIT_CODES: Final = frozenset({
    "file_too_large", "too_many_rows", "too_many_fields", "too_many_vertices", "archive_too_large",
    "raster_too_large", "text_too_long",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What one attribute of a file holds.

    Attributes
    ----------
    name
        As it is kept.
    type
        ``text``, ``integer``, ``number``, ``boolean``, ``date``, ``datetime``, ``object`` (lists, objects, or several
        of these), or ``empty`` where no row has a value.
    filled
        Rows with a value.
    examples
        A few different values, in the order in which they come.
    """

    name: str
    type: str
    filled: int
    examples: tuple[Json, ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Give them as JSON-safe values."""
        return {"name": self.name, "type": self.type, "filled": self.filled, "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way of reading a file's coordinates that puts them into the city.

    Attributes
    ----------
    epsg
        Reference system to name.
    swap_xy
        Whether x and y have to be exchanged.
    scale
        What the numbers have to be multiplied with, 0.3048 for feet.
    share_inside
        Share of a sample of the vertices that then lies in the city's bounds, 0 to 1.
    label
        ``EPSG:32639``, with ``, x and y exchanged`` or ``, in feet`` where it is so.
    points
        Longitude and latitude of some of the vertices, read this way: for a small map.
    """

    epsg: int
    swap_xy: bool
    scale: float
    share_inside: float
    label: str
    points: tuple[tuple[float, float], ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Give it as JSON-safe values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, eq=False)
class Trouble:
    """A geometry with a problem, simplified, for showing on a map: EPSG:4326."""

    row: int
    severity: Severity
    code: str
    geometry_4326: shapely.Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a vector layer, column by column.

    Attributes
    ----------
    geometries_4326
        Shape ``(n,)``, two-dimensional shapely geometries in EPSG:4326; None where an error was found.
    numbers
        Shape ``(n,) int64``, the row of each in the file, as in `Problem.row`.
    names
        One name per row, cleaned; empty where there is none.
    columns
        Attribute name to one JSON-safe value per row: dates are ISO 8601 text, NaN and infinity are None.
    wkb
        Arrow array of the geometries in well-known binary, little endian, where the file has them just so.
    """

    geometries_4326: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    names: tuple[str, ...] = ()
    columns: Mapping[str, list[Json]] = field(default_factory=dict)
    wkb: pa.Array | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.geometries_4326)

    @property
    def fields(self) -> tuple[str, ...]:
        """Attribute names, in the file's order."""
        return tuple(self.columns)

    def part(self, start: int, stop: int) -> "Rows":
        """Give some of the rows, from one position to before another."""
        columns = {name: values[start:stop] for name, values in self.columns.items()}
        wkb = None if self.wkb is None else self.wkb[start:stop]
        return Rows(self.geometries_4326[start:stop], self.numbers[start:stop], self.names[start:stop], columns, wkb)

    def attributes(self) -> Iterator[dict[str, Json]]:
        """Give each row's attributes as a JSON-safe dict; what is null is left out."""
        if not self.columns:
            for _ in range(len(self)):
                yield {}
            return
        names = tuple(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What every plan says about its file and its problems."""

    file_name: str
    format: str
    sha256: str
    problems: tuple[Problem, ...]
    counts: Mapping[Severity, Mapping[str, int]]

    @property
    def is_loadable(self) -> bool:
        """True if no error was found, so that the rows may be stored, all of them."""
        return not self.counts["error"]

    @property
    def n_errors(self) -> int:
        """Errors found, whether kept or not."""
        return sum(self.counts["error"].values())

    @property
    def n_warnings(self) -> int:
        """Warnings found, whether kept or not."""
        return sum(self.counts["warning"].values())

    @property
    def n_repaired(self) -> int:
        """Repairs made, whether kept or not."""
        return sum(self.counts["repaired"].values())

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors that were kept."""
        return tuple(p for p in self.problems if p.severity == "error")

    def require_loadable(self) -> None:
        """Raise the first error if there is one.

        Raises
        ------
        LimitExceeded
            If the file, or a part of it, is too large.
        InvalidInput
            For any other error; says how many more there are.
        """
        if self.is_loadable:
            return
        first = self.errors[0]
        where = f"{self.file_name}, {first.where}" if first.where else self.file_name
        more = self.n_errors - 1
        message = first.message if not more else f"{first.message} ({more:,} more error{'s' if more > 1 else ''}.)"
        kind = LimitExceeded if first.code in _LIMIT_CODES else InvalidInput
        raise kind(message, code=first.code, where=where, remedy=first.remedy)


@dataclass(frozen=True, slots=True, eq=False)
class Plan(_Read):
    """A vector file read and checked, nothing written yet.

    Attributes
    ----------
    file_name
        Name of the file, without its folder.
    format
        What its content is: ``GPKG``, ``GeoJSON``, ``ESRI Shapefile``, ``FlatGeobuf``, ``CSV``, or empty if unknown.
    sha256
        Hash of its bytes, hexadecimal; of a shapefile, of its parts in the order shp, shx, dbf, prj, cpg.
    problems, counts
        What was found, capped, and how often, not capped.
    layer
        Layer within the file; empty where a file has only one.
    crs
        Reference system the coordinates were read in, as ``EPSG:4674`` or by name; empty if none was found.
    encoding
        Text encoding used, for example ``utf-8`` or ``cp1256``.
    kind
        ``point``, ``line`` or ``polygon``; None if there are no rows.
    rows
        The rows themselves; empty in the plan of a `layers.reading.reading.Reading`, which gave them in batches.
    n_rows
        How many rows there are, without those a repair leaves out.
    fields
        What the attributes hold.
    bounds_4326
        Degrees (west, south, east, north) around the rows without an error; None if there are none.
    preview
        The first rows.
    troubles
        Geometries of rows with a problem, not more than the limit.
    is_crs_guessed, is_encoding_guessed
        True where the file did not say it.
    is_plausible
        Whether the rows lie near the city; None if no city was given, or nothing could be placed.
    candidates
        Other ways of reading the coordinates, which would put them into the city; the best first.
    points
        Where there are candidates, longitude and latitude of some of the vertices as they were read.
    encoding_samples
        Some texts that are not ASCII as they would read in each likely encoding; empty where there is nothing to choose.
    layers
        The layers with geometry that the file has, where it can have several.
    """

    layer: str = ""
    crs: str = ""
    encoding: str = ""
    kind: Kind | None = None
    rows: Rows = field(default_factory=Rows)
    n_rows: int = 0
    fields: tuple[FieldFacts, ...] = ()
    bounds_4326: tuple[float, float, float, float] | None = None
    preview: Rows = field(default_factory=Rows)
    troubles: tuple[Trouble, ...] = ()
    is_crs_guessed: bool = False
    is_encoding_guessed: bool = False
    is_plausible: bool | None = None
    candidates: tuple[Candidate, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    encoding_samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RasterPlan(_Read):
    """A raster file read and checked, nothing written yet.

    Attributes
    ----------
    crs
        Reference system, as ``EPSG:32639`` or by name; empty if none was found.
    epsg
        Its EPSG code; None if it has none.
    is_crs_named
        Whether the person named it, and the file says nothing or something else.
    width, height
        Columns and rows of pixels.
    band, bands
        The band read, counted from 1, and how many there are.
    dtype
        Pixel type, for example ``float32``.
    nodata
        Value of pixels without data; None if none is declared. NaN is reported as ``nan``.
    transform
        The six coefficients (a, b, c, d, e, f): x = a·column + b·row + c, y = d·column + e·row + f.
    bounds_4326
        Degrees (west, south, east, north) around the raster; None if it has no usable reference system.
    valid_pixels
        Pixels with data.
    minimum, maximum, total
        Over the pixels with data; None if there are none. ``total`` is the plain sum, for rasters of counts.
    """

    crs: str = ""
    epsg: int | None = None
    is_crs_named: bool = False
    width: int = 0
    height: int = 0
    band: int = 1
    bands: int = 0
    dtype: str = ""
    nodata: float | None = None
    transform: tuple[float, float, float, float, float, float] | None = None
    bounds_4326: tuple[float, float, float, float] | None = None
    valid_pixels: int = 0
    minimum: float | None = None
    maximum: float | None = None
    total: float | None = None


def summary(plan: Plan | RasterPlan, *, shown: int = 20) -> str:
    """Put a plan into lines for a terminal: the file, the totals, and the first problems."""
    what = f"{plan.n_rows:,} rows" if isinstance(plan, Plan) else f"{plan.width:,} × {plan.height:,} pixels"
    head = (
        f"{plan.file_name}: {plan.format or 'unknown format'}, {plan.crs or 'no CRS'}, {what}; "
        f"{plan.n_errors:,} errors, {plan.n_repaired:,} repaired, {plan.n_warnings:,} warnings"
    )
    lines = [head, *(f"  {problem}" for problem in plan.problems[:shown])]
    more = plan.n_errors + plan.n_repaired + plan.n_warnings - min(shown, len(plan.problems))
    return "\n".join([*lines, f"  … and {more:,} more"] if more > 0 else lines)
