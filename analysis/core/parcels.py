"""Parcels: the cells of buildings where nobody drew plots, and their edges."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.blocks import require_polygons
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: Corners of parcels that are nearer to each other than about this are one (metres).
SNAP_M: Final = 0.001

# About so many buildings are done at once, and so many cells joined.
_AT_ONCE: Final = 8_192
_BATCH: Final = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class Parcels:
    """Parcels that tile blocks: neighbours have the corners of their common edges in common.

    Made by `cells_of_buildings` or `analysis.core.plots.tiled_plots`.

    Attributes
    ----------
    polygons
        Shape ``(n,)``: one polygon each, in metres; ordered by block.
    block
        Shape ``(n,)``: the block that each lies in.
    n_blocks
        Number of blocks, those without parcels included.
    source
        Shape ``(n,)``: index of the plot that was given, or of the building whose cell it is; -1 for open land.
    is_open_land
        Shape ``(n,)``: land in a block that is nobody's parcel.
    building_parcel
        Shape ``(buildings,)``: the parcel that each building stands on, -1 if it is in none.
    """

    polygons: Geometries
    block: Integers
    n_blocks: int
    source: Integers
    is_open_land: Booleans
    building_parcel: Integers

    @property
    def homes(self) -> Integers:
        """Shape ``(n,)``: number of buildings on each parcel."""
        inside = self.building_parcel[self.building_parcel >= 0]
        return np.bincount(inside, minlength=len(self.polygons)).astype(np.int64)

    def members(self, block: int) -> Integers:
        """Return the indices of a block's parcels."""
        low, high = np.searchsorted(self.block, (block, block + 1))
        return np.arange(low, high, dtype=np.int64)


def cells_of_buildings(
    blocks: GeometryLike,
    buildings: GeometryLike,
    *,
    spacing_m: float = 2.0,
    shrink_m: float = 0.4,
    smooth_m: float = 0.5,
    threads: int = 1,
) -> Parcels:
    """Give each building of a block the land that is nearer to it than to any other building of the block.

    Each outline, drawn in by a little so that walls that touch do not coincide, becomes points; their Voronoi cells
    are put together by building and cut at the outline of the block [@fleischmann2020]. What the block's outline cuts
    off from a cell goes to the neighbour with the longest common edge, so that every parcel is one piece. Then common
    edges are smoothed, as cells of points zigzag.

    Parameters
    ----------
    blocks
        Shape ``(b,)``: polygons in metres that do not overlap.
    buildings
        Shape ``(m,)``: polygons in metres. A building belongs to the block that a point inside it lies in. Of
        buildings that coincide one has the cell, and the others stand on it.
    spacing_m
        Largest distance between points along an outline. Coarser is faster: of use where only neighbours matter.
    shrink_m
        How far outlines are drawn in.
    smooth_m
        Common edges may be moved by about this (Visvalingam–Whyatt, the area of the triangle left out is at most
        the square of it); 0 leaves them as they are.
    threads
        So many share the blocks; the result is the same.

    Returns
    -------
    Parcels
        The parcels of a block tile it; a block without buildings has none.

    Raises
    ------
    GeometryError
        If a block or a building is no valid polygon.
    InvalidInput
        If a length is negative or not finite, or points would have no distance.

    Examples
    --------
    Two houses in a block; the border runs half way between them:

    >>> houses = [shapely.box(1, 1, 3, 9), shapely.box(7, 1, 9, 9)]
    >>> cells = cells_of_buildings([shapely.box(0, 0, 10, 10)], houses)
    >>> shapely.area(cells.polygons).round(6).tolist(), cells.building_parcel.tolist()
    ([50.0, 50.0], [0, 1])
    """
    _require_lengths(spacing_m, shrink_m, smooth_m)
    land, houses = as_geometries(blocks), as_geometries(buildings)
    require_polygons(land, "block")
    require_polygons(houses, "building")
    shapely.prepare(land)
    block = _block_of(land, houses)
    inside = np.flatnonzero(block >= 0)
    inside = inside[np.argsort(block[inside], kind="stable")]
    # Some blocks at a time, each of them as a whole.
    starts = np.flatnonzero(np.append(True, np.diff(block[inside]) != 0))[: len(inside)]
    edges = [*starts[np.searchsorted(starts, np.arange(0, len(inside), _AT_ONCE), side="right") - 1], len(inside)]
    pieces = [inside[low:high] for low, high in pairwise(sorted({int(edge) for edge in edges})) if high > low]

    def cells(some: Integers) -> tuple[Geometries, Integers]:
        return _cells_of_some(land, houses[some], block[some], spacing_m, shrink_m, smooth_m)

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        done = list(pool.map(cells, pieces))
    offset = np.cumsum([0, *map(len, pieces)])
    nothing = np.zeros(0, dtype=np.int64)
    stands_on = np.concatenate([nothing, *(on + at for (_, on), at in zip(done, offset, strict=False))])
    polygons = np.concatenate([np.empty(0, dtype=np.object_), *(found for found, _ in done)])
    has_cell = np.flatnonzero(stands_on == np.arange(len(inside)))
    parcel_of = np.full(len(inside), -1, dtype=np.int64)
    parcel_of[has_cell] = np.arange(len(has_cell))
    building_parcel = np.full(len(houses), -1, dtype=np.int64)
    building_parcel[inside] = parcel_of[stands_on]
    of_block = block[inside[has_cell]]
    source = inside[has_cell].astype(np.int64)
    return Parcels(polygons, of_block, len(land), source, np.zeros(len(source), dtype=bool), building_parcel)


