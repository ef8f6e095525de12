"""What a street costs in metres or minutes: on foot (flat or by slope), by bicycle, by vehicle.

A cost is given for each edge and direction; one that may not be used has ``inf``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.streets import StreetGraph
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Unit = Literal["m", "min"]

#: Walking on the flat, km/h.
WALKING_KMH: Final = 5.0

#: Walking up and down stairs takes so many times as long as as much of a level path: 1.34 m/s there, 0.610 m/s up and
#: 0.694 m/s down, measured horizontally [@weidmann1993].
STAIRS_UP: Final = 1.34 / 0.610
STAIRS_DOWN: Final = 1.34 / 0.694

#: Steeper slopes are errors of the elevation or walls; they count as this (45°).
STEEPEST: Final = 1.0

#: By bicycle, km/h; 0 is closed. On footways the bicycle is pushed.
CYCLING_KMH: Final[Mapping[str, float]] = {
    "cycleway": 15.0, "primary": 15.0, "primary_link": 15.0, "secondary": 15.0, "secondary_link": 15.0,
    "tertiary": 15.0, "tertiary_link": 15.0, "residential": 15.0, "unclassified": 15.0, "living_street": 15.0,
    "road": 15.0, "service": 15.0, "path": 13.0, "track": 12.0, "footway": 4.0, "pedestrian": 4.0,
    "motorway": 0.0, "motorway_link": 0.0, "steps": 0.0,
}  # fmt: skip

#: By vehicle where a road has no speed of its own, km/h.
DRIVING_KMH: Final[Mapping[str, float]] = {
    "motorway": 90.0, "motorway_link": 45.0, "trunk": 70.0, "trunk_link": 40.0, "primary": 50.0, "primary_link": 30.0,
    "secondary": 45.0, "secondary_link": 25.0, "tertiary": 40.0, "tertiary_link": 20.0, "unclassified": 25.0,
    "residential": 25.0, "living_street": 10.0, "service": 15.0,
    "footway": 0.0, "pedestrian": 0.0, "path": 0.0, "steps": 0.0, "cycleway": 0.0,
}  # fmt: skip

#: Bicycles and vehicles on a class that the table does not name, km/h.
OTHER_CYCLING_KMH: Final = 15.0
OTHER_DRIVING_KMH: Final = 25.0


@dataclass(frozen=True, slots=True)
class StreetCosts:
    """The cost of every edge of a `StreetGraph`, both ways.

    Attributes
    ----------
    forward, backward
        Shape ``(m,)`` float64: from u to v, and from v to u, in ``unit``; ``inf`` where one may not go.
    unit
        ``m`` or ``min``.
    off_street_per_m
        Cost of one metre between a street and a house or facility: on foot in every mode.
    """

    forward: Floats
    backward: Floats
    unit: Unit
    off_street_per_m: float

    def reversed(self) -> "StreetCosts":
        """Give the costs of going the other way, for ways from the facilities instead of to them."""
        return StreetCosts(self.backward, self.forward, self.unit, self.off_street_per_m)


def walking_kmh(slope: Floats) -> Floats:
    """Give the walking speed on a slope.

    Parameters
    ----------
    slope
        Any shape: rise over horizontal distance in the direction of walking; uphill is positive.

    Returns
    -------
    ndarray
        km/h over the horizontal distance, 6 at most (a little downhill).

    Notes
    -----
    W = 6·exp(−3.5·|s + 0.05|), [@tobler1993].

    Examples
    --------
    >>> walking_kmh(np.array([0.0, -0.05, 0.1])).round(2).tolist()
    [5.04, 6.0, 3.55]
    """
    return np.asarray(6.0 * np.exp(-3.5 * np.abs(slope + 0.05)))


def walking_costs(
    graph: StreetGraph, unit: Unit = "m", *, height_m: Floats | None = None, flat_kmh: float = WALKING_KMH
) -> StreetCosts:
    """Give the costs on foot; one-way rules do not hold there.

    Parameters
    ----------
    graph
        The streets.
    unit
        ``m`` counts the length alone; ``min`` counts speed, slope and stairs.
    height_m
        Shape ``(n,)``: height of each node; NaN where it is not known. Without, everything is flat.
    flat_kmh
        Speed without heights, beside the streets, where a height is missing, and on bridges and in tunnels, whose
        height the ground does not tell.

    Raises
    ------
    InvalidInput
        If there is not one height for each node (``street_heights``) or the speed is not above 0 (``bad_speed``).

    Notes
    -----
    Slope: `walking_kmh`. Stairs: the speed on the flat by `STAIRS_UP` or `STAIRS_DOWN`, the mean of both where the
    heights do not tell which way is up.

    Examples
    --------
    >>> import shapely
    >>> from analysis.core.streets import street_graph
    >>> street = street_graph(shapely.LineString([(0, 0), (500, 0)]))
    >>> walking_costs(street, "min").forward.tolist()
    [6.0]
    >>> hill = walking_costs(street, "min", height_m=np.array([0.0, 50.0]))
    >>> hill.forward.round(2).tolist(), hill.backward.round(2).tolist()
    ([8.45], [5.96])
    """
    _check_speed(flat_kmh)
    length = graph.length_m
    if unit == "m":
        cost = np.where(graph.may_walk, length, np.inf)
        return StreetCosts(cost, cost, "m", 1.0)
    flat = length * 0.06 / flat_kmh
    rise = np.zeros(graph.n_edges)
    forward, backward = flat.copy(), flat.copy()
    if height_m is not None:
        heights = np.asarray(height_m, dtype=np.float64)
        if heights.shape != (graph.n_nodes,):
            raise InvalidInput(
                f"There are {graph.n_nodes:,} nodes, but the heights have the shape {heights.shape}.",
                code="street_heights",
                remedy="Give one height for each node of the graph.",
            )
        rise = heights[graph.v] - heights[graph.u]
        rise[~np.isfinite(rise)] = 0.0
        known = np.isfinite(heights[graph.v] - heights[graph.u]) & graph.is_enterable
        slope = np.clip(rise[known] / length[known], -STEEPEST, STEEPEST)
        forward[known] = length[known] * 0.06 / walking_kmh(slope)
        backward[known] = length[known] * 0.06 / walking_kmh(-slope)
    up = np.where(rise > 0, STAIRS_UP, np.where(rise < 0, STAIRS_DOWN, (STAIRS_UP + STAIRS_DOWN) / 2))
    down = np.where(rise > 0, STAIRS_DOWN, np.where(rise < 0, STAIRS_UP, (STAIRS_UP + STAIRS_DOWN) / 2))
    forward, backward = (
        np.where(graph.may_walk, np.where(graph.is_stairs, flat * factor, cost), np.inf)
        for factor, cost in ((up, forward), (down, backward))
    )
    return StreetCosts(forward, backward, "min", 0.06 / flat_kmh)


def cycling_costs(
    graph: StreetGraph,
    unit: Unit = "min",
    *,
    kmh: Mapping[str, float] = CYCLING_KMH,
    other_kmh: float = OTHER_CYCLING_KMH,
) -> StreetCosts:
    """Give the costs by bicycle: one-way rules hold, stairs are closed, the way to the street is walked.

    Parameters
    ----------
    graph
        The streets.
    unit
        ``m`` or ``min``.
    kmh, other_kmh
        Speed by class, 0 where bicycles may not go, and of classes that are not named.

    Raises
    ------
    InvalidInput
        If a speed is negative or not finite (``bad_speed``).
    """
    return _with_rules(graph, unit, _by_class(graph, kmh, other_kmh), closed=graph.is_stairs)


def driving_costs(
    graph: StreetGraph,
    unit: Unit = "min",
    *,
    kmh: Mapping[str, float] = DRIVING_KMH,
    other_kmh: float = OTHER_DRIVING_KMH,
) -> StreetCosts:
    """Give the costs by vehicle: the speed of each road, or of its class; one-way rules hold, stairs are closed.

    Parameters, units and errors are those of `cycling_costs`. The speeds are those of free traffic.
    """
    by_class = _by_class(graph, kmh, other_kmh)
    speed = np.where(np.isnan(graph.speed_kmh) | (by_class == 0), by_class, graph.speed_kmh)
    return _with_rules(graph, unit, speed, closed=graph.is_stairs)


def _by_class(graph: StreetGraph, kmh: Mapping[str, float], other_kmh: float) -> Floats:
    speeds = np.array([kmh.get(name, other_kmh) for name in graph.class_names] or [other_kmh], dtype=np.float64)
    if not (np.isfinite(speeds) & (speeds >= 0)).all():
        raise InvalidInput("A speed must be a finite number of km/h, 0 or more.", code="bad_speed")
    return np.asarray(speeds[graph.class_code])


def _with_rules(graph: StreetGraph, unit: Unit, speed_kmh: Floats, closed: NDArray[np.bool_]) -> StreetCosts:
    is_open = (speed_kmh > 0) & ~closed
    per_m = np.ones(graph.n_edges) if unit == "m" else 0.06 / np.where(is_open, speed_kmh, 1.0)
    cost = np.where(is_open, graph.length_m * per_m, np.inf)
    forward = np.where(graph.oneway == -1, np.inf, cost)
    backward = np.where(graph.oneway == 1, np.inf, cost)
    return StreetCosts(forward, backward, unit, 1.0 if unit == "m" else 0.06 / WALKING_KMH)


def _check_speed(kmh: float) -> None:
    if not (np.isfinite(kmh) and kmh > 0):
        raise InvalidInput("A speed must be above 0 km/h.", code="bad_speed")
