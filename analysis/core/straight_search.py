"""The compiled search for the nearest of many points or straight pieces, from all cells of a grid at once.

Square blocks of cells are cut in four until a quarter is one cell. A facility can only be nearest to a cell of a block if
it is no further from the block's centre than the nearest facility to that centre, plus twice the half-diagonal of the
block's cell centres (triangle inequality): all others are left out before the block is cut.
"""

import math
from typing import Final, TypeAlias

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.core.grid import Grid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Costs = NDArray[np.float32]
# x and y of points; of pieces with a length also their vectors, and one over their squared lengths.
Pieces: TypeAlias = tuple[Floats, ...]

#: Cells along the side of the smallest block of which it is known whether it is asked for: a power of two.
BLOCK: Final = 8

# A block with more candidates than this for each of its cells is not cut: its cells ask a tree, one by one.
_MOST_PER_CELL: Final = 64

# The cells of a block with so few candidates are measured to all of them.
_FEW: Final = 2

_SQRT_2: Final = math.sqrt(2)


def lower_to_nearest(cost_m: Costs, start: Floats, end: Floats | None, asked: NDArray[np.bool_], grid: Grid) -> None:
    """Lower the costs of a grid to the distances from its centres to the nearest of many straight pieces, in place.

    Parameters
    ----------
    cost_m
        Shape ``(n_rows, n_cols)``, contiguous.
    start, end
        Shape ``(n, 2)``: the ends of each piece in metres; ``end`` is None for points.
    asked
        Shape of ``cost_m``. Blocks without a cell that is asked for are left as they are.
    grid
        The grid.
    """
    columns = [*start.T]
    if end is not None:
        vector = end - start
        length2 = (vector**2).sum(axis=1)
        columns += [*vector.T, np.divide(1.0, length2, out=np.zeros_like(length2), where=length2 > 0)]
    pieces = tuple(np.ascontiguousarray(column) for column in columns)
    crowded = _lower(cost_m, asked, pieces, grid.x_min_m, grid.y_max_m, grid.cell_m)
    if not len(crowded):
        return
    row, col = _cells_of(crowded, grid)
    at = np.stack((grid.x_centres_m()[col], grid.y_centres_m()[row]), axis=1)
    if end is None:
        nearest = cKDTree(start).query(at)[1].astype(np.int64)
    else:
        tree = shapely.STRtree(shapely.linestrings(np.stack((start, end), axis=1)))
        nearest = tree.query_nearest(shapely.points(at), all_matches=False)[1]
    _lower_cells(cost_m, row, col, nearest, pieces, grid.x_min_m, grid.y_max_m, grid.cell_m)


