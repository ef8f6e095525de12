"""Coordinate reference systems by their URI: which ones are spoken, and their order of axes.

The standard gives coordinates in the order the CRS itself defines (OGC 18-058, `/req/crs/geojson`): CRS84 is longitude,
latitude, but EPSG 4326 is latitude, longitude. Inside the project x always comes first; the two orders meet only here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, project
from geo.errors import CrsError

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
"""WGS 84 longitude, latitude: the default, and the CRS in which boundaries are stored."""

EPSG_ROOT: Final = "http://www.opengis.net/def/crs/EPSG/0/"
_CURIE: Final = re.compile(r"\[(EPSG|OGC):([A-Z0-9]+)\]")

LARGEST_METRES: Final = 20_037_508.3428
"""Half the world in EPSG 3857; no coordinate of a supported CRS in metres is farther from its origin."""


@dataclass(frozen=True, slots=True)
class Crs:
    """A supported coordinate reference system.

    Attributes
    ----------
    uri : str
        As it stands in requests and in the header ``Content-Crs``.
    epsg : int
        The code with which it is computed, x first.
    is_y_first : bool
        Whether the CRS puts latitude before longitude.
    is_degrees : bool
        Whether coordinates are degrees; else metres.
    """

    uri: str
    epsg: int
    is_y_first: bool = False
    is_degrees: bool = False

    @property
    def short(self) -> str:
        """A short name, part of entity tags."""
        return "crs84" if self.uri == CRS84 else str(self.epsg)


def _supported() -> dict[str, Crs]:
    known = [
        Crs(CRS84, STORAGE_EPSG, is_degrees=True),
        Crs(f"{EPSG_ROOT}4326", STORAGE_EPSG, is_y_first=True, is_degrees=True),
        Crs(f"{EPSG_ROOT}3857", 3857),
    ]
    known += [Crs(f"{EPSG_ROOT}{half + zone}", half + zone) for half in (32600, 32700) for zone in range(1, 61)]
    return {crs.uri: crs for crs in known}


SUPPORTED: Final = _supported()
"""Every CRS of `/req/crs/fc-md-crs-list`: WGS 84 both ways round, Web Mercator, and all UTM zones."""

DEFAULT: Final = SUPPORTED[CRS84]


def crs_of(text: str, where: str) -> Crs:
    """Return the CRS that a URI or a safe CURIE names (`/req/crs/fc-crs-valid-value`, `/req/crs/fc-bbox-crs-valid-values`).

    Parameters
    ----------
    text : str
        Such as ``http://www.opengis.net/def/crs/EPSG/0/32639`` or ``[EPSG:32639]``.
    where : str
        The parameter or header it was given in.

    Raises
    ------
    CrsError
        If it is not one of those listed in the collection.

    Examples
    --------
    >>> crs_of("[EPSG:32639]", "crs").uri
    'http://www.opengis.net/def/crs/EPSG/0/32639'
    >>> crs_of("http://www.opengis.net/def/crs/EPSG/0/4326", "crs").is_y_first
    True
    """
    uri = text.strip()
    curie = _CURIE.fullmatch(uri)
    if curie:
        uri = CRS84 if curie[0] == "[OGC:CRS84]" else f"{EPSG_ROOT}{curie[2]}"
    found = SUPPORTED.get(uri.replace("https://", "http://", 1))
    if found is None:
        raise CrsError(
            "This coordinate reference system is not supported.",
            code="unknown_crs",
            where=where,
            remedy=f"Give one of those listed in the collection, such as {CRS84} or {EPSG_ROOT}32639.",
        )
    return found


def to_crs(geometries_4326: NDArray[np.object_], crs: Crs) -> NDArray[np.object_]:
    """Express stored geometries in a CRS, axes in its own order (`/req/crs/fc-crs-action`).

    Parameters
    ----------
    geometries_4326 : ndarray
        Shape ``(n,)``, longitude first.
    crs : Crs
        The target.

    Raises
    ------
    CrsError
        If a geometry lies where the CRS is not defined.

    Examples
    --------
    >>> point = np.array([shapely.Point(48.36, 33.49)], dtype=object)
    >>> to_crs(point, SUPPORTED[EPSG_ROOT + "4326"])[0].wkt
    'POINT (33.49 48.36)'
    """
    if crs.epsg == STORAGE_EPSG:
        return _swapped(geometries_4326) if crs.is_y_first else geometries_4326
    try:
        return project(geometries_4326, STORAGE_EPSG, crs.epsg)
    except CrsError as error:
        raise CrsError(
            "A boundary lies where this reference system is not defined.",
            code="coordinate_out_of_range",
            where="parameter crs",
            remedy="Ask for the zone the boundary lies in, or leave crs out.",
        ) from error


def from_crs(geometry: shapely.Geometry, crs: Crs, where: str) -> shapely.Geometry:
    """Bring a geometry that a client gave in a CRS to longitude, latitude (`/req/features/crs-other-crs`).

    Raises
    ------
    CrsError
        If a coordinate is not finite, or is not one of the CRS.

    Examples
    --------
    >>> from_crs(shapely.Point(33.49, 48.36), SUPPORTED[EPSG_ROOT + "4326"], "bbox").wkt
    'POINT (48.36 33.49)'
    """
    array = np.array([geometry], dtype=object)
    if crs.is_y_first:
        array = _swapped(array)
    xy = shapely.get_coordinates(array)
    limits = (180.0, 90.0) if crs.is_degrees else (LARGEST_METRES, LARGEST_METRES)
    beyond = ~(np.abs(xy) <= np.array(limits) * (1 + 1e-9))
    if beyond.any():
        x, y = xy[np.flatnonzero(beyond.any(axis=1))[0]]
        order = f"{y:g}, {x:g}" if crs.is_y_first else f"{x:g}, {y:g}"
        raise CrsError(
            f"The coordinate {order} is outside the range of its reference system.",
            code="coordinate_out_of_range",
            where=where,
            remedy=f"Coordinates are taken to be in {crs.uri}; name another reference system, or correct them.",
        )
    try:
        return array[0] if crs.epsg == STORAGE_EPSG else project(array, crs.epsg, STORAGE_EPSG)[0]
    except CrsError as error:
        error.where = error.where or where
        raise


def _swapped(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(geometries, lambda xy: xy[:, ::-1]), dtype=object)
