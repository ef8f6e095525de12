"""Who reaches each facility, one facility after the other, and which is the nearest to everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.ground import Ground, centroids_m
from analysis.travel import STRAIGHT, Measuring
from geo.core.grid import Grid
from geo.errors import LimitExceeded

MOST_EFFORT_S: Final = 20.0
"""Seconds of a processor that one question about catchments may take."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def effort_required(asked: Iterable[tuple[Measuring, NDArray[np.object_], float]]) -> None:
    """Refuse what would take a processor too long, before any of it is begun.

    Parameters
    ----------
    asked
        For each service what measures the way to it, its facilities, and the limit in metres.

    Raises
    ------
    LimitExceeded
        Where all of it would take more than `MOST_EFFORT_S` (``too_much_work``), whether some of it is kept or not.
    """
    n_facilities, seconds = 0, 0.0
    for measuring, facilities_m, limit_m in asked:
        n_facilities += len(facilities_m)
        seconds += measuring.effort_s(facilities_m, limit_m)
    if seconds > MOST_EFFORT_S:
        raise LimitExceeded(
            f"Who reaches each of {n_facilities:,} facilities would take about {seconds:,.0f} s, more than {MOST_EFFORT_S:.0f} s.",
            code="too_much_work",
            where="limit",
            remedy="Give a shorter limit, or ask about one service at a time.",
            details={"facilities": n_facilities, "seconds": round(seconds), "most": round(MOST_EFFORT_S)},
        )


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

    def _straight(self) -> Iterator[tuple[Integers, Floats]]:
        """Measure from the middle of each part, in the band of parts that may be near enough."""
        asked = np.flatnonzero(self._only)
        x, y = centroids_m(self._grid, self._ground).T
        order = asked[np.argsort(y[asked], kind="stable")]
        x, y = x[order], y[order]
        middles = shapely.points(x, y)
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
                cost = shapely.distance(middles[band], facility)
            near = cost <= limit
            yield order[band[near]], cost[near]

    def _travelled(self) -> Iterator[tuple[Integers, Floats]]:
        for cost in self._measuring.each_m(self._facilities_m, self._limit_m):
            near = np.flatnonzero(self._only & (cost <= self._limit_m))
            yield near, cost[near].astype(np.float64)
