"""Drawings of a city's places as SVG paths: for thumbnails, print, locator maps, and where a live map cannot run.

Pure: shapes in, text out. A drawing is a picture, not a measurement; the one length in it, of a pixel, comes from the measuring module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project
from geo.core.measuring import distance_m

SIZE: Final = 1000.0
"""Longer side of a drawing, in its own units."""
TOLERANCE: Final = 1.6
"""How far a simplified line may stray, in the drawing's units: invisible at the sizes we print."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One place of a drawing.

    Attributes
    ----------
    d : str
        Its SVG path.
    x, y : float
        A point inside it, for a mark.
    lon, lat : float
        The same point in EPSG:4326.
    box : tuple of float
        West, south, east, north in EPSG:4326.
    """

    code: str
    is_settlement: bool
    d: str
    x: float
    y: float
    lon: float
    lat: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A city's places on one sheet, north up.

    Attributes
    ----------
    width, height : float
        Of the sheet.
    bounds_4326 : tuple of float
        West, south, east, north.
    metres_per_unit : float
        Ground length of one unit of the sheet, across its middle.
    """

    width: float
    height: float
    bounds_4326: tuple[float, float, float, float]
    metres_per_unit: float
    outlines: tuple[Outline, ...]

    @property
    def neighbourhoods(self) -> tuple[Outline, ...]:
        """Places that tile the city."""
        return tuple(outline for outline in self.outlines if not outline.is_settlement)

    @property
    def settlements(self) -> tuple[Outline, ...]:
        """Places that lie over the tiling."""
        return tuple(outline for outline in self.outlines if outline.is_settlement)


def draw(codes: Sequence[str], is_settlement: Sequence[bool], geometries_4326: NDArray[np.object_]) -> Drawing:
    """Draw places: neighbourhoods simplified together so that they still tile, settlements each by itself.

    Parameters
    ----------
    codes, is_settlement : sequences
        One per geometry.
    geometries_4326 : ndarray of polygons
        Not empty.
    """
    west, south, east, north = (float(v) for v in shapely.total_bounds(geometries_4326))
    flat = project(geometries_4326, STORAGE_EPSG, TILE_EPSG)
    x_min, y_min, x_max, y_max = shapely.total_bounds(flat)
    scale = SIZE / max(x_max - x_min, y_max - y_min, 1e-9)

    def to_sheet(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([(xy[:, 0] - x_min) * scale, (y_max - xy[:, 1]) * scale])

    sheet = shapely.transform(flat, to_sheet)
    over = np.array(is_settlement, dtype=bool)
    simple = sheet.copy()
    if (~over).any():
        simple[~over] = shapely.coverage_simplify(sheet[~over], TOLERANCE)
    simple[over] = shapely.simplify(sheet[over], TOLERANCE / 2, preserve_topology=True)
    gone = shapely.is_empty(simple) | shapely.is_missing(simple)
    simple = np.where(gone, sheet, simple)
    inside_4326 = shapely.point_on_surface(geometries_4326)
    inside = shapely.transform(project(inside_4326, STORAGE_EPSG, TILE_EPSG), to_sheet)
    boxes = shapely.bounds(geometries_4326)
    middle = (south + north) / 2
    width_m = float(distance_m([shapely.Point(west, middle)], [shapely.Point(east, middle)])[0])
    width = (x_max - x_min) * scale
    outlines = []
    for code, settled, shape, point, lonlat, box in zip(codes, over, simple, inside, inside_4326, boxes, strict=True):
        w, s, e, n = (round(float(v), 6) for v in box)
        outlines.append(
            Outline(
                code=code,
                is_settlement=bool(settled),
                d=path_of(shape),
                x=round(point.x, 1),
                y=round(point.y, 1),
                lon=round(lonlat.x, 6),
                lat=round(lonlat.y, 6),
                box=(w, s, e, n),
            )
        )
    return Drawing(
        round(width, 1),
        round((y_max - y_min) * scale, 1),
        (west, south, east, north),
        width_m / max(width, 1e-9),
        tuple(outlines),
    )


def path_of(geometry: shapely.Geometry) -> str:
    """Write a polygon or multipolygon as an SVG path in whole units, repeated points left out.

    Examples
    --------
    >>> path_of(shapely.box(0, 0, 10, 20))
    'M10 0V20H0V0Z'
    """
    parts: list[str] = []
    for polygon in shapely.get_parts(geometry):
        for ring in (polygon.exterior, *polygon.interiors):
            parts.append(_ring(np.round(shapely.get_coordinates(ring)).astype(int)))
    return "".join(parts)


def _ring(points: NDArray[np.int_]) -> str:
    moved = np.any(np.diff(points, axis=0) != 0, axis=1)
    kept = points[:-1][moved] if moved.any() else points[:1]
    text = [f"M{kept[0][0]} {kept[0][1]}"]
    for (x0, y0), (x1, y1) in zip(kept[:-1].tolist(), kept[1:].tolist(), strict=True):
        text.append(f"V{y1}" if x0 == x1 else f"H{x1}" if y0 == y1 else f"L{x1} {y1}")
    return "".join(text) + "Z"


def nice_length(most: float) -> float:
    """Return the largest of 1, 2, 5 × 10ⁿ that is not above a length: what a scale bar shows.

    Examples
    --------
    >>> nice_length(730.0), nice_length(1999.0), nice_length(3.0)
    (500.0, 1000.0, 2.0)
    """
    power = 10.0 ** np.floor(np.log10(max(most, 1e-9)))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most * (1 + 1e-12)))
