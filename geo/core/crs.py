"""Coordinate reference systems: which one is used for what, and the one way from one to another.

Storage is EPSG:4326, tiles are EPSG:3857, and every computation in metres happens in the UTM zone of the place.
Coordinates are always x, y (longitude, latitude).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from geo.errors import CrsError, GeometryError

STORAGE_EPSG: Final = 4326
TILE_EPSG: Final = 3857

#: One geometry, or any sequence of them; None stands for a row without one.
GeometryLike: TypeAlias = shapely.Geometry | Iterable[shapely.Geometry | None] | NDArray[np.object_] | None


def utm_epsg(lon: float, lat: float) -> int:
    """Give the EPSG code of the WGS 84 / UTM zone that contains a point.

    The widened zones of Norway and Svalbard are followed. Outside 80° S – 84° N UTM is not defined; the nearest zone
    is given all the same, as it is usable for a city.

    Parameters
    ----------
    lon, lat
        Degrees, EPSG:4326.

    Raises
    ------
    CrsError
        If the point is not on the globe or not finite.

    Examples
    --------
    >>> utm_epsg(48.36, 33.49)  # Khorramabad
    32639
    >>> utm_epsg(-46.39, -23.96)  # São Vicente
    32723
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # also false for NaN
        raise CrsError(
            f"Longitude {lon}, latitude {lat} is not a point on the globe.",
            code="not_lon_lat",
            remedy="Give degrees in EPSG:4326, longitude first.",
        )
    zone = min(int((lon + 180) // 6) + 1, 60)
    if 56 <= lat < 64 and 3 <= lon < 12:
        zone = 32
    elif 72 <= lat <= 84 and 0 <= lon < 42:
        zone = 31 if lon < 9 else 33 if lon < 21 else 35 if lon < 33 else 37
    return (32600 if lat >= 0 else 32700) + zone


def utm_epsg_of(geometries_4326: GeometryLike) -> int:
    """Give the UTM zone of the centre of the bounds of all geometries together.

    Raises
    ------
    GeometryError
        If there is no coordinate at all.
    CrsError
        If the coordinates are not degrees.
    """
    array = as_geometries(geometries_4326)
    bounds = shapely.total_bounds(array)
    if not np.isfinite(bounds).all():
        raise GeometryError("There is no coordinate from which a UTM zone could be chosen.", code="empty_geometry")
    x_min, y_min, x_max, y_max = (float(v) for v in bounds)
    return utm_epsg((x_min + x_max) / 2, (y_min + y_max) / 2)


def project(geometries: GeometryLike, source_epsg: int, target_epsg: int) -> NDArray[np.object_]:
    """Project geometries from one reference system to another.

    Only vertices are moved; edges between them stay straight in the target. Missing (None) and empty geometries come
    through unchanged. A third dimension is dropped.

    Parameters
    ----------
    geometries
        One geometry or any sequence of them, in ``source_epsg``.
    source_epsg, target_epsg
        EPSG codes; axes are always x, y.

    Returns
    -------
    ndarray
        Shape ``(n,)``, geometries in ``target_epsg``.

    Raises
    ------
    CrsError
        If a code is unknown, or a coordinate is not finite or cannot be expressed in the target.

    Examples
    --------
    >>> point = project(shapely.Point(51.0, 0.0), 4326, 32639)[0]  # on the central meridian of zone 39
    >>> round(point.x, 3), round(point.y, 3)
    (500000.0, 0.0)
    """
    array = as_geometries(geometries)
    # Made here, so that an unknown code is refused even where there is nothing to move.
    _transformer(int(source_epsg), int(target_epsg))
    result = shapely.transform(array, lambda xy: project_xy(xy, source_epsg, target_epsg))
    return np.asarray(result, dtype=object)


def project_xy(xy: NDArray[np.float64], source_epsg: int, target_epsg: int) -> NDArray[np.float64]:
    """Project bare coordinates, for example the corners of a raster's pixels.

    Parameters
    ----------
    xy
        Shape ``(..., 2)``: x, y in ``source_epsg``.
    source_epsg, target_epsg
        EPSG codes; axes are always x, y.

    Returns
    -------
    ndarray
        Of the same shape, in ``target_epsg``.

    Raises
    ------
    CrsError
        As for `project`.
    """
    xy = np.asarray(xy, dtype=np.float64)
    transformer = _transformer(int(source_epsg), int(target_epsg))
    moved = xy if source_epsg == target_epsg else np.stack(transformer.transform(xy[..., 0], xy[..., 1]), axis=-1)
    if not (np.isfinite(xy).all() and np.isfinite(moved).all()):
        raise _not_finite(source_epsg, target_epsg)
    return moved


def require_metric(epsg: int) -> None:
    """Refuse a reference system whose unit is not the metre.

    Raises
    ------
    CrsError
        If the system is unknown, geographic (degrees) or in another unit.
    """
    crs = _crs(int(epsg))
    if not crs.is_projected or any(axis.unit_conversion_factor != 1.0 for axis in crs.axis_info[:2]):
        raise CrsError(
            f"EPSG:{epsg} is not measured in metres.",
            code="not_metric",
            remedy="Project to the local UTM zone first.",
        )


def as_geometries(geometries: GeometryLike) -> NDArray[np.object_]:
    """Give one geometry or any sequence of them as a flat object array."""
    if geometries is None or isinstance(geometries, shapely.Geometry):
        array = np.empty(1, dtype=object)
        array[0] = geometries
        return array
    if isinstance(geometries, np.ndarray):
        return geometries.astype(object, copy=False).ravel()
    items = list(geometries)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


@lru_cache(maxsize=256)
def _crs(epsg: int) -> CRS:
    try:
        return CRS.from_epsg(epsg)
    except CRSError as error:
        raise CrsError(
            f"EPSG:{epsg} is not a known reference system.",
            code="unknown_crs",
            remedy="Give a code from the EPSG register, such as 4326.",
        ) from error


@lru_cache(maxsize=256)
def _transformer(source_epsg: int, target_epsg: int) -> Transformer:
    try:
        return Transformer.from_crs(_crs(source_epsg), _crs(target_epsg), always_xy=True)
    except ProjError as error:
        message = f"No way is known from EPSG:{source_epsg} to EPSG:{target_epsg}."
        raise CrsError(message, code="no_transform") from error


def _not_finite(source_epsg: int, target_epsg: int) -> CrsError:
    return CrsError(
        f"A coordinate cannot be expressed when going from EPSG:{source_epsg} to EPSG:{target_epsg}.",
        code="coordinate_out_of_range",
        remedy="Check that the file really is in the reference system it names.",
    )