def _cells_of_some(
    land: Geometries, houses: Geometries, block: Integers, spacing_m: float, shrink_m: float, smooth_m: float
) -> tuple[Geometries, Integers]:
    """Return the parcels of the buildings that have a cell, and for each building the one whose cell it stands on."""
    xy, owner = _outline_points(houses, spacing_m, shrink_m)
    xy, owner, stands_on = _without_doubles(xy, owner, block)
    cells = _cells(xy, owner, block, land, len(houses))
    has_cell = np.flatnonzero(stands_on == np.arange(len(houses)))
    polygons, of_block = _in_one_piece(cells[has_cell], block[has_cell], houses[has_cell], land)
    return _smoothed(polygons, of_block, smooth_m) if smooth_m > 0 else polygons, stands_on


def common_edges(polygons: Geometries, block: Integers) -> tuple[Integers, Integers, Floats, Integers]:
    """Find the straight edges of parcels and the two parcels on the sides of each.

    Parameters
    ----------
    polygons
        Shape ``(n,)``: parcels whose common edges have all corners in common.
    block
        Shape ``(n,)``: parcels of different blocks have nothing in common.

    Returns
    -------
    tuple of ndarray
        ``(m, 2)`` nodes of each edge; ``(m, 2)`` parcels on its sides, -1 where there is none (parcels and edges
        ascending); ``(nodes, 2)`` positions in metres; ``(nodes,)`` the block of each node.

    Examples
    --------
    >>> edges, sides, xy, _ = common_edges(shapely.box([0, 5], 0, [5, 10], 5), np.zeros(2, dtype=np.int64))
    >>> xy[edges[(sides >= 0).all(axis=1)]].tolist()
    [[[5.0, 0.0], [5.0, 5.0]]]
    """
    rings, parcel = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(xy):
        nothing = np.zeros((0, 2), dtype=np.int64)
        return nothing, nothing, np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    number = block[parcel[ring]]
    cell = np.round((xy - xy.min(axis=0)) / SNAP_M).astype(np.int64)
    place = (cell[:, 0] << 32) | cell[:, 1]
    order = np.lexsort((place, number))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (place[order[1:]] != place[order[:-1]]) | (number[order[1:]] != number[order[:-1]])
    node = np.empty(len(order), dtype=np.int64)
    node[order] = np.cumsum(is_new) - 1
    node_xy, node_block = xy[order[is_new]], number[order[is_new]]
    start = np.flatnonzero((ring[1:] == ring[:-1]) & (node[1:] != node[:-1]))
    low, high = np.minimum(node[start], node[start + 1]), np.maximum(node[start], node[start + 1])
    side = parcel[ring[start]]
    order = np.lexsort((side, low * len(node_xy) + high))
    low, high, side = low[order], high[order], side[order].astype(np.int64)
    is_first = np.ones(len(low), dtype=bool)
    is_first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first = np.flatnonzero(is_first)
    count = np.diff(np.append(first, len(low)))
    second = np.where(count > 1, side[np.minimum(first + 1, len(side) - 1)], -1)
    sides = np.stack((side[first], second), axis=1)
    return np.stack((low[first], high[first]), axis=1), sides, node_xy, node_block


