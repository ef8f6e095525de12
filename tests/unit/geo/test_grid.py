"""The grid of square cells."""

import math

import numpy as np
import pytest

from geo.core.grid import Grid, grid_around
from geo.errors import InvalidInput, LimitExceeded

GRID = Grid(epsg=32639, x_min_m=-40.0, y_max_m=60.0, cell_m=10.0, n_rows=11, n_cols=9)


def test_the_grid_around_bounds_has_its_lines_on_multiples_of_the_cell() -> None:
    grid = grid_around((240_011.0, 3_700_007.0, 243_000.0, 3_702_000.0), 32639, 20.0, 1000.0)
    x_min, y_min, x_max, y_max = grid.bounds_m
    assert all(value % 20 == 0 for value in grid.bounds_m)
    assert 239_011 - 20 < x_min <= 239_011
    assert 3_699_007 - 20 < y_min <= 3_699_007
    assert 244_000 <= x_max < 244_020
    assert 3_703_000 <= y_max < 3_703_020
    assert grid_around((5.0, 5.0, 5.0, 5.0), 32639, 20.0, 0.0).n_cells == 1
    assert grid_around((20.0, 20.0, 20.0, 20.0), 32639, 20.0, 0.0).n_cells == 1


def test_centres_follow_the_flat_index_from_the_north_west() -> None:
    centres = GRID.centres_m()
    assert centres.shape == (99, 2)
    assert centres[0].tolist() == [-35.0, 55.0]
    assert centres[1].tolist() == [-25.0, 55.0]
    assert centres[9].tolist() == [-35.0, 45.0]
    row, col = np.divmod(np.arange(GRID.n_cells), GRID.n_cols)
    assert (centres[:, 0] == -35 + 10 * col).all()
    assert (centres[:, 1] == 55 - 10 * row).all()


def test_impossible_grids_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="larger cells"):
        grid_around((0, 0, 1e6, 1e6), 32639, 20.0, 0.0)
    for bounds, cell_m, margin_m in (
        ((0, 0, math.inf, 1), 20, 0),
        ((1, 0, 0, 1), 20, 0),
        ((0, 0, 1, 1), 0, 0),
        ((0, 0, 1, 1), 20, -1),
        ((0, 0, 1, math.nan), 20, 0),
    ):
        with pytest.raises(InvalidInput):
            grid_around(bounds, 32639, cell_m, margin_m)
    with pytest.raises(InvalidInput, match="at least one row"):
        Grid(32639, 0.0, 0.0, 20.0, 0, 5)
    with pytest.raises(InvalidInput, match="not possible"):
        Grid(32639, 0.0, 0.0, -1.0, 5, 5)
    with pytest.raises(InvalidInput, match="not finite"):
        Grid(32639, math.nan, 0.0, 1.0, 5, 5)
