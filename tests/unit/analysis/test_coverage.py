"""Coverage: a town checked by hand, exact polygons as the reference, and what must hold for any town."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.cost import straight_cost_m
from analysis.core.coverage import (
    Coverage,
    CoverageInputs,
    coverage,
    coverage_of,
    distance_curve,
    distance_percentiles_m,
    edge_distance_m,
    prepare,
    united,
    with_cost,
)
from geo.core.cell_shares import cell_fractions
from geo.core.grid import grid_around
from geo.errors import InvalidInput

# Two places on four cells of 100 m. Place 0 is cell 0 and half of cell 1; place 1 is the other half and cell 2.
# Cell 3 belongs to none.
FRACTIONS = sparse.csr_matrix([[1.0, 0.5, 0.0, 0.0], [0.0, 0.5, 1.0, 0.0]])
PEOPLE = np.array([30.0, 20.0, 60.0, 1000.0])
COSTS = np.array([[0.0, 100.0, 200.0, 5.0], [np.inf, 400.0, 310.0, 5.0]], dtype=np.float32)
TOWN = prepare(FRACTIONS, PEOPLE, COSTS, 100.0)


def tables(result: Coverage) -> list[np.ndarray]:
    names = ("population_share", "area_share", "uncovered_people", "mean_distance_m", "unreachable_people", "edge_flag")
    return [getattr(result, name) for name in names]


def test_the_town_by_hand() -> None:
    result = coverage(TOWN, [100.0, 300.0])
    assert result.area_m2.tolist() == [15_000, 15_000]
    assert result.population.tolist() == [40, 70]  # 30 + 20/2; 20/2 + 60
    # Service 0 at 100 m covers cell 0 wholly and cell 1, whose centre is exactly at 100 m, by half.
    # Place 0: 30 + 10/2 of 40. Place 1: 10/2 of 70.
    assert result.population_share[:, 0] == pytest.approx([35 / 40, 5 / 70])
    assert result.area_share[:, 0] == pytest.approx([12_500 / 15_000, 2_500 / 15_000])
    assert result.uncovered_people[:, 0] == pytest.approx([5, 65])
    # Means: (30·0 + 10·100)/40; (10·100 + 60·200)/70.
    assert result.mean_distance_m[:, 0] == pytest.approx([25, 13_000 / 70])
    # Service 1 at 300 m: cell 0 unreachable; cell 1: (300 − 400)/100 + ½ < 0; cell 2: (300 − 310)/100 + ½ = 0.4.
    assert result.population_share[:, 1] == pytest.approx([0, 24 / 70])
    assert result.unreachable_people[:, 1] == pytest.approx([30, 0])
    # The mean of place 0 is that of the ten people who reach it.
    assert result.mean_distance_m[:, 1] == pytest.approx([400, (10 * 400 + 60 * 310) / 70])
    assert not result.edge_flag.any()


def test_percentiles_by_hand() -> None:
    # Place 0: 30 people at 0 m, 10 at 100 m. Place 1: 10 at 100 m, 60 at 200 m.
    assert distance_percentiles_m(TOWN, 0, [50, 75, 76, 100]).tolist() == [[0, 0, 100, 100], [200, 200, 200, 200]]
    assert distance_percentiles_m(TOWN, 0, [100 / 7])[1].tolist() == [100]
    assert distance_percentiles_m(TOWN, 1, [25, 26])[0].tolist() == [400, np.inf]


def test_a_service_nobody_reaches() -> None:
    result = coverage(prepare(FRACTIONS, PEOPLE, np.full((1, 4), np.inf), 100.0), [500.0])
    assert result.population_share.tolist() == [[0], [0]]
    assert result.unreachable_people[:, 0].tolist() == [40, 70]
    assert np.isnan(result.mean_distance_m).all()


def test_places_without_people_or_land_have_no_share() -> None:
    fractions = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    result = coverage(prepare(fractions, np.array([10.0, 0.0]), np.array([[0.0, 0.0]]), 10.0), [100.0])
    assert result.population_share[0, 0] == 1
    assert np.isnan(result.population_share[1:, 0]).all()
    assert result.area_share[:2, 0].tolist() == [1, 1]
    assert np.isnan(result.area_share[2, 0])
    assert result.uncovered_people[:, 0].tolist() == [0, 0, 0]
    assert np.isnan(distance_percentiles_m(prepare(fractions, np.zeros(2), np.zeros((1, 2)), 10.0), 0, [50])).all()


def test_a_place_wholly_covered_has_a_share_of_exactly_one() -> None:
    rng = np.random.default_rng(4)
    fractions = sparse.csr_matrix(rng.uniform(0, 1, (20, 300)))
    result = coverage(prepare(fractions, rng.gamma(1, 3, 300), rng.uniform(0, 500, (1, 300)), 20.0), [600.0])
    assert (result.population_share == 1).all()
    assert (result.area_share == 1).all()
    assert (result.uncovered_people == 0).all()


def test_inside_a_facility_everybody_is_covered_at_any_threshold() -> None:
    inputs = prepare(sparse.csr_matrix([[1.0, 1.0]]), np.array([1.0, 1.0]), np.array([[0.0, 50.0]]), 100.0)
    assert coverage(inputs, [0.0]).population_share[0, 0] == 0.5


def test_places_near_the_edge_of_the_data_are_flagged() -> None:
    extent = shapely.box(0, 0, 1000, 1000)
    places = [shapely.box(400, 400, 600, 600), shapely.box(100, 100, 200, 200), shapely.box(900, 900, 1100, 950)]
    distance = edge_distance_m(places, extent)
    assert distance.tolist() == [400, 100, 0]
    inputs = prepare(sparse.csr_matrix(np.ones((3, 1))), np.ones(1), np.zeros((2, 1)), 100.0, distance)
    assert coverage(inputs, [100.0, 300.0]).edge_flag.tolist() == [[False, False], [False, True], [True, True]]


TILE = shapely.box(0, 0, 2, 2)


@pytest.mark.parametrize(
    "others",
    [
        [],
        [shapely.box(2, 0, 4, 2)],
        [shapely.box(2, 1, 4, 3)],  # beside it, without a vertex of it
        [TILE],
        [shapely.box(1, 1, 3, 3)],
        [shapely.box(0.5, 0.5, 1, 1)],
        [shapely.box(1, 0, 3, 2)],
        [shapely.MultiPolygon([shapely.box(2, 0, 4, 2), shapely.box(7, 7, 8, 8)]), shapely.box(2, 2, 4, 4)],
    ],
)
def test_united_is_the_union_however_polygons_lie(others: list[shapely.Geometry]) -> None:
    polygons = np.array([TILE, *others], dtype=object)
    assert united(polygons).equals(shapely.union_all(polygons))


@pytest.mark.parametrize("seed", range(3))
def test_distances_from_the_edge_are_those_of_the_polygons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = shapely.buffer(shapely.Point(0, 0), 3000, quad_segs=100)
    extent = shapely.difference(whole, shapely.buffer(shapely.Point(rng.uniform(-1500, 1500, 2)), 200))
    places = shapely.buffer(shapely.points(rng.uniform(-2500, 2500, (200, 2))), rng.uniform(20, 400, 200))
    places[::3] = shapely.difference(places[::3], shapely.buffer(shapely.centroid(places[::3]), 5))
    places[1::3] = shapely.union(places[1::3], shapely.buffer(shapely.points(rng.uniform(-500, 500, (67, 2))), 30))
    inside = shapely.covers(extent, places)
    assert inside.any()
    assert not inside.all()
    expected = np.where(inside, shapely.distance(extent.boundary, places), 0.0)
    np.testing.assert_allclose(edge_distance_m(places, extent), expected, rtol=1e-12, atol=1e-9)


def city(seed: int) -> tuple[np.ndarray, np.ndarray, CoverageInputs, np.ndarray]:
    """Give 30 tiles, 12 facilities, the inputs at 20 m, and the thresholds."""
    rng = np.random.default_rng(seed)
    area = shapely.box(0, 0, 4000, 3000)
    seeds = shapely.multipoints(rng.uniform((0, 0), (4000, 3000), (30, 2)))
    tiles = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=area)), area)
    grid = grid_around(area.bounds, 32639, 20.0, 500.0)
    facilities = rng.uniform((-400, -400), (4400, 3400), (12, 2))
    costs = np.stack([straight_cost_m(shapely.points(facilities), grid), straight_cost_m(tiles[::9], grid)])
    people = rng.gamma(0.7, 5, grid.n_cells)
    return tiles, facilities, prepare(cell_fractions(tiles, grid), people, costs, 20.0), np.array([350.0, 200.0])


@pytest.mark.parametrize("seed", range(5))
def test_area_shares_agree_with_exact_polygons(seed: int) -> None:
    tiles, facilities, inputs, thresholds = city(seed)
    found = coverage(inputs, thresholds).area_share
    reach = (
        shapely.union_all(shapely.buffer(shapely.points(facilities), 350, quad_segs=64)),
        shapely.union_all(shapely.buffer(tiles[::9], 200, quad_segs=64)),
    )
    for service, area in enumerate(reach):
        exact = shapely.area(shapely.intersection(tiles, area)) / shapely.area(tiles)
        error = np.abs(found[:, service] - exact)
        assert error.max() < 0.005
        assert error.mean() < 0.0005


def test_the_product_equals_plain_arrays() -> None:
    _, _, inputs, thresholds = city(1)
    covered = np.clip((thresholds[:, None] - inputs.cost_m.astype(float)) / 20 + 0.5, 0, 1)
    weights = inputs.place_fractions.toarray() * inputs.people
    expected = weights @ covered.T / weights.sum(axis=1)[:, None]
    np.testing.assert_allclose(coverage(inputs, thresholds).population_share, expected, atol=1e-6)


def test_one_service_and_the_curve_are_columns_of_the_whole() -> None:
    _, _, inputs, thresholds = city(2)
    whole = coverage(inputs, thresholds)
    moved = whole.with_service(1, coverage_of(inputs, 1, 275.0))
    for found, expected in zip(tables(moved), tables(coverage(inputs, [350.0, 275.0])), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert moved.thresholds_m.tolist() == [350, 275]
    assert whole.thresholds_m.tolist() == [350, 200]
    curve = distance_curve(inputs, 0, [100.0, 350.0, 0.0])
    np.testing.assert_array_equal(curve[:, 1], whole.population_share[:, 0])
    assert (curve[:, 2] <= curve[:, 0]).all()


def test_a_replaced_column_equals_a_fresh_start() -> None:
    _, _, inputs, thresholds = city(3)
    cost_m = inputs.cost_m[0] * np.float32(0.5)
    cost_m[::7] = np.inf
    replaced = with_cost(inputs, 0, cost_m)
    fresh = prepare(inputs.place_fractions, inputs.people, np.stack([cost_m, inputs.cost_m[1]]), 20.0)
    for found, expected in zip(
        tables(coverage(replaced, thresholds)), tables(coverage(fresh, thresholds)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(inputs.cost_m[0] * np.float32(0.5) != cost_m, np.arange(cost_m.size) % 7 == 0)


@given(st.integers(0, 10_000), st.floats(0, 800), st.floats(0, 800))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_a_larger_threshold_never_covers_fewer(seed: int, one: float, other: float) -> None:
    inputs = random_inputs(seed)
    low, high = (coverage_of(inputs, 0, threshold) for threshold in sorted((one, other)))
    for more, fewer in ((high.population_share, low.population_share), (high.area_share, low.area_share)):
        np.testing.assert_array_equal(np.isnan(more), np.isnan(fewer))
        assert not (more < fewer - 1e-12).any()
    assert (high.uncovered_people <= low.uncovered_people + 1e-9).all()


@given(st.integers(0, 10_000), st.floats(0, 800))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_another_facility_never_uncovers_anybody(seed: int, threshold: float) -> None:
    inputs = random_inputs(seed)
    nearer = np.minimum(inputs.cost_m[0], np.random.default_rng(seed + 1).uniform(0, 900, inputs.cost_m.shape[1]))
    before, after = coverage_of(inputs, 0, threshold), coverage_of(with_cost(inputs, 0, nearer), 0, threshold)
    assert (after.uncovered_people <= before.uncovered_people + 1e-9).all()


@given(st.integers(0, 10_000), st.floats(0, 800))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_other_numbering_of_places_cells_and_services_changes_nothing(seed: int, threshold: float) -> None:
    inputs = random_inputs(seed)
    rng = np.random.default_rng(seed + 2)
    place, cell = rng.permutation(inputs.n_places), rng.permutation(inputs.people.size)
    shuffled = prepare(
        inputs.place_fractions[place][:, cell], inputs.people[cell], inputs.cost_m[::-1][:, cell], inputs.cell_m
    )
    one, other = coverage(inputs, [threshold, 100.0]), coverage(shuffled, [100.0, threshold])
    for found, expected in zip(tables(other), tables(one), strict=True):
        np.testing.assert_allclose(found, expected[place][:, ::-1], rtol=1e-9, atol=1e-9)


@given(st.integers(0, 10_000), st.floats(0, 800))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_parts_sum_to_the_whole(seed: int, threshold: float) -> None:
    inputs = random_inputs(seed)
    union = prepare(sparse.csr_matrix(inputs.place_fractions.sum(axis=0)), inputs.people, inputs.cost_m, inputs.cell_m)
    parts, whole = coverage(inputs, [threshold] * 2), coverage(union, [threshold] * 2)
    assert parts.population.sum() == pytest.approx(whole.population[0], rel=1e-9)
    np.testing.assert_allclose(parts.uncovered_people.sum(axis=0), whole.uncovered_people[0], rtol=1e-9, atol=1e-9)


def random_inputs(seed: int) -> CoverageInputs:
    rng = np.random.default_rng(seed)
    n_cells = int(rng.integers(1, 200))
    owner = rng.integers(0, 6, n_cells)
    fractions = sparse.csr_matrix((rng.uniform(0.1, 1, n_cells), (owner, np.arange(n_cells))), shape=(7, n_cells))
    cost = rng.uniform(0, 1000, (2, n_cells))
    cost[:, rng.random(n_cells) < 0.1] = np.inf
    cost[:, rng.random(n_cells) < 0.1] = 0.0
    people = rng.gamma(0.5, 10, n_cells) + 0.01
    return prepare(fractions[:6], people, cost, float(rng.choice([10.0, 100.0])))


def test_inputs_that_do_not_fit_are_refused() -> None:
    for people, cost, cell_m in (
        (PEOPLE[:3], COSTS, 100.0),
        (PEOPLE, COSTS[:, :3], 100.0),
        (PEOPLE, COSTS, 0.0),
        (PEOPLE, -COSTS - 1, 100.0),
        (PEOPLE, COSTS * np.float32("nan"), 100.0),
        (-PEOPLE, COSTS, 100.0),
    ):
        with pytest.raises(InvalidInput):
            prepare(FRACTIONS, people, cost, cell_m)
    with pytest.raises(InvalidInput, match="edge of the data"):
        prepare(FRACTIONS, PEOPLE, COSTS, 100.0, np.array([1.0]))


def test_questions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2 services need as many thresholds"):
        coverage(TOWN, [100.0])
    for threshold in (-1.0, np.nan, np.inf):
        with pytest.raises(InvalidInput, match="not possible"):
            coverage_of(TOWN, 0, threshold)
        with pytest.raises(InvalidInput, match="not possible"):
            distance_curve(TOWN, 0, [threshold])
    for service in (-1, 2):
        with pytest.raises(InvalidInput, match="no service number"):
            coverage_of(TOWN, service, 1.0)
    with pytest.raises(InvalidInput, match="do not fit the grid"):
        with_cost(TOWN, 0, np.array([1.0]))
    with pytest.raises(InvalidInput, match="percentile"):
        distance_percentiles_m(TOWN, 0, [0])


def test_a_city_without_services_has_places_and_no_columns() -> None:
    result = coverage(prepare(FRACTIONS, PEOPLE, np.empty((0, 4)), 100.0), [])
    assert result.population.tolist() == [40, 70]
    assert [table.shape for table in tables(result)] == [(2, 0)] * 6


def test_inputs_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        TOWN.cell_m = 5.0
