"""The drawing of a published map: simplified shapes as short lists of whole numbers, small enough for a slow phone.

Neighbourhoods are simplified together, so that neighbours still share their edges. Coordinates are whole multiples of
10⁻⁵ degree (about 1 m), each written as its difference from the one before; only numbers leave this module.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from maps.published.freeze import Frozen

UNITS_PER_DEGREE: Final = 100_000
FINE_M: Final = (2.0, 4.0, 7.0, 12.0)
COARSE_M: Final = (20.0, 35.0, 60.0)
"""Simplification tried in turn, until the drawing is small enough; the coarse ones only once all backdrops are gone."""
DEFAULT_BUDGET_BYTES: Final = 60_000
"""Compressed size a drawing may have, so that the page with the page of ours around it stays below 300 KB."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """One kind of line or area drawn below the results.

    Attributes
    ----------
    kind : str
        How it is drawn: ``outline``, ``water``, ``green``, ``road-1`` (widest) … ``road-3``,
        ``transit`` or ``facility``.
    geometries : tuple
        EPSG:4326.
    """

    kind: str
    geometries: tuple[shapely.Geometry, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page draws: JSON-safe numbers, and how coarse they are.

    ``shapes`` has one entry a row, in the order of the rows: class, settlement (1) or not (0), label point, polygons.
    """

    numbers: dict[str, Any]
    tolerance_m: float
    compressed_bytes: int
    left_out: tuple[str, ...]


def draw(frozen: Frozen, backdrops: Sequence[Backdrop], budget_bytes: int = DEFAULT_BUDGET_BYTES) -> Drawing:
    """Draw a frozen result over its backdrops within a budget of bytes.

    The finest tolerance that fits is taken; where none fits, backdrops are left out from the last one on, and said so.
    Places are never left out, however many bytes they take.
    """
    present = [geometry for geometry in frozen.geometries if not geometry.is_empty]
    canvas = _Canvas(frozen, utm_epsg_of(present) if present else 32639)
    kept = list(backdrops)
    left_out: list[str] = []
    while True:
        for tolerance_m in FINE_M if kept else FINE_M + COARSE_M:
            numbers = canvas.numbers(kept, tolerance_m)
            size = compressed_bytes(numbers)
            if size <= budget_bytes:
                return Drawing(numbers, tolerance_m, size, tuple(left_out))
        if not kept:
            return Drawing(numbers, tolerance_m, size, tuple(left_out))
        left_out.append(kept.pop().kind)


def compressed_bytes(numbers: Any) -> int:
    """Return how many bytes a JSON value takes on the wire."""
    return len(gzip.compress(compact_json(numbers).encode(), 6, mtime=0))


