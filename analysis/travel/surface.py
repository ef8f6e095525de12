"""Travel on foot over the surface of the land: by land cover and slope, around barriers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from analysis.caching import arrays, content_key
from analysis.core.changes import StreetDrawn
from analysis.core.friction import (
    FrictionCosts,
    Surface,
    burnt,
    cells_crossed,
    cells_of_points,
    facilities_in_turn,
    friction_costs,
    friction_surface,
    nearest_facility,
    with_facilities,
)
from analysis.core.heights import SMOOTHING_M, at_pixels, between_pixels, smoothed
from analysis.ground import Ground
from analysis.rasters import raster_window
from analysis.results import TRAVELS, TravelRow
from analysis.selectors import TravelReading, roads_read
from analysis.travel.layers import layer_row
from analysis.travel.measuring import LEVEL_M_PER_MIN, Costs, Numbers, Parts
from analysis.travel.straight import parts_of_cells
from geo.core.cell_shares import centres_inside
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import MAX_CELLS, Grid
from geo.errors import InvalidInput, LimitExceeded
from layers.models import Release

SURFACE_AROUND_M: Final = 2_000.0
"""Land so far beyond a city's places is walked over; facilities further away are not reached."""

STREET_KMH: Final = 5.0
"""On a street, whatever the land cover below it: a bridge leads over the river."""

_VERSION: Final = 1
_BEYOND_CELLS: Final = 4
_SEARCHED_S: Final = 6e-7
_TOLD_S: Final = 2e-8
"""Seconds that a facility takes for a cell that is searched, and for a part of the ground that is told."""
_UNKNOWN: Final = -(2**40)
_STREET: Final = -(2**40) + 1
_FAR: Final = -(2**40) + 2


