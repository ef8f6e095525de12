"""Brings geometries to a tile's grid: every vertex to its nearest step, the same for all, so what touches still touches.

What is one point, one line or one ring and stays near the tile, nearly all there is, goes as arrays from the database's bytes to the
tile's commands. The rest, and what the grid would make invalid, goes through GEOS one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from maps.tiles.address import TileAddress
from maps.tiles.encoding import (
    EXTENT,
    LINE,
    POINT,
    POLYGON,
    Integers,
    Runs,
    Shapes,
    chosen,
    dots,
    joined,
    outlines,
    strokes,
)
from maps.tiles.rows import Rows

BUFFER: Final = 64
"""Steps drawn beyond each edge (8 CSS px), so that outlines meet across tiles."""

SPARED: Final = 512
"""What reaches no further than so many steps beyond an edge is drawn whole; only what goes on is cut off at the buffer."""

PLAIN_VERTICES: Final = 16
"""Outlines of so few vertices are not made simpler."""

_NO_POINTS: Final = np.empty((0, 2), dtype=np.int64)
_HALF: Final = EXTENT / 2


def shapes_of_rows(rows: Rows, tile: TileAddress, simpler_steps: float = 0) -> tuple[Integers, Shapes]:
    """Bring features to a tile's grid.

    Parameters
    ----------
    rows : Rows
        At least one.
    simpler_steps : float
        How far outlines may be from where they are.

    Returns
    -------
    tuple
        Positions of those that touch the tile or its margin, by number; and their shapes.
    """
    kinds, at, counts = _plain(rows.wkb, np.concatenate([[0], rows.ends[:-1]]))
    found: list[tuple[Integers, Shapes]] = []
    is_left = np.ones(len(rows), dtype=bool)
    for kind in (POINT, LINE, POLYGON):
        of_kind = kinds == kind
        if simpler_steps and kind != POINT:
            of_kind &= counts <= PLAIN_VERTICES
        owners = np.flatnonzero(of_kind)
        if len(owners):
            drawn, shapes = _drawn(kind, *_near(rows.wkb, at[owners], counts[owners], tile))
            is_left[owners[drawn]] = False
            found.append((owners[drawn], shapes))
    left = np.flatnonzero(is_left)
    if len(left):
        geometries = rows.geometries(left)
        if simpler_steps:
            geometries = np.asarray(shapely.simplify(geometries, simpler_steps * tile.width_m / EXTENT), dtype=object)
        kept, shapes = shapes_of(geometries, tile)
        found.append((left[kept], shapes))
    positions = np.concatenate([owners for owners, _ in found])
    order = np.argsort(rows.numbers[positions])
    return positions[order], chosen(joined([shapes for _, shapes in found]), order)


# ---------------------------------------------------------------- as arrays


def _plain(wkb: NDArray[np.uint8], starts: Integers) -> tuple[Integers, Integers, Integers]:
    """Find the vertices of what is one point, one line or one ring, be it called multiple or not.

    Returns
    -------
    tuple
        The kind of each, 0 for all others; where the first vertex stands; and how many there are.
    """
    words = np.ndarray(max(len(wkb) - 3, 0), dtype="V4", buffer=wkb, strides=(1,))

    def number(places: Integers) -> Integers:
        return words[places].view("<u4").astype(np.int64)

    starts, kinds = starts.copy(), number(starts + 1)
    multiple = np.flatnonzero((kinds >= 4) & (kinds <= 6))
    alone = multiple[number(starts[multiple] + 5) == 1]
    starts[alone] += 9
    kinds[alone] -= 3
    at, counts = starts + 5, np.ones(len(starts), dtype=np.int64)
    lines = np.flatnonzero(kinds == LINE)
    at[lines], counts[lines] = at[lines] + 4, number(at[lines])
    areas = np.flatnonzero(kinds == POLYGON)
    rings = areas[number(at[areas]) == 1]
    at[rings], counts[rings] = at[rings] + 8, number(at[rings] + 4)
    is_plain = (kinds == POINT) | (kinds == LINE)
    is_plain[rings] = True
    return np.where(is_plain & (counts > 0), kinds, 0), at, counts


def _near(wkb: NDArray[np.uint8], at: Integers, counts: Integers, tile: TileAddress) -> tuple[Integers, Runs]:
    """Return the positions of what has a vertex in the tile or its margin and reaches not far beyond; and its vertices on the grid."""
    west, _, _, north = tile.bounds_3857
    scale = EXTENT / tile.width_m
    firsts = np.cumsum(counts) - counts
    pairs = np.ndarray(max(len(wkb) - 15, 0), dtype="V16", buffer=wkb, strides=(1,))
    ordinates = pairs[np.repeat(at - 16 * firsts, counts) + 16 * np.arange(int(counts.sum()))].view("<f8")
    x, y = (ordinates[0::2] - west) * scale, (ordinates[1::2] - north) * -scale
    from_middle = np.maximum(np.abs(x - _HALF), np.abs(y - _HALF))
    is_near = np.minimum.reduceat(from_middle, firsts) <= _HALF + BUFFER
    is_near &= np.maximum.reduceat(from_middle, firsts) <= _HALF + SPARED
    of_near = np.repeat(is_near, counts)
    on_grid = Runs(np.rint(x[of_near]).astype(np.int64), np.rint(y[of_near]).astype(np.int64), counts[is_near])
    return np.flatnonzero(is_near), on_grid


def _drawn(kind: int, owners: Integers, runs: Runs) -> tuple[Integers, Shapes]:
    """Return the positions of what is valid on the grid, and its shapes."""
    if kind == POINT:
        return owners, dots(np.stack([runs.x, runs.y], axis=1))
    is_ring = kind == POLYGON
    if len(runs):
        runs = runs.thinned(is_ring=is_ring)
        is_enough = runs.counts >= (3 if is_ring else 2)
        owners, runs = owners[is_enough], runs.of(is_enough)
    if is_ring and len(runs):
        runs = runs.reversed(runs.twice_areas() < 0)
        is_valid = is_fan(runs)
        if not is_valid.all():
            is_valid[~is_valid] = _are_simple(runs.of(~is_valid))
        owners, runs = owners[is_valid], runs.of(is_valid)
    return owners, strokes(runs, np.arange(len(owners) + 1), is_ring=is_ring)


def _are_simple(rings: Runs) -> NDArray[np.bool_]:
    of_vertex = np.repeat(np.arange(len(rings)), rings.counts)
    lines = shapely.linearrings(np.stack([rings.x, rings.y], axis=1), indices=of_vertex)
    found: NDArray[np.bool_] = shapely.is_valid(shapely.polygons(lines))
    return found


def is_fan(rings: Runs) -> NDArray[np.bool_]:
    """Tell which rings are surely simple: seen from their sharpest inward corner, all other edges turn the same way, less than once.

    The triangles between that corner and each edge then lie in sectors that only share their sides, so that no two edges meet but
    neighbours. Most buildings pass: all that are convex, and shapes like an L. Whole numbers, so exact.

    Parameters
    ----------
    rings : Runs
        Whole numbers below 2**13, turning the way that outer rings turn; no vertex twice in a row, the first not again at the end.
    """
    firsts, n = rings.firsts, rings.counts
    own_first, own_n = np.repeat(firsts, n), np.repeat(n, n)
    place = np.arange(len(rings.x)) - own_first
    after = own_first + np.where(place + 1 == own_n, 0, place + 1)
    before = own_first + np.where(place == 0, own_n, place) - 1
    along_x, along_y = rings.x[after] - rings.x, rings.y[after] - rings.y
    bend = along_x[before] * along_y - along_y[before] * along_x
    corner = np.minimum.reduceat((bend << 32) + np.arange(len(bend)), firsts) & 0xFFFFFFFF
    turned = np.repeat(corner - firsts, n) + place
    seen = own_first + np.where(turned >= own_n, turned - own_n, turned)
    x, y = rings.x[seen] - np.repeat(rings.x[corner], n), rings.y[seen] - np.repeat(rings.y[corner], n)
    next_x, next_y = np.append(x[1:], 0), np.append(y[1:], 0)
    n_turning = np.add.reduceat((x * next_y - y * next_x > 0).astype(np.int64), firsts)
    start_x, start_y = np.repeat(x[firsts + 1], n), np.repeat(y[firsts + 1], n)
    side = start_x * y - start_y * x
    is_over = (side < 0) & (np.append(side[1:], 0) >= 0) & (place + 1 < own_n)
    is_whole: NDArray[np.bool_] = (n_turning == n - 2) & ~np.logical_or.reduceat(is_over, firsts)
    return is_whole


# ---------------------------------------------------------------- by GEOS


def shapes_of(geometries_3857: NDArray[np.object_], tile: TileAddress) -> tuple[Integers, Shapes]:
    """Bring geometries to a tile's grid.

    Returns
    -------
    tuple
        Positions of those that touch the tile or its margin, in the order of their shapes; and the shapes.
    """
    west, _, _, north = tile.bounds_3857
    scale = EXTENT / tile.width_m

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return (xy - (west, north)) * (scale, -scale)

    bounds = shapely.bounds(geometries_3857)
    low, high = moved(bounds[:, :2]), moved(bounds[:, 2:])
    reach_low, reach_high = np.minimum(low, high), np.maximum(low, high)
    across = (reach_low < -BUFFER).any(axis=1) | (reach_high > EXTENT + BUFFER).any(axis=1)
    if across.any():
        geometries_3857 = geometries_3857.copy()
        geometries_3857[across] = _clipped(geometries_3857[across], tile)
    kept = np.flatnonzero(~shapely.is_empty(geometries_3857))
    snapped, parts, order = _snapped(geometries_3857[kept], moved), [], []
    for dimension in (2, 1, 0):
        of_dimension = np.flatnonzero(shapely.get_dimensions(snapped) == dimension)
        if len(of_dimension):
            parts.append(outlines(snapped[of_dimension]))
            order.append(kept[of_dimension])
    return (np.concatenate(order), joined(parts)) if parts else (np.empty(0, dtype=np.int64), dots(_NO_POINTS))


def _clipped(geometries: NDArray[np.object_], tile: TileAddress) -> NDArray[np.object_]:
    """Cut off what is beyond a tile's margin; where cutting leaves less than there was (a touching corner), nothing is left."""
    west, south, east, north = tile.bounds_3857
    margin_m = tile.width_m * BUFFER / EXTENT
    reach = shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    try:
        cut = shapely.intersection(geometries, reach)
    except shapely.GEOSException:
        cut = shapely.intersection(shapely.make_valid(geometries), reach)
    found = np.asarray(cut, dtype=object)
    dimensions = shapely.get_dimensions(geometries)
    for i in np.flatnonzero((shapely.get_dimensions(found) != dimensions) | (shapely.get_type_id(found) == 7)):
        found[i] = _of_dimension(found[i], int(dimensions[i]))
    return found


