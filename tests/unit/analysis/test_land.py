"""Per-capita land: by hand, against loops over all pairs of cells, and conservation of land."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.capacity import floating_catchments_of_cells, within
from analysis.core.land import land_each_within_m2, land_reached, land_within
from geo.core.grid import Grid
from geo.errors import InvalidInput


@st.composite
def cities(draw: st.DrawFn) -> tuple[Grid, np.ndarray, np.ndarray]:
    """A small grid, land in few of its cells, people in most."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    grid = Grid(32639, 0.0, 0.0, 20.0, draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    land = rng.uniform(0, 400, grid.n_cells) * (rng.random(grid.n_cells) < 0.3)
    people = rng.gamma(1, 10, grid.n_cells) * (rng.random(grid.n_cells) < draw(st.sampled_from([0.0, 0.2, 0.8])))
    return grid, land, people


def shares(grid: Grid, threshold_m: float) -> np.ndarray:
    """How much each cell counts for each other, from their distances."""
    xy = grid.centres_m()
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    covered = np.clip((threshold_m - distance) / grid.cell_m + 0.5, 0, 1)
    np.fill_diagonal(covered, 1)
    return covered


def test_within_places_by_hand() -> None:
    found = land_within(np.array([600.0, 900.0, 50.0, 0.0]), np.array([100.0, 100.0, 0.0, 10.0]), 8.0)
    assert found.per_capita_m2[[0, 1, 3]].tolist() == [6, 9, 0]
    assert found.balance_m2[[0, 1, 3]].tolist() == [-2, 1, -8]
    assert found.deficit_m2.tolist() == [200, 0, 0, 80]
    assert found.deficit_people.tolist() == [25, 0, 0, 10]
    assert np.isnan(found.per_capita_m2[2])
    assert np.isnan(found.balance_m2[2])


def test_a_standard_of_zero_lacks_nothing() -> None:
    found = land_within(np.zeros(1), np.ones(1), 0.0)
    assert found.deficit_m2.tolist() == found.deficit_people.tolist() == [0]


def test_a_park_is_shared_by_those_who_reach_it() -> None:
    grid = Grid(32639, 0.0, 0.0, 100.0, 1, 5)
    park, people = np.array([0.0, 600.0, 0, 0, 0]), np.array([10.0, 20.0, 30.0, 40.0, 0.0])
    # Within 150 m: the cells beside it wholly, and none further.
    assert land_each_within_m2(park, people, grid, 150.0) == pytest.approx([10, 10, 10, 0, 0])
    # Within 100 m the threshold cuts the cells beside it: half of them; 600 / (5 + 20 + 15) = 15.
    assert land_each_within_m2(park, people, grid, 100.0) == pytest.approx([7.5, 15, 7.5, 0, 0])


@given(cities(), st.floats(0, 300))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_land_within_reach_is_that_of_loops_over_cells(city, threshold_m: float) -> None:
    grid, land, people = city
    covered = shares(grid, threshold_m)
    reach = covered.T @ people
    ratio = np.array([s / p if p > 1e-6 else 0.0 for s, p in zip(land, reach, strict=True)])
    found = land_each_within_m2(land, people, grid, threshold_m)
    scale = ratio.max(initial=0.0) + 1e-12
    np.testing.assert_allclose(found, covered @ ratio, rtol=1e-8, atol=1e-9 * scale)
    assert found @ people == pytest.approx(land[reach > 1e-6].sum(), rel=1e-8, abs=1e-6)


@given(cities(), st.sampled_from([30.0, 90.0]))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_thresholds_between_rings_of_cells_are_floating_catchments(city, threshold_m: float) -> None:
    # A threshold that cuts no cell: a distance is a multiple of 20 m along a row.
    grid, land, people = city
    row = Grid(32639, 0.0, 0.0, 20.0, 1, grid.n_cells)
    at = row.x_centres_m()
    expected = floating_catchments_of_cells(np.abs(at[:, None] - at), people, land, within(threshold_m)).access
    found = land_each_within_m2(land, people, row, threshold_m)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("threshold_m", [0.0, 1e9])
def test_thresholds_of_nothing_and_of_everything(threshold_m: float) -> None:
    grid = Grid(32639, 0.0, 0.0, 20.0, 3, 4)
    land, people = np.arange(12.0), np.ones(12)
    expected = land if threshold_m == 0 else np.full(12, land.sum() / 12)
    assert land_each_within_m2(land, people, grid, threshold_m) == pytest.approx(expected)


def test_no_people_no_land_and_people_far_away() -> None:
    grid = Grid(32639, 0.0, 0.0, 20.0, 1, 40)
    none, all_of_it = np.zeros(40), np.ones(40)
    assert land_each_within_m2(all_of_it, none, grid, 100.0).tolist() == [0] * 40
    assert land_each_within_m2(none, all_of_it, grid, 100.0).tolist() == [0] * 40
    land, people = none.copy(), none.copy()
    land[0], people[39] = 500, 1e6
    assert land_each_within_m2(land, people, grid, 100.0).tolist() == [0] * 40


def test_reach_of_places_does_not_hide_a_lack_behind_a_surplus() -> None:
    places = sparse.csr_matrix([[1.0, 1.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
    found = land_reached(np.array([12.0, 5.0, 4.0]), np.array([10.0, 20.0, 40.0]), places, 8.0)
    assert found.people.tolist() == [30, 20, 0]
    assert found.per_capita_m2[:2] == pytest.approx([220 / 30, 4])
    assert found.deficit_m2.tolist() == [60, 80, 0]
    assert found.deficit_people.tolist() == [7.5, 10, 0]
    assert np.isnan(found.per_capita_m2[2])


def test_a_large_city_is_quick_and_keeps_its_land() -> None:
    rng = np.random.default_rng(1)
    grid = Grid(32639, 0.0, 0.0, 20.0, 500, 600)
    land = 400.0 * (rng.random(grid.n_cells) < 0.02)
    people = rng.gamma(0.3, 20, grid.n_cells)
    found = land_each_within_m2(land, people, grid, 800.0)
    assert found @ people == pytest.approx(land.sum(), rel=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    grid, one = Grid(32639, 0.0, 0.0, 20.0, 1, 1), np.ones(1)
    places = sparse.csr_matrix([[1.0]])
    for code, make in (
        ("length_mismatch", lambda: land_within(one, np.ones(2), 1.0)),
        ("length_mismatch", lambda: land_reached(one, np.ones(2), places, 1.0)),
        ("length_mismatch", lambda: land_each_within_m2(one, np.ones(2), grid, 1.0)),
        ("bad_land", lambda: land_within(-one, one, 1.0)),
        ("bad_land", lambda: land_reached(one * np.nan, one, places, 1.0)),
        ("bad_land", lambda: land_each_within_m2(one * np.inf, one, grid, 1.0)),
        ("bad_population", lambda: land_within(one, -one, 1.0)),
        ("bad_population", lambda: land_each_within_m2(one, one * np.nan, grid, 1.0)),
        ("bad_standard", lambda: land_within(one, one, -1.0)),
        ("bad_standard", lambda: land_reached(one, one, places, np.nan)),
        ("bad_threshold", lambda: land_each_within_m2(one, one, grid, -1.0)),
        ("bad_threshold", lambda: land_each_within_m2(one, one, grid, np.inf)),
    ):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.code == code
