"""The drawing of a published map: simplified shapes as short lists of whole numbers, small enough for a slow phone.

Neighbourhoods are simplified together, so that neighbours still share their edges. Coordinates are whole multiples of
10⁻⁵ degree (about 1 m), each written as its difference from the one before; only numbers leave this module.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
_LINE: Final = 1
_RING: Final = 2
_POLYGON: Final = 3


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
        self._shapes: dict[float, list[Any]] = {}
        self._backdrops: dict[tuple[str, float], list[Any]] = {}

    def numbers(self, backdrops: Sequence[Backdrop], tolerance_m: float) -> dict[str, Any]:
        """Return the drawing at one tolerance."""
        if tolerance_m not in self._shapes:
            self._shapes[tolerance_m] = self._shapes_at(tolerance_m)
        for layer in backdrops:
            if (layer.kind, tolerance_m) not in self._backdrops:
                drawn = _backdrop(layer, self.epsg, tolerance_m, self.origin)
                self._backdrops[layer.kind, tolerance_m] = drawn
        return {
            "units": UNITS_PER_DEGREE,
            "origin": self.origin.tolist(),
            "bounds": self.bounds,
            "shapes": self._shapes[tolerance_m],
            "backdrops": {layer.kind: self._backdrops[layer.kind, tolerance_m] for layer in backdrops},
        }

    def _shapes_at(self, tolerance_m: float) -> list[Any]:
        simple_m = self.geometries_m.copy()
        over, under = self.is_settlement, ~self.is_settlement
        simple_m[under] = simplify_together(self.geometries_m[under], tolerance_m)
        simple_m[over] = shapely.simplify(self.geometries_m[over], tolerance_m / 2, preserve_topology=True)
        polygons = _polygons(project(simple_m, self.epsg, STORAGE_EPSG), self.origin)
        return [
            [row.class_index, int(row.is_settlement), label, shape]
            for row, label, shape in zip(self.rows, self.labels, polygons, strict=True)
        ]


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
        polygons = [polygon for shape in _polygons(simple, origin) for polygon in shape]
        return [polygons, _lines(simple, origin)]
    return _lines(simple, origin)


def _joined(lines: NDArray[np.object_]) -> shapely.Geometry:
    """Return lines joined end to end where they meet, so that fewer starts are written."""
    return shapely.line_merge(shapely.multilinestrings(_parts(lines, _LINE)[0]))


def _parts(geometries: Any, kind: int) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the parts of one kind, and of which geometry each is."""
    parts, of = shapely.get_parts(geometries, return_index=True)
    is_kind = shapely.get_type_id(parts) == kind
    return parts[is_kind], of[is_kind]


def _polygons(geometries: NDArray[np.object_], origin: NDArray[np.int64]) -> list[list[list[list[int]]]]:
    """Return the polygons of each area as lists of rings; rings too small to draw are left out."""
    parts, of = _parts(geometries, _POLYGON)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    written: list[list[list[int]]] = [[] for _ in parts]
    is_shell = np.diff(of_part, prepend=-1) != 0
    for steps, part, is_first in zip(_steps(rings, origin), of_part, is_shell, strict=True):
        if len(steps) >= 6 and (is_first or written[part]):
            written[part].append(steps)
    found: list[list[list[list[int]]]] = [[] for _ in geometries]
    for polygon, area in zip(written, of, strict=True):
        if polygon:
            found[area].append(polygon)
    return found


def _lines(geometries: NDArray[np.object_], origin: NDArray[np.int64]) -> list[list[int]]:
    return [line for line in _steps(_parts(geometries, _LINE)[0], origin) if len(line) >= 4]


def _units(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(xy * UNITS_PER_DEGREE).astype(np.int64)


def _steps(curves: NDArray[np.object_], origin: NDArray[np.int64]) -> list[list[int]]:
    """Return x, y, x, y … of each line or ring as whole units, each point as its difference from the one before.

    The first point is counted from the origin; the last of a ring, which is its first, is left out.
    """
    xy, of = shapely.get_coordinates(curves, return_index=True)
    last = np.diff(of, append=len(curves)) != 0
    inside = ~(last & (shapely.get_type_id(curves) == _RING)[of])
    units, of = _units(xy[inside]) - origin, of[inside]
    first = np.diff(of, prepend=-1) != 0
    moved = first | np.any(np.diff(units, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)) != 0, axis=1)
    units, of, first = units[moved], of[moved], first[moved]
    before = np.zeros_like(units)
    before[1:] = units[:-1]
    before[first] = 0
    steps = (units - before).ravel().tolist()
    ends = (2 * np.searchsorted(of, np.arange(len(curves) + 1))).tolist()
    return [steps[start:end] for start, end in pairwise(ends)]
