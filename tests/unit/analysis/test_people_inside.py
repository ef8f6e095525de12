"""People inside any shape: nobody is counted twice or lost, however the shape lies to cells and census areas."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from analysis.core.population import people_in_areas, people_in_cells
from geo.core.grid import Grid

GRID = Grid(epsg=32639, x_min_m=0.0, y_max_m=80.0, cell_m=20.0, n_rows=4, n_cols=5)
PEOPLE = np.arange(20, dtype=np.float64)
AREAS = [shapely.box(0, 0, 30, 80), shapely.box(30, 0, 100, 33), shapely.box(30, 33, 100, 80)]
COUNTS = np.array([12.0, 30.0, np.nan])

spot = st.tuples(st.floats(0, 100), st.floats(0, 80))


def test_whole_ground_has_everybody() -> None:
    whole = shapely.box(-10, -10, 200, 200)
    assert people_in_cells(PEOPLE, [whole], GRID).tolist() == pytest.approx([PEOPLE.sum()])
    assert people_in_areas(AREAS, COUNTS, [whole]).tolist() == pytest.approx([42.0])


def test_one_cell_and_its_half_by_hand() -> None:
    cell = shapely.box(20, 60, 40, 80)  # row 0, column 1: one person
    half = shapely.box(20, 60, 30, 80)
    assert people_in_cells(PEOPLE, [cell, half], GRID).tolist() == pytest.approx([1.0, 0.5])
    assert people_in_areas(AREAS, COUNTS, [shapely.box(0, 0, 15, 80)]).tolist() == pytest.approx([6.0])


def test_holes_and_parts_count_as_they_are() -> None:
    ring = shapely.difference(shapely.box(0, 0, 100, 80), shapely.box(20, 20, 80, 60))
    two = shapely.MultiPolygon([shapely.box(0, 0, 20, 20), shapely.box(80, 60, 100, 80)])
    inner = people_in_cells(PEOPLE, [shapely.box(20, 20, 80, 60)], GRID)[0]
    assert people_in_cells(PEOPLE, [ring, two], GRID).tolist() == pytest.approx([PEOPLE.sum() - inner, 15 + 4])


def test_what_has_no_land_holds_nobody() -> None:
    empty = [None, shapely.Polygon(), shapely.LineString([(0, 0), (50, 50)]), shapely.GeometryCollection()]
    assert people_in_cells(PEOPLE, empty, GRID).tolist() == [0.0] * 4
    assert people_in_areas(AREAS, COUNTS, empty).tolist() == [0.0] * 4


@given(a=spot, b=spot, c=spot, x=st.floats(1, 99))
def test_the_two_sides_of_a_cut_add_up(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], x: float
) -> None:
    shape = shapely.Polygon([a, b, c])
    if shape.area < 1 or not shape.is_valid:
        shape = shapely.box(10, 10, 90, 70)
    west = shapely.intersection(shape, shapely.box(-1, -1, x, 200))
    east = shapely.intersection(shape, shapely.box(x, -1, 200, 200))
    for count in (lambda s: people_in_cells(PEOPLE, s, GRID), lambda s: people_in_areas(AREAS, COUNTS, s)):
        whole, *sides = count([shape, west, east])
        assert sum(sides) == pytest.approx(whole, abs=1e-6)
        assert whole >= 0
