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
# Of the range of sizes in which that of a circle inside is sought, to less than a hundredth of the size.
_HALVINGS: Final = 9

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


def width_m(geometries_4326: GeometryLike) -> Floats:
    """Measure how wide polygons are at their widest: the diameter of the largest circle inside.

    A gap between boundaries that touch here and there may be long; this tells whether it matters anywhere.

    Parameters
    ----------
    geometries_4326
        Valid polygons and multipolygons in EPSG:4326, of the size of a city at most; of several parts the widest
        counts.

    Returns
    -------
    ndarray
        Shape ``(n,)``, metres, found to about a hundredth; 0 for points and lines, NaN for missing geometries.

    Raises
    ------
    CrsError
        If a coordinate is not a longitude and latitude.

    Examples
    --------
    About a metre at the equator, however long:

    >>> round(float(width_m(shapely.box(0, 0, 0.001, 0.000009))[0]), 2)
    1.0
    """
    geometries = as_geometries(geometries_4326)
    parts, owner = _polygons(geometries)
    parts, owner = parts[~shapely.is_empty(parts)], owner[~shapely.is_empty(parts)]
    xy = shapely.get_coordinates(parts)
    _require_lon_lat(xy)
    widest = np.zeros(len(geometries))
    if len(parts):
        # About a centre of its own each polygon is measured without the rounding of large coordinates.
        boxes = shapely.bounds(parts)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        scale = np.stack(metres_per_degree(middle[:, 1]), axis=-1)
        index = shapely.get_coordinates(parts, return_index=True)[1]
        local = shapely.set_coordinates(parts.copy(), (xy - middle[index]) * scale[index])
        narrow = np.minimum(np.ptp(boxes[:, 0::2], axis=1) * scale[:, 0], np.ptp(boxes[:, 1::2], axis=1) * scale[:, 1])
        area = shapely.area(local)
        bound = np.minimum(narrow, 2 * np.sqrt(area / np.pi))
        # No point is further inside than the radius, so the area is at most the perimeter times the radius.
        high = np.maximum(bound / 2, 1e-9)
        low = np.clip(area / np.maximum(shapely.length(local), 1e-9), 1e-9, high)
        for _ in range(_HALVINGS):
            radius = np.sqrt(low * high)
            is_gone = shapely.is_empty(shapely.buffer(local, -radius, quad_segs=4))
            low, high = np.where(is_gone, low, radius), np.where(is_gone, radius, high)
        np.maximum.at(widest, owner, 2 * np.sqrt(low * high))
    return np.where(shapely.is_missing(geometries), np.nan, widest)


def metres_per_degree(lat: Floats | float) -> tuple[Floats, Floats]:
    """Give the length of a degree of longitude and of latitude on the ellipsoid.

    With them a small area can be treated as a plane that is left again without loss: within a kilometre distances
    are right to a few parts in ten thousand, which is what tolerances need.

    Parameters
    ----------
    lat
        Degrees, any shape.

    Returns
    -------
    tuple of ndarray
        Metres per degree eastwards and northwards, of the same shape.

    Examples
    --------
    >>> east, north = metres_per_degree(0.0)
    >>> round(float(east), 1), round(float(north), 1)
    (111319.5, 110574.3)
    """
    sine, cosine = np.sin(np.radians(lat)), np.cos(np.radians(lat))
    flattening = 1 - _ELLIPSOID.es * sine**2
    normal = _ELLIPSOID.a / np.sqrt(flattening)
    meridian = normal * (1 - _ELLIPSOID.es) / flattening
    return np.asarray(np.radians(normal * cosine)), np.asarray(np.radians(meridian))


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
