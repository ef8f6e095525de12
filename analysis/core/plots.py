"""Plots that somebody drew, made into parcels that tile their blocks."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.blocks import GRID_M, require_polygons
from analysis.core.parcels import Parcels
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import GeometryError, InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def tiled_plots(
    blocks: GeometryLike, plots: GeometryLike, buildings: GeometryLike = (), *, tolerance_m: float = 0.1
) -> Parcels:
    """Make plots into parcels that tile their blocks.

    Plots are cut at the outlines of blocks, cut where they meet, and gaps and overlaps that are nowhere wider than
    the tolerance go to the neighbour with the longest common edge. What is left of a block is open land: ground that
    is nobody's plot, such as the street's own width or a yard.

    Parameters
    ----------
    blocks
        Shape ``(b,)``: polygons in metres that do not overlap.
    plots
        Shape ``(p,)``: polygons in metres. A plot of several parts gives as many parcels, one across a street too.
    buildings
        Shape ``(m,)``: polygons in metres, to count homes; none if they are not known.
    tolerance_m
        How far drawn edges may miss each other.

    Returns
    -------
    Parcels
        A block without plots is open land as a whole.

    Raises
    ------
    GeometryError
        If a block, plot or building is no valid polygon, or plots overlap by more than the tolerance.
    InvalidInput
        If the tolerance is negative or not finite.

    Examples
    --------
    Two plots with 4 cm between them, and a yard behind:

    >>> plots = [shapely.box(0, 0, 5, 8), shapely.box(5.04, 0, 10, 8)]
    >>> parcels = tiled_plots([shapely.box(0, 0, 10, 10)], plots)
    >>> shapely.area(parcels.polygons).round(2).tolist(), parcels.is_open_land.tolist(), parcels.source.tolist()
    ([40.32, 39.68, 20.0], [False, False, True], [0, 1, -1])
    """
    if not (np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise InvalidInput(f"A tolerance of {tolerance_m} m is not possible.", code="bad_tolerance")
    land, drawn, houses = as_geometries(blocks), as_geometries(plots), as_geometries(buildings)
    for geometries, what in ((land, "block"), (drawn, "plot"), (houses, "building")):
        require_polygons(geometries, what)
    _require_apart(drawn, tolerance_m)
    polygons: list[shapely.Geometry] = []
    block: list[int] = []
    source: list[int] = []
    tree = shapely.STRtree(drawn)
    for number, outline in enumerate(land.tolist()):
        near = np.sort(tree.query(outline, predicate="intersects"))
        faces, owners = _tiles(outline, drawn[near], max(tolerance_m, GRID_M))
        polygons.extend(faces)
        source.extend(int(near[owner]) if owner >= 0 else -1 for owner in owners)
        block.extend([number] * len(faces))
    tiles = np.array(polygons, dtype=np.object_)
    stands_on = np.full(len(houses), -1, dtype=np.int64)
    if len(houses) and len(tiles):
        house, tile = shapely.STRtree(tiles).query(shapely.point_on_surface(houses), predicate="intersects")
        order = np.lexsort((-tile, house))
        stands_on[house[order]] = tile[order]  # the first where several have it
    origin = np.array(source, dtype=np.int64)
    return Parcels(tiles, np.array(block, dtype=np.int64), len(land), origin, origin < 0, stands_on)


def _require_apart(drawn: Geometries, tolerance_m: float) -> None:
    if not len(drawn):
        return
    i, j = shapely.STRtree(drawn).query(drawn, predicate="intersects")
    i, j = i[i < j], j[i < j]
    common = shapely.intersection(drawn[i], drawn[j])
    is_wide = ~shapely.is_empty(shapely.buffer(common, -max(tolerance_m, GRID_M) / 2, quad_segs=1))
    if is_wide.any():
        pairs = sorted(zip(i[is_wide].tolist(), j[is_wide].tolist(), strict=True))
        x, y = shapely.get_coordinates(shapely.point_on_surface(common[np.flatnonzero(is_wide)[0]]))[0].round(1)
        raise GeometryError(
            f"Plots overlap, in {len(pairs)} places.",
            code="plots_overlap",
            where=f"plots {pairs[0][0]} and {pairs[0][1]} at {x:.1f}, {y:.1f}",
            remedy="Cut one of the two, or give a larger tolerance if the edges are drawn loosely.",
            details={"pairs": len(pairs), "first": pairs[0][0], "second": pairs[0][1]},
        )


def _tiles(
    outline: shapely.Geometry, drawn: Geometries, tolerance_m: float
) -> tuple[Sequence[shapely.Geometry], Sequence[int]]:
    """Return the tiles of one block and the plot that each belongs to, by its index; -1 for open land."""
    lines = shapely.intersection(shapely.boundary(drawn), outline) if len(drawn) else drawn
    # Open land without its narrow arms, so that a gap between two plots that leads to it can be closed.
    free = shapely.difference(outline, shapely.unary_union(drawn)) if len(drawn) else outline
    wide = shapely.buffer(
        shapely.buffer(free, -tolerance_m / 2, join_style="mitre"), tolerance_m / 2, join_style="mitre"
    )
    open_land = shapely.boundary(shapely.intersection(wide, free))
    lines = np.concatenate((lines, _ties(drawn, tolerance_m), [shapely.boundary(outline), open_land]))
    noded = shapely.unary_union(lines, grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    inside = shapely.point_on_surface(faces)
    within = shapely.dwithin(outline, inside, GRID_M)
    faces, inside = faces[within], inside[within]
    order = _in_order(faces)
    faces, inside = faces[order], inside[order]
    owner = np.full(len(faces), -1, dtype=np.int64)
    times = np.zeros(len(faces), dtype=np.int64)
    if len(drawn) and len(faces):
        face, plot = shapely.STRtree(drawn).query(inside, predicate="intersects")
        np.add.at(times, face, 1)
        order = np.lexsort((-plot, face))
        owner[face[order]] = plot[order]
    is_narrow = shapely.is_empty(shapely.buffer(faces, -tolerance_m / 2, quad_segs=1))
    # Of a plot the largest face stays however narrow it is; slivers of it may lie beyond those of its neighbour.
    largest = np.zeros(len(faces), dtype=bool)
    by_size = np.argsort(-shapely.area(faces), kind="stable")
    largest[by_size[np.unique(owner[by_size], return_index=True)[1]]] = True
    loose = is_narrow & ~(largest & (times == 1))
    if not loose.all():
        _join_loose(faces, owner, loose)
    keep = np.array([face is not None for face in faces.tolist()], dtype=bool)
    faces, owner = faces[keep], owner[keep]
    return _joined(faces, owner)


def _ties(drawn: Geometries, tolerance_m: float) -> Geometries:
    """Draw a line from each corner to every other plot within the tolerance.

    They cut the web of gaps that hang together into gaps between two plots.
    """
    xy, plot = shapely.get_coordinates(drawn, return_index=True)
    corners = shapely.points(xy)
    if not len(corners):
        return np.empty(0, dtype=np.object_)
    corner, other = shapely.STRtree(drawn).query(corners, predicate="dwithin", distance=tolerance_m)
    is_other = plot[corner] != other
    ties = shapely.shortest_line(corners[corner[is_other]], drawn[other[is_other]])
    return np.asarray(ties[shapely.length(ties) > 0])


def _in_order(faces: Geometries) -> Integers:
    """By place, so that the order of lines does not matter."""
    return np.asarray(np.lexsort(shapely.bounds(faces).T), dtype=np.int64)


def _join_loose(faces: Geometries, owner: Integers, loose: Booleans) -> None:
    """Add narrow gaps and overlaps to the neighbour with the longest common edge; their faces become None."""
    waiting = np.flatnonzero(loose)
    while len(waiting):
        left = []
        for index in waiting.tolist():
            there = np.flatnonzero(~loose)
            near = there[shapely.intersects(faces[there], faces[index])]
            common = shapely.length(shapely.intersection(shapely.boundary(faces[near]), shapely.boundary(faces[index])))
            # A gap does not go to open land where a plot is as near.
            order = np.lexsort((near, owner[near] < 0, -common.round(3)))
            if not len(near) or common[order[0]] <= 0:
                left.append(index)
                continue
            taker = near[order[0]]
            faces[taker] = shapely.union(faces[taker], faces[index])
            faces[index] = None
        if len(left) == len(waiting):
            loose[waiting] = False
            return
        waiting = np.array(left, dtype=np.int64)


def _joined(faces: Geometries, owner: Integers) -> tuple[Sequence[shapely.Geometry], Sequence[int]]:
    """Put the faces of each plot together; parts that do not meet stay parcels of their own."""
    tiles: list[shapely.Geometry] = []
    owners: list[int] = []
    for plot in sorted(set(owner.tolist()), key=lambda one: (one < 0, one)):
        parts = shapely.get_parts(shapely.coverage_union_all(faces[owner == plot]))
        parts = parts[_in_order(parts)]
        tiles.extend(parts.tolist())
        owners.extend([plot] * len(parts))
    return tiles, owners
