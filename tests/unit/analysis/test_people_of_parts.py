"""People in the parts of cells that lie in places: against intersections, whatever way areas, places and cells lie."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.population import people_from_polygons, people_of_parts
from geo.core.cell_shares import cell_fractions
from geo.core.grid import Grid
from geo.errors import InvalidInput

GRID = Grid(epsg=32639, x_min_m=0.0, y_max_m=100.0, cell_m=20.0, n_rows=5, n_cols=5)


def by_place(sources: list, people: np.ndarray, places: list) -> np.ndarray:
    fractions = cell_fractions(places, GRID)
    parts = people_of_parts(sources, people, places, fractions, GRID)
    assert parts.shape == (fractions.nnz,)
    assert (parts >= 0).all()
    return np.bincount(np.repeat(np.arange(len(places)), np.diff(fractions.indptr)), parts, minlength=len(places))


def expected(sources: list, people: np.ndarray, places: list) -> np.ndarray:
    table = shapely.area(shapely.intersection(np.array(places)[:, None], np.array(sources)[None, :]))
    return (table / shapely.area(sources)[None, :] * people[None, :]).sum(axis=1)


@st.composite
def shapes(draw: st.DrawFn) -> list:
    """Boxes and triangles anywhere on the grid, overlapping or not."""
    number = st.integers(0, 100).map(float) | st.floats(0, 100).map(lambda value: round(value, 3))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        corners = [(draw(number), draw(number)) for _ in range(3)]
        shape = shapely.box(*np.min(corners, axis=0), *np.max(corners, axis=0))
        if draw(st.booleans()):
            shape = shapely.Polygon(corners)
        if shape.is_valid and shape.area > 1:
            made.append(shape)
    return made or [shapely.box(10, 10, 90, 50)]


@given(shapes(), shapes())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_each_place_has_the_people_of_the_land_it_shares(sources: list, places: list) -> None:
    people = np.arange(1.0, len(sources) + 1) * 100
    np.testing.assert_allclose(
        by_place(sources, people, places), expected(sources, people, places), rtol=1e-7, atol=1e-5
    )


def test_people_stay_on_their_side_of_a_border_within_a_cell() -> None:
    """The border runs through the middle of cells; spread over whole cells, half of the people would cross it."""
    west, east = shapely.box(0, 0, 30, 100), shapely.box(30, 0, 100, 100)
    people = np.array([1000.0, 0.0])
    np.testing.assert_allclose(by_place([west, east], people, [west, east]), [1000, 0], atol=1e-9)
    on_cells = cell_fractions([west, east], GRID) @ people_from_polygons([west, east], people, GRID)
    assert on_cells[1] > 100


def test_places_that_overlap_count_the_same_people_each() -> None:
    source, place = shapely.box(0, 0, 100, 100), shapely.box(0, 0, 50, 100)
    np.testing.assert_allclose(by_place([source], np.array([80.0]), [place, place, source]), [40, 40, 80])


def test_areas_that_only_touch_give_nothing() -> None:
    source, place = shapely.box(0, 0, 50, 50), shapely.box(50, 0, 100, 50)
    assert by_place([source], np.array([80.0]), [place]).tolist() == [0.0]


def test_a_sliver_keeps_its_people() -> None:
    sliver = shapely.box(33.0, 33.0, 33.0 + 1e-7, 33.0 + 1e-7)
    assert by_place([sliver], np.array([7.0]), [shapely.box(30, 30, 70, 70)])[0] == pytest.approx(7.0)


def test_nobody_is_nobody() -> None:
    place = shapely.box(0, 0, 50, 50)
    assert by_place([shapely.box(0, 0, 100, 100)], np.array([np.nan]), [place]).tolist() == [0.0]


def test_numbers_that_do_not_fit_are_refused() -> None:
    place = shapely.box(0, 0, 50, 50)
    fractions = cell_fractions([place], GRID)
    with pytest.raises(InvalidInput, match="cannot be given"):
        people_of_parts([place], np.array([1.0, 2.0]), [place], fractions, GRID)
    with pytest.raises(InvalidInput, match="not a number of people"):
        people_of_parts([place], np.array([-1.0]), [place], fractions, GRID)
    with pytest.raises(InvalidInput, match="no geometry"):
        people_of_parts([shapely.Polygon()], np.array([1.0]), [place], fractions, GRID)
