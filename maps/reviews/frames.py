"""The piece of ground that a drawing shows, and how shapes on it become SVG paths.

Pure: shapes in, text out. All sheets are a thousand units wide, so that lines and letters have one size on each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project, project_xy
from geo.core.measuring import distance_m
from maps.pages.outlines import path_of

WIDTH: Final = 1000.0
"""Of every sheet, in its own units."""
_MARGIN: Final = 0.1
_FLATTEST, _TALLEST = 1.8, 1.4
"""Width over height of a sheet."""
_LEAST_M: Final = 40.0
"""A sheet shows at least this much ground across."""
_SIMPLE: Final = 0.45
_OVER: Final = 30.0
"""How far shapes are drawn beyond the sheet's edge, so that the edge itself shows no line."""
_POLYGON: Final = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """The piece of ground that a sheet shows, in web Mercator; north is up."""

    x_min_m: float
    y_max_m: float
    units_per_m: float
    height: float
    metres_per_unit: float

    def flat(self, geometry_4326: shapely.Geometry) -> shapely.Geometry:
        """Return a geometry on the sheet, cut a little outside its edge."""
        moved = project([geometry_4326], STORAGE_EPSG, TILE_EPSG)[0]
        on_sheet = shapely.transform(moved, self._to_sheet)
        # Cutting is made for valid rings; projecting may have bent one over by a hair.
        if not shapely.is_valid(on_sheet):
            on_sheet = shapely.make_valid(on_sheet)
        return shapely.clip_by_rect(on_sheet, -_OVER, -_OVER, WIDTH + _OVER, self.height + _OVER)

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a point lies on the sheet."""
        x, y = self._to_sheet(project_xy(np.array([[lon, lat]]), STORAGE_EPSG, TILE_EPSG))[0]
        return round(float(x), 1), round(float(y), 1)

    def shows(self, x: float, y: float) -> bool:
        """Tell whether a point of the sheet lies on it."""
        return 0 <= x <= WIDTH and 0 <= y <= self.height

    def path(self, geometry_4326: shapely.Geometry) -> str:
        """Return polygons as an SVG path; empty where nothing of them is on the sheet."""
        parts = shapely.get_parts(self.flat(geometry_4326))
        while (shapely.get_type_id(parts) > _POLYGON).any():
            parts = shapely.get_parts(parts)
        land = parts[shapely.get_type_id(parts) == _POLYGON]
        if not len(land):
            return ""
        simple = shapely.simplify(shapely.MultiPolygon(list(land)), _SIMPLE, preserve_topology=True)
        return "" if simple.is_empty else path_of(simple)

    def line_path(self, lines_4326: shapely.Geometry) -> str:
        """Return lines as an SVG path."""
        parts = shapely.get_parts(shapely.simplify(self.flat(lines_4326), _SIMPLE))
        found = []
        for part in parts:
            points = np.round(shapely.get_coordinates(part)).astype(int).tolist()
            if len(points) > 1:
                found.append("M" + "L".join(f"{x} {y}" for x, y in points))
        return "".join(found)

    def inside(self, geometry_4326: shapely.Geometry) -> tuple[float, float, float] | None:
        """Return the best place for a label within polygons, and the radius that is free around it; None off the sheet."""
        shown = shapely.clip_by_rect(self.flat(geometry_4326), 0, 0, WIDTH, self.height)
        parts = shapely.get_parts(shown)
        land = parts[shapely.get_type_id(parts) == _POLYGON]
        if not len(land):
            return None
        largest = land[int(np.argmax(shapely.area(land)))]
        if largest.area < 1.0:
            point = shapely.centroid(largest)
            return round(point.x, 1), round(point.y, 1), 0.0
        circle = shapely.maximum_inscribed_circle(largest, tolerance=2.0)
        (x, y), _edge = shapely.get_coordinates(circle).tolist()
        return round(x, 1), round(y, 1), float(circle.length)

    def _to_sheet(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(
            [(xy[:, 0] - self.x_min_m) * self.units_per_m, (self.y_max_m - xy[:, 1]) * self.units_per_m]
        )


def frame_around(geometries_4326: Iterable[shapely.Geometry]) -> Frame | None:
    """Return the frame of a sheet that shows some shapes and a little around them; None where there are none."""
    given = [shape for shape in geometries_4326 if shape is not None and not shape.is_empty]
    if not given:
        return None
    west, south, east, north = (float(v) for v in shapely.total_bounds(given))
    x0, y0, x1, y1 = shapely.total_bounds(project([shapely.box(west, south, east, north)], STORAGE_EPSG, TILE_EPSG))
    middle = (south + north) / 2
    stretch = 1.0 / max(float(np.cos(np.radians(middle))), 0.01)
    least = _LEAST_M * stretch
    width, height = max(x1 - x0, least) * (1 + 2 * _MARGIN), max(y1 - y0, least) * (1 + 2 * _MARGIN)
    width, height = max(width, height * _TALLEST), max(height, width / _FLATTEST)
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    lonlat = project_xy(
        np.array([[centre_x - width / 2, centre_y], [centre_x + width / 2, centre_y]]), TILE_EPSG, STORAGE_EPSG
    )
    width_m = float(distance_m([shapely.Point(lonlat[0])], [shapely.Point(lonlat[1])])[0])
    scale = WIDTH / width
    return Frame(centre_x - width / 2, centre_y + height / 2, scale, round(height * scale, 1), width_m / WIDTH)
