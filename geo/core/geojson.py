"""GeoJSON from strangers: every number checked, every fault with its place."""

import math
from typing import Any, Final, NoReturn

import shapely
from shapely.geometry import shape

from geo.errors import GeometryError, LimitExceeded

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
