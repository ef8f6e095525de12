"""Who reaches each facility, one facility after the other, and which is the nearest to everybody."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.ground import Ground
from analysis.travel import STRAIGHT, Measuring
from geo.core.grid import Grid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Catchments:
    """The parts of a city's ground that reach each facility within a limit, and at which cost, in metres.

    Iterating gives for each facility the numbers of the parts and their costs. Afterwards ``nearest`` and ``cost_m`` say
    for each part which facility is the nearest within the limit: -1 and ``inf`` where none is.

    Parameters
    ----------
    measuring
        The way of travel.
    grid, ground
        Where is measured from.
    facilities_m
        Shape ``(n,)``: geometries in the grid's system.
    limit_m
        Parts further away do not count.
    only
        Shape ``(k,)``: the parts that are asked for, such as those with people.
    """

    def __init__(
        self,
        measuring: Measuring,
        grid: Grid,
        ground: Ground,
        facilities_m: NDArray[np.object_],
        limit_m: float,
        only: NDArray[np.bool_],
    ) -> None:
        self._measuring = measuring
        self._facilities_m = facilities_m
        self._limit_m = limit_m
        self._only = only
        self._grid, self._ground = grid, ground
        self.nearest: Integers = np.full(ground.cells.size, -1, dtype=np.int64)
        self.cost_m: Floats = np.full(ground.cells.size, np.inf)

    def __iter__(self) -> Iterator[tuple[Integers, Floats]]:
        is_straight = self._measuring.row.code == STRAIGHT
        for number, (part, cost) in enumerate(self._straight() if is_straight else self._travelled()):
            nearer = cost < self.cost_m[part]
            self.cost_m[part[nearer]] = cost[nearer]
            self.nearest[part[nearer]] = number
            yield part, cost

    def all_nearest(self) -> tuple[Integers, Floats]:
        """Return for each part which facility is the nearest, and its cost, without going through the catchments one by one."""
        if self._measuring.row.code != STRAIGHT:
            for _ in self:
                pass
            return self.nearest, self.cost_m
        there = np.flatnonzero(~(shapely.is_missing(self._facilities_m) | shapely.is_empty(self._facilities_m)))
        asked = np.flatnonzero(self._only)
        if there.size and asked.size:
            x, y = part_middles(self._grid, self._ground)
            tree = shapely.STRtree(self._facilities_m[there])
            (point, facility), cost = tree.query_nearest(
                shapely.points(x[asked], y[asked]), return_distance=True, all_matches=False
            )
            near = cost <= self._limit_m
            self.nearest[asked[point[near]]] = there[facility[near]]
            self.cost_m[asked[point[near]]] = cost[near]
        return self.nearest, self.cost_m

    def _straight(self) -> Iterator[tuple[Integers, Floats]]:
        """Measure from the middle of each part, in the band of parts that may be near enough."""
        asked = np.flatnonzero(self._only)
        x, y = part_middles(self._grid, self._ground)
        order = asked[np.argsort(y[asked], kind="stable")]
        x, y = x[order], y[order]
        for facility in self._facilities_m:
            if facility is None or shapely.is_empty(facility):
                yield np.empty(0, dtype=np.int64), np.empty(0)
                continue
            west, south, east, north = shapely.bounds(facility)
            limit = self._limit_m
            first, last = np.searchsorted(y, south - limit), np.searchsorted(y, north + limit, side="right")
            band = np.flatnonzero((x[first:last] >= west - limit) & (x[first:last] <= east + limit)) + first
            if facility.geom_type == "Point":
                cost = np.hypot(x[band] - west, y[band] - south)
            else:
                cost = shapely.distance(shapely.points(x[band], y[band]), facility)
            near = cost <= limit
            yield order[band[near]], cost[near]

    def _travelled(self) -> Iterator[tuple[Integers, Floats]]:
        for cost in self._measuring.each_m(self._facilities_m):
            near = np.flatnonzero(self._only & (cost <= self._limit_m))
            yield near, cost[near].astype(np.float64)


def part_middles(grid: Grid, ground: Ground) -> tuple[Floats, Floats]:
    """Return x and y of the middle of each part of a city's ground."""
    row, col = np.divmod(ground.cells, grid.n_cols)
    x = grid.x_min_m + (col + 0.5) * grid.cell_m
    y = grid.y_max_m - (row + 0.5) * grid.cell_m
    x[ground.partial] += ground.east * grid.cell_m
    y[ground.partial] -= ground.south * grid.cell_m
    return x, y
