"""Utilities in three ways: each by hand, and none mixed with another unless it is said."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.coverage import coverage_of, prepare
from analysis.core.utilities import (
    UtilityCoverage,
    covered_by_main,
    covered_by_survey,
    covered_by_zones,
    first_known,
    utility_total,
)
from geo.core.cell_shares import cell_fractions
from geo.core.grid import Grid
from geo.errors import InvalidInput

PLACES = sparse.csr_matrix([[1.0, 0.5, 0.0, 0.0], [0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
PEOPLE = np.array([30.0, 20.0, 60.0, 0.0])
LIVING = [40, 70, 0]


def test_by_main_is_coverage_by_name() -> None:
    inputs = prepare(PLACES, PEOPLE, np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 100.0, 200.0, 5.0]]), 100.0)
    found, expected = covered_by_main(inputs, 1, 100.0), coverage_of(inputs, 1, 100.0)
    assert found.ways == ("distance-to-main",) * 3
    assert found.threshold_m == 100
    assert found.people.tolist() == LIVING
    assert found.covered_people.tolist() == [35, 5, 0]
    np.testing.assert_allclose(found.population_share, expected.population_share)
    np.testing.assert_allclose(found.uncovered_people, expected.uncovered_people)


def test_by_zones_by_hand() -> None:
    # The first cell wholly, twice over a half; a quarter of the second.
    zones = sparse.csr_matrix([[1.0, 0.25, 0.0, 0.0], [0.5, 0.0, 0.0, 1.0]])
    found = covered_by_zones(PLACES, PEOPLE, zones)
    assert found.ways == ("zone",) * 3
    assert found.threshold_m is None
    assert found.covered_people.tolist() == [32.5, 2.5, 0]
    assert found.population_share[:2].tolist() == [32.5 / 40, 2.5 / 70]
    assert np.isnan(found.population_share[2])
    assert found.uncovered_people.tolist() == [7.5, 67.5, 0]
    assert covered_by_zones(PLACES, PEOPLE, sparse.csr_matrix((0, 4))).covered_people.tolist() == [0, 0, 0]


def test_by_survey_by_hand() -> None:
    found = covered_by_survey(np.array([0.5, np.nan, np.nan]), np.array(LIVING))
    assert found.ways == ("survey", "", "survey")  # nobody lives in the last, so all is known
    assert found.covered_people[[0, 2]].tolist() == [20, 0]
    assert np.isnan(found.covered_people[1])
    assert np.isnan(found.uncovered_people[1])


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_zones_agree_with_polygons_where_people_live_evenly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(32639, 0.0, 100.0, 10.0, 10, 10)
    places = [shapely.box(0, 0, 40, 100), shapely.box(40, 0, 100, 100)]  # on lines of the grid
    zone = shapely.union_all(shapely.buffer(shapely.points(rng.uniform(0, 100, (4, 2))), rng.uniform(5, 40, 4)))
    found = covered_by_zones(cell_fractions(places, grid), np.full(100, 3.0), cell_fractions(zone, grid))
    expected = shapely.area(shapely.intersection(places, zone)) / shapely.area(places)
    np.testing.assert_allclose(found.population_share, expected, atol=1e-9)


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_another_zone_never_takes_a_utility_from_anybody(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places, zones = rng.uniform(0, 1, (4, 20)), rng.uniform(0, 1, (3, 20)) * (rng.random((3, 20)) < 0.5)
    people = rng.gamma(1, 5, 20)
    fewer = covered_by_zones(sparse.csr_matrix(places), people, sparse.csr_matrix(zones[:2]))
    more = covered_by_zones(sparse.csr_matrix(places), people, sparse.csr_matrix(zones))
    assert (more.covered_people >= fewer.covered_people - 1e-9).all()
    assert (more.covered_people <= more.people).all()


def test_ways_are_mixed_on_purpose_and_named() -> None:
    surveyed = covered_by_survey(np.array([0.5, np.nan, np.nan]), np.array(LIVING))
    zoned = covered_by_zones(PLACES, PEOPLE, sparse.csr_matrix([[1.0, 1.0, 0.5, 0.0]]))
    both = first_known([surveyed, zoned])
    assert both.ways == ("survey", "zone", "survey")
    assert both.covered_people.tolist() == [20, 40, 0]
    assert both.uncovered_people.tolist() == [20, 30, 0]
    # The first is left as it was.
    assert surveyed.ways == ("survey", "", "survey")
    assert np.isnan(surveyed.covered_people[1])
    with pytest.raises(InvalidInput, match=r"different ways \(survey, zone\)") as caught:
        utility_total(both)
    assert caught.value.code == "mixed_ways"


def test_totals_of_one_way() -> None:
    total = utility_total(covered_by_survey(np.array([0.5, np.nan, 1.0]), np.array([40.0, 70.0, 10.0])))
    assert (total.way, total.people, total.covered_people, total.population_share) == ("survey", 50, 30, 0.6)
    assert total.unknown_people == 70
    empty = utility_total(covered_by_zones(PLACES, np.zeros(4), sparse.csr_matrix((0, 4))))
    assert empty.population_share is None


def test_a_threshold_is_kept_where_mains_were_used() -> None:
    inputs = prepare(PLACES, PEOPLE, np.array([[0.0, 100.0, 200.0, 5.0]]), 100.0)
    main = covered_by_main(inputs, 0, 100.0)
    surveyed = covered_by_survey(np.array([np.nan, 0.5, 0.5]), main.people)
    assert first_known([surveyed, main]).threshold_m == 100
    assert first_known([covered_by_survey(np.full(3, 0.5), main.people), main]).threshold_m is None


@pytest.mark.parametrize("threshold_m", [0.0, 1e9])
def test_thresholds_of_nothing_and_of_everything(threshold_m: float) -> None:
    inputs = prepare(PLACES, PEOPLE, np.array([[0.0, 300.0, np.inf, 5.0]]), 100.0)
    assert covered_by_main(inputs, 0, threshold_m).covered_people.tolist() == (
        [30, 0, 0] if not threshold_m else [40, 10, 0]
    )


def test_what_does_not_fit_is_refused() -> None:
    one = np.ones(1)
    place = sparse.csr_matrix([[1.0]])
    fine = covered_by_survey(one, one)
    unknown = covered_by_survey(one * np.nan, one)
    for code, make in (
        ("length_mismatch", lambda: covered_by_zones(place, np.ones(2), place)),
        ("length_mismatch", lambda: covered_by_zones(place, one, sparse.csr_matrix((1, 2)))),
        ("length_mismatch", lambda: covered_by_survey(one, np.ones(2))),
        ("length_mismatch", lambda: first_known([fine, covered_by_survey(one, one * 2)])),
        ("bad_population", lambda: covered_by_zones(place, -one, place)),
        ("bad_population", lambda: covered_by_survey(one, one * np.inf)),
        ("bad_share", lambda: covered_by_survey(one * 90, one)),
        ("bad_share", lambda: covered_by_survey(-one, one)),
        ("no_results", lambda: first_known([])),
        ("no_results", lambda: utility_total(unknown)),
        ("bad_threshold", lambda: covered_by_main(prepare(place, one, one[None], 1.0), 0, -1.0)),
        ("unknown_service", lambda: covered_by_main(prepare(place, one, one[None], 1.0), 1, 1.0)),
    ):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.code == code
    assert isinstance(fine, UtilityCoverage)
