"""Between GeoDjango's geometries, which the database knows, and shapely's, which the cores know."""

from __future__ import annotations

from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Func, TextField

from geo.core.crs import STORAGE_EPSG


def to_geos(geometry: shapely.Geometry) -> Any:
    """Return a shapely geometry in 4326 as GeoDjango's."""
    return GEOSGeometry(memoryview(shapely.to_wkb(geometry)), srid=STORAGE_EPSG)


def to_shapely(geometry: Any) -> shapely.Geometry:
    """Return GeoDjango's geometry as shapely's, coordinate for coordinate."""
    return shapely.from_wkb(bytes(geometry.wkb))


class GeometryDigest(Func):
    """``md5`` of a geometry's bytes as stored: tells whether it is the same without reading it."""

    template = "md5(ST_AsEWKB(%(expressions)s))"
    output_field = TextField()
