"""Coverage: how many of each place's people, and how much of its land, are within a threshold of each service.

Everything that does not depend on a threshold is worked out once, in `prepare`; a threshold then costs one pass over
the cells inside places, and a new facility costs one column (`with_costs`). Covered is who is within a standard
distance, as in covering location models [@church1974].
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import Final

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Costs = NDArray[np.float32]

# Edges of the outline of the data that share a box.
_GROUP: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What the places alone decide: the cells inside any of them, and people and land by place and cell.

    Attributes
    ----------
    cells
        Shape ``(m,)``: flat indices of the cells that lie at least partly in a place.
    land_m2, people
        Shape ``(p, m)``, sparse: m² and people of each of these cells in each place.
    area_m2, population
        Shape ``(p,)``: their sums.
    """

    cells: NDArray[np.int64]
    land_m2: sparse.csr_matrix
    people: sparse.csr_matrix
    area_m2: Floats
    population: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What one service's costs alone decide, whatever the threshold.

    Attributes
    ----------
    cost_m
        Shape ``(m,)``: cost of the ground's cells in metres.
    mean_distance_m
        Shape ``(p,)``: mean over the people who reach the service; NaN where nobody does.
    unreachable_people
        Shape ``(p,)``: people whose cost is infinite.
    """

    cost_m: Costs
    mean_distance_m: Floats
    unreachable_people: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CoverageInputs:
    """All that coverage is computed from. `prepare` makes one from plain arrays, checked.

    Attributes
    ----------
    place_fractions
        Shape ``(places, cells)``: share of each cell inside each place (`geo.core.cell_shares.cell_fractions`).
    people
        Shape ``(cells,)``: people per cell.
    cost_m
        Shape ``(services, cells)``: metres from each cell to the nearest facility; ``inf`` if none is reached.
    cell_m
        Side of a cell in metres.
    edge_distance_m
        Shape ``(places,)``: metres from each place to the edge of what the data cover (`edge_distance_m`), or None
        if the data have no edge that matters.
    ground, reaches
        Derived; not to be given.
    """

    place_fractions: sparse.csr_matrix
    people: Floats
    cost_m: Costs
    cell_m: float
    edge_distance_m: Floats | None = None
    before: InitVar["CoverageInputs | None"] = None
    changed: InitVar[frozenset[int]] = frozenset()
    ground: Ground = field(init=False, repr=False)
    reaches: tuple[Reach, ...] = field(init=False, repr=False)

    def __post_init__(self, before: "CoverageInputs | None", changed: frozenset[int]) -> None:
        """Derive the tables, taking over from ``before`` all but the services ``changed``."""
        if before is None:
            ground = _ground(self.place_fractions, self.people, self.cell_m)
            reaches = tuple(_reach(ground, row) for row in self.cost_m)
        else:
            ground = before.ground
            reaches = tuple(
                _reach(ground, self.cost_m[k]) if k in changed else reach for k, reach in enumerate(before.reaches)
            )
        # The class is frozen for everybody else.
        object.__setattr__(self, "ground", ground)
        object.__setattr__(self, "reaches", reaches)

    @property
    def n_places(self) -> int:
        """Number of places."""
        return int(self.place_fractions.shape[0])

    @property
    def n_services(self) -> int:
        """Number of services."""
        return int(self.cost_m.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class ServiceCoverage:
    """Coverage of all places by one service; the columns of `Coverage`, each of shape ``(places,)``."""

    threshold_m: float
    population_share: Floats
    area_share: Floats
    uncovered_people: Floats
    mean_distance_m: Floats
    unreachable_people: Floats
    edge_flag: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Coverage of all places by all services.

    Attributes
    ----------
    thresholds_m
        Shape ``(services,)``.
    area_m2, population
        Shape ``(places,)``: on the grid.
    population_share, area_share
        Shape ``(places, services)``, in [0, 1]: share of the people, of the land, whose cost is at most the
        threshold. NaN for a place without people, without land.
    uncovered_people
        Shape ``(places, services)``: people beyond the threshold.
    mean_distance_m
        Shape ``(places, services)``: mean over the people who reach the service at all; NaN where nobody does.
    unreachable_people
        Shape ``(places, services)``: people who reach no facility at all; they are among the uncovered.
    edge_flag
        Shape ``(places, services)``: True if the edge of the data is nearer to the place than the threshold, so
        that a facility outside the data might cover it.
    """

    thresholds_m: Floats
    area_m2: Floats
    population: Floats
    population_share: Floats
    area_share: Floats
    uncovered_people: Floats
    mean_distance_m: Floats
    unreachable_people: Floats
    edge_flag: NDArray[np.bool_]

    def with_service(self, service_index: int, column: ServiceCoverage) -> "Coverage":
        """Give the same coverage with one service's columns replaced."""
        changed = {}
        for name in _COLUMNS:
            table = getattr(self, name).copy()
            table[:, service_index] = getattr(column, name)
            changed[name] = table
        thresholds_m = self.thresholds_m.copy()
        thresholds_m[service_index] = column.threshold_m
        return replace(self, thresholds_m=thresholds_m, **changed)


