"""Straight-line cost: the distance from the centre of every cell to the nearest facility of a service."""

from typing import Final

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from analysis.core.straight_search import BLOCK, lower_to_nearest
from geo.core.cell_shares import centres_inside
from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import GeometryError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Types of geometries, as shapely and as well-known binary number them.
_POINT: Final = 0
_POLYGON: Final = 3
_WKB_POINT: Final = 1
_WKB_LINE: Final = 2
_WKB_POLYGON: Final = 3


def straight_cost_m(
    geometries_m: GeometryLike, grid: Grid, only: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Measure the distance from each cell centre to the nearest facility.

    Points, lines and polygons are measured exactly, up to the rounding of float32. A cell whose centre is inside a
    polygon has 0. Facilities outside the grid count, and so do several in one cell.

    Parameters
    ----------
    geometries_m
        Facilities of any type in the grid's system; missing and empty ones are left out.
    grid
        The grid.
    only
        Shape ``(n_cells,)``: the cells that are asked for. Others may be left at ``inf``, which saves the time of
        measuring what lies around a city that does not fill its bounds.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``, metres, float32; all ``inf`` if there is no facility.

    Raises
    ------
    GeometryError
        If a coordinate is not finite.

    Notes
    -----
    `analysis.core.straight_search` tells how; where facilities crowd, nearest points by KD-tree [@bentley1975].

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> straight_cost_m(shapely.Point(-2, 5), grid).tolist()[0]  # 3 m west and 4 m north of the first centre
    5.0
    >>> straight_cost_m(shapely.box(0, 0, 3.5, 2), grid).tolist()
    [0.0, 0.0, 1.5]
    """
    geometries = as_geometries(geometries_m)
    points, start, end = _taken_apart(geometries)
    cost_m = np.full((grid.n_rows, grid.n_cols), np.inf, dtype=np.float32)
    asked = np.ones(cost_m.shape, dtype=bool) if only is None else only.reshape(cost_m.shape)
    if len(points):
        lower_to_nearest(cost_m, points, None, asked, grid)
    if len(start):
        lower_to_nearest(cost_m, start, end, asked, grid)
    cost: NDArray[np.float32] = cost_m.ravel()
    polygons = polygons_of(geometries)
    if len(polygons):
        cost[centres_inside(polygons, grid)] = 0.0
    return cost


def straight_cost_with(
    cost_m: NDArray[np.float32], added_m: GeometryLike, grid: Grid, only: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Give the costs with more facilities: what `straight_cost_m` would give for all of them together.

    Only the cells to which the box of a new facility is nearer than any facility until now are measured, so one that is
    added to many costs milliseconds.

    Parameters
    ----------
    cost_m
        Shape ``(n_cells,)``: from `straight_cost_m`.
    added_m
        The facilities that come, of any type in the grid's system.
    grid, only
        As they were given there.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``, metres, float32; a new array.

    Raises
    ------
    GeometryError
        If a coordinate is not finite.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=4)
    >>> straight_cost_with(straight_cost_m(shapely.Point(1, 1), grid), shapely.Point(7, 1), grid).tolist()
    [0.0, 2.0, 2.0, 0.0]
    """
    cost = cost_m.reshape(grid.n_rows, grid.n_cols).copy()
    asked = None if only is None else only.reshape(cost.shape)
    x = grid.x_min_m + (np.arange(grid.n_cols) + 0.5) * grid.cell_m
    y = grid.y_max_m - (np.arange(grid.n_rows) + 0.5) * grid.cell_m
    for geometry in as_geometries(added_m):
        if geometry is None or geometry.is_empty:
            continue
        west, south, east, north = shapely.bounds(geometry)
        if not np.isfinite((west, south, east, north)).all():
            raise GeometryError("A coordinate of a facility is not finite.", code="not_finite")
        across = np.maximum(np.maximum(west - x, x - east), 0.0).astype(np.float32)
        down = np.maximum(np.maximum(south - y, y - north), 0.0).astype(np.float32)
        # A cell too many costs little, one too few would be wrong: so a little less than the distance to the box.
        nearer = np.hypot(across[None, :], down[:, None]) * np.float32(1 - 1e-5) - np.float32(1e-2) < cost
        if asked is not None:
            nearer &= asked
        rows, cols = np.flatnonzero(nearer.any(axis=1)), np.flatnonzero(nearer.any(axis=0))
        if not rows.size:
            continue
        # Whole blocks, so that each cell is measured by the same steps as before.
        top, left = rows[0] // BLOCK * BLOCK, cols[0] // BLOCK * BLOCK
        part = (slice(top, rows[-1] + 1), slice(left, cols[-1] + 1))
        window = Grid(
            grid.epsg,
            grid.x_min_m + float(left) * grid.cell_m,
            grid.y_max_m - float(top) * grid.cell_m,
            grid.cell_m,
            *(int(n) for n in nearer[part].shape),
        )
        new = straight_cost_m(geometry, window, only=nearer[part].ravel()).reshape(nearer[part].shape)
        np.minimum(cost[part], new, out=cost[part], where=nearer[part])
    return cost.ravel()


def cost_off_centre_m(
    cost_m: NDArray[np.floating], grid: Grid, cells: Integers, east: Floats, south: Floats
) -> NDArray[np.float32]:
    """Estimate the cost at points off the centres of cells, from how it rises between the neighbouring centres.

    The mean cost over a part of a cell is, to the second order in the cell, the cost at the part's centroid.

    Parameters
    ----------
    cost_m
        Shape ``(n_cells,)``: costs at the centres, known for the cells asked for and those beside them.
    grid
        The grid.
    cells
        Shape ``(k,)``: flat indices.
    east, south
        Shape ``(k,)``: the way from the centre of each cell to the point, in cells, at most half of one.

    Returns
    -------
    ndarray
        Shape ``(k,)``, metres, not negative. A cell with cost 0 or ``inf`` keeps it; where a neighbour is missing or
        unreachable, the rise on the other side stands for both.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> costs_m = np.array([5.0, 3.0, np.inf], dtype=np.float32)
    >>> at = np.array([1]), np.array([0.25]), np.array([0.1])
    >>> cost_off_centre_m(costs_m, grid, *at).tolist()  # one metre a metre downwards to the east
    [2.5]
    """
    cost = np.ascontiguousarray(cost_m).reshape(grid.n_rows, grid.n_cols)
    return np.asarray(_off_centre(cost, cells, east, south))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _off_centre(cost_m: NDArray[np.floating], cells: Integers, east: Floats, south: Floats) -> NDArray[np.float32]:
    n_rows, n_cols = cost_m.shape
    found = np.empty(cells.size, dtype=np.float32)
    for i in range(cells.size):
        row, col = cells[i] // n_cols, cells[i] % n_cols
        here = np.float64(cost_m[row, col])
        if here == 0 or not np.isfinite(here):
            found[i] = here
            continue
        # Beyond the rim of the grid nothing is known.
        to_east = _rise(
            cost_m[row, col - 1] if col > 0 else np.inf, here, cost_m[row, col + 1] if col + 1 < n_cols else np.inf
        )
        to_south = _rise(
            cost_m[row - 1, col] if row > 0 else np.inf, here, cost_m[row + 1, col] if row + 1 < n_rows else np.inf
        )
        found[i] = max(here + east[i] * to_east + south[i] * to_south, 0.0)
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rise(before: float, here: float, after: float) -> float:
    """Give how the cost rises from cell to cell; where it is not finite on one side, as on the other."""
    if not np.isfinite(before):
        return after - here if np.isfinite(after) else 0.0
    return (here - before + (after - here)) / 2 if np.isfinite(after) else here - before


def polygons_of(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give the polygons among geometries of any type, and in collections of them."""
    parts: NDArray[np.object_] = geometries[shapely.get_dimensions(geometries) == 2]
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    polygons: NDArray[np.object_] = parts[shapely.get_type_id(parts) == _POLYGON]
    return polygons


def _taken_apart(geometries: NDArray[np.object_]) -> tuple[Floats, Floats, Floats]:
    """Give points ``(n, 2)``, and the ends ``(m, 2)`` and ``(m, 2)`` of the straight pieces of lines and of outlines."""
    xy = shapely.get_coordinates(geometries)
    if not np.isfinite(xy).all():
        raise GeometryError("A coordinate of a facility is not finite.", code="not_finite")
    is_point, n_vertices = _runs(geometries)
    run = np.repeat(np.arange(n_vertices.size), n_vertices)
    joined = run[1:] == run[:-1]
    return xy[np.repeat(is_point, n_vertices)], xy[:-1][joined], xy[1:][joined]


def _runs(geometries: NDArray[np.object_]) -> tuple[NDArray[np.bool_], Integers]:
    """Tell points from lines and rings, and give the vertices of each, in the order of the coordinates of geometries."""
    kind = shapely.get_type_id(geometries)
    if (kind < _POLYGON).all():
        return kind == _POINT, shapely.get_num_coordinates(geometries)
    # Mains come as one collection of a hundred thousand lines: making an object of each would take longer than all else.
    wkb = shapely.to_wkb(geometries[kind >= 0], output_dimension=2, byte_order=1)
    return _runs_in(np.frombuffer(b"".join(wkb), dtype=np.uint8))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _runs_in(wkb: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], Integers]:
    """Give the same from little-endian well-known binary, in which parts follow each other behind the header of the whole."""
    is_point, n_vertices = np.empty(wkb.size // 20 + 1, dtype=np.bool_), np.empty(wkb.size // 20 + 1, dtype=np.int64)
    at, n_rings, found = 0, 0, 0
    while at < wkb.size:
        kind = _WKB_LINE  # a ring has no header of its own
        if n_rings > 0:
            n_rings -= 1
        else:
            kind = int(wkb[at + 1])
            at += 5
        n = 1
        if kind != _WKB_POINT:
            for _ in range(4):
                n = n >> 8 | int(wkb[at]) << 24
                at += 1
        if kind == _WKB_POLYGON:
            n_rings = n
        elif kind <= _WKB_LINE:
            at += 16 * n
            # An empty point is written as one whose coordinates are not numbers.
            if n > 0 and (wkb[at - 1] & 0x7F < 0x7F or wkb[at - 2] < 0xF0):
                is_point[found], n_vertices[found] = kind == _WKB_POINT, n
                found += 1
    return is_point[:found], n_vertices[:found]