def _cells_of(blocks: Integers, grid: Grid) -> tuple[Integers, Integers]:
    """Give row and column of the cells of blocks, each given by its first row and column and its side."""
    rows, cols = [], []
    for top, left, size in blocks.tolist():
        bottom, right = min(top + size, grid.n_rows), min(left + size, grid.n_cols)
        row, col = np.mgrid[top:bottom, left:right]
        rows.append(row.ravel())
        cols.append(col.ravel())
    return np.concatenate(rows), np.concatenate(cols)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _square(dx: float, dy: float, pieces: Pieces, k: int) -> float:
    """Give the squared distance to a piece from the way from its start."""
    if len(pieces) > 2:
        vector_x, vector_y = pieces[2][k], pieces[3][k]
        share = min(max((dx * vector_x + dy * vector_y) * pieces[4][k], 0.0), 1.0)
        dx -= share * vector_x
        dy -= share * vector_y
    return dx * dx + dy * dy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _square_of_cell(row: int, col: int, pieces: Pieces, k: int, x_min_m: float, y_max_m: float, cell_m: float) -> float:
    """Give the squared distance from the centre of a cell, always by the same steps: from the corner of four cells."""
    east = cell_m / 2 if col & 1 else -cell_m / 2
    south = cell_m / 2 if row & 1 else -cell_m / 2
    dx = (x_min_m + (col | 1) * cell_m - pieces[0][k]) + east
    dy = (y_max_m - (row | 1) * cell_m - pieces[1][k]) - south
    return _square(dx, dy, pieces, k)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _lower_cells(
    cost_m: Costs,
    row: Integers,
    col: Integers,
    nearest: Integers,
    pieces: Pieces,
    x_min_m: float,
    y_max_m: float,
    cell_m: float,
) -> None:
    for i in range(row.size):
        square = _square_of_cell(row[i], col[i], pieces, nearest[i], x_min_m, y_max_m, cell_m)
        cost_m[row[i], col[i]] = min(cost_m[row[i], col[i]], np.float32(math.sqrt(square)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _lower(
    cost_m: Costs, asked: NDArray[np.bool_], pieces: Pieces, x_min_m: float, y_max_m: float, cell_m: float
) -> Integers:
    """Lower costs; give first row, first column and side of the blocks that were left out as too crowded."""
    n_rows, n_cols = cost_m.shape
    n = pieces[0].size
    wanted = _blocks_before(asked)
    size = BLOCK
    while size < max(n_rows, n_cols):
        size *= 2
    # Blocks that wait, the last first: first row and column, side, and where their candidates lie in the pool. The
    # candidates of those that came later lie behind.
    blocks = np.empty((128, 5), dtype=np.int64)
    blocks[0] = (0, 0, size, 0, n)
    waiting = 1
    pool = np.arange(n)
    squares = np.empty(n)
    crowded = np.empty((4, 3), dtype=np.int64)
    n_crowded = 0
    while waiting:
        waiting -= 1
        top, left, size, first, last = blocks[waiting]
        half = size // 2
        free = last
        for quarter in range(4):
            row, col = top + quarter // 2 * half, left + quarter % 2 * half
            if row >= n_rows or col >= n_cols:
                continue
            if half >= BLOCK:
                down, right = (
                    min((row + half) // BLOCK, len(wanted) - 1),
                    min((col + half) // BLOCK, wanted.shape[1] - 1),
                )
                up, west = row // BLOCK, col // BLOCK
                if wanted[down, right] - wanted[up, right] - wanted[down, west] + wanted[up, west] == 0:
                    continue
            x = x_min_m + (col + half / 2) * cell_m
            y = y_max_m - (row + half / 2) * cell_m
            least = np.inf
            for i in range(first, last):
                k = pool[i]
                square = _square(x - pieces[0][k], y - pieces[1][k], pieces, k)
                squares[i - first] = square
                least = min(least, square)
            # A candidate too many costs little, one too few would be wrong: so a little more against rounding.
            reach = (math.sqrt(least) + _SQRT_2 * (half - 1) * cell_m) * (1 + 1e-12) + 1e-6
            if free + last - first > pool.size:
                more = np.empty(2 * (free + last - first), dtype=np.int64)
                more[:free] = pool[:free]
                pool = more
            begin = free
            for i in range(first, last):
                if squares[i - first] <= reach * reach:
                    pool[free] = pool[i]
                    free += 1
            found = free - begin
            if half <= 2 or found <= _FEW:
                for r in range(row, min(row + half, n_rows)):
                    for c in range(col, min(col + half, n_cols)):
                        if not asked[r, c]:
                            continue
                        nearest = np.inf
                        for i in range(begin, free):
                            nearest = min(nearest, _square_of_cell(r, c, pieces, pool[i], x_min_m, y_max_m, cell_m))
                        cost_m[r, c] = min(cost_m[r, c], np.float32(math.sqrt(nearest)))
                free = begin
            elif found > _MOST_PER_CELL * half * half:
                if n_crowded == len(crowded):
                    longer = np.empty((2 * n_crowded, 3), dtype=np.int64)
                    longer[:n_crowded] = crowded
                    crowded = longer
                crowded[n_crowded] = (row, col, half)
                n_crowded += 1
                free = begin
            else:
                blocks[waiting] = (row, col, half, begin, free)
                waiting += 1
    return crowded[:n_crowded]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _blocks_before(asked: NDArray[np.bool_]) -> Integers:
    """Give the number of blocks with a cell asked for that lie north and west of each corner of a block."""
    n_rows, n_cols = asked.shape
    before = np.zeros((-(-n_rows // BLOCK) + 1, -(-n_cols // BLOCK) + 1), dtype=np.int64)
    for row in range(n_rows):
        for col in range(n_cols):
            if asked[row, col]:
                before[row // BLOCK + 1, col // BLOCK + 1] = 1
    for row in range(1, len(before)):
        for col in range(1, before.shape[1]):
            before[row, col] += before[row - 1, col] + before[row, col - 1] - before[row - 1, col - 1]
    return before
