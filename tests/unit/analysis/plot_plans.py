"""Drawn plans of plots for the tests of settlement form: letters on a grid, one letter a plot."""

import numpy as np
import shapely

from analysis.core.parcels import Parcels
from analysis.core.plots import tiled_plots

CELL_M = 10.0


def plots_of(plan: str) -> dict[str, shapely.Polygon]:
    """Plots by their letter; the first row of the plan is the northernmost, a dot is nobody's land."""
    rows = [row.strip() for row in plan.strip().splitlines()]
    cells: dict[str, list[shapely.Polygon]] = {}
    for j, row in enumerate(reversed(rows)):
        for i, letter in enumerate(row):
            if letter != ".":
                x, y = i * CELL_M, j * CELL_M
                cells.setdefault(letter, []).append(shapely.box(x, y, x + CELL_M, y + CELL_M))
    return {letter: shapely.union_all(parts) for letter, parts in sorted(cells.items())}


def drawn(plan: str) -> tuple[Parcels, list[str], shapely.Polygon]:
    """Parcels of the plan's bounding rectangle, their letters (empty for open land), and the rectangle."""
    plots = plots_of(plan)
    rows = [row.strip() for row in plan.strip().splitlines()]
    block = shapely.box(0, 0, len(rows[0]) * CELL_M, len(rows) * CELL_M)
    parcels = tiled_plots([block], list(plots.values()))
    names = list(plots)
    return parcels, [names[i] if i >= 0 else "" for i in parcels.source], block


def grid(columns: int, rows: int) -> tuple[Parcels, shapely.Polygon]:
    """Square plots side by side."""
    x, y = np.meshgrid(np.arange(columns) * CELL_M, np.arange(rows) * CELL_M)
    block = shapely.box(0, 0, columns * CELL_M, rows * CELL_M)
    return tiled_plots([block], shapely.box(x, y, x + CELL_M, y + CELL_M).ravel()), block


def crooked_grid(columns: int, rows: int, seed: int) -> tuple[np.ndarray, shapely.Polygon]:
    """Four-cornered plots whose inner corners were moved at random, and their block."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    corners = np.stack((x, y), axis=-1)
    corners[1:-1, 1:-1] += rng.uniform(-0.3, 0.3, (rows - 1, columns - 1, 2))
    corners[[0, -1], 1:-1, 0] += rng.uniform(-0.3, 0.3, (2, columns - 1))
    corners = np.round(corners * CELL_M, 2)
    rings = np.stack((corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]), axis=2)
    return shapely.polygons(rings.reshape(-1, 4, 2)), shapely.box(0, 0, columns * CELL_M, rows * CELL_M)


def crowded(n: int, seed: int = 1, pitch_m: float = 9.0) -> tuple[shapely.Polygon, np.ndarray]:
    """Houses without plan in a square block, hardly more than a metre apart in places."""
    rng = np.random.default_rng(seed)
    side = round(n**0.5)
    i, j = np.divmod(np.arange(side * side), side)
    x, y = ((one + 0.5) * pitch_m + rng.uniform(-1.2, 1.2, side * side) for one in (i, j))
    half = rng.uniform(2.0, 3.25, (2, side * side))
    return shapely.box(0, 0, side * pitch_m, side * pitch_m), shapely.box(
        x - half[0], y - half[1], x + half[0], y + half[1]
    )
