"""Parcels: the cells of buildings where nobody drew plots, and their edges."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.blocks import require_polygons
from analysis.core.parcel_loops import cells_of_triangles, edges_of_blocks, outline_points
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import GeometryError, InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: Corners of parcels that are nearer to each other than about this are one (metres).
SNAP_M: Final = 0.001

# About so many buildings are done at once.
_AT_ONCE: Final = 4_096


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

    Each outline, drawn in by a little so that walls that touch do not coincide, becomes points: its corners, and where
    it crosses the lines of a grid, so that walls that touch have their points opposite each other. The Voronoi cells
    of points are put together by building and cut at the outline of the block [@fleischmann2020]. What the block's
    outline cuts off from a cell goes to the neighbour with the longest common edge, so that every parcel is one piece.
    Then common edges are smoothed, as cells of points zigzag.

    Parameters
    ----------
    blocks
        Shape ``(b,)``: polygons in metres that do not overlap.
    buildings
        Shape ``(m,)``: polygons in metres. A building belongs to the block that a point inside it lies in. Of
        buildings that coincide one has the cell, and the others stand on it.
    spacing_m
        Between the lines of the grid. Coarser is faster: of use where only neighbours matter.
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
        If a block or a building is no valid polygon, or Delaunay triangles leave a gap.
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
    nothing = np.zeros(0, dtype=np.int64)
    order = np.argsort(block, kind="stable")
    rings, of = shapely.get_rings(polygons[order], return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(xy):
        return nothing.reshape(0, 2), nothing.reshape(0, 2), np.zeros((0, 2)), nothing
    cell = np.round((xy - xy.min(axis=0)) / SNAP_M).astype(np.int64)
    parcel = order[of[ring]].astype(np.int64)
    number = block[parcel]
    first = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    found = edges_of_blocks(
        (cell[:, 0] << 32) | cell[:, 1], ring.astype(np.int64), parcel, np.append(first, len(xy)).astype(np.int64)
    )
    edges, sides, corner, of_node = found
    return edges, sides, xy[corner], number[first[of_node]]


def _block_of(land: Geometries, houses: Geometries) -> Integers:
    block = np.full(len(houses), -1, dtype=np.int64)
    if len(land) and len(houses):
        house, found = shapely.STRtree(land).query(shapely.point_on_surface(houses), predicate="intersects")
        order = np.lexsort((-found, house))
        block[house[order]] = found[order]  # the first block where several have it
    return block


def _outline_points(houses: Geometries, spacing_m: float, shrink_m: float) -> tuple[Floats, Integers]:
    """Sample outlines that were drawn in; what is too narrow for that becomes a point inside."""
    drawn_in = shapely.buffer(houses, -shrink_m, quad_segs=1, join_style="mitre") if shrink_m > 0 else houses
    is_lost = shapely.is_empty(drawn_in)
    parts, house = shapely.get_parts(drawn_in[~is_lost], return_index=True)
    rings, part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    first = np.append(0, np.cumsum(shapely.get_num_coordinates(rings))).astype(np.int64)
    xy, ring = outline_points(shapely.get_coordinates(rings), first, spacing_m, shrink_m)
    inside = shapely.get_coordinates(shapely.point_on_surface(houses[is_lost]))
    owner = np.concatenate((np.flatnonzero(~is_lost)[house[part[ring]]], np.flatnonzero(is_lost)))
    order = np.argsort(owner, kind="stable")
    return np.concatenate((xy, inside))[order], owner[order].astype(np.int64)


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
    sites = np.concatenate((xy, far))[order] + 0.0
    triangles = shapely.delaunay_triangles(shapely.linestrings(sites, indices=index[order]))
    rings, ends, whose, is_open = cells_of_triangles(
        shapely.get_coordinates(triangles) + 0.0,
        np.append(0, np.cumsum(shapely.get_num_geometries(triangles))).astype(np.int64),
        sites,
        np.searchsorted(index[order], np.arange(len(used) + 1)).astype(np.int64),
        np.concatenate((owner, np.full(len(far), -1)))[order],
    )
    if len(is_open):
        raise GeometryError(
            "The land of a block could not be divided among its buildings.",
            code="land_not_divided",
            where=f"block {owner_block[is_open[0]]}",
            remedy="Repair its outline, and the buildings in it that lie far from all others.",
        )
    rings = shapely.linearrings(rings, indices=np.repeat(np.arange(len(whose)), np.diff(ends)))
    count = np.bincount(whose, minlength=n)
    is_alone = count[whose] == 1
    whole[whose[is_alone]] = shapely.polygons(rings[is_alone])
    # Several rings: land that lies apart, or around somebody else's. Crossed ones: corners that rounding put in each other's place.
    for number in np.flatnonzero((count > 1) | ((count == 1) & ~shapely.is_valid(whole))).tolist():
        whole[number] = _inside_rings(rings[whose == number])
    return whole


def _inside_rings(rings: Geometries) -> shapely.Geometry:
    """Return the land inside an odd number of rings, which may touch themselves and each other."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapely.polygons(rings))))
    return reduce(shapely.symmetric_difference, parts[shapely.get_type_id(parts) == 3])


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