def _of_dimension(geometry: shapely.Geometry, dimension: int) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    parts = shapely.get_parts(parts[shapely.get_dimensions(parts) == dimension])
    if not len(parts):
        return shapely.Point()
    return (shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon)[dimension](list(parts))


def _snapped(geometries: NDArray[np.object_], moved: Callable[[Any], Any]) -> NDArray[np.object_]:
    """Move every vertex to the nearest step; what would not be valid so is rounded with care, what would vanish is kept."""
    collections = np.flatnonzero(shapely.get_type_id(geometries) == 7)
    for i in collections:
        geometries[i] = _of_dimension(geometries[i], int(shapely.get_dimensions(geometries[i])))
    snapped = np.asarray(shapely.transform(geometries, lambda xy: np.rint(moved(xy))), dtype=object)
    broken = np.flatnonzero(~shapely.is_valid(snapped))
    for i in broken:
        snapped[i] = _with_care(shapely.transform(geometries[i], moved))
    return snapped


def _with_care(geometry: shapely.Geometry) -> shapely.Geometry:
    dimension = int(shapely.get_dimensions(geometry))
    try:
        rounded = shapely.set_precision(geometry, 1.0)
    except shapely.GEOSException:
        rounded = shapely.set_precision(shapely.make_valid(geometry), 1.0)
    if shapely.get_type_id(rounded) == 7:
        rounded = _of_dimension(rounded, dimension)
    if not rounded.is_empty and shapely.get_dimensions(rounded) == dimension:
        return rounded
    spot = shapely.point_on_surface(geometry)
    x, y = np.floor([spot.x, spot.y])
    return shapely.box(x, y, x + 1, y + 1) if dimension == 2 else shapely.LineString([(x, y), (x + 1, y)])