_COLUMNS: Final = (
    "population_share",
    "area_share",
    "uncovered_people",
    "mean_distance_m",
    "unreachable_people",
    "edge_flag",
)


def prepare(
    place_fractions: sparse.csr_matrix,
    people: NDArray[np.floating],
    cost_m: NDArray[np.floating],
    cell_m: float,
    edge_distance_m: NDArray[np.floating] | None = None,
) -> CoverageInputs:
    """Check plain arrays and make `CoverageInputs` of them; see there for their meaning and shapes.

    Raises
    ------
    InvalidInput
        If shapes do not fit, the cell is not positive, people are negative or not finite, or a cost is negative
        or NaN.

    Examples
    --------
    >>> places = sparse.csr_matrix([[1.0, 1.0, 0.0]])
    >>> inputs = prepare(places, np.array([30.0, 10.0, 5.0]), np.array([[50.0, 150.0, 250.0]]), cell_m=100.0)
    >>> coverage(inputs, [100.0]).population_share.tolist()
    [[0.75]]
    """
    places = sparse.csr_matrix(place_fractions, dtype=np.float64)
    living: Floats = np.asarray(people, dtype=np.float64)
    costs: Costs = np.atleast_2d(np.asarray(cost_m, dtype=np.float32))
    n_places, n_cells = places.shape
    if living.shape != (n_cells,) or costs.shape[1:] != (n_cells,):
        raise InvalidInput(
            f"{n_cells} cells of places do not fit people of shape {living.shape} and costs of shape {costs.shape}.",
            code="length_mismatch",
            remedy="Compute all of them on one grid.",
        )
    if not (math.isfinite(cell_m) and cell_m > 0):
        raise InvalidInput(f"A cell of {cell_m} m is not possible.", code="bad_cell")
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("The number of people in a cell is negative or not finite.", code="bad_population")
    if not (costs >= 0).all():  # false for NaN too
        raise InvalidInput("A cost is negative or not a number.", code="bad_cost", remedy="Use inf for unreachable.")
    edge: Floats | None = None if edge_distance_m is None else np.asarray(edge_distance_m, dtype=np.float64)
    if edge is not None and edge.shape != (n_places,):
        raise InvalidInput("Every place needs one distance to the edge of the data.", code="length_mismatch")
    return CoverageInputs(places, living, costs, float(cell_m), edge)


def with_cost(inputs: CoverageInputs, service_index: int, cost_m: NDArray[np.floating]) -> CoverageInputs:
    """Give the same inputs with the costs of one service replaced, as after a facility was added or moved; see `with_costs`."""
    return with_costs(inputs, {service_index: cost_m})


def with_costs(inputs: CoverageInputs, costs_m: Mapping[int, NDArray[np.floating]]) -> CoverageInputs:
    """Give the same inputs with the costs of some services replaced; what depends on the others is taken over.

    Parameters
    ----------
    inputs
        The inputs before.
    costs_m
        Row of each service to its new costs, shape ``(cells,)``, metres.

    Raises
    ------
    InvalidInput
        If there is no such service, or the costs are not as `prepare` demands.
    """
    costs = inputs.cost_m.copy()
    for service_index, cost_m in costs_m.items():
        _require_service(inputs, service_index)
        row = np.asarray(cost_m, dtype=np.float32)
        if row.shape != (inputs.cost_m.shape[1],) or not (row >= 0).all():
            raise InvalidInput("The costs do not fit the grid, or one is negative or not a number.", code="bad_cost")
        costs[service_index] = row
    return CoverageInputs(
        inputs.place_fractions, inputs.people, costs, inputs.cell_m, inputs.edge_distance_m, inputs, frozenset(costs_m)
    )


