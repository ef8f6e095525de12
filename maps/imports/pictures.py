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
_AROUND: Final = 20.0  # what lies just outside of the city shows too
_COARSE: Final = 0.4

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Dots:
    """Points of a file over the outline of a city, in the units of a drawing of `SIDE` by `SIDE`.

    Attributes
    ----------
    city : str
        SVG path of the outline.
    inside, outside : tuple of points
        Those in the city, and those elsewhere as far as the drawing reaches.
    beyond : int
        How many lie further away than the drawing reaches.
    """

    city: str
    inside: tuple[tuple[float, float], ...]
    outside: tuple[tuple[float, float], ...]
    beyond: int


def dots(points: Iterable[Sequence[float]], city: shapely.Geometry) -> Dots:
    """Draw points, longitude and latitude, over the outline of a city, in two kinds.

    Examples
    --------
    >>> drawn = dots([(0.5, 0.5), (1.1, 0.5), (90, 0)], shapely.box(0, 0, 1, 1))
    >>> len(drawn.inside), len(drawn.outside), drawn.beyond
    (1, 1, 1)
    """
    west, south, east, north = city.bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (SIDE / 2 - _AROUND) / max((east - west) / 2 * squeeze, (north - south) / 2, 1e-9)
    x0, y0 = (west + east) / 2, (south + north) / 2

    def to_sheet(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([SIDE / 2 + (xy[:, 0] - x0) * squeeze * scale, SIDE / 2 - (xy[:, 1] - y0) * scale])

    outline = shapely.simplify(shapely.transform(city, to_sheet), _COARSE)
    lon_lat = np.array([(float(one[0]), float(one[1])) for one in points], dtype=np.float64).reshape(-1, 2)
    on_sheet = to_sheet(lon_lat).round(1)
    is_seen: NDArray[np.bool_] = np.asarray(((on_sheet >= 0) & (on_sheet <= SIDE)).all(axis=1))
    is_inside: NDArray[np.bool_] = np.asarray(shapely.contains_xy(city, lon_lat), dtype=bool)

    def some(mask: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
        return tuple((x, y) for x, y in on_sheet[mask].tolist())

    return Dots(
        _path(outline, lambda xy: xy), some(is_seen & is_inside), some(is_seen & ~is_inside), int((~is_seen).sum())
    )


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
