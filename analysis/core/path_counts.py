"""What paths through a block do: whom they serve and touch, how long they are, and where they leave parcels' edges."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from analysis.core.complexity import TOUCH_M, layers_of, neighbours, touches
from analysis.core.parcel_graph import ParcelGraph, parcel_graph
from analysis.core.parcels import Parcels
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: A path is so wide unless said otherwise (metres): one that an ambulance can use.
WIDTH_M: Final = 4.0


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
            where=f"block {block} at {x:.1f}, {y:.1f}",
            remedy="Draw the street that leads to it, or join its streets to the others.",
        )
    return BlockGround(own, index, lines, as_geometries(buildings), living[index], pairs, layer, graph)


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
        Width of a path, of which buildings within half are touched, and its cost in any currency.
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
    require_numbers(width_m, cost_per_m)
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
    # What open land gave access before still does.
    after = layers_of(ground.parcels, ground.pairs, is_touched)
    off = _off_edges(lines, ground.graph.lines, near)
    length = float(shapely.length(lines).sum())
    _, touched = homes_beside(lines, ground.buildings, width_m)
    is_plot = ~ground.parcels.is_open_land
    return Recount(
        length, length * cost_per_m, np.unique(touched), ground.index[lacks(before) & ~lacks(after) & is_plot],
        ground.index[lacks(after) & is_plot], _k(before, is_plot), _k(after, is_plot),
        float(ground.homes[lacks(before)].sum()), float(ground.homes[lacks(after)].sum()),
        off, float(shapely.length(off).sum()), np.flatnonzero(~joined).astype(np.int64),
    )  # fmt: skip


def homes_beside(lines: Geometries, buildings: Geometries, width_m: float) -> tuple[Integers, Integers]:
    """List the buildings within half the width of each line: where each line's begin, and the buildings."""
    if not (len(lines) and len(buildings)):
        return np.zeros(len(lines) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    line, building = shapely.STRtree(buildings).query(lines, predicate="dwithin", distance=width_m / 2)
    order = np.lexsort((building, line))
    first = np.searchsorted(line[order], np.arange(len(lines) + 1))
    return first.astype(np.int64), building[order].astype(np.int64)


def lacks(layer: Integers) -> Booleans:
    """Tell which layers are without access."""
    return (layer < 0) | (layer > 1)


def require_numbers(width_m: float, cost_per_m: float) -> None:
    """Refuse a width or a cost that is negative or not finite."""
    for name, value in (("width", width_m), ("cost of a metre", cost_per_m)):
        if not (np.isfinite(value) and value >= 0):
            raise InvalidInput("A width or a cost of a metre is negative or not finite.", code="bad_number", where=name)


def _k(layer: Integers, is_plot: Booleans) -> int:
    return int(np.maximum(layer[is_plot], 0).max(initial=0))


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
