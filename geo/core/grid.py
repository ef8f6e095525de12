"""The analysis grid: square cells in metres.

Row 0 is the northernmost row; the flat index of a cell is ``row * n_cols + col``.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput, LimitExceeded

#: Side of a cell of a city in metres, where nothing else is said.
CITY_CELL_M: Final = 20.0

#: A grid of float32 costs for 12 services is then 2.9 GB: more must be split into tiles.
MAX_CELLS: Final = 60_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells of ``cell_m`` metres in the projected system ``epsg``, counted from the north-west corner.

    Raises
    ------
    InvalidInput
        If the cell is not a positive number of metres, a corner is not finite, or there is no cell.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=40.0, cell_m=20.0, n_rows=2, n_cols=3)
    >>> grid.n_cells, grid.bounds_m
    (6, (0.0, 0.0, 60.0, 40.0))
    >>> grid.centres_m()[0].tolist(), grid.centres_m()[5].tolist()
    ([10.0, 30.0], [50.0, 10.0])
    """

    epsg: int
    x_min_m: float
    y_max_m: float
    cell_m: float
    n_rows: int
    n_cols: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cell_m) and self.cell_m > 0):
            raise InvalidInput(f"A cell of {self.cell_m} m is not possible.", code="bad_cell")
        if not (math.isfinite(self.x_min_m) and math.isfinite(self.y_max_m)):
            raise InvalidInput("The corner of the grid is not finite.", code="bad_grid")
        if self.n_rows < 1 or self.n_cols < 1:
            raise InvalidInput("A grid needs at least one row and one column.", code="bad_grid")

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.n_rows * self.n_cols

    @property
    def cell_area_m2(self) -> float:
        """Area of one cell in m²."""
        return self.cell_m * self.cell_m

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """``(x_min, y_min, x_max, y_max)`` in metres of ``epsg``."""
        return (
            self.x_min_m,
            self.y_max_m - self.n_rows * self.cell_m,
            self.x_min_m + self.n_cols * self.cell_m,
            self.y_max_m,
        )

    def x_centres_m(self) -> Floats:
        """Give the x of the centre of each column, west to east, shape ``(n_cols,)``."""
        return self.x_min_m + (np.arange(self.n_cols, dtype=np.float64) + 0.5) * self.cell_m

    def y_centres_m(self) -> Floats:
        """Give the y of the centre of each row, north to south, shape ``(n_rows,)``."""
        return self.y_max_m - (np.arange(self.n_rows, dtype=np.float64) + 0.5) * self.cell_m

    def centres_m(self) -> Floats:
        """Give x, y of the centre of each cell in flat order, shape ``(n_cells, 2)``."""
        centres = np.empty((self.n_rows, self.n_cols, 2))
        centres[..., 0] = self.x_centres_m()[None, :]
        centres[..., 1] = self.y_centres_m()[:, None]
        return centres.reshape(-1, 2)


def grid_around(bounds_m: tuple[float, float, float, float], epsg: int, cell_m: float, margin_m: float) -> Grid:
    """Give the grid that covers bounds and a margin, its lines on multiples of the cell size.

    Two grids of one cell size therefore share their lines wherever they overlap, whatever they were built around.

    Parameters
    ----------
    bounds_m
        ``(x_min, y_min, x_max, y_max)`` in metres of ``epsg``.
    epsg
        A projected system in metres.
    cell_m, margin_m
        Cell size and margin in metres; the margin should be at least the largest threshold.

    Raises
    ------
    InvalidInput
        If the bounds are not finite or empty, the cell is not positive or the margin is negative.
    LimitExceeded
        Above `MAX_CELLS` cells.

    Examples
    --------
    >>> grid_around((5.0, 5.0, 35.0, 15.0), 32639, cell_m=20.0, margin_m=20.0).bounds_m
    (-20.0, -20.0, 60.0, 40.0)
    """
    x_min, y_min, x_max, y_max = (float(value) for value in bounds_m)
    if not all(math.isfinite(value) for value in (x_min, y_min, x_max, y_max, cell_m, margin_m)):
        raise InvalidInput("The bounds, cell and margin of a grid must be finite numbers.", code="bad_bounds")
    if x_max < x_min or y_max < y_min:
        raise InvalidInput("The bounds of the grid are inside out.", code="bad_bounds", remedy="Give min before max.")
    if cell_m <= 0 or margin_m < 0:
        raise InvalidInput("The cell must be above 0 m and the margin not below 0 m.", code="bad_cell")
    first_col = math.floor((x_min - margin_m) / cell_m)
    last_col = max(math.ceil((x_max + margin_m) / cell_m), first_col + 1)
    first_row = math.floor((y_min - margin_m) / cell_m)
    last_row = max(math.ceil((y_max + margin_m) / cell_m), first_row + 1)
    n_cols, n_rows = last_col - first_col, last_row - first_row
    if n_cols * n_rows > MAX_CELLS:
        raise LimitExceeded(
            f"A grid of {n_cols * n_rows:,} cells of {cell_m:g} m is more than {MAX_CELLS:,}.",
            code="grid_too_large",
            remedy="Choose larger cells or a smaller area.",
        )
    return Grid(int(epsg), first_col * cell_m, last_row * cell_m, float(cell_m), n_rows, n_cols)
