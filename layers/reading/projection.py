"""Which reference system a file's coordinates are in, and the way from there to longitude and latitude.

`geo.core.crs` projects between EPSG codes and refuses a whole array; a file may name its system in words without a
code, and its reader wants to know *which* rows cannot be expressed. Hence this module, used on reading only.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from geo.core.crs import STORAGE_EPSG
from layers.reading.plan import RefusedError
from layers.reading.wording import option

#: West, south, east, north in degrees.
Bounds: TypeAlias = tuple[float, float, float, float]

Floats = NDArray[np.float64]
_STORAGE: Final = CRS.from_epsg(STORAGE_EPSG)


@dataclass(frozen=True, slots=True)
class Reference:
    """A horizontal reference system in which coordinates were written, x before y.

    Attributes
    ----------
    crs
        The system.
    label
        Its EPSG code as ``EPSG:4674``, else its name.
    """

    crs: CRS
    label: str

    @property
    def is_geographic(self) -> bool:
        """True if coordinates are degrees."""
        return bool(self.crs.is_geographic)

    @property
    def area_of_use(self) -> Bounds | None:
        """Where the system is meant to be used, degrees; None if unknown or crossing the 180th meridian."""
        area = self.crs.area_of_use
        if area is None or area.west >= area.east:
            return None
        return float(area.west), float(area.south), float(area.east), float(area.north)

    def to_lon_lat(self, xy: Floats) -> Floats:
        """Give longitude and latitude of coordinates, shape ``(n, 2)``; not finite where that is impossible."""
        if self.crs == _STORAGE:
            return xy
        x, y = _transformer(self.crs).transform(xy[:, 0], xy[:, 1])
        return np.column_stack((np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)))


def reference_of(declared: str | None, source_epsg: int | None) -> Reference:
    """Find the reference system to read a file in.

    Parameters
    ----------
    declared
        What the file says: ``EPSG:…`` or WKT; None or empty if nothing.
    source_epsg
        What the person says; goes before the file.

    Raises
    ------
    RefusedError
        If neither says anything, or what is said is not a usable horizontal system.
    """
    if source_epsg is not None:
        try:
            return _horizontal(CRS.from_epsg(source_epsg))
        except (CRSError, ValueError, TypeError) as error:
            raise RefusedError(
                "unknown_crs",
                f"EPSG:{source_epsg} is not a known reference system.",
                f"Give {option('source_epsg')} a code from the EPSG register, such as 4326 or 32639.",
            ) from error
    if not declared:
        raise _no_crs()
    try:
        crs = CRS.from_user_input(declared)
    except CRSError as error:
        raise RefusedError(
            "unknown_crs",
            f"The reference system named in the file is not known: {declared[:80]!r}.",
            f"Name the system the coordinates are in with {option('source_epsg')}, for example {option('source_epsg', 32639)}.",
        ) from error
    return _horizontal(crs)


def _horizontal(crs: CRS) -> Reference:
    if crs.is_compound:
        crs = next((part for part in crs.sub_crs_list if part.is_geographic or part.is_projected), crs)
    if crs.is_geographic and len(crs.axis_info) > 2:
        crs = crs.to_2d()
    if "undefined" in crs.name.lower() or crs.is_engineering:
        raise _no_crs()
    if not (crs.is_geographic or crs.is_projected):
        raise RefusedError(
            "unusable_crs",
            f"'{crs.name}' does not give positions on the ground by two coordinates.",
            "Export the file in longitude and latitude (EPSG:4326) or in a UTM zone.",
        )
    try:
        _transformer(crs)
    except ProjError as error:
        raise RefusedError(
            "unusable_crs",
            f"No way is known from '{crs.name}' to longitude and latitude.",
            "Export the file in EPSG:4326.",
        ) from error
    epsg = crs.to_epsg()
    return Reference(crs, f"EPSG:{epsg}" if epsg else crs.name)


def _no_crs() -> RefusedError:
    return RefusedError(
        "no_crs",
        "The file does not say which reference system its coordinates are in.",
        f"Name it with {option('source_epsg')}: 4326 for degrees, 32639 for UTM zone 39N. A shapefile says it in its .prj part.",
    )


@lru_cache(maxsize=64)
def _transformer(crs: CRS) -> Transformer:
    return Transformer.from_crs(crs, _STORAGE, always_xy=True)


def padded(near: Bounds) -> Bounds:
    """Widen the bounds of a city by its own size, at least a quarter of a degree, on each side."""
    west, south, east, north = near
    dx, dy = max(0.25, east - west), max(0.25, north - south)
    return west - dx, south - dy, east + dx, north + dy


def within(lon_lat: Floats, bounds: Bounds) -> NDArray[np.bool_]:
    """Say which points lie in bounds; False for what is not finite."""
    west, south, east, north = bounds
    lon, lat = lon_lat[:, 0], lon_lat[:, 1]
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
