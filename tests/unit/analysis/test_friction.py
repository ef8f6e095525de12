"""Times over a friction surface: by hand, against networkx on small grids, scikit-image on real ground, and invariants."""

import math
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.graph import MCP_Geometric

from analysis.core.friction import (
    TOBLER_FLAT_KMH,
    FrictionCosts,
    Surface,
    burnt,
    cells_crossed,
    cells_of_points,
    friction_costs,
    friction_surface,
    people_on_barrier,
    with_facilities,
)
from geo.core.grid import Grid
from geo.errors import InvalidInput

SPEEDS = {0: 0.0, 1: 3.6, 2: 5.0, 3: 40.0}
WALK = {1: 3.6}


def grid_of(rows: int, cols: int, cell_m: float = 10.0) -> Grid:
    return Grid(32639, 0.0, rows * cell_m, cell_m, rows, cols)


def times(surface: Surface, *cells: int, **how) -> np.ndarray:
    return friction_costs(surface, [np.array(cells, dtype=int)], **how).time_s[0]


def tobler(slope: float) -> float:
    """How many times as long as on flat ground, from Tobler's own formula in km/h."""
    return (6 * math.exp(-3.5 * abs(0.05))) / (6 * math.exp(-3.5 * abs(slope + 0.05)))


def network(
    grid: Grid, classes: np.ndarray, height: np.ndarray | None, neighbours: int, slope: str, speeds: dict[int, float]
) -> nx.DiGraph:
    """Every step as an edge, its length in each cell measured by shapely."""
    speed = np.array([speeds[code] for code in classes.tolist()]).reshape(grid.n_rows, grid.n_cols)
    elevation = np.zeros(speed.shape) if height is None else height.reshape(speed.shape)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(grid.n_cells))
    moves = [
        (dr, dc)
        for dr, dc in product(range(-2, 3), repeat=2)
        if {abs(dr), abs(dc)} in ({0, 1}, {1}) or (neighbours == 16 and {abs(dr), abs(dc)} == {1, 2})
    ]
    for (row, col), (dr, dc) in product(np.ndindex(speed.shape), moves):
        end = row + dr, col + dc
        if not (0 <= end[0] < grid.n_rows and 0 <= end[1] < grid.n_cols):
            continue
        line = shapely.LineString([(col + 0.5, row + 0.5), (end[1] + 0.5, end[0] + 0.5)])
        length = math.hypot(dr, dc) * grid.cell_m
        rise = (elevation[end] - elevation[row, col]) / length
        factor = {"directional": tobler(rise), "both-ways": (tobler(rise) + tobler(-rise)) / 2}[slope]
        time_s = 0.0
        corners = []
        for r, c in product(
            range(min(row, end[0]), max(row, end[0]) + 1), range(min(col, end[1]), max(col, end[1]) + 1)
        ):
            inside_m = line.intersection(shapely.box(c, r, c + 1, r + 1)).length * grid.cell_m
            if inside_m == 0:
                corners.append(speed[r, c])
            elif speed[r, c] == 0:
                time_s = math.inf
            else:
                time_s += inside_m / speed[r, c] * 3.6 * factor
        if abs(dr) == abs(dc) == 1 and corners == [0, 0]:
            time_s = math.inf
        if time_s < math.inf:
            graph.add_edge(row * grid.n_cols + col, end[0] * grid.n_cols + end[1], time=time_s)
    return graph


