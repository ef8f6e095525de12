"""The share of every cell of a grid that lies in every polygon, exactly, and where in the cell it lies."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import GeometryError

# Shares below this are rounding of the cuts, not land.
_DUST: Final = 1e-12

_POLYGON: Final = 3
_MULTIPOLYGON: Final = 6

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Two coordinates of the ends of edges, each of shape (2, n); the polygon of each edge; the sign of its ring.
Edges: TypeAlias = tuple[Floats, Floats, Integers, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class CellParts:
    """The parts into which cells are cut by polygons: one for each polygon and cell that share land.

    Attributes
    ----------
    shares
        Shape ``(n, n_cells)``: `cell_fractions` of the polygons; what follows is in the order of ``shares.data``.
    east, south
        Shape ``(shares.nnz,)``: from the centre of the cell to the centroid of the part, in cells.
    """

    shares: sparse.csr_matrix
    east: Floats
    south: Floats


def cell_fractions(polygons_m: GeometryLike, grid: Grid) -> sparse.csr_matrix:
    """Give the exact share of each cell that lies inside each polygon.

    Signed-area accumulation, as font rasterisers do it: every edge is cut at the grid lines; each piece adds its
    signed height, times the share of its cell to the right of it, to that cell, and the rest to the next cell; the
    running sum along each row is the share. Nothing is ever laid out densely: memory follows the cells that polygons
    touch. Holes and multipolygons come from the sign of their rings, which is set here from their role, so that
    rings may turn either way.

    Parameters
    ----------
    polygons_m
        Polygons and multipolygons in the grid's system; missing and empty ones give an empty row. They are taken to
        be valid: where an invalid polygon crosses itself, its parts cancel.
    grid
        The grid; what lies outside it is cut away.

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape ``(n, n_cells)``, float64 in (0, 1], column indices sorted, shares below 1e-12 left out.

    Raises
    ------
    GeometryError
        If a geometry is not polygonal or has a coordinate that is not finite.

    Notes
    -----
    Reference: [@levien2016]; checked against [@exactextract].

    Examples
    --------
    A rectangle of 3 × 1 m on cells of 2 m covers half of one cell and a quarter of the next:

    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> cell_fractions(shapely.box(0, 0, 3, 1), grid).toarray().tolist()
    [[0.5, 0.25, 0.0]]
    """
    return _accumulated(polygons_m, grid, has_centroids=False)[0]


def cell_parts(polygons_m: GeometryLike, grid: Grid) -> CellParts:
    """Give the exact share of each cell that lies inside each polygon, and where in the cell that part has its centroid.

    A cell on a border has a part in each of its polygons. What is asked of the middle of such a part, and not of the
    middle of the cell, is right to the second order in the size of the cell.

    Parameters
    ----------
    polygons_m, grid
        As for `cell_fractions`.

    Raises
    ------
    GeometryError
        As for `cell_fractions`.

    Notes
    -----
    First moments are accumulated as the areas are: a piece of an edge adds the moments of the trapezium to its right
    within its cell, and of a strip of full width to all cells beyond.

    Examples
    --------
    A box that fills one cell of 2 m and the southern half of the western half of the next:

    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> parts = cell_parts(shapely.union(shapely.box(0, 0, 2, 2), shapely.box(2, 0, 3, 1)), grid)
    >>> parts.shares.data.tolist(), parts.east.tolist(), parts.south.tolist()
    ([1.0, 0.25], [0.0, -0.25], [0.0, 0.25])
    """
    shares, east, south = _accumulated(polygons_m, grid, has_centroids=True)
    return CellParts(shares, east, south)


def centres_inside(polygons_m: GeometryLike, grid: Grid) -> NDArray[np.bool_]:
    """Tell which cells have their centre inside any of the polygons.

    Parameters
    ----------
    polygons_m
        Valid polygons and multipolygons in the grid's system; they may overlap.
    grid
        The grid.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``. A centre exactly on an outline may fall either way.

    Raises
    ------
    GeometryError
        As for `cell_fractions`.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> centres_inside(shapely.box(0, 0, 3.5, 2), grid).tolist()
    [True, True, False]
    """
    u, v, _, sign = _signed_edges(as_geometries(polygons_m), grid)
    # Rows whose centre line (row + 1/2) each edge crosses; the lower end counts, the upper does not.
    first = np.clip(np.ceil(np.minimum(v[0], v[1]) - 0.5), 0, grid.n_rows).astype(np.int64)
    beyond = np.clip(np.ceil(np.maximum(v[0], v[1]) - 0.5), 0, grid.n_rows).astype(np.int64)
    n_crossed = beyond - first
    edge = np.repeat(np.arange(n_crossed.size), n_crossed)
    row = first[edge] + np.arange(edge.size) - (np.cumsum(n_crossed) - n_crossed)[edge]
    slope = (u[1] - u[0])[edge] / (v[1] - v[0])[edge]
    crossing = u[0][edge] + (row + 0.5 - v[0][edge]) * slope
    # From this column on, centres lie to the right of the edge.
    col = np.clip(np.ceil(crossing - 0.5), 0, grid.n_cols).astype(np.int64)
    turn = np.where((v[1] > v[0])[edge], sign[edge], -sign[edge])
    stride = grid.n_cols + 1
    turns = np.bincount(row * stride + col, weights=turn, minlength=grid.n_rows * stride)
    winding = np.cumsum(turns.reshape(grid.n_rows, stride), axis=1)[:, :-1]
    return np.asarray(winding > 0.5).ravel()


def _accumulated(
    polygons_m: GeometryLike, grid: Grid, *, has_centroids: bool
) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """Give shares of cells and, where asked for, the ways from the cells' centres to the parts' centroids, in cells."""
    polygons = as_geometries(polygons_m)
    u, v, owner, sign = _signed_edges(polygons, grid)
    u, v, owner, sign = _clipped(u, v, owner, sign, grid)
    # Edges along a row have no height and enclose nothing.
    u, v, owner, sign = _only(v[0] != v[1], u, v, owner, sign)
    v, u, owner, sign = _cut_at_integers(v, u, owner, sign)
    u, v, owner, sign = _cut_at_integers(u, v, owner, sign)

    height = (v[1] - v[0]) * sign
    u_mid = (u[0] + u[1]) / 2
    v_mid = (v[0] + v[1]) / 2
    row = np.clip(np.floor(v_mid).astype(np.int64), 0, grid.n_rows - 1)
    col = np.clip(np.floor(u_mid).astype(np.int64), 0, grid.n_cols)
    to_the_right = height * (1.0 - (u_mid - col))

    # One column more than the grid has, where every row of every polygon returns to zero.
    stride = grid.n_cols + 2
    key = (owner * grid.n_rows + row) * stride + col
    pieces = [to_the_right, height]
    if has_centroids:
        # Moments about the centre of the cell: east and south of what is to the right, and south of a whole strip.
        (west, east), (north, south) = u - col - 0.5, v - row - 0.5
        pieces.append(height * (0.125 - (west * west + west * east + east * east) / 6))
        across = (2 * north * west + north * east + south * west + 2 * south * east) / 6
        strip_south = height * (v_mid - row - 0.5)
        pieces += [strip_south / 2 - height * across, strip_south]
    return _running_shares(key, pieces, len(polygons), grid)


def _signed_edges(polygons: NDArray[np.object_], grid: Grid) -> Edges:
    """Give all edges in cell units (u east, v south), their polygon, and the sign of their ring."""
    kinds = shapely.get_type_id(polygons)
    wrong = np.flatnonzero((kinds != _POLYGON) & (kinds != _MULTIPOLYGON) & (kinds != -1) & ~shapely.is_empty(polygons))
    if wrong.size:
        raise GeometryError(
            f"A {polygons[wrong[0]].geom_type} is not a polygon.",
            code="not_polygonal",
            where=f"geometry {wrong[0]}",
            remedy="Give polygons or multipolygons.",
        )
    parts, polygon_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    if not np.isfinite(xy).all():
        bad_ring = ring_of_vertex[np.flatnonzero(~np.isfinite(xy).all(axis=1))[0]]
        raise GeometryError(
            "A coordinate is not finite.",
            code="not_finite",
            where=f"geometry {polygon_of_part[part_of_ring[bad_ring]]}",
        )
    u = (xy[:, 0] - grid.x_min_m) / grid.cell_m
    v = (grid.y_max_m - xy[:, 1]) / grid.cell_m
    same_ring = ring_of_vertex[1:] == ring_of_vertex[:-1]
    edges_u = np.stack((u[:-1][same_ring], u[1:][same_ring]))
    edges_v = np.stack((v[:-1][same_ring], v[1:][same_ring]))
    ring = ring_of_vertex[:-1][same_ring]

    is_shell = np.ones(len(rings), dtype=bool)
    is_shell[1:] = part_of_ring[1:] != part_of_ring[:-1]
    # The area is taken about a vertex of the ring: far from the origin the products would swallow a small ring.
    first = np.searchsorted(ring_of_vertex, np.arange(len(rings)))
    u_local = (edges_u[0] + edges_u[1]) / 2 - u[first][ring]
    turn = np.bincount(ring, weights=u_local * (edges_v[1] - edges_v[0]), minlength=len(rings))
    ring_sign = np.where(is_shell, -np.sign(turn), np.sign(turn))
    owner = polygon_of_part[part_of_ring[ring]].astype(np.int64)
    return edges_u, edges_v, owner, ring_sign[ring]


def _clipped(u: Floats, v: Floats, owner: Integers, sign: Floats, grid: Grid) -> Edges:
    """Cut away what lies north and south of the grid; press what lies west or east of it against its side.

    Land to the right of an edge west of the grid fills whole rows, as does that of an edge on the western side;
    an edge on the eastern side only closes its row.
    """
    v, u, owner, sign = _cut_at(v, u, owner, sign, 0.0)
    v, u, owner, sign = _cut_at(v, u, owner, sign, float(grid.n_rows))
    inside = (np.minimum(v[0], v[1]) >= 0) & (np.maximum(v[0], v[1]) <= grid.n_rows)
    u, v, owner, sign = _only(inside, u, v, owner, sign)
    u, v, owner, sign = _cut_at(u, v, owner, sign, 0.0)
    u, v, owner, sign = _cut_at(u, v, owner, sign, float(grid.n_cols))
    return np.clip(u, 0.0, grid.n_cols), v, owner, sign


def _cut_at(a: Floats, b: Floats, owner: Integers, sign: Floats, line: float) -> Edges:
    """Cut in two the edges that cross ``a == line``."""
    crossing = np.flatnonzero((a[0] < line) & (a[1] > line) | (a[0] > line) & (a[1] < line))
    if not crossing.size:
        return a, b, owner, sign
    a_cut, b_cut = a[:, crossing], b[:, crossing]
    b_line = b_cut[0] + (b_cut[1] - b_cut[0]) * ((line - a_cut[0]) / (a_cut[1] - a_cut[0]))
    a_line = np.full_like(b_line, line)
    a, b = a.copy(), b.copy()
    a[1, crossing], b[1, crossing] = a_line, b_line
    a = np.concatenate((a, np.stack((a_line, a_cut[1]))), axis=1)
    b = np.concatenate((b, np.stack((b_line, b_cut[1]))), axis=1)
    return a, b, np.concatenate((owner, owner[crossing])), np.concatenate((sign, sign[crossing]))


def _cut_at_integers(a: Floats, b: Floats, owner: Integers, sign: Floats) -> Edges:
    """Cut every edge wherever ``a`` passes an integer; the cut itself is exact in ``a`` and shared by both pieces."""
    low, high = np.minimum(a[0], a[1]), np.maximum(a[0], a[1])
    first = np.floor(low) + 1  # the first integer strictly above the lower end
    n_cuts = np.maximum(np.ceil(high) - first, 0).astype(np.int64)
    if not n_cuts.any():
        return a, b, owner, sign
    n_pieces = n_cuts + 1
    edge = np.repeat(np.arange(n_pieces.size), n_pieces)
    start = np.cumsum(n_pieces) - n_pieces
    step = np.arange(edge.size) - start[edge]  # the number of the piece along its edge, from the start of the edge
    rising = (a[1] > a[0])[edge]
    # Piece k ends at cut k (from 0) unless it is the last.
    cut = np.where(rising, first[edge] + step, (first + n_cuts - 1)[edge] - step)
    is_last = step == n_cuts[edge]
    span = (a[1] - a[0])[edge]
    a_end = np.where(is_last, a[1][edge], cut)
    # Edges that are not cut give nonsense here, the nearly upright ones a number too large for any; none of it is taken.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        b_at_cut = b[0][edge] + (b[1] - b[0])[edge] * ((cut - a[0][edge]) / span)
    b_end = np.where(is_last, b[1][edge], b_at_cut)
    a_start, b_start = np.empty_like(a_end), np.empty_like(b_end)
    a_start[1:], b_start[1:] = a_end[:-1], b_end[:-1]
    a_start[start], b_start[start] = a[0], b[0]
    return np.stack((a_start, a_end)), np.stack((b_start, b_end)), owner[edge], sign[edge]


def _running_shares(
    key: Integers, pieces: list[Floats], n: int, grid: Grid
) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """Sum pieces by cell, run the sums along each row of each polygon, and fill the gaps between touched cells.

    Of ``pieces``, the first is the area to the right of a piece within the cell of ``key``, the second its height, which
    is the area it adds to every cell beyond. If there are more: the moments of the former to the east and south, and of
    the latter to the south; else no centroids are given.
    """
    stride = grid.n_cols + 2
    order = np.argsort(key, kind="stable")
    key = key[order]
    new = np.ones(key.size, dtype=bool)
    new[1:] = key[1:] != key[:-1]
    starts = np.flatnonzero(new)
    if not starts.size:
        return sparse.csr_matrix((n, grid.n_cells), dtype=np.float64), np.empty(0), np.empty(0)
    key = key[starts]
    here, beyond, *moments = (np.add.reduceat(piece[order], starts) for piece in pieces)
    polygon_row = key // stride
    same_row = polygon_row[1:] == polygon_row[:-1]
    row_start = np.flatnonzero(np.concatenate(([True], ~same_row)))

    def run(rise: Floats) -> Floats:
        # Rows return to zero at their eastern end; what rounding leaves there is not handed on to the next row.
        after = np.cumsum(rise)
        drift = (after - rise)[row_start]
        after -= np.repeat(drift, np.diff(row_start, append=key.size))
        return after

    # After cell k the running sum has risen by the whole height of its pieces, within it by the part to their right.
    after = run(beyond)
    within = after - beyond + here

    # Between a touched cell and the next one of the same row the share is constant.
    gap = np.zeros(key.size, dtype=np.int64)
    gap[:-1] = np.where(same_row, key[1:] - key[:-1] - 1, 0)
    gap[np.abs(after) <= _DUST] = 0
    length = gap + 1
    total = int(length.sum())
    starts = np.cumsum(length) - length
    share = np.repeat(after, length)
    share[starts] = within
    cell = np.repeat(key - starts, length) + np.arange(total)

    col = cell % stride
    keep = (np.abs(share) > _DUST) & (col < grid.n_cols)
    east, south = np.empty(0), np.empty(0)
    if moments:
        # Cells between are filled by strips of full width: their centroids are neither east nor west.
        east = np.zeros(total)
        to_east, to_south, strip_south = moments
        after_south = run(strip_south)
        south = np.repeat(after_south, length)
        east[starts], south[starts] = to_east, after_south - strip_south + to_south
        # Rounding throws the centroid of a sliver about, but not out of its cell.
        east = np.clip(east[keep] / share[keep], -0.5, 0.5)
        south = np.clip(south[keep] / share[keep], -0.5, 0.5)
    share, cell, col = share[keep], cell[keep], col[keep]
    share[np.abs(share - 1.0) <= _DUST] = 1.0
    polygon_row = cell // stride
    owner = polygon_row // grid.n_rows
    flat = (polygon_row - owner * grid.n_rows) * grid.n_cols + col
    index = np.int32 if grid.n_cells <= np.iinfo(np.int32).max else np.int64
    offsets = np.searchsorted(owner, np.arange(n + 1)).astype(index)
    matrix = sparse.csr_matrix((share, flat.astype(index), offsets), shape=(n, grid.n_cells))
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix, east, south


def _only(keep: NDArray[np.bool_], u: Floats, v: Floats, owner: Integers, sign: Floats) -> Edges:
    if keep.all():
        return u, v, owner, sign
    return u[:, keep], v[:, keep], owner[keep], sign[keep]
