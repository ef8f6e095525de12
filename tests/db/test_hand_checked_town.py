"""The hand-checked town, through the same door as every city: its answers are those derived on paper."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.reference import area_shares_exact
from analysis.results import CityPriority, Question
from analysis.services import coverage_compute, priority_compute
from config.loading import city_load
from fixtures.hand_checked_town.town import build
from geo.models import Place
from geo.querysets import system_user
from tests.environment import ROOT

pytestmark = pytest.mark.django_db

FOLDER = ROOT / "fixtures" / "hand_checked_town"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
PLACES: dict[str, dict[str, Any]] = EXPECTED["places"]
TOLERANCE: dict[str, float] = EXPECTED["tolerance"]


@pytest.fixture
def town(tmp_path: Path) -> Place:
    build(tmp_path)
    return city_load(FOLDER / "town.toml", data=tmp_path)


@pytest.fixture(params=[None, 10.0, 20.0], ids=["own cells", "10 m", "20 m"])
def answer(town: Place, request: pytest.FixtureRequest) -> CityPriority:
    return priority_compute(city=town, user=system_user(), cell_m=request.param)


def test_standards_are_the_towns_own(town: Place) -> None:
    services = priority_compute(city=town, user=system_user()).coverage.services
    assert {s.code: s.threshold_m for s in services} == EXPECTED["thresholds_m"]
    assert {s.code: s.facilities for s in services} == {"clinic": 1, "water": 1, "park": 1}


def test_areas_and_people(answer: CityPriority) -> None:
    covered = answer.coverage
    assert {place.code for place in covered.places} == set(PLACES)
    for i, place in enumerate(covered.places):
        expected = PLACES[place.code]
        assert place.kind == expected["kind"]
        assert covered.values.area_m2[i] == pytest.approx(expected["area_m2"], abs=TOLERANCE["area_m2"])
        assert covered.values.population[i] == pytest.approx(expected["people"], abs=TOLERANCE["people"])
    assert covered.people_total == pytest.approx(EXPECTED["town"]["people"], abs=TOLERANCE["people"])


def test_shares_and_distances(answer: CityPriority) -> None:
    values = answer.coverage.values
    for i, place in enumerate(answer.coverage.places):
        expected = PLACES[place.code]
        for k, service in enumerate(answer.coverage.services):
            people, area = expected["people_share"][service.code], expected["area_share"][service.code]
            assert values.population_share[i, k] == pytest.approx(people, abs=TOLERANCE["share"])
            assert values.area_share[i, k] == pytest.approx(area, abs=TOLERANCE["share"])
            uncovered = expected["people"] * (1 - people)
            assert values.uncovered_people[i, k] == pytest.approx(
                uncovered, abs=expected["people"] * TOLERANCE["share"] + TOLERANCE["people"]
            )
            if service.code in expected["mean_distance_m"]:
                metres = expected["mean_distance_m"][service.code]
                assert values.mean_distance_m[i, k] == pytest.approx(metres, abs=TOLERANCE["distance_m"])


def test_straight_edges_along_the_cells_come_out_exact(answer: CityPriority) -> None:
    """A strip of 100 m of square A, four fifths of B: no curve, so nothing is approximated."""
    covered = answer.coverage
    a, b = covered.place_index("a"), covered.place_index("b")
    water, park = covered.service_index("water"), covered.service_index("park")
    assert covered.values.area_share[a, water] == pytest.approx(0.1, abs=1e-6)
    assert covered.values.area_share[b, park] == pytest.approx(0.8, abs=1e-6)
    assert covered.values.mean_distance_m[a, water] == pytest.approx(500, abs=0.01)


def test_scores_and_contributions(answer: CityPriority) -> None:
    priority = answer.priority
    for i, place in enumerate(answer.coverage.places):
        expected = PLACES[place.code]
        assert priority.score[i] == pytest.approx(expected["score"], abs=TOLERANCE["score"])
        for k, service in enumerate(answer.coverage.services):
            part = expected["contributions"][service.code]
            assert priority.contributions[i, k] == pytest.approx(part, abs=TOLERANCE["score"])


@pytest.mark.parametrize("kind", ["neighbourhood", "settlement"])
def test_order_within_a_kind(answer: CityPriority, kind: str) -> None:
    """The derivation ranks squares among squares; the service ranks all together, which must not change their order."""
    ranks = {
        p.code: int(r) for p, r in zip(answer.coverage.places, answer.priority.rank, strict=True) if p.kind == kind
    }
    derived = {code: place["rank"] for code, place in PLACES.items() if place["kind"] == kind}
    assert sorted(ranks, key=ranks.__getitem__) == sorted(derived, key=derived.__getitem__)
    assert sorted(answer.priority.rank) == [1, 2, 3, 4, 5]


def test_exact_reference(town: Place) -> None:
    shares = area_shares_exact(city=town, user=system_user(), sagitta_m=0.001)
    covered = priority_compute(city=town, user=system_user(), question=Question()).coverage
    for i, place in enumerate(covered.places):
        for k, service in enumerate(covered.services):
            expected = PLACES[place.code]["area_share"][service.code]
            assert shares[i, k] == pytest.approx(expected, abs=5e-6), (place.code, service.code)


@pytest.mark.parametrize("way", ["streets", "walking", "cycling"])
def test_ways_along_streets(town: Place, way: str) -> None:
    result = coverage_compute(city=town, user=system_user(), question=Question(travel=way))
    values, expected = result.values, EXPECTED["travel"][way]
    row = {place.code: i for i, place in enumerate(result.places)}
    for code, by_place in expected["people_share"].items():
        k = result.service_index(code)
        for place, share in by_place.items():
            assert values.population_share[row[place], k] == pytest.approx(share, abs=TOLERANCE["share"]), place
    for code, by_place in expected["mean_distance_m"].items():
        k = result.service_index(code)
        for place, metres in by_place.items():
            assert values.mean_distance_m[row[place], k] == pytest.approx(metres, abs=TOLERANCE["distance_m"]), place
    clinic, water = result.service_index("clinic"), result.service_index("water")
    for place, people in EXPECTED["unreachable_people"].items():
        assert values.unreachable_people[row[place], clinic] == pytest.approx(people, abs=TOLERANCE["people"])
        assert values.population_share[row[place], water] == pytest.approx(
            PLACES[place]["people_share"]["water"], abs=0.005
        )
    assert not values.unreachable_people[:, water].any()
    assert any(re.match("4,68[78] people live more than 500 m from every street", said) for said in result.warnings)
    assert (result.travel.code, result.travel.is_time) == (way, way != "streets")