@st.composite
def towns(draw: st.DrawFn) -> tuple[Grid, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    rows, cols = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    grid = grid_of(rows, cols)
    classes = rng.choice(
        [0, 1, 2, 3], grid.n_cells, p=draw(st.sampled_from([(0, 0.6, 0.3, 0.1), (0.4, 0.3, 0.2, 0.1)]))
    )
    return grid, classes, rng.uniform(0, 6, grid.n_cells), rng.integers(0, grid.n_cells, rng.integers(1, 4))


def test_a_row_by_hand() -> None:
    # 1, 1 and 0.1 s/m: half of each step in either cell of 10 m.
    surface = friction_surface(np.array([1, 1, 4, 0, 1]), {1: 3.6, 4: 36.0, 0: 0.0}, grid_of(1, 5))
    assert times(surface, 0).tolist() == pytest.approx([0, 10, 15.5, np.inf, np.inf])


def test_diagonal_and_knight_moves_by_hand() -> None:
    surface = friction_surface(np.ones(6, dtype=int), WALK, grid_of(2, 3))
    assert times(surface, 0, neighbours=8)[5] == pytest.approx(10 + 10 * math.sqrt(2))
    assert times(surface, 0, neighbours=16)[5] == pytest.approx(10 * math.sqrt(5))


def test_a_knights_move_pays_in_every_cell_it_crosses() -> None:
    # From the first cell to the last of 2 × 3 it crosses the second of either row: 0.1 s/m in one of them.
    surface = friction_surface(np.array([1, 4, 1, 1, 1, 1]), {1: 3.6, 4: 36.0}, grid_of(2, 3))
    assert times(surface, 0)[5] == pytest.approx(min(10 * math.sqrt(5) * 3.1 / 4, 5.5 + 5.5 * math.sqrt(2)))


@pytest.mark.parametrize("neighbours", [8, 16])
def test_nobody_jumps_over_a_barrier(neighbours: int) -> None:
    wall = np.ones((5, 5), dtype=int)
    wall[2] = 0
    assert np.isinf(times(friction_surface(wall.ravel(), SPEEDS, grid_of(5, 5)), 0, neighbours=neighbours)[10:]).all()
    # A river from corner to corner holds too, although its cells touch at corners only.
    river = np.where(np.eye(5, dtype=bool), 0, 1)
    reached = times(friction_surface(river.ravel(), SPEEDS, grid_of(5, 5)), 4, neighbours=neighbours).reshape(5, 5)
    assert np.isfinite(reached[np.triu_indices(5, 1)]).all()
    assert np.isinf(reached[np.tril_indices(5)]).all()


def test_a_bridge_leads_over_the_river() -> None:
    grid = grid_of(5, 5)
    river = np.where(np.eye(5, dtype=bool), 0, 1).ravel()
    bridge = cells_crossed(shapely.LineString([(5, 5), (45, 45)]), grid)
    reached = times(friction_surface(burnt(river, bridge, 3), SPEEDS, grid), 4)
    assert np.isinf(reached[river == 0]).sum() == 4
    assert np.isfinite(reached.reshape(5, 5)[np.tril_indices(5, -1)]).all()


@given(
    towns(),
    st.sampled_from([8, 16]),
    st.sampled_from(["directional", "both-ways"]),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 20.0, 100.0]),
    st.sampled_from([SPEEDS, {0: 0.0, 1: 1e-4, 2: 5.0, 3: 900.0}, {0: 0.0, 1: 5.0, 2: 1e-9, 3: 1e-5}]),
)
@settings(derandomize=True, deadline=None, max_examples=120)
def test_every_time_is_that_of_networkx(
    town, neighbours: int, slope: str, is_to: bool, steepness: float, speeds: dict[int, float]
) -> None:
    grid, classes, height, facilities = town
    is_flat, height = steepness == 0, height * steepness
    surface = friction_surface(classes, speeds, grid, elevation_m=None if is_flat else height, slope=slope)
    direction = "to-facility" if is_to else "from-facility"
    found = times(surface, *facilities, neighbours=neighbours, direction=direction)
    graph = network(grid, classes, None if is_flat else height, neighbours, slope, speeds)
    if is_to:
        graph = graph.reverse()
    starts = {int(cell) for cell in facilities if classes[cell] != 0}
    reached = nx.multi_source_dijkstra_path_length(graph, starts, weight="time") if starts else {}
    expected = np.array([reached.get(cell, np.inf) for cell in range(grid.n_cells)])
    # Beyond the largest float32 nothing is reached in any time that could be told.
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected.astype(np.float32), rtol=1e-6)


