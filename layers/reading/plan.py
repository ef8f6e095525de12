"""What reading a file gives: rows ready to be stored, and every problem with its place and remedy.

Nothing here touches a file or a database. A plan with an error is never stored in part: fix the file, or accept the
repair that the message offers, and read it again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput, LimitExceeded
from layers.reading.limits import DEFAULT, Limits
from layers.reading.wording import COMMAND, Wording

Severity: TypeAlias = Literal["error", "repaired", "warning"]
Kind: TypeAlias = Literal["point", "line", "polygon"]
Json: TypeAlias = Any  # str, int, float, bool, None, and lists and dicts of them: what PostgreSQL keeps as jsonb

_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "repaired", "warning")
#: Codes of problems about size, which the web answers with 413 instead of 400.
_LIMIT_CODES: Final = frozenset({
    "file_too_large", "too_many_rows", "too_many_fields", "too_many_vertices", "archive_too_large",
    "raster_too_large", "text_too_long",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file, located, in words for the person who brought the file.

    Attributes
    ----------
    severity
        ``error``: the file cannot be loaded; ``repaired``: mended because that was asked for; ``warning``: loaded as
        it is, but worth a look.
    code
        Stable machine-readable name.
    message, remedy
        What is wrong with which value, and what to do; complete English sentences.
    row
        Row in the file as its reader counts it: the first feature of a layer is 1; in a table the header is row 1.
        None if the whole file is meant.
    field
        Attribute concerned; None for the geometry or the file.
    lon, lat
        Where, degrees in EPSG:4326, when that can be said.
    """

    severity: Severity
    code: str
    message: str
    remedy: str = ""
    row: int | None = None
    field: str | None = None
    lon: float | None = None
    lat: float | None = None

    @property
    def where(self) -> str:
        """The place in words: ``row 3, field 'name', at 48.36, 33.49``; empty for the whole file."""
        parts = []
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field is not None:
            parts.append(f"field '{self.field}'")
        if self.lon is not None and self.lat is not None:
            parts.append(f"at {self.lon:.6g}, {self.lat:.6g}")
        return ", ".join(parts)

    def __str__(self) -> str:
        """One line for a log or a terminal."""
        place = f"{self.where}: " if self.where else ""
        return f"{self.severity}: {place}{self.message} {self.remedy}".rstrip()

    def as_dict(self) -> dict[str, Json]:
        """Give the problem as JSON-safe values, for an API or a release's record."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class RefusedError(Exception):
    """Reading cannot go on; carries the one problem that stops it. Never leaves `layers.reading`."""

    def __init__(
        self, code: str, message: str, remedy: str, *, row: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message)
        self.problem = Problem("error", code, message, remedy, row=row, field=field)


class ProblemLog:
    """Collects problems while a file is read: counts all, keeps a bounded number of each kind."""

    def __init__(self, limits: Limits = DEFAULT, wording: Wording = COMMAND) -> None:
        self._limits, self._wording = limits, wording
        self._kept: list[Problem] = []
        self._counts: Counter[tuple[Severity, str]] = Counter()

    def add(self, problem: Problem) -> None:
        """Record one problem."""
        key = (problem.severity, problem.code)
        self._counts[key] += 1
        if self._counts[key] <= self._limits.problems_per_code:
            self._kept.append(problem)

    def add_rows(
        self, severity: Severity, code: str, indices: NDArray[np.integer[Any]], describe: Callable[[int], Problem]
    ) -> None:
        """Record one problem for each of many rows; only those that are kept are put into words.

        ``describe`` gives the problem of one index and must use the same severity and code.
        """
        if not len(indices):
            return
        key = (severity, code)
        room = max(0, self._limits.problems_per_code - self._counts[key])
        self._kept.extend(describe(int(index)) for index in indices[:room])
        self._counts[key] += len(indices)

    @property
    def has_errors(self) -> bool:
        """True once any error was recorded."""
        return any(severity == "error" for severity, _ in self._counts)

    def problems(self) -> tuple[Problem, ...]:
        """Give what is kept, in the caller's words, errors first, then by row; no more than the limit."""
        order = {severity: position for position, severity in enumerate(_SEVERITIES)}
        ranked = sorted(self._kept, key=lambda p: (order[p.severity], p.row or 0))
        return tuple(replace(p, remedy=self._wording.say(p.remedy)) for p in ranked[: self._limits.problems])

    def counts(self) -> dict[Severity, dict[str, int]]:
        """Give how many problems there were, by severity and code, whether kept or not."""
        result: dict[Severity, dict[str, int]] = {severity: {} for severity in _SEVERITIES}
        for (severity, code), count in sorted(self._counts.items()):
            result[severity][code] = count
        return result


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
    """

    geometries_4326: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    names: tuple[str, ...] = ()
    columns: Mapping[str, list[Json]] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.geometries_4326)

    @property
    def fields(self) -> tuple[str, ...]:
        """Attribute names, in the file's order."""
        return tuple(self.columns)

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
        The rows themselves.
    """

    layer: str = ""
    crs: str = ""
    encoding: str = ""
    kind: Kind | None = None
    rows: Rows = field(default_factory=Rows)


@dataclass(frozen=True, slots=True, eq=False)
class RasterPlan(_Read):
    """A raster file read and checked, nothing written yet.

    Attributes
    ----------
    crs
        Reference system, as ``EPSG:32639`` or by name; empty if none was found.
    epsg
        Its EPSG code; None if it has none.
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
    what = f"{len(plan.rows):,} rows" if isinstance(plan, Plan) else f"{plan.width:,} × {plan.height:,} pixels"
    head = (
        f"{plan.file_name}: {plan.format or 'unknown format'}, {plan.crs or 'no CRS'}, {what}; "
        f"{plan.n_errors:,} errors, {plan.n_repaired:,} repaired, {plan.n_warnings:,} warnings"
    )
    lines = [head, *(f"  {problem}" for problem in plan.problems[:shown])]
    more = plan.n_errors + plan.n_repaired + plan.n_warnings - min(shown, len(plan.problems))
    return "\n".join([*lines, f"  … and {more:,} more"] if more > 0 else lines)


def first_names(names: Iterable[str], shown: int = 12) -> str:
    """List names for a message, not more than fit in a sentence."""
    listed = list(names)
    text = ", ".join(f"'{name}'" for name in listed[:shown])
    return text + (f" and {len(listed) - shown} more" if len(listed) > shown else "") if listed else "none"