def _block_of(land: Geometries, houses: Geometries) -> Integers:
    block = np.full(len(houses), -1, dtype=np.int64)
    if len(land) and len(houses):
        house, found = shapely.STRtree(land).query(shapely.point_on_surface(houses), predicate="intersects")
        order = np.lexsort((-found, house))
        block[house[order]] = found[order]  # the first block where several have it
    return block


def _outline_points(houses: Geometries, spacing_m: float, shrink_m: float) -> tuple[Floats, Integers]:
    """Sample outlines that were drawn in; what is too narrow for that is sampled as it is."""
    drawn_in = shapely.buffer(houses, -shrink_m, quad_segs=1, join_style="mitre") if shrink_m > 0 else houses
    drawn_in = np.where(shapely.is_empty(drawn_in), shapely.point_on_surface(houses), drawn_in)
    is_point = shapely.get_type_id(drawn_in) == 0
    drawn_in[~is_point] = shapely.segmentize(shapely.boundary(drawn_in[~is_point]), spacing_m)
    xy, owner = shapely.get_coordinates(drawn_in, return_index=True)
    return xy, owner.astype(np.int64)


def _without_doubles(xy: Floats, owner: Integers, block: Integers) -> tuple[Floats, Integers, Integers]:
    """Keep each point of a block once; tell on whose cell a building stands that has no point left."""
    n = len(block)
    stands_on = np.arange(n, dtype=np.int64)
    if not len(xy):
        return xy, owner, stands_on
    cell = np.round((xy - xy.min(axis=0)) / SNAP_M).astype(np.int64)
    place = (cell[:, 0] << 32) | cell[:, 1]
    order = np.lexsort((owner, place, block[owner]))
    same = (place[order[1:]] == place[order[:-1]]) & (block[owner[order[1:]]] == block[owner[order[:-1]]])
    is_first = np.append(True, ~same)
    kept = order[is_first]
    holder = owner[kept][np.cumsum(is_first) - 1]
    lost = np.setdiff1d(np.arange(n), owner[kept])
    if len(lost):
        loser = np.isin(owner[order], lost)
        stands_on[owner[order][loser][::-1]] = holder[loser][::-1]
    kept = kept[np.argsort(owner[kept], kind="stable")]
    return xy[kept], owner[kept], stands_on