def elevation_of_porto_alegre(real_data: Path) -> np.ndarray:
    with rasterio.open(real_data / "porto_alegre" / "poa_elevation.tif") as file:
        return file.read(1).astype(float)


@pytest.mark.parametrize("has_lake", [False, True])
def test_real_ground_agrees_with_scikit_image(real_data: Path, has_lake: bool) -> None:
    height = elevation_of_porto_alegre(real_data)
    rows, cols = height.shape
    lake = np.zeros(height.shape, dtype=bool)
    if has_lake:  # in blocks of four, each a side from the next, so that no two barriers touch at a corner alone
        lake[: rows // 4 * 4, : cols // 4 * 4] = np.kron(
            height[2::4, 2::4][: rows // 4, : cols // 4] < 4, np.ones((4, 4))
        )
        lake = np.logical_or(lake, touching_corners(lake))
        assert 0 < lake.sum() < lake.size / 2
    surface = friction_surface(
        np.where(lake, 0, 1).ravel(), {0: 0.0, 1: TOBLER_FLAT_KMH}, grid_of(rows, cols, 30.0),
        elevation_m=height.ravel(), slope="steepness",
    )  # fmt: skip
    facilities = np.random.default_rng(7).choice(np.flatnonzero(~lake.ravel()), 25, replace=False)
    # The slowness by its own formula: mean of up and down at the greatest slope.
    steep = np.hypot(*np.gradient(height, 30.0))
    slowness = 3.6 / 6 * (np.exp(3.5 * (steep + 0.05)) + np.exp(3.5 * np.abs(0.05 - steep))) / 2
    seconds = np.where(lake, -1, slowness * 30)
    expected, _ = MCP_Geometric(seconds, fully_connected=True).find_costs(np.stack(np.divmod(facilities, cols), axis=1))
    found = times(surface, *facilities, neighbours=8)
    np.testing.assert_allclose(found, np.where(lake, np.inf, expected).ravel(), rtol=2e-7)
    nearer = times(surface, *facilities, neighbours=16)
    assert (nearer <= found).all()


def touching_corners(barrier: np.ndarray) -> np.ndarray:
    """Cells that join barriers touching at a corner; once is enough for blocks of four cells and more."""
    joining = np.zeros(barrier.shape, dtype=bool)
    while True:
        all_of_them = barrier | joining
        one = all_of_them[:-1, :-1] & all_of_them[1:, 1:] & ~all_of_them[:-1, 1:] & ~all_of_them[1:, :-1]
        other = all_of_them[:-1, 1:] & all_of_them[1:, :-1] & ~all_of_them[:-1, :-1] & ~all_of_them[1:, 1:]
        if not (one.any() or other.any()):
            return joining
        joining[:-1, 1:] |= one
        joining[:-1, :-1] |= other


def test_uphill_takes_longer_than_a_little_downhill() -> None:
    # 10 % up and down again over 10 m cells at 1 m/s.
    surface = friction_surface(np.array([1, 1, 1]), WALK, grid_of(1, 3), elevation_m=np.array([0.0, 1.0, 0.5]))
    to = times(surface, 0)
    assert to[1] == pytest.approx(10 * tobler(-0.1))
    assert to[2] == pytest.approx(10 * tobler(0.05) + 10 * tobler(-0.1))
    back = times(surface, 0, direction="from-facility")
    assert back[1] == pytest.approx(10 * tobler(0.1))
    assert back[2] == pytest.approx(10 * tobler(0.1) + 10 * tobler(-0.05))
    assert tobler(-0.05) == pytest.approx(math.exp(-3.5 * 0.05))


def test_the_speed_of_a_class_is_toblers_on_any_slope() -> None:
    for slope in (-0.3, -0.05, 0.0, 0.2):
        surface = friction_surface(
            np.array([1, 1]), {1: TOBLER_FLAT_KMH}, grid_of(1, 2), elevation_m=np.array([0.0, -10 * slope])
        )
        kmh = 10 / times(surface, 1)[0] * 3.6
        assert kmh == pytest.approx(6 * math.exp(-3.5 * abs(-slope + 0.05)), rel=1e-6)


def test_slopes_do_not_count_on_driven_classes() -> None:
    classes, height = np.array([1, 3, 3]), np.array([0.0, 2.0, 9.0])
    surface = friction_surface(classes, SPEEDS, grid_of(1, 3), elevation_m=height, driven=[3])
    # The first half of the first step is walked up 20 %; the rest is driven at 40 km/h.
    assert times(surface, 2)[0] == pytest.approx(5 * tobler(0.2) + 15 * 3.6 / 40)
    steep = friction_surface(classes, SPEEDS, grid_of(1, 3), elevation_m=height, slope="steepness", driven=[3])
    assert steep.slowness_s_per_m[1:].tolist() == pytest.approx([0.09, 0.09])
    assert steep.slowness_s_per_m[0] == pytest.approx((tobler(0.2) + tobler(-0.2)) / 2)


def test_unknown_elevations_are_flat_and_counted() -> None:
    height = np.array([0.0, np.nan, 1.0, np.nan])
    for slope in ("directional", "both-ways", "steepness"):
        surface = friction_surface(np.array([1, 1, 1, 0]), SPEEDS, grid_of(1, 4), elevation_m=height, slope=slope)
        assert surface.cells_without_elevation == 1
        assert times(surface, 0).tolist() == pytest.approx([0, 10, 20, np.inf])


@given(towns(), st.sampled_from([8, 16]), st.integers(0, 48))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_another_facility_never_makes_it_longer(town, neighbours: int, more: int) -> None:
    grid, classes, height, facilities = town
    surface = friction_surface(classes, SPEEDS, grid, elevation_m=height)
    before = times(surface, *facilities, neighbours=neighbours)
    assert (times(surface, *facilities, more % grid.n_cells, neighbours=neighbours) <= before).all()


@given(towns(), st.sampled_from([8, 16]), st.floats(0.1, 20))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_times_scale_with_speeds(town, neighbours: int, factor: float) -> None:
    grid, classes, height, facilities = town
    slow, fast = (
        times(
            friction_surface(classes, {code: by * kmh for code, kmh in SPEEDS.items()}, grid, elevation_m=height),
            *facilities, neighbours=neighbours,
        )
        for by in (1.0, factor)
    )  # fmt: skip
    np.testing.assert_allclose(slow, fast * factor, rtol=1e-6)


@given(towns(), st.sampled_from([8, 16]), st.sampled_from(["both-ways", "steepness"]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_isotropic_times_are_the_same_both_ways(town, neighbours: int, slope: str) -> None:
    grid, classes, height, _ = town
    surface = friction_surface(classes, SPEEDS, grid, elevation_m=height, slope=slope)
    each = friction_costs(surface, [np.array([cell]) for cell in range(grid.n_cells)], neighbours=neighbours).time_s
    np.testing.assert_allclose(each, each.T, rtol=1e-6)
    other = friction_costs(
        surface, [np.array([cell]) for cell in range(grid.n_cells)], neighbours=neighbours, direction="from-facility"
    ).time_s
    np.testing.assert_array_equal(each, other)


@given(towns(), st.floats(0, 40))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_a_limit_cuts_off_what_is_further_and_changes_nothing_else(town, limit_s: float) -> None:
    grid, classes, height, facilities = town
    surface = friction_surface(classes, SPEEDS, grid, elevation_m=height)
    whole, cut = times(surface, *facilities), times(surface, *facilities, limit_s=limit_s)
    np.testing.assert_array_equal(cut, np.where(whole <= np.float32(limit_s), whole, np.inf))


@given(towns(), st.integers(0, 48), st.booleans(), st.sampled_from([math.inf, 25.0]))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_an_added_facility_is_what_a_new_search_finds(town, more: int, is_to: bool, limit_s: float) -> None:
    grid, classes, height, facilities = town
    surface = friction_surface(classes, SPEEDS, grid, elevation_m=height)
    how = {"direction": "to-facility" if is_to else "from-facility", "limit_s": limit_s}
    added = np.array([more % grid.n_cells, -1])
    before = friction_costs(surface, [facilities[:1], facilities], **how)
    found = with_facilities(surface, before, 1, added)
    expected = friction_costs(surface, [facilities[:1], np.concatenate((facilities, added))], **how)
    for name in ("time_s", "facilities_on_barrier", "facilities_outside"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert before.facilities_outside.tolist() == [0, 0]


def test_open_ground_is_close_to_a_circle() -> None:
    grid = grid_of(101, 101)
    surface = friction_surface(np.ones(grid.n_cells, dtype=int), WALK, grid)
    straight = np.hypot(*(grid.centres_m() - grid.centres_m()[50 * 101 + 50]).T)
    for neighbours, most in ((8, 1.0824), (16, 1.0275)):
        found = times(surface, 50 * 101 + 50, neighbours=neighbours)
        ratio = found[straight > 0] / straight[straight > 0]
        assert 0.999999 < ratio.min() < ratio.max() < most


def test_many_services_in_threads_are_what_each_is_alone() -> None:
    rng = np.random.default_rng(3)
    grid = grid_of(60, 50)
    surface = friction_surface(
        rng.choice([0, 1, 2, 3], grid.n_cells), SPEEDS, grid, elevation_m=rng.uniform(0, 9, 3000)
    )
    services = [rng.integers(0, grid.n_cells, size) for size in (0, 1, 5, 5, 40, 300)]
    together = friction_costs(surface, services, threads=4)
    for number, cells in enumerate(services):
        np.testing.assert_array_equal(together.time_s[number], times(surface, *cells))
    assert np.isinf(together.time_s[0]).all()
    assert (together.time_s[5][np.setdiff1d(services[5], np.flatnonzero(surface.is_barrier))] == 0).all()


def test_people_and_facilities_in_the_river_are_reported() -> None:
    surface = friction_surface(np.array([1, 0, 1]), SPEEDS, grid_of(1, 3))
    assert people_on_barrier(surface, np.array([5.0, 7.5, 1.0])) == 7.5
    result = friction_costs(surface, [np.array([1, -1, -1]), np.array([0, 1])])
    assert result.facilities_on_barrier.tolist() == [1, 1]
    assert result.facilities_outside.tolist() == [2, 0]
    assert np.isinf(result.time_s[0]).all()
    assert result.time_s[1].tolist() == [0, np.inf, np.inf]


def test_points_find_their_cells() -> None:
    grid = grid_of(2, 3)
    points = [shapely.Point(0, 20), shapely.Point(29.9, 0.1), shapely.Point(30, 5), shapely.Point(), None]
    assert cells_of_points(points, grid).tolist() == [0, 5, -1, -1, -1]


@given(st.integers(0, 100_000))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_lines_cross_the_cells_that_shapely_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = grid_of(6, 7)
    line = shapely.LineString(rng.uniform(-20, 90, (rng.integers(2, 6), 2)))
    boxes = [
        shapely.box(col * 10, 60 - row * 10 - 10, col * 10 + 10, 60 - row * 10) for row in range(6) for col in range(7)
    ]
    # The random line goes through no corner.
    assert cells_crossed(line, grid).tolist() == np.flatnonzero(shapely.intersects(boxes, line)).tolist()


@given(st.integers(0, 100_000))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_cells_of_a_line_through_corners_hang_together_by_sides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = grid_of(8, 8)
    line = shapely.LineString(rng.integers(1, 16, (3, 2)) * 5.0)
    rows, cols = np.divmod(cells_crossed(line, grid), 8)
    graph = nx.Graph()
    graph.add_nodes_from(zip(rows.tolist(), cols.tolist(), strict=True))
    graph.add_edges_from((a, b) for a, b in product(graph, repeat=2) if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1)
    assert nx.is_connected(graph)


def test_a_line_of_no_length_and_one_outside() -> None:
    grid = grid_of(2, 2)
    assert cells_crossed(shapely.LineString([(5, 5), (5, 5)]), grid).tolist() == [2]
    assert cells_crossed([shapely.LineString([(50, 50), (90, 60)]), None], grid).tolist() == []


def searched(grid: Grid) -> tuple[Surface, FrictionCosts]:
    surface = friction_surface(np.ones(grid.n_cells, dtype=int), SPEEDS, grid)
    return surface, friction_costs(surface, [np.array([0])])


def test_what_does_not_fit_is_refused() -> None:
    grid, fine = grid_of(1, 2), np.array([1, 1])
    for code, make in (
        ("length_mismatch", lambda: friction_surface(np.ones(3, dtype=int), SPEEDS, grid)),
        ("length_mismatch", lambda: friction_surface(fine, SPEEDS, grid, elevation_m=np.zeros(3))),
        ("bad_elevation", lambda: friction_surface(fine, SPEEDS, grid, elevation_m=np.array([0, np.inf]))),
        ("bad_slope", lambda: friction_surface(fine, SPEEDS, grid, slope="up")),
        ("unknown_class", lambda: friction_surface(np.array([1, 9]), SPEEDS, grid)),
        ("bad_speed", lambda: friction_surface(fine, {1: -1.0}, grid)),
        ("bad_speed", lambda: friction_surface(fine, {1: math.nan}, grid)),
        ("bad_speed", lambda: friction_surface(fine, {1: math.inf}, grid)),
        ("bad_cell_index", lambda: burnt(fine, np.array([2]), 1)),
        ("bad_cell_index", lambda: times(friction_surface(fine, SPEEDS, grid), 2)),
        ("bad_cell_index", lambda: times(friction_surface(fine, SPEEDS, grid), -2)),
        ("bad_walk_direction", lambda: times(friction_surface(fine, SPEEDS, grid), 0, direction="sideways")),
        ("bad_neighbours", lambda: times(friction_surface(fine, SPEEDS, grid), 0, neighbours=4)),
        ("bad_threshold", lambda: times(friction_surface(fine, SPEEDS, grid), 0, limit_s=-1.0)),
        ("bad_threshold", lambda: times(friction_surface(fine, SPEEDS, grid), 0, limit_s=math.nan)),
        ("length_mismatch", lambda: people_on_barrier(friction_surface(fine, SPEEDS, grid), np.ones(3))),
        ("bad_population", lambda: people_on_barrier(friction_surface(fine, SPEEDS, grid), np.array([1, -1]))),
        ("unknown_service", lambda: with_facilities(*searched(grid), 1, fine)),
        ("bad_cell_index", lambda: with_facilities(*searched(grid), 0, fine + 1)),
        ("length_mismatch", lambda: with_facilities(searched(grid_of(1, 3))[0], searched(grid)[1], 0, fine)),
        ("not_finite", lambda: cells_crossed(shapely.LineString([(0, 0), (np.inf, 1)]), grid)),
    ):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.code == code


def test_no_services_and_huge_limits_are_answered() -> None:
    surface = friction_surface(np.array([1, 1]), SPEEDS, grid_of(1, 2))
    assert friction_costs(surface, []).time_s.shape == (0, 2)
    assert times(surface, 0, limit_s=0.0).tolist() == [0, np.inf]
    assert times(surface, 0, limit_s=1e9).tolist() == [0, 10]


@pytest.mark.parametrize("slope", ["directional", "both-ways", "steepness"])
def test_a_cliff_is_walked_round_and_never_overflows(slope: str) -> None:
    height = np.array([0.0, 1e6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    surface = friction_surface(np.ones(10, dtype=int), WALK, grid_of(2, 5), elevation_m=height, slope=slope)
    found = times(surface, 0)
    assert not np.isnan(found).any()
    if slope != "steepness":
        assert found[2] == pytest.approx(20 * math.sqrt(2))
    # Who is driven goes straight over it.
    lift = friction_surface(np.full(10, 3), {3: 3.6}, grid_of(2, 5), elevation_m=height, slope=slope, driven=[3])
    assert times(lift, 0)[:3].tolist() == pytest.approx([0, 10, 20])
