"""Straight-line cost: the distance from the centre of every cell to the nearest facility of a service.

The grid is divided into square blocks of cells. A facility can only be nearest to a cell of a block if it is no
further from the block's centre than the nearest facility to that centre, plus twice the half-diagonal of the block's
cell centres (triangle inequality). Each block has one to three such candidates, so distances are computed to those
alone: the result is exact, and takes a fraction of the time of one KD-tree query per cell.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid, centres_inside
from geo.errors import GeometryError

Floats = NDArray[np.float64]

# Cells along the side of a block.
_BLOCK: Final = 8

# Blocks with more candidates are divided into quarters. Lines and outlines come in many short pieces.
_MOST_POINTS: Final = 8
_MOST_PIECES: Final = 32

# Distances are computed for about so many pairs of cell and candidate at a time.
_BATCH: Final = 1_000_000

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


class _Nearest:
    """Squared distances from the cells of a grid to straight pieces (points are pieces of no length)."""

    def __init__(self, start: Floats, end: Floats, grid: Grid) -> None:
        self.start, self.grid = start, grid
        self.vector = end - start
        self.length2 = (self.vector**2).sum(axis=1)
        self.longest_half = math.sqrt(float(self.length2.max())) / 2
        self.are_points = self.longest_half == 0.0
        self.middles = cKDTree(start + self.vector / 2)
        self.most = _MOST_POINTS if self.are_points else _MOST_PIECES

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
            square[wanted] = self._of_blocks(centres[wanted], _BLOCK)
        square = square.reshape(down, across, _BLOCK, _BLOCK)
        return square.swapaxes(1, 2).reshape(down * _BLOCK, across * _BLOCK)[:n_rows, :n_cols]

    def _of_blocks(self, centres: Floats, block: int) -> Floats:
        """Give the squared distances of all cells of blocks, shape ``(n, block, block)``."""
        offset: Floats = (np.arange(block, dtype=np.float64) - (block - 1) / 2) * self.grid.cell_m
        diagonal = 2 * math.sqrt(2) * float(offset[-1])
        if block == 1 and self.are_points:
            distance = self.middles.query(centres, workers=-1)[0]
            return np.asarray(distance, dtype=np.float64)[:, None, None] ** 2
        # One more than may be candidates: if that one is in reach too, there may be others.
        k = min(self.most + 1, len(self.start))
        distance, nearest = self.middles.query(centres, k=np.arange(1, k + 1))
        reach = _a_little_more(distance[:, :1] + diagonal + self.longest_half)
        possible = distance <= reach
        crowded = possible[:, -1].copy() if k > self.most else np.zeros(len(centres), dtype=bool)
        possible[crowded] = False
        if not self.are_points:
            possible &= self._within(centres, nearest, possible, diagonal)

        square = np.full((len(centres), block, block), np.inf)
        asked, rank = np.nonzero(possible.T)[::-1]  # by rank, so that a block occurs once in a run
        size = max(_BATCH // (block * block), 1)
        run_starts = np.searchsorted(rank, np.arange(k + 1))
        for run_start, run_end in pairwise(run_starts):
            for first in range(run_start, run_end, size):
                some = slice(first, min(first + size, run_end))
                blocks = asked[some]
                pieces = nearest[blocks, rank[some]]
                square[blocks] = np.minimum(square[blocks], self._to_pieces(centres[blocks], pieces, offset))
        if crowded.any():
            square[crowded] = self._of_crowded(centres[crowded], block)
        return square

    def _of_crowded(self, centres: Floats, block: int) -> Floats:
        """Ask blocks with many candidates again in quarters, and single cells one by one."""
        if block == 1:
            tree = shapely.STRtree(shapely.linestrings(np.stack((self.start, self.start + self.vector), axis=1)))
            (asked, _), found = tree.query_nearest(shapely.points(centres), return_distance=True, all_matches=False)
            distance = np.empty(len(centres))
            distance[asked] = found
            return distance[:, None, None] ** 2
        half = block // 2
        shift = half / 2 * self.grid.cell_m
        corners = np.array([(-shift, shift), (shift, shift), (-shift, -shift), (shift, -shift)])
        quarters = self._of_blocks((centres[:, None, :] + corners).reshape(-1, 2), half)
        return quarters.reshape(-1, 2, 2, half, half).swapaxes(2, 3).reshape(-1, block, block)

    def _within(
        self, centres: Floats, nearest: NDArray[np.int64], possible: NDArray[np.bool_], diagonal: float
    ) -> NDArray[np.bool_]:
        """Tell which candidates remain when the pieces themselves are measured from the block's centre."""
        asked, rank = np.nonzero(possible)
        square = self._to_pieces(centres[asked], nearest[asked, rank], np.zeros(1)).ravel()
        distance = np.full(possible.shape, np.inf)
        distance[asked, rank] = np.sqrt(square)
        return np.asarray(distance <= _a_little_more(distance.min(axis=1, keepdims=True) + diagonal))

    def _to_pieces(self, centres: Floats, pieces: NDArray[np.int64], offset: Floats) -> Floats:
        """Give squared distances from the cells of blocks to one piece each, shape ``(n, block, block)``."""
        dx = (centres[:, 0] - self.start[pieces, 0])[:, None, None] + offset[None, None, :]
        dy = (centres[:, 1] - self.start[pieces, 1])[:, None, None] - offset[None, :, None]
        if self.are_points:
            return np.asarray(dx * dx + dy * dy)
        vector_x, vector_y = self.vector[pieces, 0, None, None], self.vector[pieces, 1, None, None]
        length2 = self.length2[pieces, None, None]
        along = (dx * vector_x + dy * vector_y) / np.where(length2 > 0, length2, 1.0)
        np.clip(along, 0.0, 1.0, out=along)
        return np.asarray((dx - along * vector_x) ** 2 + (dy - along * vector_y) ** 2)


def _a_little_more(distance: Floats) -> Floats:
    """Guard a bound against rounding: a candidate too many costs nothing, one too few would be wrong."""
    return distance * (1 + 1e-12) + 1e-6


def _lower(square_m2: Floats, nearest: _Nearest, asked: NDArray[np.bool_]) -> None:
    """Lower squared distances to those of more facilities, in strips, so that memory follows the grid only once."""
    n_rows, n_cols = square_m2.shape
    strip = max(4 * _BATCH // n_cols // _BLOCK, 1) * _BLOCK
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
