"""The one module that measures: areas, lengths and distances of what is stored in degrees.

Everything is measured on the WGS 84 ellipsoid along geodesics [@karney2013], so that no projection stretches a
number. Planar areas in a named projection exist only for comparison with values published in it.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from geo.core.crs import STORAGE_EPSG, GeometryLike, as_geometries, project, require_metric, utm_epsg
from geo.errors import CrsError, InvalidInput

_ELLIPSOID: Final = Geod(ellps="WGS84")
_POINT: Final = 0

Floats = NDArray[np.float64]


def area_m2(geometries_4326: GeometryLike) -> Floats:
    """Measure areas on the ellipsoid.

    Parameters
    ----------
    geometries_4326
        Any geometries in EPSG:4326. Edges are geodesics. Rings may turn either way.

    Returns
    -------
    ndarray
        Shape ``(n,)``, m². Points and lines have 0, missing geometries NaN.

    Raises
    ------
    CrsError
        If a coordinate is not a longitude and latitude.

    Notes
    -----
    Reference: [@karney2013], section 6.

    Examples
    --------
    One degree by one degree at the equator:

    >>> round(float(area_m2(shapely.box(0, 0, 1, 1))[0]) / 1e6)
    12309
    """
    geometries = as_geometries(geometries_4326)
    polygons, polygon_owner = _polygons(geometries)
    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    xy, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    _require_lon_lat(xy)
    is_shell = np.ones(len(rings), dtype=bool)
    is_shell[1:] = ring_polygon[1:] != ring_polygon[:-1]
    first = np.searchsorted(ring_of_vertex, np.arange(len(rings) + 1))
    ring_area = np.array([
        abs(_ELLIPSOID.polygon_area_perimeter(xy[start:end, 0], xy[start:end, 1])[0])
        for start, end in pairwise(first)
    ])  # fmt: skip
    signed = np.where(is_shell, ring_area, -ring_area) if len(rings) else np.zeros(0)
    area = np.bincount(polygon_owner[ring_polygon], weights=signed, minlength=len(geometries))
    return np.where(shapely.is_missing(geometries), np.nan, area)


def length_m(geometries_4326: GeometryLike) -> Floats:
    """Measure lengths of lines, and perimeters of polygons with their holes, on the ellipsoid.

    Parameters
    ----------
    geometries_4326
        Any geometries in EPSG:4326. Edges are geodesics.

    Returns
    -------
    ndarray
        Shape ``(n,)``, metres. Points have 0, missing geometries NaN.

    Raises
    ------
    CrsError
        If a coordinate is not a longitude and latitude.

    Examples
    --------
    One degree of longitude on the equator:

    >>> round(float(length_m(shapely.LineString([(0, 0), (1, 0)]))[0]), 1)
    111319.5
    """
    geometries = as_geometries(geometries_4326)
    parts, owner = _simple_parts(geometries)
    kinds = shapely.get_type_id(parts)
    rings, ring_part = shapely.get_rings(parts[kinds == 3], return_index=True)
    is_line = (kinds == 1) | (kinds == 2)
    lines = np.concatenate((parts[is_line], rings))
    line_owner = np.concatenate((owner[is_line], owner[kinds == 3][ring_part])).astype(np.int64)
    xy, line_of_vertex = shapely.get_coordinates(lines, return_index=True)
    _require_lon_lat(xy)
    joined = line_of_vertex[1:] == line_of_vertex[:-1]
    start, end = xy[:-1][joined], xy[1:][joined]
    step = _geodesic_m(start, end)
    length = np.bincount(line_owner[line_of_vertex[:-1][joined]], weights=step, minlength=len(geometries))
    return np.where(shapely.is_missing(geometries), np.nan, length)


def distance_m(a_4326: GeometryLike, b_4326: GeometryLike) -> Floats:
    """Measure the shortest distance between pairs of geometries.

    Between points it is the geodesic. Otherwise the nearest two points are found in the UTM zone of the pair, and
    the geodesic between them is measured: exact within a city and its surroundings, which is what it is for.

    Parameters
    ----------
    a_4326, b_4326
        Geometries in EPSG:4326, as many of one as of the other, or one against many.

    Returns
    -------
    ndarray
        Shape ``(n,)``, metres; 0 where they touch, NaN where one is missing or empty.

    Raises
    ------
    InvalidInput
        If the two numbers of geometries do not fit.
    CrsError
        If a coordinate is not a longitude and latitude.

    Examples
    --------
    >>> round(float(distance_m(shapely.Point(0, 0), shapely.Point(1, 0))[0]), 1)
    111319.5
    """
    a, b = as_geometries(a_4326), as_geometries(b_4326)
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        raise InvalidInput(
            f"{len(a)} geometries cannot be paired with {len(b)}.",
            code="length_mismatch",
            remedy="Give as many of one as of the other, or one against many.",
        )
    a, b = (np.array(array, dtype=object) for array in np.broadcast_arrays(a, b))
    for array in (a, b):
        _require_lon_lat(shapely.get_coordinates(array))
    result = np.full(len(a), np.nan)
    usable = ~(shapely.is_missing(a) | shapely.is_missing(b) | shapely.is_empty(a) | shapely.is_empty(b))
    points = usable & (shapely.get_type_id(a) == _POINT) & (shapely.get_type_id(b) == _POINT)
    result[points] = _geodesic_m(shapely.get_coordinates(a[points]), shapely.get_coordinates(b[points]))

    rest = np.flatnonzero(usable & ~points)
    boxes = np.stack((shapely.bounds(a[rest]), shapely.bounds(b[rest])))
    centre = (boxes[..., :2].min(axis=0) + boxes[..., 2:].max(axis=0)) / 2
    zones = np.array([utm_epsg(float(lon), float(lat)) for lon, lat in centre], dtype=np.int64)
    for zone in np.unique(zones):
        pairs = rest[zones == zone]
        local_a, local_b = (project(side[pairs], STORAGE_EPSG, int(zone)) for side in (a, b))
        nearest = project(shapely.shortest_line(local_a, local_b), int(zone), STORAGE_EPSG)
        ends = shapely.get_coordinates(nearest).reshape(-1, 2, 2)
        # Touching pairs come back as two equal ends; going to the plane and back must not part them.
        result[pairs] = np.where(shapely.intersects(local_a, local_b), 0.0, _geodesic_m(ends[:, 0], ends[:, 1]))
    return result


def planar_area_m2(geometries_4326: GeometryLike, epsg: int) -> Floats:
    """Measure areas in the plane of a projection, to compare with values that were published in it.

    Parameters
    ----------
    geometries_4326
        Geometries in EPSG:4326.
    epsg
        A projected system in metres, for example 31983.

    Returns
    -------
    ndarray
        Shape ``(n,)``, m² of the plane, stretched as the projection stretches; NaN for missing geometries.

    Raises
    ------
    CrsError
        If the system is not in metres.
    """
    require_metric(epsg)
    area = shapely.area(project(geometries_4326, STORAGE_EPSG, epsg))
    return np.asarray(area, dtype=np.float64)


def _geodesic_m(start: Floats, end: Floats) -> Floats:
    if not len(start):
        return np.zeros(0)
    _, _, distance = _ELLIPSOID.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.asarray(distance, dtype=np.float64)


def _simple_parts(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Take multi-geometries and nested collections apart; give each part and the index of its owner."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():
        parts, parent = shapely.get_parts(parts, return_index=True)
        owner = owner[parent]
    return parts, owner.astype(np.int64)


def _polygons(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    parts, owner = _simple_parts(geometries)
    is_polygon = shapely.get_type_id(parts) == 3
    return parts[is_polygon], owner[is_polygon]


def _require_lon_lat(xy: Floats) -> None:
    if not len(xy):
        return
    good = (np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)  # false for NaN too
    if not good.all():
        x, y = (float(value) for value in xy[np.flatnonzero(~good)[0]])
        raise CrsError(
            f"The coordinate {x:g}, {y:g} is not a longitude and latitude.",
            code="not_lon_lat",
            remedy="Measure what is in EPSG:4326, or project it first.",
        )