def _cells(xy: Floats, owner: Integers, owner_block: Integers, land: Geometries, n: int) -> Geometries:
    """Return the cell of each building, not yet cut at the outline of its block; None without points."""
    whole = np.full(n, None, dtype=np.object_)
    if not n:
        return whole
    used, index = np.unique(owner_block[owner], return_inverse=True)
    far = _far_points(land[used])
    index = np.concatenate((index, np.repeat(np.arange(len(used)), len(far) // len(used))))
    order = np.argsort(index, kind="stable")
    ends = np.searchsorted(index[order], np.arange(len(used) + 1))
    sites = shapely.from_ragged_array(shapely.GeometryType.MULTIPOINT, np.concatenate((xy, far))[order], (ends,))
    parts = shapely.get_parts(shapely.voronoi_polygons(sites, ordered=True))
    parts = parts[order < len(xy)]
    first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    count = np.diff(np.append(first, len(owner)))
    by_count = np.argsort(count, kind="stable")
    for begin in range(0, len(by_count), _BATCH):
        batch = by_count[begin : begin + _BATCH]
        column = np.arange(count[batch].max())
        at = np.minimum(first[batch][:, None] + column, len(parts) - 1)
        try:
            joined = shapely.coverage_union_all(np.where(column < count[batch][:, None], parts[at], None), axis=1)
        except shapely.GEOSException:
            joined = np.full(len(batch), None, dtype=np.object_)
        whole[owner[first[batch]]] = joined
    is_good = (shapely.get_type_id(whole) >= 0) & shapely.is_valid(whole)
    doubtful = np.isin(owner_block[owner], owner_block[owner[~is_good[owner]]])
    if doubtful.any():
        _joined_by_edges(whole, parts[doubtful], owner[doubtful], owner_block)
    return whole


def _joined_by_edges(whole: Geometries, parts: Geometries, owner: Integers, owner_block: Integers) -> None:
    """Join cells whose corners were computed once for each of them: rounded, they are one again.

    Slower than the union of a coverage, which refuses them. Edges between cells of one building cancel out.
    """
    edges, sides, node_xy, _ = common_edges(parts, owner_block[owner])
    of_side = np.where(sides >= 0, owner[sides], -1)
    outer = of_side[:, 0] != of_side[:, 1]
    edge, of_edge = np.tile(np.flatnonzero(outer), 2), of_side[outer].T.ravel()
    edge, of_edge = edge[of_edge >= 0], of_edge[of_edge >= 0]
    by_owner = np.argsort(of_edge, kind="stable")
    lines = shapely.linestrings(node_xy[edges[edge[by_owner]]])
    held, place = np.unique(of_edge[by_owner], return_inverse=True)
    whole[held] = shapely.build_area(shapely.multilinestrings(lines, indices=place))


def _far_points(land: Geometries) -> Floats:
    """Give six points around each block, so far that no land of it is theirs and all its buildings' cells are closed."""
    low, high = np.split(shapely.bounds(land), 2, axis=1)
    middle, far = (low + high) / 2, 4.0 * np.hypot(*(high - low).T) + 1.0
    angle = np.arange(6) * np.pi / 3
    around = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return np.asarray((middle[:, None] + far[:, None, None] * around).reshape(-1, 2))


def _in_one_piece(
    cells: Geometries, block: Integers, houses: Geometries, land: Geometries
) -> tuple[Geometries, Integers]:
    """Cut cells at the outline of their block and give what is cut off from them to neighbours."""
    polygons = cells.copy()
    if not len(cells):
        return polygons, block
    crosses = np.flatnonzero(~shapely.contains_properly(land[block], cells))
    polygons[crosses] = shapely.intersection(cells[crosses], land[block[crosses]])
    several = np.flatnonzero(shapely.get_type_id(polygons) > 3)
    loose: list[tuple[shapely.Geometry, int]] = []
    for index in several.tolist():
        parts = shapely.get_parts(polygons[index])
        parts = parts[shapely.get_type_id(parts) == 3]
        overlap = shapely.area(shapely.intersection(parts, houses[index]))
        near = shapely.distance(parts, shapely.point_on_surface(houses[index]))
        own = int(np.lexsort((near, -overlap))[0])
        polygons[index] = parts[own]
        loose.extend((part, int(block[index])) for i, part in enumerate(parts.tolist()) if i != own)
    _give_away(polygons, block, loose)
    return polygons, block


def _give_away(polygons: Geometries, block: Integers, loose: list[tuple[shapely.Geometry, int]]) -> None:
    """Add loose pieces to the neighbour with the longest common edge; a piece may wait for another to go first."""
    # By size and place, so that the order of buildings does not matter.
    loose = sorted(loose, key=lambda one: (-one[0].area, one[0].bounds))
    while loose:
        waiting = []
        for piece, number in loose:
            low, high = np.searchsorted(block, (number, number + 1))
            near = low + np.flatnonzero(shapely.dwithin(polygons[low:high], piece, SNAP_M))
            common = shapely.length(shapely.intersection(shapely.boundary(polygons[near]), shapely.boundary(piece)))
            joined = None
            for taker in near[np.argsort(-common, kind="stable")]:
                joined = shapely.union(polygons[taker], piece)
                if joined.geom_type == "Polygon":
                    polygons[taker] = joined
                    break
                joined = None
            if joined is None:
                waiting.append((piece, number))
        if len(waiting) == len(loose):
            return  # slivers that touch nobody along an edge
        loose = waiting


def _smoothed(polygons: Geometries, block: Integers, smooth_m: float) -> Geometries:
    """Straighten common edges block by block, outlines of blocks aside."""
    smooth = polygons.copy()
    bounds = np.flatnonzero(np.append(True, block[1:] != block[:-1])).tolist() if len(block) else []
    for low, high in pairwise([*bounds, len(block)]):
        if high - low > 1:
            smooth[low:high] = shapely.coverage_simplify(polygons[low:high], smooth_m, simplify_boundary=False)
    return smooth


def _require_lengths(spacing_m: float, shrink_m: float, smooth_m: float) -> None:
    for name, value in (("spacing", spacing_m), ("shrinking", shrink_m), ("smoothing", smooth_m)):
        if not (np.isfinite(value) and value >= 0) or (name == "spacing" and value == 0):
            raise InvalidInput(
                f"A distance of {value} m is not possible.", code="bad_distance", where=name, remedy="Give metres."
            )
