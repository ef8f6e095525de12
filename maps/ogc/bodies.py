"""Bodies of writes, and any JSON that strangers send: bounded, finite, and every fault with its place."""

from __future__ import annotations

import json
from typing import Any, Final

import shapely
from django.http import HttpRequest

from geo.core.geojson import no_constant, shape_of
from geo.core.validity import MAX_VERTICES, problems
from geo.errors import GeometryError, InvalidInput, LimitExceeded
from maps.errors import UnsupportedMedia
from maps.ogc.crs import DEFAULT, Crs, crs_of, from_crs
from maps.ogc.rounding import unrounded

MOST_BYTES: Final = 5_000_000
GEOJSON: Final = "application/geo+json"
MERGE_PATCH: Final = "application/merge-patch+json"


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


def boundary_of(tree: Any, crs: Crs, before: shapely.Geometry | None = None) -> shapely.Geometry:
    """Read a polygon or multipolygon that can be stored as it is, in longitude and latitude.

    Nothing is mended here: nobody would be shown what was changed. What came back rounded alone is as it was.

    Parameters
    ----------
    before : shapely.Geometry, optional
        The boundary that was read, in longitude and latitude, if this one is to replace it.

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
    if before is not None:
        found = unrounded(found, before)
    for problem in problems(found):
        if problem.severity != "note":
            at = "" if problem.x is None else f" at longitude {problem.x:.7f}, latitude {problem.y:.7f}"
            raise GeometryError(problem.message, code=problem.code, where=f"geometry{at}", remedy=problem.remedy)
    return found
