"""Travel as the crow flies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.cost import cost_off_centre_m, straight_cost_m, straight_cost_with
from analysis.ground import Ground, centroids_m
from analysis.results import TRAVELS, TravelRow
from analysis.travel.measuring import Costs, Numbers, Parts
from geo.core.grid import Grid

_POINT_S: Final = 3e-8
_CORNER_S: Final = 1e-8
"""Seconds that the distance to a point takes, and to each corner of a shape."""

STRAIGHT: Final = "straight"
"""The code of the way of travel that every city has."""


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """In a straight line: exact for whole cells, estimated from the neighbouring cells for parts of cells."""

    grid: Grid
    ground: Ground

    @property
    def key(self) -> str:
        """Hash of the ground: nothing else counts."""
        return self.ground.key

    @property
    def row(self) -> TravelRow:
        """The way of travel."""
        return TravelRow(STRAIGHT, *TRAVELS[STRAIGHT])

    def prepare(self) -> None:
        """Read nothing."""

    def measured(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from the centres of cells: those of the ground, and beside partial ones those that tell how the cost rises."""
        return straight_cost_m(facilities_m, self.grid, only=self._wanted())

    def measured_with(self, measured: Costs, added_m: NDArray[np.object_]) -> Costs:
        """Give the same with more facilities."""
        return straight_cost_with(measured, added_m, self.grid, only=self._wanted())

    def of_parts(self, measured: Costs) -> Costs:
        """Give the cost of each part of the ground."""
        ground = self.ground
        return parts_of_cells(measured, self.grid, ground, ground.cells)

    def cost_m(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from each part of the ground to the nearest facility."""
        return self.of_parts(self.measured(facilities_m))

    def each_m(self, facilities_m: NDArray[np.object_], limit_m: float) -> Iterator[Costs]:
        """Measure from each part of the ground to one facility after the other."""
        return (self.cost_m(facilities_m[row : row + 1]) for row in range(len(facilities_m)))

    def effort_s(self, facilities_m: NDArray[np.object_], limit_m: float) -> float:
        """Tell roughly how long: by the parts within reach of each facility, and by its corners."""
        if not len(facilities_m):
            return 0.0
        sides_m = shapely.bounds(facilities_m).reshape(-1, 2, 2)
        width, height = np.nan_to_num(sides_m[:, 1] - sides_m[:, 0]).T + 2 * limit_m
        parts = np.minimum(width * height / self.grid.cell_m**2, self.ground.cells.size)
        corners = shapely.get_num_coordinates(facilities_m)
        return float(parts @ np.where(corners > 1, _CORNER_S * corners, _POINT_S))

    def nearest(self, facilities_m: NDArray[np.object_], only: Parts) -> tuple[Numbers, Costs]:
        """Tell which facility is the nearest to the middle of each part of the ground that is asked for."""
        who, cost = np.full(only.size, -1, dtype=np.int64), np.full(only.size, np.inf, dtype=np.float32)
        there = np.flatnonzero(~(shapely.is_missing(facilities_m) | shapely.is_empty(facilities_m)))
        asked = np.flatnonzero(only)
        if there.size and asked.size:
            middles = shapely.points(centroids_m(self.grid, self.ground)[asked])
            tree = shapely.STRtree(facilities_m[there])
            (point, facility), metres = tree.query_nearest(middles, return_distance=True, all_matches=False)
            who[asked[point]] = there[facility]
            cost[asked[point]] = metres
        return who, cost

    def left_out(self, facilities_m: NDArray[np.object_]) -> int:
        """Give none: everything can be reached."""
        return 0

    def stranded(self) -> None:
        """Give none: everybody can set out."""

    def warnings(self) -> tuple[str, ...]:
        """Give none."""
        return ()

    def _wanted(self) -> NDArray[np.bool_]:
        key = content_key("wanted", self.key)
        return cast(NDArray[np.bool_], arrays.get(key, lambda: with_neighbours(self.grid, self.ground).ravel()))


def parts_of_cells(measured: Costs, grid: Grid, ground: Ground, cells: NDArray[np.int64]) -> Costs:
    """Return the cost of each part of the ground from that of cells: a partial one's is estimated at its centroid.

    Parameters
    ----------
    measured
        Shape ``(n_cells,)`` of the grid.
    grid
        The grid that was measured on, which may be wider than the city's.
    ground
        The ground.
    cells
        Shape ``(k,)``: the cell of this grid that each part of the ground lies in.
    """
    cost = measured[cells]
    partial = ground.partial
    cost[partial] = cost_off_centre_m(measured, grid, cells[partial], ground.east, ground.south)
    return cost


def with_neighbours(grid: Grid, ground: Ground) -> NDArray[np.bool_]:
    """Return the cells of the ground and, beside partial ones, those that tell which way and how fast the cost rises."""
    wanted = np.zeros((grid.n_rows, grid.n_cols), dtype=bool)
    wanted.flat[ground.cells] = True
    beside = np.zeros_like(wanted)
    beside.flat[ground.cells[ground.partial]] = True
    wanted[1:] |= beside[:-1]
    wanted[:-1] |= beside[1:]
    wanted[:, 1:] |= beside[:, :-1]
    wanted[:, :-1] |= beside[:, 1:]
    return wanted
