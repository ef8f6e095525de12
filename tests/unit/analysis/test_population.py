"""People on the grid: totals are kept, from polygons and from rasters in any system."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.population import people_from_polygons, people_from_raster, pixel_corners
from geo.core.crs import project_xy
from geo.core.grid import Grid, grid_around
from geo.errors import InvalidInput

GRID = Grid(epsg=32639, x_min_m=240_000.0, y_max_m=3_702_000.0, cell_m=20.0, n_rows=100, n_cols=150)
BOX = shapely.box(*GRID.bounds_m)


def sectors(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x_min, y_min, x_max, y_max = GRID.bounds_m
    area = shapely.box(x_min + 50, y_min + 50, x_max - 50, y_max - 50)
    points = shapely.multipoints(rng.uniform((x_min + 51, y_min + 51), (x_max - 51, y_max - 51), (n, 2)))
    tiles = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=area)), area)
    return tiles, rng.integers(0, 2000, len(tiles)).astype(float)


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_the_total_of_areas_inside_is_kept(seed: int) -> None:
    tiles, people = sectors(seed)
    on_grid = people_from_polygons(tiles, people, GRID)
    assert on_grid.sum() == pytest.approx(people.sum(), rel=1e-9)
    assert (on_grid >= 0).all()


def test_people_live_evenly_within_their_area() -> None:
    tiles, people = sectors(3)
    on_grid = people_from_polygons(tiles, people, GRID)
    cell = shapely.box(241_000, 3_701_000, 241_020, 3_701_020)
    expected = (people * shapely.area(shapely.intersection(tiles, cell)) / shapely.area(tiles)).sum()
    assert on_grid[49 * 150 + 50] == pytest.approx(expected, rel=1e-9)


def test_of_an_area_partly_outside_the_share_of_its_area_inside_comes() -> None:
    half = shapely.box(240_000 - 500, 3_701_000, 240_000 + 500, 3_701_003)
    outside = shapely.box(0, 0, 10, 10)
    assert people_from_polygons([half, outside], np.array([100.0, 50.0]), GRID).sum() == pytest.approx(50, rel=1e-9)


def test_areas_too_small_for_any_cell_keep_their_people() -> None:
    x, y = 241_007.0, 3_701_013.0
    tiny = shapely.box(x, y, x + 1e-8, y + 1e-8)
    on_grid = people_from_polygons([tiny, shapely.box(x, y, x + 1e-4, y + 1e-4)], np.array([7.0, 5.0]), GRID)
    assert on_grid[49 * 150 + 50] == pytest.approx(12, rel=1e-9)
    assert on_grid.sum() == pytest.approx(12, rel=1e-9)


def test_a_number_that_was_not_published_is_nobody() -> None:
    square = shapely.box(241_000, 3_701_000, 241_100, 3_701_100)
    assert people_from_polygons([square, None], np.array([np.nan, 0.0]), GRID).sum() == 0
    assert people_from_polygons([], np.array([]), GRID).shape == (GRID.n_cells,)


@pytest.mark.parametrize("wrong", [-1.0, np.inf])
def test_impossible_numbers_are_refused_with_their_place(wrong: float) -> None:
    with pytest.raises(InvalidInput, match=r"area 1: .* is not a number of people"):
        people_from_polygons([BOX, BOX], np.array([1.0, wrong]), GRID)
    values = np.ones((3, 4))
    values[2, 1] = wrong
    with pytest.raises(InvalidInput, match=r"pixel 2, 1: .* is not a number of people"):
        people_from_raster(values, pixel_corners((20, 0, 240_000, 0, -20, 3_702_000), (3, 4)), GRID)


def test_people_without_an_area_are_refused() -> None:
    with pytest.raises(InvalidInput, match="area 1: An area with 3 people has no geometry"):
        people_from_polygons([BOX, None], np.array([1.0, 3.0]), GRID)
    with pytest.raises(InvalidInput, match="1 areas cannot be given 2"):
        people_from_polygons([BOX], np.array([1.0, 3.0]), GRID)


@given(st.integers(0, 1000), st.floats(3, 90), st.floats(3, 90), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=30)
def test_a_raster_along_the_axes_equals_its_pixels_as_polygons(seed: int, w: float, h: float, upward: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 30)), int(rng.integers(1, 30)))
    values = rng.gamma(0.5, 10, shape)
    x, y = rng.uniform((239_500, 3_699_500), (243_500, 3_702_500))
    corners_m = pixel_corners((w, 0.0, x, 0.0, h if upward else -h, y), shape)
    quads = shapely.polygons(
        np.stack((corners_m[:-1, :-1], corners_m[:-1, 1:], corners_m[1:, 1:], corners_m[1:, :-1]), axis=2)
    ).ravel()
    on_grid = people_from_raster(values, corners_m, GRID)
    np.testing.assert_allclose(on_grid, people_from_polygons(quads, values.ravel(), GRID), atol=1e-9)
    inside = shapely.area(shapely.intersection(quads, BOX)) / shapely.area(quads)
    assert on_grid.sum() == pytest.approx((values.ravel() * inside).sum(), rel=1e-9, abs=1e-9)


def test_a_raster_on_the_grids_own_cells_is_itself() -> None:
    values = np.random.default_rng(5).gamma(0.5, 10, (100, 150)).astype(np.float32)
    corners_m = pixel_corners((20.0, 0.0, 240_000.0, 0.0, -20.0, 3_702_000.0), (100, 150))
    np.testing.assert_allclose(people_from_raster(values, corners_m, GRID), values.ravel(), rtol=1e-12)


def test_a_raster_in_another_system_keeps_its_total() -> None:
    values = np.random.default_rng(6).gamma(0.5, 10, (40, 50))
    corners = pixel_corners((0.0009, 0.0, 48.30, 0.0, -0.0009, 33.52), values.shape)
    corners_m = project_xy(corners, 4326, 32639)
    x, y = corners_m[..., 0], corners_m[..., 1]
    grid = grid_around((x.min(), y.min(), x.max(), y.max()), 32639, 20.0, 0.0)
    on_grid = people_from_raster(values, corners_m, grid)
    assert on_grid.sum() == pytest.approx(values.sum(), rel=1e-9)
    # The people of one pixel are where the pixel is.
    one = np.zeros_like(values)
    one[10, 20] = 9.0
    lived_in = grid.centres_m()[people_from_raster(one, corners_m, grid) > 0]
    assert np.abs(lived_in - corners_m[10:12, 20:22].mean(axis=(0, 1))).max() < 75


def test_no_data_is_nobody() -> None:
    values = np.array([[4.0, -200.0], [np.nan, 6.0]], dtype=np.float32)
    corners_m = pixel_corners((20.0, 0.0, 240_000.0, 0.0, -20.0, 3_702_000.0), (2, 2))
    assert people_from_raster(values, corners_m, GRID, nodata=-200.0).sum() == 10
    lowest = float(np.finfo(np.float32).min)
    values[0, 1] = lowest
    assert people_from_raster(values, corners_m, GRID, nodata=-3.4028235e38).sum() == 10
    values[0, 1] = -np.inf
    assert people_from_raster(values, corners_m, GRID, nodata=-1.7e308).sum() == 10
    whole = np.array([[4, 255], [0, 6]], dtype=np.uint8)
    assert people_from_raster(whole, corners_m, GRID, nodata=255).sum() == 10
    assert people_from_raster(whole, corners_m, GRID, nodata=-9999).sum() == 265


def test_corners_must_fit_the_values() -> None:
    with pytest.raises(InvalidInput, match="does not fit corners"):
        people_from_raster(np.ones((2, 2)), pixel_corners((1, 0, 0, 0, -1, 0), (2, 3)), GRID)
    with pytest.raises(InvalidInput, match="have no size"):
        people_from_raster(np.ones((2, 2)), np.zeros((3, 3, 2)), GRID)
    with pytest.raises(InvalidInput, match="not finite"):
        people_from_raster(np.ones((2, 2)), np.full((3, 3, 2), np.nan), GRID)
