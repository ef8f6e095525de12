"""Straight-line cost: the distance from the centre of every cell to the nearest facility of a service.

The grid is divided into square blocks of cells. A facility can only be nearest to a cell of a block if it is no
further from the block's centre than the nearest facility to that centre, plus twice the half-diagonal of the block's
cell centres (triangle inequality). What remains is asked again of the block's quarters, until a quarter is one cell:
the result is exact, and takes a fraction of the time of one tree query per cell.
"""

import math
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.core.cell_shares import centres_inside
from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import GeometryError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Cells along the side of the largest block: a power of two.
_BLOCK: Final = 8

# Cells of blocks with more candidates are asked one by one.
_MOST_CANDIDATES: Final = 1_000

# Distances are computed for about so many pairs of block and candidate at a time.
_BATCH: Final = 30_000

# Rows are worked on in strips of about so many cells.
_STRIP: Final = 4_000_000

# North-west, north-east, south-west, south-east: the signs of the ways north and east from a block's centre.
_QUARTERS: Final = ((1, -1), (1, 1), (-1, -1), (-1, 1))

# Lines are cut into pieces of at most so many cells, so that the middle of a piece stands for it when candidates are
# chosen. The distance itself is to the whole piece.
_PIECE_CELLS: Final = 4.0


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
    Reference: nearest points by KD-tree, [@bentley1975].

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> straight_cost_m(shapely.Point(-2, 5), grid).tolist()[0]  # 3 m west and 4 m north of the first centre
    5.0
    >>> straight_cost_m(shapely.box(0, 0, 3.5, 2), grid).tolist()
    [0.0, 0.0, 1.5]
    """
    points, pieces, polygons = _taken_apart(as_geometries(geometries_m), grid)
    square_m2 = np.full((grid.n_rows, grid.n_cols), np.inf)
    asked = np.ones(square_m2.shape, dtype=bool) if only is None else only.reshape(square_m2.shape)
    if len(points):
        _lower(square_m2, _Nearest(points, points, grid), asked)
    if len(pieces):
        _lower(square_m2, _Nearest(pieces[:, :2], pieces[:, 2:], grid), asked)
    cost: NDArray[np.float32] = np.sqrt(square_m2, out=square_m2).astype(np.float32).ravel()
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
        top, left = rows[0] // _BLOCK * _BLOCK, cols[0] // _BLOCK * _BLOCK
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
    >>> costs_m = np.array([5.0, 3.0, np.inf])
    >>> at = np.array([1]), np.array([0.25]), np.array([0.1])
    >>> cost_off_centre_m(costs_m, grid, *at).tolist()  # one metre a metre downwards to the east
    [2.5]
    """
    row, col = np.divmod(cells, grid.n_cols)
    cost = cost_m.reshape(grid.n_rows, grid.n_cols)
    here = cost[row, col].astype(np.float64)

    def rise(before: Floats, after: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            sides = np.stack((here - before, after - here))
        known = np.isfinite(sides)
        return np.asarray(np.where(known, sides, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))

    # Beyond the rim of the grid nothing is known.
    west, east_of = np.where(col > 0, cost[row, col - 1], np.inf), np.full(here.shape, np.inf)
    north, south_of = np.where(row > 0, cost[row - 1, col], np.inf), np.full(here.shape, np.inf)
    inner_col, inner_row = col < grid.n_cols - 1, row < grid.n_rows - 1
    east_of[inner_col] = cost[row[inner_col], col[inner_col] + 1]
    south_of[inner_row] = cost[row[inner_row] + 1, col[inner_row]]
    moved = here + east * rise(west, east_of) + south * rise(north, south_of)
    moved[here == 0] = 0.0
    return np.asarray(np.maximum(moved, 0.0), dtype=np.float32)


class _Nearest:
    """Squared distances from the cells of a grid to straight pieces (points are pieces of no length)."""

    def __init__(self, start: Floats, end: Floats, grid: Grid) -> None:
        self.grid = grid
        vector = end - start
        length2 = (vector**2).sum(axis=1)
        self.longest_half = math.sqrt(float(length2.max())) / 2
        self.middles = cKDTree(start + vector / 2)
        self.tree = shapely.STRtree(shapely.linestrings(np.stack((start, end), axis=1)))
        per_length2 = np.divide(1.0, length2, out=np.zeros_like(length2), where=length2 > 0)
        columns = (start[:, 0], start[:, 1], vector[:, 0], vector[:, 1], per_length2)
        self.x, self.y, self.vector_x, self.vector_y, self.per_length2 = map(np.ascontiguousarray, columns)

    def square_m2(self, row_start: int, asked: NDArray[np.bool_]) -> Floats:
        """Give the squared distances of some rows, shape ``(n_rows, n_cols)``, of the blocks with a cell asked for."""
        grid, (n_rows, n_cols) = self.grid, asked.shape
        down, across = -(-n_rows // _BLOCK), -(-n_cols // _BLOCK)
        x = grid.x_min_m + (np.arange(across) + 0.5) * _BLOCK * grid.cell_m
        y = grid.y_max_m - (row_start + (np.arange(down) + 0.5) * _BLOCK) * grid.cell_m
        centres = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
        padded = np.zeros((down * _BLOCK, across * _BLOCK), dtype=bool)
        padded[:n_rows, :n_cols] = asked
        wanted = padded.reshape(down, _BLOCK, across, _BLOCK).any(axis=(1, 3)).ravel()
        square = np.full((down * across, _BLOCK, _BLOCK), np.inf)
        if wanted.any():
            square[wanted] = self._of_blocks(centres[wanted])
        square = square.reshape(down, across, _BLOCK, _BLOCK)
        return square.swapaxes(1, 2).reshape(down * _BLOCK, across * _BLOCK)[:n_rows, :n_cols]

    def _of_blocks(self, centres: Floats) -> Floats:
        """Give the squared distances of all cells of blocks, shape ``(n, _BLOCK, _BLOCK)``."""
        at_most = self.middles.query(centres)[0]
        reach = _a_little_more(at_most + _diagonal(_BLOCK, self.grid.cell_m))
        n_candidates = self.middles.query_ball_point(centres, reach + self.longest_half, return_length=True)
        square = np.empty((len(centres), _BLOCK, _BLOCK))
        crowded = n_candidates > _MOST_CANDIDATES
        if crowded.any():
            square[crowded] = self._of_crowded(centres[crowded])
        few = np.flatnonzero(~crowded)
        batch = np.cumsum(n_candidates[few]) // _BATCH
        for some in np.split(few, np.flatnonzero(np.diff(batch)) + 1):
            if some.size:
                low, high = centres[some] - reach[some, None], centres[some] + reach[some, None]
                block, piece = self.tree.query(shapely.box(*low.T, *high.T))
                square[some] = self._of_quarters(centres[some], block, piece)
        return square

    def _of_quarters(self, centres: Floats, block: Integers, piece: Integers) -> Floats:
        """Give the squared distances of all cells of blocks from pairs of block, in ascending order, and candidate.

        Blocks are cut in four, and the candidates of each quarter chosen among those of the whole, until a quarter is
        one cell. Quarters are numbered behind each other: first all north-western ones, then the north-eastern …
        """
        size = _BLOCK
        x: Floats = centres[:, 0]
        y: Floats = centres[:, 1]
        while True:
            size //= 2
            shift = size / 2 * self.grid.cell_m
            dx, dy = x[block] - self.x[piece], y[block] - self.y[piece]
            along = (self.vector_x[piece], self.vector_y[piece], self.per_length2[piece]) if self.longest_half else None
            first = np.flatnonzero(np.diff(block, prepend=-1))
            nearest: list[Floats] = []
            blocks: list[Integers] = []
            pieces: list[Integers] = []
            for north, east in _QUARTERS:
                square = _square_to_pieces(dx + east * shift, dy + north * shift, along)
                least = np.minimum.reduceat(square, first)
                nearest.append(least)
                if size > 1:
                    reach = _a_little_more(np.sqrt(least) + _diagonal(size, self.grid.cell_m))
                    near = np.flatnonzero(square <= (reach * reach)[block])
                    blocks.append(block[near] + len(blocks) * len(x))
                    pieces.append(piece[near])
            if size == 1:
                break
            x = np.concatenate([x + east * shift for _, east in _QUARTERS])
            y = np.concatenate([y + north * shift for north, _ in _QUARTERS])
            block, piece = np.concatenate(blocks), np.concatenate(pieces)
        # Axes: from the smallest quarters to the largest, each by rows and columns; last the block.
        levels = _BLOCK.bit_length() - 1
        halves = np.concatenate(nearest).reshape(*(2,) * (2 * levels), len(centres))
        rows, cols = range(2 * levels - 2, -1, -2), range(2 * levels - 1, 0, -2)
        return halves.transpose(2 * levels, *rows, *cols).reshape(len(centres), _BLOCK, _BLOCK)

    def _of_crowded(self, centres: Floats) -> Floats:
        """Give the squared distances of all cells of blocks by asking for each cell."""
        offset: Floats = (np.arange(_BLOCK, dtype=np.float64) - (_BLOCK - 1) / 2) * self.grid.cell_m
        x = np.broadcast_to(centres[:, 0, None, None] + offset[None, None, :], (len(centres), _BLOCK, _BLOCK))
        y = np.broadcast_to(centres[:, 1, None, None] - offset[None, :, None], x.shape)
        distance = np.empty(x.size)
        if self.longest_half:
            cells = shapely.points(x.ravel(), y.ravel())
            (asked, _), found = self.tree.query_nearest(cells, return_distance=True, all_matches=False)
            distance[asked] = found
        else:
            distance[:] = self.middles.query(np.stack((x.ravel(), y.ravel()), axis=1))[0]
        return np.asarray(distance.reshape(x.shape) ** 2)


def _square_to_pieces(dx: Floats, dy: Floats, along: tuple[Floats, Floats, Floats] | None) -> Floats:
    """Give squared distances to straight pieces from the way from their starts; to points where ``along`` is None."""
    if along is not None:
        vector_x, vector_y, per_length2 = along
        share = (dx * vector_x + dy * vector_y) * per_length2
        np.clip(share, 0.0, 1.0, out=share)
        dx -= share * vector_x
        dy -= share * vector_y
    dx *= dx
    dy *= dy
    dx += dy
    return dx


def _diagonal(block: int, cell_m: float) -> float:
    """Give twice the distance from the centre of a block to the furthest of its cells' centres."""
    return math.sqrt(2) * (block - 1) * cell_m


def _a_little_more(distance: Floats) -> Floats:
    """Guard a bound against rounding: a candidate too many costs nothing, one too few would be wrong."""
    return distance * (1 + 1e-12) + 1e-6


def _lower(square_m2: Floats, nearest: _Nearest, asked: NDArray[np.bool_]) -> None:
    """Lower squared distances to those of more facilities, in strips, so that memory follows the grid only once."""
    n_rows, n_cols = square_m2.shape
    strip = max(_STRIP // n_cols // _BLOCK, 1) * _BLOCK
    for start in range(0, n_rows, strip):
        end = min(start + strip, n_rows)
        np.minimum(square_m2[start:end], nearest.square_m2(start, asked[start:end]), out=square_m2[start:end])


def _taken_apart(geometries: NDArray[np.object_], grid: Grid) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Give points ``(n, 2)``, straight pieces ``(n, 4)`` of lines and of outlines, and polygons."""
    parts = shapely.get_parts(geometries)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    if not np.isfinite(shapely.get_coordinates(parts)).all():
        raise GeometryError("A coordinate of a facility is not finite.", code="not_finite")
    kinds = shapely.get_type_id(parts)
    polygons = parts[kinds == 3]
    lines = np.concatenate((parts[(kinds == 1) | (kinds == 2)], shapely.get_rings(polygons)))
    xy, line = shapely.get_coordinates(lines, return_index=True)
    joined = line[1:] == line[:-1]
    pieces = _cut(xy[:-1][joined], xy[1:][joined], _PIECE_CELLS * grid.cell_m)
    return shapely.get_coordinates(parts[kinds == 0]), pieces, polygons


def _cut(start: Floats, end: Floats, longest_m: float) -> Floats:
    """Cut straight lines into equal pieces no longer than this, ``(n, 4)``; a line of no length stays a piece."""
    length = np.hypot(*(end - start).T)
    n_pieces = np.maximum(np.ceil(length / longest_m), 1).astype(np.int64)
    line = np.repeat(np.arange(n_pieces.size), n_pieces)
    number = np.arange(line.size) - (np.cumsum(n_pieces) - n_pieces)[line]
    vector = (end - start)[line]
    share = (np.stack((number, number + 1)) / n_pieces[line])[..., None]
    pieces = start[line] + vector * share
    return np.concatenate((pieces[0], pieces[1]), axis=1)
