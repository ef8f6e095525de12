"""Reference systems that data are asked for in: whether they can be, at that place on the earth."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project_xy, utm_epsg
from geo.errors import CrsError

Bounds = tuple[float, float, float, float]

_CLOSE_DEGREES: Final = 1e-6
"""How far a place may come back from where it went; more, and the system does not hold there."""
_BESIDE_DEGREES: Final = 8.0
"""How far from the area that a system is made for data may lie: the next zone of UTM is in use at the edges of one."""


def crs_required(epsg: int, bounds_4326: Bounds | None = None) -> CRS:
    """Return a reference system, after checking that it is a map's and that it holds where the data lie.

    Raises
    ------
    CrsError
        Where it is unknown, is not one of longitude and latitude or of a map, or does not hold there.
    """
    try:
        crs = CRS.from_epsg(epsg)
    except (CRSError, OverflowError) as error:
        raise CrsError(
            f"EPSG:{epsg} is not a known reference system.",
            code="unknown_crs",
            where="crs",
            remedy="Give a code from the EPSG register, such as 4326.",
            details={"epsg": epsg},
        ) from error
    if len(crs.axis_info) != 2 or not (crs.is_projected or crs.is_geographic):
        raise CrsError(
            f"EPSG:{epsg} is not a system of two coordinates on a map.",
            code="crs_not_of_map",
            where="crs",
            remedy=f"Give 4326, {TILE_EPSG}, or the zone of UTM.",
            details={"epsg": epsg},
        )
    if bounds_4326 is not None and epsg != STORAGE_EPSG:
        _require_holds(crs, epsg, bounds_4326)
    return crs


def _require_holds(crs: CRS, epsg: int, bounds_4326: Bounds) -> None:
    west, south, east, north = bounds_4326
    xs, ys = np.meshgrid(np.linspace(west, east, 9), np.linspace(south, north, 9))
    lon_lat = np.column_stack([xs.ravel(), ys.ravel()])
    try:
        is_near = _is_near(crs, (west + east) / 2, (south + north) / 2)
        back = project_xy(project_xy(lon_lat, STORAGE_EPSG, epsg), epsg, STORAGE_EPSG)
        if is_near and np.abs(back - lon_lat).max() <= _CLOSE_DEGREES:
            return
    except CrsError:
        pass
    zone = utm_epsg((west + east) / 2, (south + north) / 2)
    raise CrsError(
        f"EPSG:{epsg} does not hold where these data lie.",
        code="crs_elsewhere",
        where="crs",
        remedy=f"Give 4326, or {zone}, the zone of UTM there.",
        details={"epsg": epsg, "zone": zone},
    )


def _is_near(crs: CRS, lon: float, lat: float) -> bool:
    """Tell whether a place is in or near the area that a system is made for."""
    area = crs.area_of_use
    if area is None:
        return True
    width = (area.east - area.west) % 360 or 360  # the area may lie on both sides of the 180th meridian
    beyond = (lon - area.west) % 360
    beside = max(0.0, min(beyond - width, 360 - beyond))
    return beside <= _BESIDE_DEGREES and area.south - _BESIDE_DEGREES <= lat <= area.north + _BESIDE_DEGREES


def projjson(epsg: int) -> dict[str, Any]:
    """Return a reference system as PROJJSON."""
    found: dict[str, Any] = CRS.from_epsg(epsg).to_json_dict()
    return found
