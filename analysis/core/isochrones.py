"""Isochrones: the part of the map within a cost, as polygons. They illustrate; people are counted by cost.

The cost is known at the centres of cells and taken as linear between neighbouring ones (marching squares,
[@lorensen1987]): every square of four centres gives a piece of the contour.
"""

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.grid import Grid
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: A contour keeps so far from centres (share of the way to the next), so that no piece is thinner than rounding.
_CLEAR: Final = 1e-3

# Corners of a square in ring order: the row and column of each, counted from its north-western centre.
_CORNERS: Final = ((0, 0), (0, 1), (1, 1), (1, 0))


def isochrone(cost: NDArray[np.floating[Any]], grid: Grid, at_most: float) -> shapely.MultiPolygon:
    """Draw what is within a cost.

    Parameters
    ----------
    cost
        Shape ``(n_cells,)``: cost at the centre of each cell; ``inf`` where nothing is reached. Any unit.
    grid
        The grid; the answer is in its system.
    at_most
        The cost, in the unit of ``cost``. Costs of exactly so much are within.

    Returns
    -------
    MultiPolygon
        Valid, with islands and holes; empty if nothing is within. Towards cells that nothing reaches, and at the rim
        of the grid, it ends halfway to the next centre.

    Raises
    ------
    InvalidInput
        If there is not one cost for each cell, a cost is NaN (``bad_cost``), or the limit is NaN (``bad_threshold``).

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=30.0, cell_m=10.0, n_rows=3, n_cols=3)
    >>> one = np.full(9, np.inf)
    >>> one[4] = 0.0
    >>> isochrone(one, grid, 5.0).bounds
    (10.0, 10.0, 20.0, 20.0)
    """
    values = np.asarray(cost, dtype=np.float64)
    if values.shape != (grid.n_cells,) or np.isnan(values).any():
        raise InvalidInput("Every cell needs a cost, inf where nothing is reached.", code="bad_cost")
    if np.isnan(at_most):
        raise InvalidInput("The limit must be a number.", code="bad_threshold")
    # One ring of unreached centres around the grid closes every contour.
    field = np.full((grid.n_rows + 2, grid.n_cols + 2), np.inf)
    field[1:-1, 1:-1] = values.reshape(grid.n_rows, grid.n_cols)
    is_in = (field <= at_most) & np.isfinite(field)
    inside = np.stack([is_in[:-1, :-1], is_in[:-1, 1:], is_in[1:, 1:], is_in[1:, :-1]])
    row, col = np.nonzero(inside.any(axis=0) & ~inside.all(axis=0))
    if not row.size:
        return shapely.MultiPolygon()
    corners = np.stack([field[row + down, col + right] for down, right in _CORNERS], axis=1)
    x = np.stack([grid.x_min_m + (col + right - 0.5) * grid.cell_m for _, right in _CORNERS], axis=1)
    y = np.stack([grid.y_max_m - (row + down - 0.5) * grid.cell_m for down, _ in _CORNERS], axis=1)
    pieces = _pieces(corners, inside[:, row, col].T, np.stack((x, y), axis=2), at_most)
    # The contours are closed and do not meet: what lies within an odd number of them is inside.
    return _as_multipolygon(shapely.build_area(shapely.multilinestrings(shapely.linestrings(pieces))))


def _pieces(corners: Floats, inside: NDArray[np.bool_], xy: Floats, at_most: float) -> Floats:
    """Give the straight pieces of the contour in squares that it runs through, shape ``(k, 2, 2)``."""
    crossing = _crossings(corners, xy, at_most)
    following = np.roll(inside, -1, axis=1)
    leaves, enters = inside & ~following, ~inside & following
    # Where two opposite corners alone are within, the middle decides whether they hang together.
    with np.errstate(invalid="ignore"):
        is_apart = (leaves.sum(axis=1) == 2) & ~(corners.mean(axis=1) <= at_most)
    pieces: list[Floats] = []
    for side in range(4):
        # Around the corners outside, from where the ring of the square leaves to where it enters again …
        is_open = leaves[:, side] & ~is_apart
        for other in ((side + step) % 4 for step in (1, 2, 3)):
            met = is_open & enters[:, other]
            pieces.append(crossing[met][:, [side, other]])
            is_open &= ~met
        # … or around each corner inside by itself.
        pieces.append(crossing[leaves[:, side] & is_apart][:, [side - 1, side]])
    return np.concatenate(pieces)


def _crossings(corners: Floats, xy: Floats, at_most: float) -> Floats:
    """Give where the contour crosses the side from each corner to the next; both squares beside it get the same point."""
    following, xy_following = np.roll(corners, -1, axis=1), np.roll(xy, -1, axis=1)
    # Always reckoned from the lesser x and y, so that the rounding is the same from both sides.
    is_turned = (xy.sum(axis=2) > xy_following.sum(axis=2)) ^ (xy[:, :, 0] == xy_following[:, :, 0])
    start, end = np.where(is_turned, following, corners), np.where(is_turned, corners, following)
    xy_start = np.where(is_turned[..., None], xy_following, xy)
    xy_end = np.where(is_turned[..., None], xy, xy_following)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (at_most - start) / (end - start)
    share = np.where(np.isfinite(start) & np.isfinite(end), share, 0.5)
    share = np.clip(np.nan_to_num(share, nan=0.5, posinf=0.5, neginf=0.5), _CLEAR, 1 - _CLEAR)[..., None]
    return np.asarray(xy_start + share * (xy_end - xy_start))


def _as_multipolygon(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    parts = shapely.get_parts(geometry)
    return shapely.MultiPolygon(parts[shapely.get_type_id(parts) == 3].tolist())