def coverage(inputs: CoverageInputs, thresholds_m: Sequence[float] | NDArray[np.floating]) -> Coverage:
    """Compute the coverage of every place by every service.

    Parameters
    ----------
    inputs
        From `prepare`.
    thresholds_m
        Shape ``(services,)``: metres; a cost equal to the threshold is covered.

    Raises
    ------
    InvalidInput
        If there is not one threshold per service, or one is negative or not finite.

    Notes
    -----
    A cell that the threshold cuts counts partly, clip((T − t) / cell + ½, 0, 1), so that shares move continuously
    with the threshold. A cost of exactly 0 (inside a facility's area) is covered at every threshold.
    """
    thresholds = np.asarray(thresholds_m, dtype=np.float64)
    if thresholds.shape != (inputs.n_services,):
        raise InvalidInput(
            f"{inputs.n_services} services need as many thresholds, not {thresholds.size}.", code="bad_threshold"
        )
    shape = (inputs.n_places, inputs.n_services)
    result = Coverage(
        thresholds_m=thresholds,
        area_m2=inputs.ground.area_m2,
        population=inputs.ground.population,
        population_share=np.empty(shape),
        area_share=np.empty(shape),
        uncovered_people=np.empty(shape),
        mean_distance_m=np.empty(shape),
        unreachable_people=np.empty(shape),
        edge_flag=np.empty(shape, dtype=bool),
    )
    for index, threshold in enumerate(thresholds):
        column = coverage_of(inputs, index, float(threshold))
        for name in _COLUMNS:
            getattr(result, name)[:, index] = getattr(column, name)
    return result


def coverage_of(
    inputs: CoverageInputs, service_index: int, threshold_m: float, room: NDArray[np.floating] | None = None
) -> ServiceCoverage:
    """Compute the coverage of every place by one service; see `coverage`.

    Parameters
    ----------
    room
        Shape ``(cells,)``: share of each cell's people within the threshold for whom there is room; all where left out.
        Land is covered whether there is room or not.

    Raises
    ------
    InvalidInput
        If there is no such service, or the threshold is negative or not finite.
    """
    _require_service(inputs, service_index)
    _require_threshold(threshold_m)
    ground, reach = inputs.ground, inputs.reaches[service_index]
    covered = covered_share(reach.cost_m, threshold_m, inputs.cell_m)
    served = covered if room is None else covered * room[ground.cells]
    people = np.minimum(ground.people @ served, ground.population)
    land = np.minimum(ground.land_m2 @ covered, ground.area_m2)
    if inputs.edge_distance_m is None:
        edge_flag = np.zeros(inputs.n_places, dtype=bool)
    else:
        edge_flag = inputs.edge_distance_m < threshold_m
    return ServiceCoverage(
        threshold_m=float(threshold_m),
        population_share=_share(people, ground.population),
        area_share=_share(land, ground.area_m2),
        uncovered_people=ground.population - people,
        mean_distance_m=reach.mean_distance_m,
        unreachable_people=reach.unreachable_people,
        edge_flag=edge_flag,
    )


def distance_curve(
    inputs: CoverageInputs, service_index: int, distances_m: Sequence[float] | NDArray[np.floating]
) -> Floats:
    """Give the share of each place's people within each of several distances of a service.

    Parameters
    ----------
    inputs
        From `prepare`.
    service_index
        Row of the service.
    distances_m
        Shape ``(k,)``: metres, in any order.

    Returns
    -------
    ndarray
        Shape ``(places, k)``; equal to the population share of `coverage` at that threshold. NaN without people.

    Raises
    ------
    InvalidInput
        If there is no such service, or a distance is negative or not finite.
    """
    _require_service(inputs, service_index)
    distances = np.asarray(distances_m, dtype=np.float64)
    ground, cost = inputs.ground, inputs.reaches[service_index].cost_m
    curve = np.empty((inputs.n_places, distances.size))
    for column, distance in enumerate(distances):
        _require_threshold(float(distance))
        people = ground.people @ covered_share(cost, float(distance), inputs.cell_m)
        curve[:, column] = _share(np.minimum(people, ground.population), ground.population)
    return curve


