"""Boxes as clients give them: four numbers in the order of axes of their reference system."""

from __future__ import annotations

import math
from typing import Any, Final

import shapely

from geo.errors import CrsError, InvalidInput
from maps.ogc.crs import DEFAULT, Crs, from_crs

_POINTS_PER_SIDE: Final = 32

__all__ = ["DEFAULT", "box_of"]


def box_of(numbers: Any, crs: Crs, where: str) -> shapely.Geometry:
    """Return a box given in a CRS, in longitude and latitude (`/req/core/fc-bbox-definition`, `/req/crs/fc-bbox-crs-action`).

    A box across the 180th meridian, whose west is east of its east, becomes two. Sides of a box in metres are followed
    by points between its corners, as they are not straight in degrees.

    Examples
    --------
    >>> box_of([170, -10, -170, 10], DEFAULT, "bbox").geom_type
    'MultiPolygon'
    >>> box_of([1, 2, float("nan"), 4], DEFAULT, "bbox")
    Traceback (most recent call last):
    geo.errors.InvalidInput: bbox: The box is not four or six finite numbers. Write west,south,east,north.
    """
    is_sized = isinstance(numbers, list) and len(numbers) in (4, 6)
    if not is_sized or not all(
        isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e300 and math.isfinite(n) for n in numbers
    ):
        raise InvalidInput(
            "The box is not four or six finite numbers.",
            code="bad_bbox",
            where=where,
            remedy="Write west,south,east,north.",
        )
    a_low, b_low, a_high, b_high = (numbers[i] for i in ((0, 1, 2, 3) if len(numbers) == 4 else (0, 1, 3, 4)))
    west, south, east, north = (b_low, a_low, b_high, a_high) if crs.is_y_first else (a_low, b_low, a_high, b_high)
    if south > north or (west > east and not crs.is_degrees):
        raise InvalidInput(
            "The lower corner of the box is above its upper corner.",
            code="bad_bbox",
            where=where,
            remedy="Give the lower corner first, in the order of axes of the reference system.",
        )
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    boxes = [_checked_box(low, south, high, north, crs, where) for low, high in spans]
    return boxes[0] if len(boxes) == 1 else shapely.MultiPolygon(boxes)


def _checked_box(west: float, south: float, east: float, north: float, crs: Crs, where: str) -> shapely.Geometry:
    # A box without width or height is a line or a point, which features can intersect as well.
    box: shapely.Geometry = shapely.box(west, south, east, north)
    if west == east or south == north:
        box = shapely.LineString([(west, south), (east, north)])
        if (west, south) == (east, north):
            box = shapely.Point(west, south)
    if not crs.is_degrees:
        box = shapely.segmentize(box, max(max(east - west, north - south) / _POINTS_PER_SIDE, 1e-6))
    given = shapely.transform(box, lambda xy: xy[:, ::-1]) if crs.is_y_first else box
    found = from_crs(given, crs, where)
    if not found.is_valid and found.geom_type == "Polygon":
        raise CrsError(
            "The box is too large for its reference system.",
            code="bad_bbox",
            where=where,
            remedy="Give a smaller box, or one in longitude and latitude.",
        )
    return found
