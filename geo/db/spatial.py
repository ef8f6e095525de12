"""Spatial conditions on querysets: near, touching, in a tile; always in metres, always able to use an index.

Geometry is stored in EPSG:4326. The constant is brought to the column's reference system, never the column to the
constant's, because an index serves only the column as it is stored.
"""

from __future__ import annotations

import math
from typing import Any, Final, Self

from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.geos import GEOSGeometry, Polygon
from django.contrib.gis.measure import Distance
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.errors import CrsError, InvalidInput

_METRES_PER_DEGREE: Final = 110_000.0
"""Less than the shortest degree of a meridian (110,574 m), so that a box made with it is never too small."""


class TileEnvelope(Func):
    """``ST_TileEnvelope``: the square of a web tile, widened on each side.

    Parameters
    ----------
    z, x, y : int
        Tile address of the WebMercatorQuad scheme, y counted from the north.
    margin : float
        Widening of each side as a share of the tile's width.
    """

    function = "ST_TileEnvelope"
    output_field = GeometryField(srid=TILE_EPSG)

    def __init__(self, z: int, x: int, y: int, margin: float = 0.0) -> None:
        widening = Func(
            Value(float(margin)), template="margin => %(expressions)s", output_field=GeometryField(srid=TILE_EPSG)
        )
        super().__init__(Value(z), Value(x), Value(y), widening)


class BoxesOverlap(Func):
    """``a && b``: the bounding boxes of two geometries share a point. This is what a GiST index answers."""

    template = "(%(expressions)s)"
    arg_joiner = " && "
    output_field = BooleanField()


class _Transform(Func):
    function = "ST_Transform"
    output_field = GeometryField(srid=STORAGE_EPSG)


class _WithinMetres(Func):
    """``ST_DWithin`` on the spheroid: the third argument is metres, whatever the reference system of the columns."""

    template = "ST_DWithin(%(expressions)s)"
    output_field = BooleanField()


class _Geography(Func):
    template = "(%(expressions)s)::geography"
    output_field = GeometryField(srid=STORAGE_EPSG)


def in_tile_q(z: int, x: int, y: int, *, margin: float = 0.0, field: str = "geometry", tile_field: str = "") -> Q:
    """Return the condition "the bounding box overlaps this web tile".

    Parameters
    ----------
    z, x, y : int
        Tile address; the caller has checked it.
    margin : float
        Widening of the tile's sides as a share of its width, so that strokes reach over its edge.
    field : str
        Column in EPSG:4326.
    tile_field : str
        Column that holds the same geometry in EPSG:3857; used instead of `field` where there is one.
    """
    envelope = TileEnvelope(z, x, y, margin)
    if tile_field:
        return Q(BoxesOverlap(F(tile_field), envelope))
    return Q(BoxesOverlap(F(field), _Transform(envelope, Value(STORAGE_EPSG))))


def within_distance_q(geometry: GEOSGeometry, distance_m: float | Distance, *, field: str = "geometry") -> Q:
    """Return the condition "no farther from a geometry than this many metres", measured on the spheroid.

    Parameters
    ----------
    geometry : GEOSGeometry
        In any reference system it names.
    distance_m : float or Distance
        Metres, or a measure object; never degrees.
    field : str
        Column in EPSG:4326.

    Raises
    ------
    InvalidInput
        If the distance is negative or not finite.
    CrsError
        If the geometry does not say in which reference system it is.
    """
    metres = float(distance_m.m) if isinstance(distance_m, Distance) else float(distance_m)
    if not (math.isfinite(metres) and metres >= 0):
        raise InvalidInput(
            "The distance is not a number of metres, zero or more.", code="bad_distance", remedy="Give metres."
        )
    centre = _in_storage_crs(geometry)
    near = _WithinMetres(
        _Geography(F(field)), _Geography(Value(centre, output_field=GeometryField(srid=STORAGE_EPSG))), Value(metres)
    )
    box = Polygon.from_bbox(_widened(centre.extent, metres))
    box.srid = STORAGE_EPSG
    return Q(**{f"{field}__bboverlaps": box}) & Q(near)


def intersecting_q(geometry: GEOSGeometry, *, field: str = "geometry") -> Q:
    """Return the condition "shares at least a point with this geometry"."""
    return Q(**{f"{field}__intersects": _in_storage_crs(geometry)})


class SpatialQuerySet(QuerySet[Any]):
    """Querysets of models with a geometry in EPSG:4326.

    Every method is lazy, returns a queryset, and knows no business words. A model with another column names it in
    `geometry_field`, and the column of the same geometry in EPSG:3857, where there is one, in `tile_field`.
    """

    geometry_field = "geometry"
    tile_field = ""

    def within_distance(self, geometry: GEOSGeometry, distance_m: float | Distance) -> Self:
        """Keep what lies no farther from a geometry than this many metres, on the spheroid."""
        return self.filter(within_distance_q(geometry, distance_m, field=self.geometry_field))

    def intersecting(self, geometry: GEOSGeometry) -> Self:
        """Keep what shares at least a point with a geometry."""
        return self.filter(intersecting_q(geometry, field=self.geometry_field))

    def in_tile(self, z: int, x: int, y: int, *, margin: float = 0.0) -> Self:
        """Keep what overlaps a web tile with its bounding box."""
        return self.filter(in_tile_q(z, x, y, margin=margin, field=self.geometry_field, tile_field=self.tile_field))


def _in_storage_crs(geometry: GEOSGeometry) -> GEOSGeometry:
    if geometry.srid is None:
        raise CrsError(
            "The geometry does not say in which reference system it is.", code="no_crs", remedy="Set its srid."
        )
    if geometry.srid == STORAGE_EPSG:
        return geometry
    moved = geometry.transform(STORAGE_EPSG, clone=True)
    if moved is None or not all(map(math.isfinite, moved.extent)):
        raise CrsError(
            "The geometry cannot be expressed as longitude and latitude.", code="bad_crs", remedy="Check its srid."
        )
    return moved


def _widened(extent: tuple[float, float, float, float], metres: float) -> tuple[float, float, float, float]:
    """Return a box in degrees that holds everything within a distance of another box."""
    west, south, east, north = extent
    by_lat = metres / _METRES_PER_DEGREE
    south, north = max(south - by_lat, -90.0), min(north + by_lat, 90.0)
    narrowest = math.cos(math.radians(max(abs(south), abs(north))))
    by_lon = by_lat / narrowest if narrowest > 1e-6 else 360.0
    if west - by_lon < -180 or east + by_lon > 180:
        return -180.0, south, 180.0, north  # what is near may lie beyond the 180th meridian
    return west - by_lon, south, east + by_lon, north


__all__ = ["BoxesOverlap", "SpatialQuerySet", "TileEnvelope", "in_tile_q", "intersecting_q", "within_distance_q"]