def distance_percentiles_m(
    inputs: CoverageInputs, service_index: int, percentiles: Sequence[float] | NDArray[np.floating]
) -> Floats:
    """Give the distances within which given percentages of each place's people live.

    The lower weighted percentile: the smallest cost of a cell such that at least that share of the people lives in
    cells of this or a smaller cost. ``inf`` if it falls among people who reach nothing.

    Parameters
    ----------
    inputs
        From `prepare`.
    service_index
        Row of the service.
    percentiles
        Shape ``(k,)``, each in (0, 100].

    Returns
    -------
    ndarray
        Shape ``(places, k)``, metres; NaN for a place without people.

    Raises
    ------
    InvalidInput
        If there is no such service, or a percentile is not in (0, 100].
    """
    _require_service(inputs, service_index)
    shares = np.asarray(percentiles, dtype=np.float64) / 100
    if not ((shares > 0) & (shares <= 1)).all():
        raise InvalidInput("A percentile must be above 0 and at most 100.", code="bad_percentile")
    ground, cost = inputs.ground, inputs.reaches[service_index].cost_m
    result = np.full((inputs.n_places, shares.size), np.nan)
    for place in np.flatnonzero(ground.population > 0):
        row = slice(ground.people.indptr[place], ground.people.indptr[place + 1])
        costs, people = cost[ground.people.indices[row]], ground.people.data[row]
        lived_in = people > 0
        order = np.argsort(costs[lived_in], kind="stable")
        share_within = np.cumsum(people[lived_in][order])
        share_within /= share_within[-1]
        found = np.searchsorted(share_within, shares - 1e-12)
        result[place] = costs[lived_in][order][np.minimum(found, order.size - 1)]
    return result


def united(polygons: NDArray[np.object_]) -> shapely.Geometry:
    """Unite polygons; where they tile the land, as places do, in a tenth of the time that `shapely.union_all` takes.

    Examples
    --------
    >>> united(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 3, 1)])).area
    3.0
    """
    try:
        tiled = shapely.coverage_union_all(polygons)
    except shapely.errors.GEOSException:
        return shapely.union_all(polygons)
    # Of polygons that cross each other the borders left over do so too, and of one that is there twice nothing is left.
    is_whole = tiled.is_valid and math.isclose(tiled.area, shapely.area(polygons).sum(), rel_tol=1e-9)
    return tiled if is_whole else shapely.union_all(polygons)


def edge_distance_m(places_m: GeometryLike, extent_m: shapely.Geometry) -> Floats:
    """Give the distance of each place from the edge of what the data cover.

    Parameters
    ----------
    places_m, extent_m
        The places, and the area in which all facilities are known, in one projected system.

    Returns
    -------
    ndarray
        Shape ``(places,)``, metres; 0 for a place not wholly inside.

    Examples
    --------
    >>> edge_distance_m([shapely.box(1, 2, 3, 4), shapely.box(8, 8, 11, 9)], shapely.box(0, 0, 10, 10)).tolist()
    [1.0, 0.0]
    """
    places = as_geometries(places_m)
    shapely.prepare(extent_m)
    inside = np.flatnonzero(shapely.covers(extent_m, places))
    distance_m = np.zeros(len(places))
    if inside.size:
        edges = _sides(np.array([extent_m], dtype=object))[0]
        # Neighbours in a group are neighbours on the outline, so that a box around a group leaves most of them out.
        first = np.arange(0, len(edges), _GROUP)
        boxes = np.stack((
            np.minimum.reduceat(np.minimum(edges[:, 0], edges[:, 2]), first),
            np.minimum.reduceat(np.minimum(edges[:, 1], edges[:, 3]), first),
            np.maximum.reduceat(np.maximum(edges[:, 0], edges[:, 2]), first),
            np.maximum.reduceat(np.maximum(edges[:, 1], edges[:, 3]), first),
        ), axis=1)  # fmt: skip
        sides, owner = _sides(places[inside])
        starts = np.searchsorted(owner, np.arange(inside.size + 1))
        distance_m[inside] = _distances(sides, starts, edges, boxes)
    return distance_m


