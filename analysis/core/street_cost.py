"""Cost along streets: from every cell to the nearest facility of a service, by the streets between them.

The cost is that of the straight way from the centre of the cell to the nearest point of a street, along the street
and the network, and from there the straight way to the facility. Streets are entered at their nearest point, not at
a junction: both directions from there count, and so does a facility further along the same street.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from analysis.core.street_nearest import Buckets, bucketed, nearest
from analysis.core.street_search import MOST_NEIGHBOURS, Elimination, eliminated, settle, settle_nearest
from analysis.core.street_speeds import StreetCosts, Unit
from analysis.core.streets import StreetGraph
from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import GeometryError, InvalidInput

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: A house or a facility further from every street than this stands on none of them (metres).
MAX_TO_STREET_M: Final = 500.0

#: Lines and outlines of facilities can be entered at points so far apart (metres).
ENTRANCE_SPACING_M: Final = 20.0

#: Points are looked up in parts of at least so many.
_PART: Final = 20_000

#: Services are swept so many at a time: a sweep of 12 takes twice as long as a sweep of one.
_TOGETHER: Final = 12


@dataclass(frozen=True, slots=True)
class StreetNetwork:
    """Streets and their costs, made ready for any number of questions.

    Attributes
    ----------
    graph, costs
        What it was made from.
    made
        The graph after elimination.
    buckets
        The edges that can be entered.
    u, v
        Shape ``(m,)`` int32: places (of `Elimination`) of the ends of each edge.
    """

    graph: StreetGraph
    costs: StreetCosts
    made: Elimination
    buckets: Buckets
    u: Int32
    v: Int32


@dataclass(frozen=True, slots=True)
class OnStreets:
    """Points and where they enter the streets.

    Attributes
    ----------
    edge
        Shape ``(n,)`` int32: the nearest edge, -1 if none is near enough.
    share
        Shape ``(n,)``: the share of the edge from its u to the point where it is entered.
    way_m
        Shape ``(n,)``: metres from the point to there, ``inf`` without an edge.
    order
        Shape ``(n,)``: the points in order of their edges.
    """

    edge: Int32
    share: Floats
    way_m: Floats
    order: Int64

    @property
    def is_far(self) -> NDArray[np.bool_]:
        """Shape ``(n,)``: points with no street near enough."""
        return self.edge < 0


@dataclass(frozen=True, slots=True)
class StreetCost:
    """Costs from points to the nearest facility of each service.

    Attributes
    ----------
    cost
        Shape ``(services, n)`` float32 in ``unit``; ``inf`` where nothing is reached.
    nearest
        Shape ``(services, n)`` int32: which facility, -1 where nothing is reached; None if it was not asked for.
    unit
        ``m`` or ``min``.
    facilities_far
        For each service, the rows of the facilities that have no street near enough: they serve nobody.
    """

    cost: Floats32
    nearest: Int32 | None
    unit: Unit
    facilities_far: tuple[Int64, ...]

    @property
    def n_unreached(self) -> Int64:
        """Shape ``(services,)``: points that reach no facility, those far from every street and not asked for among them."""
        return np.asarray(np.isinf(self.cost).sum(axis=1), dtype=np.int64)


def street_network(
    graph: StreetGraph,
    costs: StreetCosts,
    *,
    min_component_m: float = 0.0,
    most_neighbours: int = MOST_NEIGHBOURS,
) -> StreetNetwork:
    """Make streets ready for questions.

    Parameters
    ----------
    graph, costs
        The streets, and what each edge costs.
    min_component_m
        Houses and facilities do not stand at components with less length of streets than this: a path in a park that
        was drawn without its gate would cut off who lives beside it. With 0, all components count.
    most_neighbours
        Junctions with more neighbours are left to Dijkstra's algorithm, see `street_search`. It changes no answer.

    Raises
    ------
    InvalidInput
        If there is not one cost for each edge and direction, or one is negative or NaN (``street_costs``).
    """
    for cost in (costs.forward, costs.backward):
        if cost.shape != (graph.n_edges,) or not (cost >= 0).all():
            raise InvalidInput(
                "Every edge needs a cost of 0 or more in both directions.",
                code="street_costs",
                remedy="Give inf where one may not go.",
            )
    is_used = np.isfinite(costs.forward) | np.isfinite(costs.backward)
    made = eliminated(
        graph.n_nodes,
        graph.u[is_used],
        graph.v[is_used],
        costs.forward[is_used],
        costs.backward[is_used],
        most_neighbours,
    )
    is_large = graph.component_length_m[graph.component[graph.u]] >= min_component_m
    enterable = np.flatnonzero(is_used & graph.is_enterable & is_large).astype(np.int32)
    xy = graph.node_xy_m
    buckets = bucketed(xy[graph.u[enterable]], xy[graph.v[enterable]], enterable)
    return StreetNetwork(graph, costs, made, buckets, made.place[graph.u], made.place[graph.v])


def on_streets(
    network: StreetNetwork, xy_m: Floats, *, max_to_street_m: float = MAX_TO_STREET_M, workers: int | None = None
) -> OnStreets:
    """Find the nearest point of a street to each point.

    Bridges and tunnels are not entered from the side, nor streets that are closed both ways.

    Parameters
    ----------
    network
        The streets.
    xy_m
        Shape ``(n, 2)`` in the system of the streets.
    max_to_street_m
        Points further from all streets than this have none; ``inf`` for no limit.
    workers
        Threads; as many as there are processors by default.

    Raises
    ------
    InvalidInput
        If the points are not finite pairs (``bad_points``) or the distance is negative (``bad_max_to_street``).
    """
    points = np.asarray(xy_m, dtype=np.float64)
    if not points.size:
        points = np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InvalidInput("The points must be finite pairs of x and y.", code="bad_points")
    if not max_to_street_m >= 0:
        raise InvalidInput("The distance to the street must be 0 m or more.", code="bad_max_to_street")
    n_parts = max(min(workers or os.cpu_count() or 1, len(points) // _PART), 1)
    parts = np.array_split(points, n_parts)
    if n_parts == 1:
        found = [nearest(network.buckets, points, max_to_street_m)]
    else:
        with ThreadPoolExecutor(n_parts) as pool:
            found = list(pool.map(lambda part: nearest(network.buckets, part, max_to_street_m), parts))
    edge, share, way_m = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return OnStreets(edge, share, way_m, np.argsort(edge, kind="stable"))


def cells_on_streets(
    network: StreetNetwork,
    grid: Grid,
    only: NDArray[np.bool_] | None = None,
    *,
    max_to_street_m: float = MAX_TO_STREET_M,
    workers: int | None = None,
) -> OnStreets:
    """Find the nearest point of a street to the centre of each cell of a grid.

    Parameters
    ----------
    network
        The streets, in the system of the grid.
    grid
        The grid.
    only
        Shape ``(n_cells,)``: the cells that are asked for; others are left without a street, which saves time.
    max_to_street_m, workers
        As for `on_streets`.
    """
    centres = grid.centres_m()
    if only is None:
        return on_streets(network, centres, max_to_street_m=max_to_street_m, workers=workers)
    asked = np.flatnonzero(only)
    found = on_streets(network, centres[asked], max_to_street_m=max_to_street_m, workers=workers)
    edge, share = np.full(grid.n_cells, -1, dtype=np.int32), np.zeros(grid.n_cells)
    way_m = np.full(grid.n_cells, np.inf)
    edge[asked], share[asked], way_m[asked] = found.edge, found.share, found.way_m
    return OnStreets(edge, share, way_m, np.argsort(edge, kind="stable"))


def entrances(geometries_m: GeometryLike, spacing_m: float = ENTRANCE_SPACING_M) -> tuple[Floats, Int64]:
    """Give the points at which facilities can be entered, and the facility of each.

    Parameters
    ----------
    geometries_m
        Points as they are; lines and outlines of polygons at all vertices and at most ``spacing_m`` apart. Missing
        and empty ones have no entrance.
    spacing_m
        Metres.

    Returns
    -------
    tuple of ndarray
        Shape ``(k, 2)`` and ``(k,)``: the row of the facility, ascending.

    Raises
    ------
    GeometryError
        If a coordinate is not finite (``not_finite``).

    Examples
    --------
    >>> xy, facility = entrances([shapely.Point(1, 2), shapely.LineString([(0, 0), (30, 0)])])
    >>> xy.tolist(), facility.tolist()
    ([[1.0, 2.0], [0.0, 0.0], [15.0, 0.0], [30.0, 0.0]], [0, 1, 1, 1])
    """
    geometries = as_geometries(geometries_m)
    if not np.isfinite(shapely.get_coordinates(geometries)).all():
        raise GeometryError("A coordinate of a facility is not finite.", code="not_finite")
    dense = np.where(shapely.get_dimensions(geometries) > 0, shapely.segmentize(geometries, spacing_m), geometries)
    xy, facility = shapely.get_coordinates(dense, return_index=True)
    return xy, facility


def street_cost(
    network: StreetNetwork,
    points: OnStreets,
    facilities_m: Sequence[Floats],
    *,
    max_to_street_m: float = MAX_TO_STREET_M,
    is_nearest_kept: bool = False,
    workers: int | None = None,
) -> StreetCost:
    """Give the cost from each point to the nearest facility of each service, along streets.

    Parameters
    ----------
    network
        The streets. The cost is that of going *to* the facility; make it of ``costs.reversed()`` for ways from it.
    points
        Cells or places, by `cells_on_streets` or `on_streets`.
    facilities_m
        For each service, points of shape ``(k, 2)``; k may be 0.
    max_to_street_m
        Facilities further from all streets than this are reached by nobody.
    is_nearest_kept
        Whether to tell which facility is nearest; it takes about twice the time.
    workers
        Threads; as many as there are processors by default.

    Raises
    ------
    InvalidInput
        As for `on_streets`.

    Examples
    --------
    A street of 100 m; the house stands 5 m beside its beginning, the clinic 10 m beside its end.

    >>> from analysis.core.street_speeds import walking_costs
    >>> from analysis.core.streets import street_graph
    >>> graph = street_graph(shapely.LineString([(0, 0), (100, 0)]))
    >>> network = street_network(graph, walking_costs(graph))
    >>> house = on_streets(network, np.array([[0.0, 5.0]]))
    >>> street_cost(network, house, [np.array([[100.0, 10.0]])]).cost.tolist()
    [[115.0]]
    """
    starts = [on_streets(network, xy, max_to_street_m=max_to_street_m, workers=workers) for xy in facilities_m]
    cost = np.empty((len(starts), len(points.edge)), dtype=np.float32)
    who = np.empty(cost.shape if is_nearest_kept else (0, 0), dtype=np.int32)
    costs = network.costs
    threads = max(min(workers or os.cpu_count() or 1, len(points.edge) // _PART), 1)
    bounds = np.linspace(0, len(points.edge), threads + 1).astype(np.int64).tolist()
    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(starts), _TOGETHER):
            some = slice(begin, begin + _TOGETHER)
            at_nodes, nearest_at = _settled(network, starts[some], is_nearest_kept)

            def part(
                low: int, high: int, some: slice = some, at: Floats = at_nodes, who_at: Int32 = nearest_at
            ) -> None:
                _to_points(
                    points.edge[low:high], points.share[low:high], points.way_m[low:high], network.u, network.v,
                    costs.forward, costs.backward, costs.off_street_per_m, at, who_at, cost[some, low:high],
                    who[some, low:high],
                )  # fmt: skip

            list(pool.map(part, bounds[:-1], bounds[1:]))
    for service, start in enumerate(starts):
        _along_edge(points, start, costs, cost[service], who[service] if is_nearest_kept else None)
    far = tuple(np.flatnonzero(start.is_far) for start in starts)
    return StreetCost(cost, who if is_nearest_kept else None, costs.unit, far)


def with_facilities(
    before: StreetCost,
    network: StreetNetwork,
    points: OnStreets,
    service: int,
    facilities_m: Floats,
    *,
    is_added: bool = False,
    max_to_street_m: float = MAX_TO_STREET_M,
) -> StreetCost:
    """Give the costs after the facilities of one service changed: moved, closed, added.

    Parameters
    ----------
    before
        The costs until now, of the same network and points.
    network, points
        As for `street_cost`.
    service
        Which service.
    facilities_m
        Shape ``(k, 2)``: all its facilities as they are now, or with ``is_added`` only those that are new.
    is_added
        Whether the facilities come to those before, which stay: costs can only fall. New ones are numbered from 0 in
        ``nearest`` too, as -2 - number, so that they can be told from those before.
    max_to_street_m
        As for `street_cost`.
    """
    is_nearest_kept = before.nearest is not None
    now = street_cost(network, points, [facilities_m], max_to_street_m=max_to_street_m, is_nearest_kept=is_nearest_kept)
    cost, far = before.cost.copy(), list(before.facilities_far)
    who = None if before.nearest is None else before.nearest.copy()
    row, far_now = now.cost[0], now.facilities_far[0]
    if is_added:
        is_lower = row < cost[service]
        np.minimum(cost[service], row, out=cost[service])
        if who is not None and now.nearest is not None:
            who[service] = np.where(is_lower, -2 - now.nearest[0], who[service])
    else:
        cost[service], far[service] = row, far_now
        if who is not None and now.nearest is not None:
            who[service] = now.nearest[0]
    return StreetCost(cost, who, before.unit, tuple(far))


def node_cost(
    network: StreetNetwork,
    facilities_m: Sequence[Floats],
    *,
    max_to_street_m: float = MAX_TO_STREET_M,
    workers: int | None = None,
) -> Floats32:
    """Give the cost from each node of the graph to the nearest facility of each service, shape ``(services, n)``.

    Parameters and errors are those of `street_cost`.
    """
    starts = [on_streets(network, xy, max_to_street_m=max_to_street_m, workers=workers) for xy in facilities_m]
    cost = np.empty((len(starts), network.graph.n_nodes), dtype=np.float32)
    groups = range(0, len(starts), _TOGETHER)

    def group(begin: int) -> None:
        at_nodes, _ = _settled(network, starts[begin : begin + _TOGETHER], False)
        _to_nodes(network.made.place, at_nodes, cost[begin : begin + _TOGETHER])

    if len(groups) == 1:
        group(0)
    elif groups:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(group, groups))
    return cost


_NOBODY: Final = np.zeros((0, 0), dtype=np.int32)


def _settled(network: StreetNetwork, starts: Sequence[OnStreets], is_nearest_kept: bool) -> tuple[Floats, Int32]:
    """Give the costs at all nodes in order of places, shape ``(n, services)``, and the facility that is nearest."""
    at_nodes = np.full((network.graph.n_nodes, len(starts)), np.inf)
    who = np.full(at_nodes.shape, -1, dtype=np.int32) if is_nearest_kept else _NOBODY
    costs = network.costs
    for service, start in enumerate(starts):
        _begin(
            start.edge, start.share, start.way_m, network.u, network.v, costs.forward, costs.backward,
            costs.off_street_per_m, service, at_nodes, who,
        )  # fmt: skip
    if is_nearest_kept:
        settle_nearest(network.made, at_nodes, who)
    else:
        settle(network.made, at_nodes)
    return at_nodes, who


def _along_edge(points: OnStreets, start: OnStreets, costs: StreetCosts, cost: Floats32, who: Int32 | None) -> None:
    """Lower the costs of points that have a facility on their own edge."""
    rows = np.flatnonzero(start.edge >= 0)
    if not rows.size or not points.order.size:
        return
    by_edge = points.edge[points.order]
    first = np.searchsorted(by_edge, start.edge[rows], side="left")
    count = np.searchsorted(by_edge, start.edge[rows], side="right") - first
    row = np.repeat(rows, count)
    if not row.size:
        return
    number = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    point = points.order[np.repeat(first, count) + number]
    ahead = start.share[row] - points.share[point]
    per_edge = np.where(ahead >= 0, costs.forward[start.edge[row]], costs.backward[start.edge[row]])
    along = np.multiply(np.abs(ahead), per_edge, out=np.zeros(row.size), where=ahead != 0)
    whole = ((points.way_m[point] + start.way_m[row]) * costs.off_street_per_m + along).astype(np.float32)
    if who is not None:
        order = np.argsort(-whole, kind="stable")  # the least is written last
        point, whole, row = point[order], whole[order], row[order]
        lower = whole < cost[point]
        who[point[lower]] = row[lower]
    np.minimum.at(cost, point, whole)


@njit(cache=True, nogil=True)
def _begin(edge, share, way_m, u, v, forward, backward, per_m, service, cost, who):  # type: ignore[no-untyped-def]
    """Give both ends of the edges of facilities the cost of going from there to the facility."""
    for k in range(edge.size):
        e = edge[k]
        if e < 0:
            continue
        for turn in range(2):
            node, part, whole = (u[e], share[k], forward[e]) if turn == 0 else (v[e], 1.0 - share[k], backward[e])
            found = way_m[k] * per_m + (part * whole if part > 0 else 0.0)
            if found < cost[node, service]:
                cost[node, service] = found
                if who.size:
                    who[node, service] = k


@njit(cache=True, nogil=True)
def _to_points(edge, share, way_m, u, v, forward, backward, per_m, at_nodes, nearest_at, cost, who):  # type: ignore[no-untyped-def]
    """Give points the lesser of the ways by both ends of their edge."""
    for i in range(edge.size):
        e = edge[i]
        if e < 0:
            for service in range(cost.shape[0]):
                cost[service, i] = np.inf
            for service in range(who.shape[0]):
                who[service, i] = -1
            continue
        part, off = share[i], way_m[i] * per_m
        to_u = off + (part * backward[e] if part > 0 else 0.0)
        to_v = off + ((1.0 - part) * forward[e] if part < 1 else 0.0)
        a, b = u[e], v[e]
        for service in range(cost.shape[0]):
            by_u, by_v = at_nodes[a, service] + to_u, at_nodes[b, service] + to_v
            cost[service, i] = min(by_u, by_v)
            if who.shape[0]:
                who[service, i] = nearest_at[a, service] if by_u <= by_v else nearest_at[b, service]
                if cost[service, i] == np.inf:
                    who[service, i] = -1  # an end that reaches one, but not from here


@njit(cache=True, nogil=True)
def _to_nodes(place, at_nodes, cost):  # type: ignore[no-untyped-def]
    for node in range(place.size):
        at = place[node]
        for service in range(cost.shape[0]):
            cost[service, node] = at_nodes[at, service]
