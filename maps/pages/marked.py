"""Places marked on the map of a form, or typed in degrees where no script draws."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib.gis.geos import GEOSGeometry

from geo.core.geojson import shape_of
from geo.db.shapes import to_geos
from geo.errors import InvalidInput, MahallehError

MOST_VERTICES: Final = 500
"""Of a line or an area that somebody marks."""

_LATIN: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")


def tree_marked(marked: str, lon: str, lat: str) -> dict[str, Any] | None:
    """Return what was marked as it was sent, GeoJSON not yet looked at, else the point whose degrees were typed; None where nothing was.

    Raises
    ------
    InvalidInput
        Where it is neither; ``where`` is ``geometry``.

    Examples
    --------
    >>> tree_marked("", "۴۸٫۳", "33.4")
    {'type': 'Point', 'coordinates': [48.3, 33.4]}
    """
    texts = [lon.strip(), lat.strip()]
    try:
        if marked.strip():
            tree = json.loads(marked)
            if not isinstance(tree, dict):
                raise _no_place()
            return tree
        if any(texts):
            return {"type": "Point", "coordinates": [float(text.translate(_LATIN)) for text in texts]}
    except (ValueError, RecursionError) as error:
        raise _no_place() from error
    return None


def shape_marked(tree: dict[str, Any] | None, where: str) -> GEOSGeometry | None:
    """Return GeoJSON that somebody marked as a geometry; None where nothing was.

    Raises
    ------
    GeometryError, InvalidInput, LimitExceeded
        Where it is none that can be kept.
    """
    return None if tree is None else to_geos(shape_of(tree, where, most_vertices=MOST_VERTICES))


def geometry_marked(marked: str, lon: str, lat: str) -> GEOSGeometry | None:
    """Return what was marked (GeoJSON), else the point whose degrees were typed; None where nothing was.

    Raises
    ------
    InvalidInput
        Where it is no place; ``where`` is ``geometry``.

    Examples
    --------
    >>> geometry_marked("", "۴۸٫۳", "33.4").wkt
    'POINT (48.3 33.4)'
    >>> geometry_marked('{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}', "", " ").wkt
    'LINESTRING (1 2, 3 4)'
    """
    try:
        return shape_marked(tree_marked(marked, lon, lat), "geometry")
    except MahallehError as error:
        raise _no_place() from error


def _no_place() -> InvalidInput:
    return InvalidInput(
        "This is no place on the map.",
        code="bad_point",
        where="geometry",
        remedy="Give degrees of longitude, then of latitude.",
    )


__all__ = ["MOST_VERTICES", "geometry_marked", "shape_marked", "tree_marked"]
