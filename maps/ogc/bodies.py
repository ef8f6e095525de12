"""Bodies of writes, and any JSON that strangers send: bounded, finite, and every fault with its place."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

import shapely
from django.http import HttpRequest
from shapely.geometry import shape

from geo.core.validity import MAX_VERTICES, problems
from geo.errors import GeometryError, InvalidInput, LimitExceeded
from maps.ogc.crs import DEFAULT, Crs, crs_of, from_crs
from maps.ogc.errors import UnsupportedMedia

MOST_BYTES: Final = 5_000_000
GEOJSON: Final = "application/geo+json"
MERGE_PATCH: Final = "application/merge-patch+json"

_LEVELS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How deep the positions lie in the coordinates of each type."""


def no_constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's JSON reader would take."""
    raise ValueError(f"{text} is not JSON")


def json_body(request: HttpRequest, types: tuple[str, ...]) -> dict[str, Any]:
    """Read the JSON object of a write (`/req/create-replace-delete/insert-body`, `…/insert-content-type`).

    Parameters
    ----------
    request : HttpRequest
        Not read before.
    types : tuple of str
        Media types that are accepted.

    Raises
    ------
    UnsupportedMedia
        If the body is said to be something else, or nothing is said.
    LimitExceeded
        If it is longer than `MOST_BYTES`.
    InvalidInput
        If it is not a JSON object.
    """
    if request.content_type not in types:
        raise UnsupportedMedia(
            "The body is not said to be in a format that can be written here.",
            where="Content-Type",
            remedy=f"Send {' or '.join(types)}.",
        )
    content = request.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise LimitExceeded(
            f"The body is longer than {MOST_BYTES // 1_000_000} MB.", where="body", remedy="Simplify the geometry."
        )
    try:
        found = json.loads(content, parse_constant=no_constant)
    except RecursionError as error:
        raise InvalidInput("The body is nested too deeply.", code="bad_json", where="body") from error
    except ValueError as error:
        line = f"body, line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "body"
        raise InvalidInput("The body is not JSON.", code="bad_json", where=line, remedy="Send one feature.") from error
    if not isinstance(found, dict):
        raise InvalidInput("The body is not a JSON object.", code="bad_json", where="body", remedy="Send one feature.")
    return found


def crs_of_body(request: HttpRequest) -> Crs:
    """Return the CRS that the header ``Content-Crs`` declares for the body (`/req/features/crs-content-crs-header`)."""
    declared = request.headers.get("Content-Crs", "").strip()
    return crs_of(declared.removeprefix("<").removesuffix(">"), "Content-Crs") if declared else DEFAULT


def boundary_of(tree: Any, crs: Crs) -> shapely.Geometry:
    """Read a polygon or multipolygon that can be stored as it is, in longitude and latitude.

    Nothing is mended here: nobody would be shown what was changed.

    Raises
    ------
    GeometryError
        If it is missing, no polygon, not finite or not valid; `where` says at which coordinate.
    LimitExceeded
        If it has too many vertices.
    CrsError
        If its coordinates are not those of its CRS.
    """
    given = shape_of(tree, "geometry", most_vertices=MAX_VERTICES)
    if given.geom_type not in ("Polygon", "MultiPolygon"):
        raise GeometryError(
            f"A {given.geom_type} is not an area.",
            code="not_polygonal",
            where="geometry.type",
            remedy="Send a polygon.",
        )
    found = from_crs(shapely.force_2d(given), crs, "geometry.coordinates")
    for problem in problems(found):
        if problem.severity != "note":
            at = "" if problem.x is None else f" at longitude {problem.x:.7f}, latitude {problem.y:.7f}"
            raise GeometryError(problem.message, code=problem.code, where=f"geometry{at}", remedy=problem.remedy)
    return found


def shape_of(tree: Any, where: str, *, most_vertices: int) -> shapely.Geometry:
    """Make a geometry of GeoJSON, each number of it checked.

    Raises
    ------
    GeometryError
        If it is not GeoJSON; `where` names the member.
    LimitExceeded
        If it has more vertices than allowed.

    Examples
    --------
    >>> shape_of({"type": "Point", "coordinates": [1, 2]}, "geometry", most_vertices=5).wkt
    'POINT (1 2)'
    >>> shape_of({"type": "Point", "coordinates": [1, "2"]}, "geometry", most_vertices=5)
    Traceback (most recent call last):
    geo.errors.GeometryError: geometry.coordinates: A position is two to four finite numbers.
    """
    kind = tree.get("type") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in _LEVELS:
        message = "The geometry is missing." if tree is None else f"{str(kind)[:40]!r} is not a type of geometry here."
        raise GeometryError(message, code="bad_geometry", where=where, remedy="Send a GeoJSON geometry.")
    found = _checked(tree.get("coordinates"), _LEVELS[kind], f"{where}.coordinates", kind)
    if found > most_vertices:
        raise LimitExceeded(
            f"The geometry has {found:,} vertices, more than {most_vertices:,}.", where=where, remedy="Simplify it."
        )
    try:
        return shape({"type": kind, "coordinates": tree["coordinates"]})
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise GeometryError(f"The geometry is not GeoJSON: {error}.", code="bad_geometry", where=where) from error


def _checked(tree: Any, level: int, where: str, kind: str) -> int:
    """Check coordinates and return how many positions there are."""
    if level == 0:
        is_position = isinstance(tree, list | tuple) and 2 <= len(tree) <= 4
        if not is_position or not all(_is_finite(value) for value in tree):
            raise GeometryError("A position is two to four finite numbers.", code="bad_position", where=where)
        return 1
    if not isinstance(tree, list | tuple) or not tree:
        raise GeometryError("A list of coordinates is missing or empty.", code="bad_geometry", where=where)
    n = sum(_checked(part, level - 1, f"{where}[{i}]", kind) for i, part in enumerate(tree))
    if level == 1 and "Polygon" in kind and (len(tree) < 4 or tree[0] != tree[-1]):
        raise GeometryError(
            "A ring has four positions or more and ends where it begins.",
            code="open_ring",
            where=where,
            remedy="Close it.",
        )
    return n


def _is_finite(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value)
    )
