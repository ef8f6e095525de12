"""Reblocking: the shortest new paths along parcels' edges that give every parcel access."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from analysis.core.access_search import access_tree, least_length_m, web_of
from analysis.core.complexity import TOUCH_M, layers_of, neighbours, touches
from analysis.core.parcel_graph import ParcelGraph, parcel_graph
from analysis.core.parcels import Parcels
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

Goal = Literal["least-length", "least-homes", "through-streets"]

#: A path is so wide unless said otherwise (metres): one that an ambulance can use.
WIDTH_M: Final = 4.0

#: Where homes matter most, a path may be so much longer for each home that it leaves alone (metres).
HOME_PRICE_M: Final = 500.0

#: Detours between places that are nearer to each other than this do not matter (metres).
NEAR_M: Final = 30.0

# Work of the search: with these 1,000 parcels take between one second and two.
_STARTS: Final = 8
_FEWEST_ROUNDS: Final = 1_000
_ROUNDS_A_PARCEL: Final = 2
_MOST_ROUNDS: Final = 3_000

# Through-paths that are added between two looks at all detours.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class BlockGround:
    """One block made ready for reblocking and for counting again while paths are edited.

    Attributes
    ----------
    parcels
        The block's parcels alone.
    index
        Shape ``(n,)``: their indices among the parcels that were given.
    streets
        Connected streets near the block.
    buildings
        All buildings, to say whom paths touch.
    homes
        Shape ``(n,)``: homes on each parcel.
    pairs
        Shape ``(m, 2)``: neighbours.
    layer
        Shape ``(n,)``: as in `analysis.core.complexity.Complexity`, before anything is built.
    graph
        The parcels' edges.
    """

    parcels: Parcels
    index: Integers
    streets: Geometries
    buildings: Geometries
    homes: Floats
    pairs: Integers
    layer: Integers
    graph: ParcelGraph


@dataclass(frozen=True, slots=True, eq=False)
class Recount:
    """What paths would do for a block.

    Attributes
    ----------
    length_m
        Of the paths.
    cost
        Length × the cost of a metre, in its currency.
    homes_touched
        Indices of buildings within half the width of a path, ascending.
    served
        Indices of parcels that had no access and would have it, ascending.
    without_access
        Indices of parcels that would have none.
    k_before, k_after
        Block complexity.
    homes_without_access_before, homes_without_access_after
        Homes on parcels that touch no connected street or path.
    off_edges
        Parts of the paths that do not follow parcels' edges.
    off_edges_m
        Length of these.
    not_joined
        Indices of paths from which no path leads to a connected street: they give no access.
    """

    length_m: float
    cost: float
    homes_touched: Integers
    served: Integers
    without_access: Integers
    k_before: int
    k_after: int
    homes_without_access_before: float
    homes_without_access_after: float
    off_edges: Geometries
    off_edges_m: float
    not_joined: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Reblocking:
    """New paths of a block.

    Attributes
    ----------
    goal
        What they were chosen for.
    paths
        Lines in metres, each between two places where paths fork, end, or meet a street.
    path_length_m
        Shape ``(paths,)``.
    recount
        What they do.
    unreachable
        Indices of parcels that no path along edges can reach from a street.
    bound_m
        No network of paths can be shorter; None where length is not the goal.
    detour
        The largest ratio of the way along streets and paths to the straight line, between places that are further
        apart than `NEAR_M`, of which one is on a new path; None where it was not asked for or there are none.
    seed
        That was used.
    """

    goal: Goal
    paths: Geometries
    path_length_m: Floats
    recount: Recount
    unreachable: Integers
    bound_m: float | None
    detour: float | None
    seed: int

    @property
    def gap(self) -> float | None:
        """By how much the paths may at most be longer than the shortest, as a share of their length."""
        if self.bound_m is None:
            return None
        return max(1.0 - self.bound_m / self.recount.length_m, 0.0) if self.recount.length_m > 0 else 0.0


def block_ground(
    parcels: Parcels,
    block: int,
    streets: GeometryLike,
    buildings: GeometryLike = (),
    homes: ArrayLike | None = None,
) -> BlockGround:
    """Make a block ready.

    Parameters
    ----------
    parcels
        Of a settlement.
    block
        The block.
    streets
        Lines in metres that are connected to the outside: `analysis.core.blocks.StreetBlocks.streets`.
    buildings
        Polygons in metres, all of those that paths could touch.
    homes
        Shape ``(n,)``: homes on each parcel of the settlement; the number of buildings by default.

    Raises
    ------
    InvalidInput
        If there is no such block, it has no parcels, homes do not fit, or no connected street touches the block.
    """
    if not 0 <= block < parcels.n_blocks:
        raise InvalidInput(f"There is no block {block}.", code="unknown_block", where=f"block {block}")
    index = parcels.members(block)
    if not len(index) or parcels.is_open_land[index].all():
        raise InvalidInput(
            "The block has no parcels.",
            code="empty_block",
            where=f"block {block}",
            remedy="Choose a block with buildings or plots.",
        )
    living = parcels.homes.astype(np.float64) if homes is None else np.asarray(homes, dtype=np.float64)
    if living.shape != (len(parcels.polygons),) or not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput(
            "The numbers of homes do not fit the parcels, or are negative or not finite.", code="bad_homes"
        )
    polygons = parcels.polygons[index]
    nothing = np.zeros(0, dtype=np.int64)
    own = Parcels(
        polygons, np.zeros(len(index), dtype=np.int64), 1, parcels.source[index], parcels.is_open_land[index], nothing
    )
    lines = as_geometries(streets)
    lines = lines[~shapely.is_missing(lines) & ~shapely.is_empty(lines)]
    low_x, low_y, high_x, high_y = shapely.total_bounds(polygons)
    around = shapely.box(low_x - 1.0, low_y - 1.0, high_x + 1.0, high_y + 1.0)
    lines = lines[shapely.intersects(lines, around)]
    pairs = neighbours(own)
    layer = layers_of(own, pairs, touches(polygons, lines))
    graph = parcel_graph(polygons, lines, layer == 0)
    if not graph.is_street.any():
        x, y = shapely.get_coordinates(shapely.point_on_surface(polygons[0]))[0]
        raise InvalidInput(
            "No street that is connected to the outside touches the block.",
            code="no_street",
            where=f"block {block}, near {x:.1f}, {y:.1f}",
            remedy="Draw the street that leads to it, or join its streets to the others.",
        )
    return BlockGround(own, index, lines, as_geometries(buildings), living[index], pairs, layer, graph)


def reblock(
    ground: BlockGround,
    goal: Goal = "least-length",
    *,
    width_m: float = WIDTH_M,
    cost_per_m: float = 0.0,
    detour_limit: float = 3.0,
    seed: int = 0,
) -> Reblocking:
    """Find new paths along parcels' edges that give every parcel access.

    A parcel has access if a path or a connected street touches it, a corner is enough. The shortest such paths are a
    Steiner tree of groups, for which no fast exact method is known: paths are grown from one nearest parcel to the
    next as in the tool of [@brelsford2018], ends that nobody needs are pruned, and then parts are torn out and grown
    again. How far the result can be from the shortest is told by a bound from dual ascent [@wong1984].

    Parameters
    ----------
    ground
        From `block_ground`.
    goal
        ``least-length``: the shortest paths. ``least-homes``: each home that is touched counts like `HOME_PRICE_M`
        metres of path. ``through-streets``: the shortest, then more until the ratio of the way along streets and
        paths to the straight line is nowhere above ``detour_limit``, or no edges are left that would help.
    width_m
        Of a path; buildings within half of it are touched.
    cost_per_m
        Of a path, in any currency.
    detour_limit
        Above 1.
    seed
        Of the search. The same seed gives the same paths.

    Returns
    -------
    Reblocking
        Without new paths where all parcels that can be reached have access already.

    Raises
    ------
    InvalidInput
        If a number is not possible or the goal is unknown.

    Examples
    --------
    Nine plots of 10 m with streets around: one border of 10 m leads to the plot in the middle.

    >>> from analysis.core.plots import tiled_plots
    >>> x, y = np.meshgrid([0, 10, 20], [0, 10, 20])
    >>> block = shapely.box(0, 0, 30, 30)
    >>> parcels = tiled_plots([block], shapely.box(x, y, x + 10, y + 10).ravel())
    >>> found = reblock(block_ground(parcels, 0, block.exterior), cost_per_m=3.0)
    >>> found.recount.length_m, found.recount.cost, found.bound_m, found.recount.served.tolist()
    (10.0, 30.0, 10.0, [4])
    >>> found.recount.k_before, found.recount.k_after
    (2, 1)
    """
    _require_numbers(goal, width_m, cost_per_m, detour_limit, seed)
    graph = ground.graph
    needing, unreachable = _needing(ground)
    home_first, home = _homes_beside(graph.lines, ground.buildings, width_m)
    web = web_of(graph, needing, home_first, home, HOME_PRICE_M if goal == "least-homes" else 0.0)
    rounds = min(_FEWEST_ROUNDS + _ROUNDS_A_PARCEL * len(needing), _MOST_ROUNDS)
    is_built = access_tree(web, seed, _STARTS, rounds) if len(needing) else np.zeros(len(graph.u), dtype=bool)
    bound = None
    if goal == "least-length":
        bound = least_length_m(web) if len(needing) else 0.0
    detour = None
    if goal == "through-streets":
        is_built, detour = _with_through_paths(graph, is_built, detour_limit)
    paths = _merged(graph, is_built)
    counts = recount(ground, paths, width_m=width_m, cost_per_m=cost_per_m)
    return Reblocking(goal, paths, shapely.length(paths), counts, ground.index[unreachable], bound, detour, seed)


def recount(
    ground: BlockGround,
    paths: GeometryLike,
    *,
    width_m: float = WIDTH_M,
    cost_per_m: float = 0.0,
    tolerance_m: float = 0.1,
) -> Recount:
    """Count what paths do that somebody drew or changed.

    Parameters
    ----------
    ground
        From `block_ground`.
    paths
        Lines in metres, wherever they run. One gives access to the parcels that it touches or runs through if it is
        joined to a connected street, by itself or by other paths.
    width_m, cost_per_m
        As in `reblock`.
    tolerance_m
        A path follows an edge, meets a path or a street and touches a parcel if it is no further from it.

    Raises
    ------
    InvalidInput
        If a number is not possible or a path is no line.

    Examples
    --------
    A path from the western street into the middle of nine plots, and on across its neighbour:

    >>> from analysis.core.plots import tiled_plots
    >>> x, y = np.meshgrid([0, 10, 20], [0, 10, 20])
    >>> block = shapely.box(0, 0, 30, 30)
    >>> parcels = tiled_plots([block], shapely.box(x, y, x + 10, y + 10).ravel())
    >>> found = recount(block_ground(parcels, 0, block.exterior), [shapely.LineString([(0, 10), (10, 10), (15, 15)])])
    >>> round(found.length_m, 2), round(found.off_edges_m, 2), found.served.tolist(), found.k_after
    (17.07, 6.93, [4], 1)
    """
    _require_numbers("least-length", width_m, cost_per_m, 2.0, 0)
    if not (np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise InvalidInput(f"A tolerance of {tolerance_m} m is not possible.", code="bad_tolerance")
    lines = as_geometries(paths)
    is_line = np.isin(shapely.get_type_id(lines), (1, 5)) & ~shapely.is_empty(lines)
    if not is_line.all() or not np.isfinite(shapely.get_coordinates(lines)).all():
        raise InvalidInput(
            "A path is not a line.",
            code="path_not_line",
            where=f"path {np.flatnonzero(~is_line)[0] if not is_line.all() else 0}",
            remedy="Draw it with two positions or more.",
        )
    near = max(tolerance_m, TOUCH_M)
    joined = _joined(lines, ground, near)
    before = ground.layer
    is_touched = (before == 1) | (before == 0)
    polygons = ground.parcels.polygons
    if joined.any():
        is_touched[shapely.STRtree(polygons).query(lines[joined], predicate="dwithin", distance=near)[1]] = True
    after = _layers_after(ground, is_touched)
    off = _off_edges(lines, ground.graph.lines, near)
    length = float(shapely.length(lines).sum())
    _, touched = _homes_beside(lines, ground.buildings, width_m)
    is_plot = ~ground.parcels.is_open_land
    return Recount(
        length, length * cost_per_m, np.unique(touched), ground.index[_lacks(before) & ~_lacks(after) & is_plot],
        ground.index[_lacks(after) & is_plot], _k(before, is_plot), _k(after, is_plot),
        float(ground.homes[_lacks(before)].sum()), float(ground.homes[_lacks(after)].sum()),
        off, float(shapely.length(off).sum()), np.flatnonzero(~joined).astype(np.int64),
    )  # fmt: skip


def _lacks(layer: Integers) -> Booleans:
    return (layer < 0) | (layer > 1)


def _k(layer: Integers, is_plot: Booleans) -> int:
    return int(np.maximum(layer[is_plot], 0).max(initial=0))


def _layers_after(ground: BlockGround, is_touched: Booleans) -> Integers:
    """Peel again with what paths touch; what open land gave access before still does."""
    return layers_of(ground.parcels, ground.pairs, is_touched)


def _joined(lines: Geometries, ground: BlockGround, near_m: float) -> Booleans:
    """Tell which lines lead to a street, by themselves or by other lines."""
    joined = np.zeros(len(lines), dtype=bool)
    if not len(lines):
        return joined
    tree = shapely.STRtree(lines)
    access = np.append(ground.streets, ground.parcels.polygons[ground.layer == 0])
    joined[tree.query(access, predicate="dwithin", distance=near_m)[1]] = True
    one, other = tree.query(lines, predicate="dwithin", distance=near_m)
    while True:
        reached = joined.copy()
        reached[other[joined[one]]] = True
        if (reached == joined).all():
            return joined
        joined = reached


def _off_edges(lines: Geometries, edges: Geometries, near_m: float) -> Geometries:
    """Return the parts of lines that are further than the tolerance from every edge."""
    if not len(lines):
        return lines
    parts = shapely.get_parts(lines)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    at = np.flatnonzero(part[1:] == part[:-1])
    pieces = shapely.linestrings(np.stack((xy[at], xy[at + 1]), axis=1))
    piece, edge = shapely.STRtree(edges).query(pieces, predicate="dwithin", distance=near_m)
    beside = shapely.buffer(edges[np.unique(edge)], near_m, quad_segs=2)
    number = np.full(len(edges), -1, dtype=np.int64)
    number[np.unique(edge)] = np.arange(len(beside))
    off = pieces.copy()
    # A piece has few edges beside it; taking them away one after the other is quicker than to unite all.
    order = np.argsort(piece, kind="stable")
    rank = np.arange(len(piece)) - np.searchsorted(piece[order], piece[order])
    for turn in range(int(rank.max(initial=-1)) + 1):
        chosen = order[rank == turn]
        off[piece[chosen]] = shapely.difference(off[piece[chosen]], beside[number[edge[chosen]]])
    off = off[~shapely.is_empty(off)]
    merged = shapely.get_parts(shapely.line_merge(shapely.union_all(off))) if len(off) else off
    return np.asarray(merged[shapely.length(merged) > near_m])


def _homes_beside(lines: Geometries, buildings: Geometries, width_m: float) -> tuple[Integers, Integers]:
    """List the buildings within half the width of each line."""
    if not (len(lines) and len(buildings)):
        return np.zeros(len(lines) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    line, building = shapely.STRtree(buildings).query(lines, predicate="dwithin", distance=width_m / 2)
    order = np.lexsort((building, line))
    first = np.searchsorted(line[order], np.arange(len(lines) + 1))
    return first.astype(np.int64), building[order].astype(np.int64)


def _needing(ground: BlockGround) -> tuple[Integers, Integers]:
    """Return the parcels without access that paths can reach, and those that none can."""
    graph = ground.graph
    node = np.repeat(np.arange(len(graph.node_xy_m)), np.diff(graph.node_first))
    can = np.zeros(len(ground.index), dtype=bool)
    can[graph.node_parcel[graph.component[node] == 0]] = True
    lacking = _lacks(ground.layer) & ~ground.parcels.is_open_land
    return np.flatnonzero(lacking & can).astype(np.int64), np.flatnonzero(lacking & ~can).astype(np.int64)


def _merged(graph: ParcelGraph, is_built: Booleans) -> Geometries:
    """Join stretches between forks, ends and streets."""
    chosen = np.flatnonzero(is_built)
    if not len(chosen):
        return np.empty(0, dtype=np.object_)
    ends = np.concatenate((graph.u[chosen], graph.v[chosen]))
    is_through = (np.bincount(ends, minlength=len(graph.is_street)) == 2) & ~graph.is_street
    left = {int(edge): (int(graph.u[edge]), int(graph.v[edge])) for edge in chosen}
    at: dict[int, list[int]] = {}
    for edge, pair in left.items():
        for node in pair:
            at.setdefault(node, []).append(edge)
    paths = []
    starts = sorted(node for node in at if not is_through[node])
    for start in [*starts, *sorted(node for node in at if is_through[node])]:
        for edge in at[start]:
            if edge not in left:
                continue
            here, xy = start, [graph.node_xy_m[start][None]]
            while edge in left:
                u, v = left.pop(edge)
                stretch = shapely.get_coordinates(graph.lines[edge])
                xy.append(stretch[1:] if u == here else stretch[-2::-1])
                here = v if u == here else u
                if not is_through[here]:
                    break
                edge = next((other for other in at[here] if other in left), -1)
            paths.append(shapely.LineString(np.concatenate(xy)))
    return np.array(paths, dtype=np.object_)


def _with_through_paths(graph: ParcelGraph, is_built: Booleans, limit: float) -> tuple[Booleans, float | None]:
    """Add the shortest ways between the two places with the worst detour, again and again."""
    built = is_built.copy()
    n = len(graph.node_xy_m)
    hopeless: set[tuple[int, int]] = set()
    if not built.any():
        return built, None
    while True:
        open_way = built | graph.along_street
        here = np.unique(np.concatenate((graph.u[built], graph.v[built])))
        there = np.unique(np.concatenate((here, np.flatnonzero(graph.is_street))))
        way = dijkstra(_lengths(graph, np.where(open_way, graph.length_m, np.inf), n), directed=False, indices=here)
        away = np.hypot(*(graph.node_xy_m[here][:, None] - graph.node_xy_m[there]).transpose(2, 0, 1))
        ratio = np.where(away > NEAR_M, way[:, there] / np.maximum(away, NEAR_M), 0.0)
        # Streets that are joined outside the block alone have no way that could be measured here.
        ratio[~np.isfinite(ratio)] = 0.0
        worst = float(ratio.max(initial=0.0))
        if worst == 0.0:
            return built, None
        for a, b in hopeless:
            ratio[here == a, np.searchsorted(there, b)] = 0.0
        chosen = _worst_pairs(ratio, graph.node_xy_m[here], graph.node_xy_m[there], limit)
        if not chosen:
            return built, worst
        # What is there already is half as dear, unless the way would be too long; then the shortest of all is taken.
        prices = [_lengths(graph, np.where(open_way, part * graph.length_m, graph.length_m), n) for part in (0.5, 1.0)]
        for one, other in chosen:
            a, b = int(here[one]), int(there[other])
            added = built.copy()
            for matrix in prices:
                _, back = dijkstra(matrix, directed=False, indices=a, return_predecessors=True)
                along = _along(graph, back, b)
                if graph.length_m[along].sum() <= limit * away[one, other]:
                    break
            added[along] = True
            added &= ~graph.along_street
            if (added == built).all():
                hopeless.add((a, b))
            built = added


def _worst_pairs(ratio: Floats, here: Floats, there: Floats, limit: float) -> list[tuple[int, int]]:
    """Return some of the pairs above the limit, the worst first, whose ends are not near those of one before."""
    above = np.flatnonzero(ratio > limit)
    # Ties to nine decimals are in the order of nodes, so that rounding decides nothing.
    above = above[np.argsort(-np.round(ratio.ravel()[above], 9), kind="stable")]
    one, other = np.unravel_index(above, ratio.shape)
    chosen: list[tuple[int, int]] = []
    while len(one) and len(chosen) < _AT_ONCE:
        pair = (int(one[0]), int(other[0]))
        chosen.append(pair)
        apart = np.ones(len(one), dtype=bool)
        for end in (here[pair[0]], there[pair[1]]):
            for ends in (here[one], there[other]):
                apart &= np.hypot(*(ends - end).T) > 2 * NEAR_M
        one, other = one[apart], other[apart]
    return chosen


def _lengths(graph: ParcelGraph, price: Floats, n: int) -> coo_array:
    """Make the matrix of a graph; of stretches between the same nodes the shortest counts."""
    usable = np.isfinite(price)
    u, v, w = np.minimum(graph.u, graph.v)[usable], np.maximum(graph.u, graph.v)[usable], price[usable]
    order = np.lexsort((w, v, u))
    is_first = np.append(True, (np.diff(u[order]) != 0) | (np.diff(v[order]) != 0))[: len(order)]
    chosen = order[is_first]
    return coo_array((w[chosen], (u[chosen], v[chosen])), shape=(n, n)).tocsr()


def _along(graph: ParcelGraph, back: NDArray[np.integer], node: int) -> Sequence[int]:
    stretches = []
    while back[node] >= 0:
        before = int(back[node])
        between = np.flatnonzero(((graph.u == before) & (graph.v == node)) | ((graph.u == node) & (graph.v == before)))
        stretches.append(int(between[np.argmin(graph.length_m[between])]))
        node = before
    return stretches


def _require_numbers(goal: str, width_m: float, cost_per_m: float, detour_limit: float, seed: int) -> None:
    if goal not in ("least-length", "least-homes", "through-streets"):
        raise InvalidInput(f"“{goal}” is not a goal of reblocking.", code="bad_goal")
    for name, value, least in (("width", width_m, 0.0), ("cost of a metre", cost_per_m, 0.0)):
        if not (np.isfinite(value) and value >= least):
            raise InvalidInput(f"A {name} of {value} is not possible.", code="bad_number", where=name)
    if not (np.isfinite(detour_limit) and detour_limit > 1):
        raise InvalidInput(
            f"A detour of {detour_limit} times the straight line is not possible.",
            code="bad_detour",
            remedy="Give a number above 1, such as 2.",
        )
    if seed < 0:
        raise InvalidInput(f"A seed of {seed} is not possible.", code="bad_seed", remedy="Give zero or more.")
