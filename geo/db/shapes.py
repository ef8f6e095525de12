"""Between GeoDjango's geometries, which the database knows, and shapely's, which the cores know."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.contrib.postgres.aggregates.mixins import OrderableAggMixin
from django.db.models import Aggregate, BinaryField, Func, TextField

from geo.core.crs import STORAGE_EPSG


def to_geos(geometry: shapely.Geometry) -> Any:
    """Return a shapely geometry in 4326 as GeoDjango's."""
    return GEOSGeometry(memoryview(shapely.to_wkb(geometry)), srid=STORAGE_EPSG)


def to_shapely(geometry: Any) -> shapely.Geometry:
    """Return GeoDjango's geometry as shapely's, coordinate for coordinate."""
    return shapely.from_wkb(bytes(geometry.wkb))


_COLLECTION: Final = 7


def collected(n: int, joined: Iterable[bytes]) -> shapely.GeometryCollection:
    """Return ``n`` geometries, whose well-known binary follows one after the other, as one collection.

    A collection's well-known binary is that of its members behind a header.

    Examples
    --------
    >>> collected(2, [shapely.to_wkb(shapely.Point(1, 2)), shapely.to_wkb(shapely.Point(3, 4))]).wkt
    'GEOMETRYCOLLECTION (POINT (1 2), POINT (3 4))'
    """
    header = struct.pack("<BII", 1, _COLLECTION, n)
    return shapely.from_wkb(b"".join((header, *joined)))


class JoinedWkb(OrderableAggMixin, Aggregate):
    """The well-known binary of geometries, one after the other; None where there are none. `collected` makes shapes of it."""

    function = "STRING_AGG"
    template = "%(function)s(ST_AsBinary(%(expressions)s, 'NDR'), ''::bytea %(order_by)s)"
    output_field = BinaryField()


class GeometryDigest(Func):
    """``md5`` of a geometry's bytes as stored: tells whether it is the same without reading it."""

    template = "md5(ST_AsEWKB(%(expressions)s))"
    output_field = TextField()