def _sides(polygons: NDArray[np.object_]) -> tuple[Floats, NDArray[np.int64]]:
    """Give the ends of all straight sides of polygons, shape ``(n, 4)``, and the polygon of each."""
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    return np.concatenate((xy[:-1][joined], xy[1:][joined]), axis=1), polygon[part[ring[:-1][joined]]]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distances(sides: Floats, starts: NDArray[np.int64], edges: Floats, boxes: Floats) -> Floats:
    """Give the distance from each polygon's sides to the nearest edge; edges touch sides, but never cross them."""
    found = np.zeros(starts.size - 1)
    to_box = np.empty(len(boxes))
    for p in range(found.size):
        own = sides[starts[p] : starts[p + 1]]
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for i in range(len(own)):
            west, east = min(west, own[i, 0]), max(east, own[i, 0])
            south, north = min(south, own[i, 1]), max(north, own[i, 1])
        for g in range(len(boxes)):
            to_box[g] = _square_apart(boxes[g, 0], boxes[g, 1], boxes[g, 2], boxes[g, 3], west, south, east, north)
        least = np.inf
        nearest = int(np.argmin(to_box))
        # The nearest group first: it leaves out most of the others.
        for turn in range(-1, len(boxes)):
            group = nearest if turn < 0 else turn
            if to_box[group] >= least or turn == nearest:
                continue
            for e in range(group * _GROUP, min((group + 1) * _GROUP, len(edges))):
                x0, y0, x1, y1 = edges[e]
                low_x, low_y, high_x, high_y = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
                if _square_apart(low_x, low_y, high_x, high_y, west, south, east, north) >= least:
                    continue
                for i in range(len(own)):
                    a0, b0, a1, b1 = own[i]
                    if (
                        _square_apart(low_x, low_y, high_x, high_y, min(a0, a1), min(b0, b1), max(a0, a1), max(b0, b1))
                        >= least
                    ):
                        continue
                    least = min(
                        least,
                        _square_to_side(a0, b0, x0, y0, x1, y1),
                        _square_to_side(a1, b1, x0, y0, x1, y1),
                        _square_to_side(x0, y0, a0, b0, a1, b1),
                        _square_to_side(x1, y1, a0, b0, a1, b1),
                    )
        found[p] = math.sqrt(least)
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _square_apart(
    west: float, south: float, east: float, north: float, west2: float, south2: float, east2: float, north2: float
) -> float:
    """Give the squared distance between two boxes."""
    dx = max(west - east2, west2 - east, 0.0)
    dy = max(south - north2, south2 - north, 0.0)
    return dx * dx + dy * dy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _square_to_side(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Give the squared distance of a point from a straight side."""
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    share = min(max(((x - x0) * dx + (y - y0) * dy) / length2, 0.0), 1.0) if length2 > 0 else 0.0
    dx, dy = x - x0 - share * dx, y - y0 - share * dy
    return dx * dx + dy * dy


def _ground(fractions: sparse.csr_matrix, people: Floats, cell_m: float) -> Ground:
    used = np.zeros(fractions.shape[1], dtype=bool)
    used[fractions.indices] = True
    cells = np.flatnonzero(used)
    column = (np.cumsum(used) - 1).astype(fractions.indices.dtype)
    shape = (fractions.shape[0], cells.size)
    where = (column[fractions.indices], fractions.indptr)
    land_m2 = sparse.csr_matrix((fractions.data * (cell_m * cell_m), *where), shape=shape)
    by_place = sparse.csr_matrix((fractions.data * people[fractions.indices], *where), shape=shape)
    # Summed by the same product as what is covered, so that a place wholly covered has a share of exactly one.
    ones = np.ones(cells.size)
    return Ground(cells, land_m2, by_place, np.asarray(land_m2 @ ones), np.asarray(by_place @ ones))


def _reach(ground: Ground, cost_m: Costs) -> Reach:
    cost = cost_m[ground.cells]
    lost = np.isinf(cost)
    if lost.any():
        distance_sum = ground.people @ np.where(lost, 0.0, cost).astype(np.float64)
        # Zero to the last bit, or else what is left after a subtraction would pass for people.
        reaching = ground.people @ (~lost).astype(np.float64)
        unreachable = ground.people @ lost.astype(np.float64)
    else:
        distance_sum = ground.people @ cost.astype(np.float64)
        reaching, unreachable = ground.population, np.zeros_like(ground.population)
    return Reach(cost, _share(distance_sum, reaching), unreachable)


def covered_share(cost_m: Costs, threshold_m: float, cell_m: float) -> Floats:
    """Give the covered share of each cell, shape ``(m,)``: a cell cut by the threshold is covered partly, see `coverage`.

    Examples
    --------
    >>> covered_share(np.array([100.0, 105.0, 200.0], dtype=np.float32), 100.0, 20.0).tolist()
    [0.5, 0.25, 0.0]
    """
    covered = np.subtract(np.float32(threshold_m / cell_m + 0.5), cost_m * np.float32(1 / cell_m))
    np.clip(covered, 0.0, 1.0, out=covered)
    if threshold_m < cell_m / 2:
        covered[cost_m == 0] = 1.0
    return np.asarray(covered, dtype=np.float64)


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share


def _require_service(inputs: CoverageInputs, service_index: int) -> None:
    if not 0 <= service_index < inputs.n_services:
        raise InvalidInput(
            f"There is no service number {service_index}; there are {inputs.n_services}.", code="unknown_service"
        )


def _require_threshold(threshold_m: float) -> None:
    if not (math.isfinite(threshold_m) and threshold_m >= 0):
        raise InvalidInput(
            f"A threshold of {threshold_m} m is not possible.",
            code="bad_threshold",
            remedy="Give a number of metres, zero or more.",
        )