@dataclass(frozen=True, slots=True, eq=False)
class OverSurface:
    """Over land cover and slopes, on the cells of the city's grid and a margin around it."""

    grid: Grid
    ground: Ground
    travel: TravelReading
    land_cover: Release
    drawn: tuple[StreetDrawn, ...]

    @property
    def key(self) -> str:
        """Hash of the ground, the land cover, heights and streets, and the speeds."""
        return self._surface_key

    @property
    def _surface_key(self) -> str:
        travel, grid = self.travel, self.grid
        hashes = [r.content_hash if r else "" for r in (self.land_cover, travel.elevation, travel.roads)]
        place = [grid.epsg, grid.cell_m, grid.bounds_m]
        drawn = [[street.kind, street.coordinates] for street in self.drawn]
        return content_key("surface", _VERSION, hashes, travel.data.land_cover_kmh, place, self.ground.key, drawn)

    @property
    def row(self) -> TravelRow:
        """The way of travel, with its land cover, heights and streets."""
        named = (("land_cover", self.land_cover), ("elevation", self.travel.elevation), ("roads", self.travel.roads))
        layers = tuple(layer_row(use, release) for use, release in named if release is not None)
        return TravelRow("surface", *TRAVELS["surface"], True, layers)

    def prepare(self) -> None:
        """Read land cover, heights and streets."""
        self._surface()

    def measured(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure the seconds from each cell of the surface to the nearest facility."""
        # The members of a collection may have parts in their turn.
        cells, _ = self._cells_of(shapely.get_parts(facilities_m))
        time_s: Costs = friction_costs(self._surface(), [cells], threads=1).time_s[0]
        return time_s

    def measured_with(self, measured: Costs, added_m: NDArray[np.object_]) -> Costs:
        """Give the same with more facilities: only the cells that they are nearer to are searched."""
        cells, _ = self._cells_of(added_m)
        none = np.zeros(1, dtype=np.int64)
        before = FrictionCosts(measured[None, :], none, none, "to-facility", 16, math.inf)
        time_s: Costs = with_facilities(self._surface(), before, 0, cells).time_s[0]
        return time_s

    def of_parts(self, measured: Costs) -> Costs:
        """Give the cost of each part of the ground."""
        metres = measured * np.float32(LEVEL_M_PER_MIN / 60.0)
        return parts_of_cells(metres, self._wide(), self.ground, self._at())

    def cost_m(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from each part of the ground to the nearest facility."""
        return self.of_parts(self.measured(facilities_m))

    def each_m(self, facilities_m: NDArray[np.object_], limit_m: float) -> Iterator[Costs]:
        """Measure from each part of the ground to one facility after the other, as far as the limit and a few cells beyond."""
        cells, facility = self._cells_of(facilities_m)
        # By what lies just beyond, the cost within a part of a cell is estimated.
        limit_s = (limit_m + _BEYOND_CELLS * self.grid.cell_m) * 60.0 / LEVEL_M_PER_MIN
        asked = (cells[facility == row] for row in range(len(facilities_m)))
        return (self.of_parts(time_s) for time_s in facilities_in_turn(self._surface(), asked, limit_s=limit_s))

    def effort_s(self, facilities_m: NDArray[np.object_], limit_m: float) -> float:
        """Tell roughly how long: by the cells within reach of each facility, and by all parts that are then told."""
        if not len(facilities_m):
            return 0.0
        sides_m = shapely.bounds(facilities_m).reshape(-1, 2, 2)
        width, height = np.nan_to_num(sides_m[:, 1] - sides_m[:, 0]).T + 2 * limit_m
        cells = np.minimum(width * height / self.grid.cell_m**2, self._wide().n_cells)
        return float(cells.sum()) * _SEARCHED_S + len(facilities_m) * self.ground.cells.size * _TOLD_S

    def nearest(self, facilities_m: NDArray[np.object_], only: Parts) -> tuple[Numbers, Costs]:
        """Tell which facility is the nearest over the surface, by one search."""
        time_s, who = nearest_facility(self._surface(), *self._cells_of(facilities_m))
        return who[self._at()], self.of_parts(time_s)

    def left_out(self, facilities_m: NDArray[np.object_]) -> int:
        """Count the facilities whose every cell is a barrier or too far outside the city."""
        cells, facility = self._cells_of(facilities_m)
        is_open = np.zeros(len(facilities_m), dtype=bool)
        inside = cells >= 0
        is_open[facility[inside][~self._surface().is_barrier[cells[inside]]]] = True
        return int((~is_open).sum())

    def stranded(self) -> Parts:
        """Tell which parts of the ground lie on a barrier."""
        return np.asarray(self._surface().is_barrier[self._at()])

    def warnings(self) -> tuple[str, ...]:
        """Say where heights are missing."""
        surface, warnings = self._surface(), []
        if self.travel.elevation is None:
            warnings.append("No elevation is set: walking is measured as on level ground.")
        elif surface.cells_without_elevation:
            share = f"{100 * surface.cells_without_elevation / surface.grid.n_cells:.3g}"
            warnings.append(
                f"The elevation is unknown on {share} % of the land: there, walking is measured as on level ground."
            )
        return tuple(warnings)

    # ---- kept by content

    def _surface(self) -> Surface:
        return cast(Surface, arrays.get(self._surface_key, self._surface_read))

    def _at(self) -> NDArray[np.int64]:
        """Return the cell of the surface of each part of the ground."""
        wide = self._wide()
        margin = round((self.grid.x_min_m - wide.x_min_m) / self.grid.cell_m)
        row, col = np.divmod(self.ground.cells, self.grid.n_cols)
        return np.asarray((row + margin) * wide.n_cols + col + margin)

    def _wide(self) -> Grid:
        grid = self.grid
        margin = math.ceil(SURFACE_AROUND_M / grid.cell_m)
        n_cells = (grid.n_rows + 2 * margin) * (grid.n_cols + 2 * margin)
        if n_cells > MAX_CELLS:
            raise LimitExceeded(
                f"A grid of {n_cells:,} cells of {grid.cell_m:g} m is more than {MAX_CELLS:,}.",
                code="grid_too_large",
                remedy="Choose larger cells or a smaller area.",
            )
        return Grid(
            grid.epsg, grid.x_min_m - margin * grid.cell_m, grid.y_max_m + margin * grid.cell_m, grid.cell_m,
            grid.n_rows + 2 * margin, grid.n_cols + 2 * margin,
        )  # fmt: skip

    # ---- made

    def _surface_read(self) -> Surface:
        grid = self._wide()
        classes, speeds = self._classes(grid)
        elevation = self._heights_m(grid)
        return friction_surface(classes, speeds, grid, elevation_m=elevation)

    def _classes(self, grid: Grid) -> tuple[NDArray[np.integer], dict[int, float]]:
        """Return the class of each cell, with the streets over it, and the speed of each class."""
        centres = grid.centres_m()
        said = self.travel.data.land_cover_kmh
        other = said.get("other")
        speeds = {int(name): float(kmh) for name, kmh in said.items() if name != "other"}
        speeds |= {_UNKNOWN: float(other or 0.0), _STREET: STREET_KMH, _FAR: 0.0}
        window = raster_window(self.land_cover, grid.bounds_m, grid.epsg, is_classes=True)
        if window is None:
            classes = np.full(grid.n_cells, _UNKNOWN)
        else:
            codes = np.where(window.is_known, np.nan_to_num(window.values, nan=0), _UNKNOWN).astype(np.int64)
            classes = at_pixels(codes, *window.pixels_of(centres, grid.epsg), outside=_UNKNOWN)
        unnamed = [code for code in np.unique(classes).tolist() if code not in speeds]
        if unnamed and other is None:
            raise InvalidInput(
                f"The land cover class {unnamed[0]} has no speed.",
                code="unknown_class",
                where=f"layer {self.land_cover.layer.code}",
                remedy="Give it a speed in km/h; 0 makes it a barrier.",
            )
        speeds |= dict.fromkeys(unnamed, float(other or 0.0))
        classes = burnt(classes, cells_crossed(self._streets_m(grid), grid), _STREET)
        # Nobody is led far around the city, and looking there takes most of the time.
        classes[self._is_far(grid)] = _FAR
        return classes, speeds

    def _is_far(self, grid: Grid) -> NDArray[np.bool_]:
        """Tell which cells lie further from the city's ground than is walked."""
        outside = np.ones(grid.n_cells, dtype=bool)
        outside[self._at()] = False
        cells = distance_transform_edt(outside.reshape(grid.n_rows, grid.n_cols))
        return np.asarray(cells.ravel() * grid.cell_m > SURFACE_AROUND_M)

    def _streets_m(self, grid: Grid) -> NDArray[np.object_]:
        lines = np.empty(0, dtype=object)
        if self.travel.roads is not None:
            corners = project(np.array([shapely.box(*grid.bounds_m)]), grid.epsg, STORAGE_EPSG)
            west, south, east, north = shapely.total_bounds(corners).tolist()
            lines, _ = roads_read(self.travel.roads, (), (west, south, east, north))
        drawn = np.array([shapely.LineString(street.coordinates) for street in self.drawn], dtype=object)
        both = np.concatenate((shapely.get_parts(lines), drawn))
        return project(both, STORAGE_EPSG, grid.epsg) if len(both) else both

    def _heights_m(self, grid: Grid) -> NDArray[np.float64] | None:
        if self.travel.elevation is None:
            return None
        window = raster_window(self.travel.elevation, grid.bounds_m, grid.epsg)
        if window is None:
            return np.full(grid.n_cells, np.nan)
        values = np.where(window.is_known, window.values, np.nan).astype(np.float64)
        heights = smoothed(values, window.pixel_m, max(SMOOTHING_M, grid.cell_m / 2))
        return between_pixels(heights, *window.pixels_of(grid.centres_m(), grid.epsg))

    def _cells_of(self, facilities_m: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells at which facilities are reached, -1 outside the surface, and the facility of each."""
        grid, cells, facility = self._wide(), [], []
        parts, whole = shapely.get_parts(facilities_m, return_index=True)
        dimension = shapely.get_dimensions(parts)
        points = dimension == 0
        cells.append(cells_of_points(parts[points], grid))
        facility.append(whole[points])
        for part, number in zip(parts[~points], whole[~points], strict=True):
            outline = part if shapely.get_dimensions(part) == 1 else shapely.get_rings(part)
            found = cells_crossed(outline, grid)
            if shapely.get_dimensions(part) == 2:
                found = np.union1d(found, np.flatnonzero(centres_inside(np.array([part]), grid)))
            cells.append(found)
            facility.append(np.full(len(found), number))
        return np.concatenate(cells).astype(np.int64), np.concatenate(facility).astype(np.int64)
