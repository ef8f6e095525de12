"""Distances to the nearest facility against brute force: every cell against every facility."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from analysis.core.cost import cost_off_centre_m, straight_cost_m
from geo.core.grid import Grid
from geo.errors import GeometryError

GRID = Grid(epsg=32639, x_min_m=240_000.0, y_max_m=3_702_000.0, cell_m=20.0, n_rows=61, n_cols=83)
LOW, HIGH = (239_000.0, 3_700_000.0), (242_500.0, 3_703_000.0)  # well beyond the grid


def brute_force_m(geometries: np.ndarray, grid: Grid) -> np.ndarray:
    centres = shapely.points(grid.centres_m())
    return np.min([shapely.distance(centres, geometry) for geometry in geometries], axis=0)


def assert_equal_in_float32(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-7, atol=1e-5)


def scattered(rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
    if kind == "spread":
        return rng.uniform(LOW, HIGH, (n, 2))
    if kind == "cluster":
        return rng.normal((240_400, 3_701_500), 15, (n, 2))
    if kind == "one cell":
        return rng.uniform((240_100, 3_701_500), (240_120, 3_701_520), (n, 2))
    if kind == "centres":  # ties everywhere
        return GRID.centres_m()[rng.integers(0, GRID.n_cells, n)]
    return rng.uniform((100_000, 3_600_000), (120_000, 3_900_000), (n, 2))  # far away


@given(
    st.integers(0, 10_000),
    st.sampled_from(["spread", "cluster", "one cell", "centres", "far"]),
    st.integers(1, 9) | st.integers(10, 400) | st.just(3000),
)
@settings(derandomize=True, deadline=None, max_examples=80)
def test_points_are_exact(seed: int, kind: str, n: int) -> None:
    xy = scattered(np.random.default_rng(seed), kind, n)
    expected = cdist(GRID.centres_m(), xy).min(axis=1)
    assert_equal_in_float32(straight_cost_m(shapely.points(xy), GRID), expected)


@given(st.integers(0, 10_000), st.sampled_from([(3, 4000.0), (40, 300.0), (400, 60.0), (60, 0.0)]))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_lines_are_exact(seed: int, size: tuple[int, float]) -> None:
    rng = np.random.default_rng(seed)
    n, step_m = size
    start = rng.uniform(LOW, HIGH, (n, 1, 2))
    lines = shapely.linestrings(np.concatenate((start, start + rng.normal(0, step_m, (n, 2, 2))), axis=1))
    assert_equal_in_float32(straight_cost_m(lines, GRID), brute_force_m(lines, GRID))


@given(st.integers(0, 10_000), st.sampled_from([3, 60]))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_polygons_are_zero_inside_and_exact_outside(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    discs = shapely.buffer(shapely.points(rng.uniform(LOW, HIGH, (n, 2))), rng.uniform(5, 300, n))
    parks = shapely.difference(discs, shapely.buffer(shapely.centroid(discs), rng.uniform(1, 100, n)))
    parks = parks[~shapely.is_empty(parks)]
    assert_equal_in_float32(straight_cost_m(parks, GRID), brute_force_m(parks, GRID))


def test_all_kinds_together_and_in_collections() -> None:
    point = shapely.Point(240_300, 3_701_700)
    line = shapely.LineString([(241_000, 3_701_900), (241_000, 3_701_400), (241_300, 3_701_400)])
    park = shapely.box(240_500, 3_700_900, 240_700, 3_701_100)
    expected = brute_force_m(np.array([point, line, park]), GRID)
    assert_equal_in_float32(straight_cost_m([point, None, line, shapely.Point(), park], GRID), expected)
    nested = shapely.GeometryCollection([shapely.MultiPoint([point]), shapely.GeometryCollection([line, park])])
    assert_equal_in_float32(straight_cost_m(nested, GRID), expected)


def test_a_collection_is_measured_as_its_members_to_the_bit() -> None:
    rng = np.random.default_rng(4)
    starts = rng.uniform(LOW, HIGH, (400, 1, 2))
    lines = shapely.linestrings(np.concatenate((starts, starts + rng.normal(0, 50, (400, 3, 2))), axis=1))
    points = [
        *shapely.points(rng.uniform(LOW, HIGH, (20, 2))),
        shapely.Point(240_300, 3_701_700, 12.0),
        shapely.Point(),
    ]
    disc = shapely.Point(240_500, 3_701_000).buffer(200)
    areas = [
        disc.difference(disc.centroid.buffer(120)),
        shapely.union(shapely.box(241_000, 3_701_000, 241_100, 3_701_050), disc),
    ]
    several = [shapely.multilinestrings(lines[300:]), shapely.MultiPoint(points[:5]), shapely.LineString()]
    for members in (list(lines[:300]), points[5:], areas, [*lines[:300], *points[5:], *areas, *several]):
        mixed = [members[i] for i in rng.permutation(len(members))]
        each = np.min([straight_cost_m(one, GRID) for one in mixed], axis=0)
        for together in (shapely.GeometryCollection(mixed), mixed):
            np.testing.assert_array_equal(straight_cost_m(together, GRID), each)


def test_crowded_lines_far_and_near_are_exact() -> None:
    # Spokes that all meet in one cell: more candidates than a block may have, so that its cells ask a tree.
    turn = np.linspace(0, 2 * np.pi, 1500)
    hub = np.array([240_810.0, 3_701_390.0])
    ends = hub + 500 * np.column_stack((np.cos(turn), np.sin(turn)))
    spokes = shapely.linestrings(np.stack((np.broadcast_to(hub, ends.shape), ends), axis=1))
    assert_equal_in_float32(straight_cost_m(spokes, GRID), brute_force_m(spokes, GRID))


def test_several_facilities_in_one_cell_all_count() -> None:
    left, right = shapely.Point(240_101, 3_701_510), shapely.Point(240_119, 3_701_510)
    together = straight_cost_m([left, right], GRID)
    np.testing.assert_array_equal(together, np.minimum(straight_cost_m(left, GRID), straight_cost_m(right, GRID)))
    assert (together < straight_cost_m(left, GRID)).any()
    assert (together < straight_cost_m(right, GRID)).any()


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_one_more_facility_never_makes_any_cell_further(seed: int, n: int) -> None:
    points = shapely.points(np.random.default_rng(seed).uniform(LOW, HIGH, (n + 1, 2)))
    before, after = straight_cost_m(points[:-1], GRID), straight_cost_m(points, GRID)
    assert (after <= before * (1 + 2e-7)).all()


def test_the_order_of_facilities_does_not_matter() -> None:
    points = shapely.points(np.random.default_rng(2).uniform(LOW, HIGH, (200, 2)))
    np.testing.assert_array_equal(straight_cost_m(points, GRID), straight_cost_m(points[::-1], GRID))


def test_without_a_facility_everything_is_unreachable() -> None:
    for nothing in ([], [None], [shapely.Point(), shapely.MultiPolygon()]):
        assert np.isposinf(straight_cost_m(nothing, GRID)).all()


def test_a_coordinate_that_is_not_finite_is_refused() -> None:
    with pytest.raises(GeometryError, match="not finite"):
        straight_cost_m(shapely.Point(float("inf"), 0), GRID)


@pytest.mark.parametrize(("n_rows", "n_cols"), [(1, 1), (1, 50), (50, 1), (7, 9), (8, 8), (17, 3)])
def test_grids_of_any_shape(n_rows: int, n_cols: int) -> None:
    grid = Grid(32639, 240_000.0, 3_702_000.0, 20.0, n_rows, n_cols)
    points = np.random.default_rng(n_rows).uniform((239_900, 3_701_000), (241_000, 3_702_100), (30, 2))
    expected = cdist(grid.centres_m(), points).min(axis=1)
    assert_equal_in_float32(straight_cost_m(shapely.points(points), grid), expected)


def test_a_grid_taller_than_one_strip() -> None:
    grid = Grid(32639, 240_000.0, 3_702_000.0, 20.0, 4100, 1100)
    points = np.random.default_rng(9).uniform((240_000, 3_620_000), (262_000, 3_702_000), (40, 2))
    rows = np.array([0, 3631, 3632, 3640, 4099])
    cells = (rows[:, None] * grid.n_cols + np.arange(0, grid.n_cols, 50)).ravel()
    found = straight_cost_m(shapely.points(points), grid)
    assert_equal_in_float32(found[cells], cdist(grid.centres_m()[cells], points).min(axis=1))


@pytest.mark.parametrize("seed", range(4))
def test_cells_asked_for_are_the_same_and_none_is_too_near(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(32639, 0.0, 700.0, 20.0, 35, 41)
    facilities = np.concatenate(
        (shapely.points(rng.uniform(0, 800, (30, 2))), shapely.linestrings(rng.uniform(0, 800, (20, 2, 2))))
    )
    only = rng.random(grid.n_cells) < 0.05
    whole, part = straight_cost_m(facilities, grid), straight_cost_m(facilities, grid, only=only)
    assert (part[only] == whole[only]).all()
    assert (part >= whole).all()


@pytest.mark.parametrize("seed", range(4))
def test_off_centre_is_near_the_distance_there(seed: int) -> None:
    """Far from facilities and from the lines between them the rise is even: what is left is curvature, d²/2r."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((239_000, 3_700_000), (242_500, 3_703_000), (12, 2))
    costs = straight_cost_m(shapely.points(points), GRID)
    cells = rng.integers(0, GRID.n_cells, 3000)
    east, south = rng.uniform(-0.5, 0.5, (2, cells.size))
    at = GRID.centres_m()[cells] + np.stack((east, -south), axis=1) * GRID.cell_m
    distances = np.sort(cdist(at, points), axis=1)
    found = cost_off_centre_m(costs, GRID, cells, east, south)
    row, col = np.divmod(cells, GRID.n_cols)
    is_inner = (row > 0) & (row < GRID.n_rows - 1) & (col > 0) & (col < GRID.n_cols - 1)
    even = is_inner & (distances[:, 0] > 100) & (distances[:, 1] - distances[:, 0] > 4 * GRID.cell_m)
    assert even.sum() > 1000
    off = np.abs(found - distances[:, 0])
    assert (off[even] < GRID.cell_m**2 / distances[even, 0]).all()
    # Nowhere is it worse than half a diagonal of a cell either way.
    assert off.max() <= math.sqrt(2) * GRID.cell_m


def test_off_centre_at_the_rim_beside_the_unreachable_and_inside() -> None:
    grid = Grid(32639, 0.0, 20.0, 10.0, 2, 3)
    costs = np.array([30.0, 20.0, np.inf, 0.0, 20.0, np.inf])
    cells = np.array([0, 1, 2, 3, 4])
    quarter, none = np.full(5, 0.25), np.zeros(5)
    # From the western rim and beside the unreachable the one known side counts; zero and unreachable stay as they are.
    assert cost_off_centre_m(costs, grid, cells, quarter, none).tolist() == [27.5, 17.5, np.inf, 0.0, 25.0]
    # South of the first cell lies a facility: never below zero.
    near = np.array([4.0, 20.0, np.inf, 0.0, 20.0, np.inf])
    assert cost_off_centre_m(near, grid, np.array([0]), np.array([-0.5]), np.array([0.5])).tolist() == [0.0]