def compact_json(value: Any) -> str:
    """Return JSON without spaces, in ASCII."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def simplify_together(geometries_m: NDArray[np.object_], tolerance_m: float) -> NDArray[np.object_]:
    """Simplify areas that tile a city so that they still tile it; an area that would vanish stays as it was.

    Parameters
    ----------
    geometries_m : ndarray
        Polygons or multipolygons in one metric reference system.
    tolerance_m : float
        Roughly the root of the area of the triangles taken away.
    """
    if len(geometries_m) == 0:
        return geometries_m
    simplified = shapely.coverage_simplify(geometries_m, tolerance_m)
    gone = shapely.is_empty(simplified) | shapely.is_missing(simplified)
    return np.where(gone, geometries_m, simplified)


class _Canvas:
    """The places of a result in metres, with what does not depend on how coarsely they are drawn."""

    def __init__(self, frozen: Frozen, epsg: int) -> None:
        self.rows = frozen.rows
        self.epsg = epsg
        self.geometries_m = project(list(frozen.geometries), STORAGE_EPSG, epsg)
        self.is_settlement = np.array([row.is_settlement for row in frozen.rows], dtype=bool)
        bounds = shapely.total_bounds(np.array([*frozen.geometries, None], dtype=object))
        self.bounds = [round(float(value), 5) for value in np.nan_to_num(bounds)]
        self.origin = _units(np.array(self.bounds[:2]))
        self.labels = [(_units(point) - self.origin).tolist() for point in _label_points(self.geometries_m, epsg)]

    def numbers(self, backdrops: Sequence[Backdrop], tolerance_m: float) -> dict[str, Any]:
        """Return the drawing at one tolerance."""
        simple_m = self.geometries_m.copy()
        over, under = self.is_settlement, ~self.is_settlement
        simple_m[under] = simplify_together(self.geometries_m[under], tolerance_m)
        simple_m[over] = shapely.simplify(self.geometries_m[over], tolerance_m / 2, preserve_topology=True)
        simple = project(simple_m, self.epsg, STORAGE_EPSG)
        shapes = [
            [row.class_index, int(row.is_settlement), label, _polygons(shape, self.origin)]
            for row, label, shape in zip(self.rows, self.labels, simple, strict=True)
        ]
        return {
            "units": UNITS_PER_DEGREE,
            "origin": self.origin.tolist(),
            "bounds": self.bounds,
            "shapes": shapes,
            "backdrops": {layer.kind: _backdrop(layer, self.epsg, tolerance_m, self.origin) for layer in backdrops},
        }


def _label_points(geometries_m: NDArray[np.object_], epsg: int) -> list[NDArray[np.float64]]:
    """Return the centre of the largest circle inside each area: where its name has most room."""
    points = []
    for geometry in geometries_m:
        parts = [part for part in shapely.get_parts(geometry) if part.area > 0]
        largest = max(parts, key=lambda part: float(part.area), default=None)
        if largest is None:
            points.append(shapely.Point(geometry.centroid))
        else:
            size_m = float(largest.area) ** 0.5
            rough = shapely.simplify(largest, size_m / 100)  # a name needs no finer place, and this is much faster
            circle = shapely.maximum_inscribed_circle(rough, max(1.0, size_m / 50))
            points.append(shapely.get_point(circle, 0))
    return [np.array([point.x, point.y]) for point in project(points, epsg, STORAGE_EPSG)]


def _backdrop(layer: Backdrop, epsg: int, tolerance_m: float, origin: NDArray[np.int64]) -> list[Any]:
    geometries = list(layer.geometries)
    if layer.kind == "facility":
        points = [geometry.representative_point() for geometry in geometries if not geometry.is_empty]
        return [(_units(np.array([point.x, point.y])) - origin).tolist() for point in points]
    simple_m = shapely.simplify(project(geometries, STORAGE_EPSG, epsg), tolerance_m, preserve_topology=True)
    if layer.kind.startswith(("road", "transit")):
        simple_m = np.array([_joined(simple_m)], dtype=object)
    simple = project(simple_m, epsg, STORAGE_EPSG)
    if layer.kind in {"water", "green", "outline"}:
        areas = [part for g in simple for part in shapely.get_parts(g) if part.geom_type == "Polygon"]
        lines = [part for g in simple for part in shapely.get_parts(g) if part.geom_type == "LineString"]
        return [[ring for area in areas if (ring := _polygon(area, origin))], _lines(lines, origin)]
    return _lines((part for g in simple for part in shapely.get_parts(g)), origin)


def _joined(lines: Iterable[shapely.Geometry]) -> shapely.Geometry:
    """Return lines joined end to end where they meet, so that fewer starts are written."""
    parts = [part for line in lines for part in shapely.get_parts(line) if part.geom_type == "LineString"]
    return shapely.line_merge(shapely.MultiLineString(parts)) if parts else shapely.MultiLineString()


def _polygons(geometry: shapely.Geometry, origin: NDArray[np.int64]) -> list[list[list[int]]]:
    """Return the polygons of an area as lists of rings; rings too small to draw are left out."""
    polygons = (_polygon(part, origin) for part in shapely.get_parts(geometry) if part.geom_type == "Polygon")
    return [polygon for polygon in polygons if polygon]


def _polygon(polygon: shapely.Polygon, origin: NDArray[np.int64]) -> list[list[int]]:
    shell, *holes = (_deltas(shapely.get_coordinates(ring)[:-1], origin) for ring in shapely.get_rings(polygon))
    if len(shell) < 6:
        return []
    return [shell, *(hole for hole in holes if len(hole) >= 6)]


def _lines(lines: Iterable[shapely.Geometry], origin: NDArray[np.int64]) -> list[list[int]]:
    written = (_deltas(shapely.get_coordinates(line), origin) for line in lines)
    return [line for line in written if len(line) >= 4]


def _units(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(xy * UNITS_PER_DEGREE).astype(np.int64)


def _deltas(xy: NDArray[np.float64], origin: NDArray[np.int64]) -> list[int]:
    """Return x, y, x, y … as whole units, each point as its difference from the one before (the first: from the origin)."""
    units = _units(xy) - origin
    moved = np.any(np.diff(units, axis=0, prepend=units[:1] - 1) != 0, axis=1)
    units = units[moved]
    steps: list[int] = np.diff(units, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel().tolist()
    return steps
