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
    texts = [lon.strip(), lat.strip()]
    tree: Any = None
    try:
        if marked.strip():
            tree = json.loads(marked)
        elif any(texts):
            tree = {"type": "Point", "coordinates": [float(text.translate(_LATIN)) for text in texts]}
        else:
            return None
        found: GEOSGeometry = to_geos(shape_of(tree, "geometry", most_vertices=MOST_VERTICES))
    except (ValueError, RecursionError, MahallehError) as error:
        raise InvalidInput(
            "This is no place on the map.",
            code="bad_point",
            where="geometry",
            remedy="Give degrees of longitude, then of latitude.",
        ) from error
    return found


__all__ = ["MOST_VERTICES", "geometry_marked"]
