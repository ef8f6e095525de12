"""Small drawings of an upload: where its points would fall, and what a repair would make of a shape. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project
from geo.core.validity import repair
from geo.errors import MahallehError

SIDE: Final = 120.0
_EDGE: Final = 6.0
_MOST_DOTS: Final = 200

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Dots:
    """Points of a file over the outline of a city, in the units of a drawing of `SIDE` by `SIDE`.

    Attributes
    ----------
    city : tuple of float
        x, y, width and height of the box around the city.
    inside, outside : tuple of points
        Those in the city's box, and those elsewhere as far as the drawing reaches.
    beyond : int
        How many lie further away than the drawing reaches.
    """

    city: tuple[float, float, float, float]
    inside: tuple[tuple[float, float], ...]
    outside: tuple[tuple[float, float], ...]
    beyond: int


def points_of(sample: Sequence[Sequence[float]], candidate: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Place points of a file as a candidate says; points that cannot be placed are left out."""
    if not sample:
        return []
    xy = np.asarray([(float(p[0]), float(p[1])) for p in sample[:_MOST_DOTS]])
    xy = (xy[:, ::-1] if candidate.get("swap_xy") else xy) * float(candidate.get("scale") or 1)
    epsg = int(candidate["epsg"])
    if epsg == STORAGE_EPSG:
        return [(float(x), float(y)) for x, y in xy]
    found = []
    for x, y in xy:
        try:
            at = project(np.array([shapely.Point(x, y)], dtype=object), epsg, STORAGE_EPSG)[0]
        except MahallehError:
            continue
        found.append((float(at.x), float(at.y)))
    return found


def dots(points: Iterable[tuple[float, float]], bounds: Bounds) -> Dots:
    """Draw points over the box of a city, in two kinds.

    Examples
    --------
    >>> drawn = dots([(0.5, 0.5), (1.5, 0.5), (90, 0)], (0, 0, 1, 1))
    >>> len(drawn.inside), len(drawn.outside), drawn.beyond
    (1, 1, 1)
    """
    west, south, east, north = bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    half = max((east - west) * squeeze, north - south)
    x0, y0 = (west + east) / 2, (south + north) / 2
    scale = (SIDE / 2 - _EDGE) / half

    def at(lon: float, lat: float) -> tuple[float, float]:
        return round(SIDE / 2 + (lon - x0) * squeeze * scale, 1), round(SIDE / 2 - (lat - y0) * scale, 1)

    inside, outside, beyond = [], [], 0
    for lon, lat in points:
        x, y = at(lon, lat)
        if not (0 <= x <= SIDE and 0 <= y <= SIDE):
            beyond += 1
        elif west <= lon <= east and south <= lat <= north:
            inside.append((x, y))
        else:
            outside.append((x, y))
    left, top = at(west, north)
    right, bottom = at(east, south)
    box = (left, top, round(right - left, 1), round(bottom - top, 1))
    return Dots(box, tuple(inside), tuple(outside), beyond)


@dataclass(frozen=True, slots=True)
class Mending:
    """A shape before and after the repair offered, drawn at one scale.

    Attributes
    ----------
    row : int
        Of the file.
    before, after : str
        SVG paths; ``after`` is empty where nothing can be done.
    lon, lat : float
        Where it is.
    fault : tuple of float, optional
        Where in the drawing the fault is.
    """

    row: int
    before: str
    after: str
    lon: float
    lat: float
    fault: tuple[float, float] | None


def mended(geometry: Mapping[str, Any]) -> shapely.Geometry | None:
    """Return what the repair makes of a shape in EPSG:4326; None where nothing is left."""
    try:
        return repair(shape(geometry))[0]
    except (MahallehError, ValueError, shapely.errors.ShapelyError):
        return None


def mending(row: int, geometry: Mapping[str, Any], fault: tuple[float, float] | None) -> Mending | None:
    """Draw a shape before and after its repair; None where it cannot be drawn."""
    try:
        broken = shape(geometry)
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        return None
    if broken.is_empty or not np.isfinite(shapely.get_coordinates(broken)).all():
        return None
    whole = mended(geometry)
    flat = project(np.array([broken], dtype=object), STORAGE_EPSG, TILE_EPSG)[0]
    to_sheet = _sheet(flat.bounds)
    drawn_fault = None
    if fault is not None:
        at = project(np.array([shapely.Point(fault)], dtype=object), STORAGE_EPSG, TILE_EPSG)[0]
        x, y = to_sheet(np.array([[at.x, at.y]]))[0]
        drawn_fault = (round(float(x), 1), round(float(y), 1))
    after = ""
    if whole is not None:
        after = _path(project(np.array([whole], dtype=object), STORAGE_EPSG, TILE_EPSG)[0], to_sheet)
    centre = fault or ((broken.bounds[0] + broken.bounds[2]) / 2, (broken.bounds[1] + broken.bounds[3]) / 2)
    return Mending(row, _path(flat, to_sheet), after, round(centre[0], 6), round(centre[1], 6), drawn_fault)


def _sheet(bounds: Bounds) -> Any:
    west, south, east, north = bounds
    scale = (SIDE - 2 * _EDGE) / max(east - west, north - south, 1e-9)
    x0, y0 = (west + east) / 2, (south + north) / 2

    def to_sheet(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([SIDE / 2 + (xy[:, 0] - x0) * scale, SIDE / 2 - (xy[:, 1] - y0) * scale])

    return to_sheet


def _path(flat: shapely.Geometry, to_sheet: Any) -> str:
    parts: list[str] = []
    for part in shapely.get_parts(flat):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = to_sheet(shapely.get_coordinates(ring))
            line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist())
            parts.append(f"M{line}" + ("Z" if part.geom_type == "Polygon" else ""))
    return "".join(parts)
