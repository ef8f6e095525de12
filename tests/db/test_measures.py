"""Measures through the product's path: the hand-checked town, PySAL's published example, brute force on the demo city."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from pyproj import Geod

from analysis.caching import caches_clear
from analysis.core.changes import CapacityChanged, FacilityAdded
from analysis.ground import centroids_m, people_within
from analysis.measures.access import HowShared, access_compute
from analysis.measures.asking import asked
from analysis.measures.distances import distances_compute, nearest_to_point
from analysis.measures.equity import equity_compute
from analysis.measures.isochrone import isochrone_compute
from analysis.measures.land import land_compute
from analysis.measures.results import Basis
from analysis.measures.utilities import utility_compute
from analysis.models import Run
from analysis.results import Question
from analysis.services import coverage_compute
from config.loading import city_load
from fixtures.hand_checked_town.town import SOUTH_M, WEST_M, build
from geo.core.crs import project, project_xy
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer, Service, Standard
from tests.environment import ROOT

pytestmark = pytest.mark.django_db

TOWN = ROOT / "fixtures" / "hand_checked_town" / "town.toml"
PEOPLE = {"a": 10_000, "b": 5_000, "c": 2_500, "d": 1_250, "s": 1_800}
EVERYBODY = 18_750
NEAR_CLINIC = math.pi * 400**2 / 4 / 10_000 * (100 + 50 + 25 + 12.5)
"""People within 400 m of the clinic: a quarter of a disc in each square, by their people a hectare."""


@pytest.fixture
def town(tmp_path: Path) -> Place:
    build(tmp_path)
    return city_load(TOWN, data=tmp_path)


def of_places(basis: Basis, values: Any) -> dict[str, float]:
    return {place.code: float(value) for place, value in zip(basis.places, values, strict=True)}


def with_capacity(capacity: float, **more: Any) -> Question:
    return Question(services=("clinic",), changes=(CapacityChanged("clinic", 1, capacity),), **more)


# ---------------------------------------------------------------- the hand-checked town


def test_access_of_the_town(town: Place) -> None:
    """100 seats for those within 400 m: 100 / 2,356.2 each; the settlement is just too far."""
    how = HowShared(per_1000=100.0)
    found = access_compute(city=town, user=system_user(), question=with_capacity(100), how=how)
    assert found.basis.people == pytest.approx(EVERYBODY, rel=1e-7)
    (clinic,) = found.services
    (row,) = clinic.facilities
    assert row.load == pytest.approx(NEAR_CLINIC, rel=3e-3)
    assert row.per_1000 == pytest.approx(100_000 / NEAR_CLINIC, rel=3e-3)
    assert row.nearest_people == pytest.approx(row.load)
    assert row.people_over == pytest.approx(row.load - 1_000)
    assert clinic.reached_capacity == clinic.capacity == 100
    per_1000 = of_places(found.basis, clinic.per_1000)
    for code in "abcd":
        assert per_1000[code] == pytest.approx(100_000 / EVERYBODY, rel=3e-3)
    assert per_1000["s"] == 0
    assert clinic.city_per_1000 == pytest.approx(100_000 / EVERYBODY, rel=1e-7)
    # Of those who reach it each lacks 100 − 42.4 of 100 for every 1,000; who reaches nothing lacks all.
    lacking = EVERYBODY - 100 / 0.1
    assert clinic.city_unmet_people == pytest.approx(lacking, rel=1e-7)
    assert clinic.city_crowded_people == pytest.approx(lacking, rel=1e-7)
    assert clinic.city_unreached_people == pytest.approx(EVERYBODY - NEAR_CLINIC, rel=1e-3)
    assert clinic.unmet_people is not None
    assert clinic.crowded_people is not None
    assert of_places(found.basis, clinic.unmet_people)["s"] == pytest.approx(PEOPLE["s"])
    assert of_places(found.basis, clinic.crowded_people)["s"] == pytest.approx(PEOPLE["s"])
    assert clinic.standard is not None
    assert (clinic.standard.scope, clinic.standard.unit) == ("asked", "per 1,000 people")


def test_access_needs_capacities_and_says_so(town: Place) -> None:
    user = system_user()
    with pytest.raises(InvalidInput) as refused:
        access_compute(city=town, user=user, question=Question(services=("clinic",)))
    assert refused.value.code == "no_capacity"
    counted = access_compute(
        city=town, user=user, question=Question(services=("clinic",)), how=HowShared(counts_one=True)
    )
    assert counted.services[0].capacity == 1
    assert counted.services[0].capacity_field == ""
    every = access_compute(city=town, user=user)
    assert every.services == ()
    assert every.basis.warnings == (
        "Clinic: no facility has a capacity, so it is left out.",
        "Park: no facility has a capacity, so it is left out.",
    )
    with pytest.raises(InvalidInput) as refused:
        access_compute(city=town, user=user, question=Question(services=("water",)))
    assert refused.value.code == "not_for_utilities"


def test_a_facility_of_a_scenario_takes_its_share(town: Place) -> None:
    lon, lat = project_xy(np.array([[WEST_M + 500, SOUTH_M + 1_500]]), 32639, 4326)[0]
    question = with_capacity(100)
    more = replace(question, changes=(*question.changes, FacilityAdded("clinic", lon, lat, "new", 50.0)))
    found = access_compute(city=town, user=system_user(), question=more).services[0]
    assert [row.number for row in found.facilities] == [1, 0]
    assert found.capacity == found.reached_capacity == 150
    assert found.city_per_1000 == pytest.approx(150_000 / EVERYBODY, rel=1e-7)


def test_land_of_the_town(town: Place) -> None:
    """Half a square kilometre of park, all of it in B; 10 m² are demanded."""
    found = land_compute(city=town, user=system_user(), question=Question(services=("park",)), m2_per_person=10.0)
    (park,) = found.services
    assert (park.source, park.way, park.reach_m) == ("shape", "cells", 300)
    each = of_places(found.basis, park.within.per_capita_m2)
    assert each["b"] == pytest.approx(100, rel=1e-6)
    assert each["a"] == each["c"] == each["d"] == each["s"] == 0
    lacking = of_places(found.basis, park.within.deficit_m2)
    assert lacking["a"] == pytest.approx(100_000)
    assert lacking["b"] == 0
    assert of_places(found.basis, park.within.deficit_people)["s"] == pytest.approx(PEOPLE["s"])
    assert park.city_land_m2 == pytest.approx(500_000, rel=1e-6)
    assert park.city_per_person_m2 == pytest.approx(500_000 / EVERYBODY, rel=1e-6)
    assert park.city_deficit_m2 == 0
    # By reach nothing of it is lost: what people count on adds up to the whole park.
    reached = of_places(found.basis, park.reached.land_m2)
    assert sum(reached[code] for code in "abcd") == pytest.approx(500_000, rel=1e-6)
    assert reached["c"] == 0 < reached["d"]
    assert reached["a"] == 0  # its nearest corner is 500 m away


def test_standards_of_land_by_the_size_of_the_city(town: Place) -> None:
    service = Service.objects.get(code="park")
    for low, high, value in ((None, 18_000, 5.0), (18_000, 100_000, 9.0)):
        Standard.objects.create(
            service=service, kind="land", population_min=low, population_max=high, value=value, source="band"
        )
    question = Question(services=("park",))
    found = land_compute(city=town, user=system_user(), question=question).services[0]
    assert found.standard is not None
    assert (found.standard.value, found.standard.scope, found.standard.is_verified) == (9.0, "band", False)
    assert found.within.standard_m2 == 9.0
    Standard.objects.create(service=service, kind="land", city=town, value=4.0, source="own")
    found = land_compute(city=town, user=system_user(), question=question).services[0]
    assert found.standard is not None
    assert (found.standard.value, found.standard.scope) == (4.0, "city")
    with pytest.raises(NotFound) as refused:
        land_compute(city=town, user=system_user(), question=replace(question, programme="no-such"))
    assert refused.value.code == "unknown_programme"


def test_equity_is_kept_by_what_its_reader_sees(town: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for one reader is told to another only where both see the same."""

    def of_clinics(user: Any, **question: Any) -> dict[str, Any]:
        asked_for = Question(services=("clinic",), **question)
        return asdict(equity_compute(city=town, user=user, question=asked_for).services[0])

    Place.objects.filter(pk=town.pk).update(is_published=True)
    anybody = AnonymousUser()
    inside, changed = of_clinics(system_user()), of_clinics(system_user(), weights={"clinic": 0.0, "water": 0.0})
    assert inside["by_priority"] != changed["by_priority"]
    Layer.objects.filter(city=town, code="park").update(visibility="assigned")
    outside = of_clinics(anybody)  # parks have no part in the priority that they see
    assert outside | {"by_priority": None} == inside | {"by_priority": None}
    caches_clear()
    assert (of_clinics(anybody), of_clinics(system_user())) == (outside, inside)
    monkeypatch.setattr("analysis.measures.equity._computed", lambda *_: pytest.fail("It was not kept."))
    assert (of_clinics(anybody), of_clinics(system_user())) == (outside, inside)
    with pytest.raises(pytest.fail.Exception):
        of_clinics(anybody, thresholds_m={"clinic": 401.0})


def test_equity_of_the_town(town: Place) -> None:
    found = equity_compute(city=town, user=system_user())
    clinic, _park, water = found.services
    assert [row.service.code for row in found.services] == ["clinic", "park", "water"]
    assert clinic.people == pytest.approx(EVERYBODY, rel=1e-7)
    assert clinic.unreached_people == 0
    assert clinic.covered.settlements == pytest.approx(0, abs=1e-9)
    assert clinic.covered.settlement_people == pytest.approx(PEOPLE["s"], rel=1e-7)
    assert clinic.covered.rest == pytest.approx(NEAR_CLINIC / (EVERYBODY - PEOPLE["s"]), rel=3e-3)
    # Uncovered by less than a cell's ramp, the shortfall is that of everybody beyond 400 m.
    assert clinic.shortfall.people == pytest.approx(EVERYBODY - NEAR_CLINIC, rel=3e-3)
    assert 0 < clinic.gini < 0.5
    assert clinic.curve[0] == (0.0, 0.0)
    assert clinic.curve[-1] == (1.0, 1.0)
    # Squares A and C have the main along one side: mean distance 500 m; B and D begin 1,000 m away.
    east, west = (PEOPLE["b"] + PEOPLE["d"]) / EVERYBODY, (PEOPLE["a"] + PEOPLE["c"]) / EVERYBODY
    assert water.distance.rest is not None
    assert water.distance.settlements is not None
    mean = (
        water.distance.rest * water.distance.rest_people + water.distance.settlements * water.distance.settlement_people
    ) / EVERYBODY
    assert mean > west * 500 + east * 1_500 - 1
    assert water.by_settlement == pytest.approx(
        (water.distance.settlements / mean - 1) * PEOPLE["s"] / EVERYBODY, abs=1e-3
    )


def test_distances_and_nearest_of_the_town(town: Place) -> None:
    question = Question(services=("clinic", "water"), thresholds_m={"clinic": 400.0})
    found = distances_compute(
        city=town, user=system_user(), question=question, percentiles=(50, 100), steps=4, farthest_m=400.0,
        has_nearest=True,
    )  # fmt: skip
    clinic, water = found.services
    assert found.distances_m == (0.0, 100.0, 200.0, 300.0, 400.0)
    covered = coverage_compute(city=town, user=system_user(), question=question)
    np.testing.assert_allclose(clinic.curve[:, -1], covered.values.population_share[:, 0], atol=1e-12)
    assert clinic.city_curve[-1] == pytest.approx(NEAR_CLINIC / EVERYBODY, rel=3e-3)
    a = next(i for i, place in enumerate(found.basis.places) if place.code == "a")
    assert water.percentiles_m[a, 0] == pytest.approx(500, abs=10.1)
    assert water.nearest == (None,) * 5
    nearest = clinic.nearest[a]
    assert nearest is not None
    assert (nearest.number, nearest.share, nearest.others) == (1, pytest.approx(1.0), 0)
    assert nearest.people == pytest.approx(PEOPLE["a"])
    lon, lat = project_xy(np.array([[WEST_M + 990, SOUTH_M + 510]]), 32639, 4326)[0]
    (at_point,) = nearest_to_point(
        city=town, user=system_user(), lon=lon, lat=lat, question=Question(services=("clinic",))
    )
    assert at_point["distance_m"] == pytest.approx(math.hypot(10, 490), abs=0.01)
    with pytest.raises(NotFound) as refused:
        nearest_to_point(city=town, user=system_user(), lon=lon + 1, lat=lat)
    assert refused.value.code == "point_outside"


def test_isochrone_of_the_towns_clinic(town: Place) -> None:
    found = isochrone_compute(city=town, user=system_user(), limit_m=400, service="clinic", number=1)
    disc = math.pi * 400**2
    assert found.area_m2 == pytest.approx(disc, rel=3e-3)
    assert found.people == pytest.approx(NEAR_CLINIC, rel=3e-3)
    assert found.facility == "درمانگاه"
    assert found.polygons_4326.is_valid
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(found.polygons_4326)
    assert abs(area) == pytest.approx(found.area_m2, rel=1e-6)
    assert shapely.contains_xy(found.polygons_4326, found.lon, found.lat)
    west, south, *_ = found.polygons_4326.bounds
    beyond = isochrone_compute(city=town, user=system_user(), limit_m=300, lon=west - 0.01, lat=south - 0.01)
    assert beyond.area_m2 == pytest.approx(math.pi * 300**2, rel=4e-3)
    for wrong in ({"lon": 10.0, "lat": 10.0}, {}, {"lon": 48.0}, {"service": "clinic"}):
        with pytest.raises(InvalidInput):
            isochrone_compute(city=town, user=system_user(), limit_m=300, **wrong)
    with pytest.raises(NotFound):
        isochrone_compute(city=town, user=system_user(), limit_m=300, service="clinic", number=7)
    with pytest.raises(InvalidInput):
        isochrone_compute(city=town, user=system_user(), limit_m=math.nan, lon=found.lon, lat=found.lat)


def test_utilities_of_the_town(town: Place) -> None:
    """Within 100 m of the main live a tenth of A; the park's outline stands for a served zone: half of B."""
    user = system_user()
    main = utility_compute(city=town, user=user, service="water")
    assert main.way == "distance-to-main"
    covered = of_places(main.basis, main.population_share)
    assert covered["a"] == pytest.approx(0.1, abs=1e-6)
    assert covered["c"] == pytest.approx(math.pi * 100**2 / 4 / 1e6, abs=1e-4)  # a quarter of a disc around its end
    zone = utility_compute(city=town, user=user, service="water", way="zone", layer="park")
    assert zone.way == "zone"
    shares = of_places(zone.basis, zone.population_share)
    assert shares["b"] == pytest.approx(0.5, abs=1e-6)
    assert shares["a"] == shares["s"] == 0
    assert zone.city_share == pytest.approx(2_500 / EVERYBODY, rel=1e-6)
    with pytest.raises(InvalidInput) as refused:
        utility_compute(city=town, user=user, service="water", way="survey", layer="park", field="served")
    assert refused.value.code == "no_field"
    park = Layer.objects.get(city=town, code="park").releases.get()
    park.features.update(attributes={"served": 0.25})
    survey = utility_compute(city=town, user=user, service="water", way="survey", layer="park", field="served")
    assert survey.way == "survey"
    known = of_places(survey.basis, survey.population_share)
    assert known["b"] == pytest.approx(0.25)  # half of its people were asked
    assert math.isnan(known["a"])
    assert survey.city_share == pytest.approx(0.25)
    assert survey.city_unknown_people == pytest.approx(EVERYBODY - 2_500, rel=1e-4)
    for wrong in ({"service": "clinic"}, {"service": "water", "way": "zone", "layer": "clinic"}):
        with pytest.raises(NotFound):
            utility_compute(city=town, user=user, **wrong)


# ---------------------------------------------------------------- brute force


def test_access_against_brute_force(demo_city: Place) -> None:
    """Both steps written out over all pairs of inhabited parts and hospitals."""
    question = Question(services=("hospital",))
    what = asked(city=demo_city, user=system_user(), question=question, cell_m=None, reading=None)
    facilities = what.facilities(what.inputs.services[0])
    x, y = centroids_m(what.inputs.grid, what.inputs.ground).T
    at = shapely.get_coordinates(facilities.geometries_m)
    cost = np.hypot(x[:, None] - at[:, 0], y[:, None] - at[:, 1])
    people = what.residents.counted

    def inside(limit: float) -> np.ndarray:
        return np.clip((limit - cost) / what.inputs.grid.cell_m + 0.5, 0, 1)

    for how, weight in (
        (HowShared("2sfca"), inside(2_500)),
        (
            HowShared("e2sfca", limit_m=3_000),
            0.32 * inside(1_000) + 0.46 * inside(2_000) + 0.22 * inside(3_000),
        ),
        (HowShared("gaussian", limit_m=3_000), inside(3_000) * np.exp(-(cost**2) / (2 * 1_500**2))),
        (HowShared("power", limit_m=3_000), inside(3_000) / np.maximum(cost, 10)),
    ):
        ratio = facilities.capacity / (weight * people[:, None]).sum(axis=0)
        access = (weight * ratio).sum(axis=1)
        found = access_compute(city=demo_city, user=system_user(), question=question, how=how).services[0]
        parts, living = what.inputs.ground.parts, what.inputs.arrays.people
        expected = (parts @ (living * access)) / (parts @ living) * 1000
        np.testing.assert_allclose(found.per_1000, expected, rtol=1e-9)
        assert found.city_per_1000 * what.residents.total / 1000 == pytest.approx(facilities.capacity.sum(), rel=1e-9)
    nearest, reaching = np.argmin(cost, axis=1), inside(2_500).max(axis=1)
    loads = np.bincount(nearest, weights=people * reaching, minlength=len(at))
    found = access_compute(city=demo_city, user=system_user(), question=question).services[0]
    np.testing.assert_allclose([row.nearest_people for row in found.facilities], loads, rtol=1e-6)


def test_everybody_is_counted_once(demo_city: Place) -> None:
    what = asked(city=demo_city, user=system_user(), question=Question(services=("clinic",)), cell_m=None, reading=None)
    geometries = what.inputs.places.geometries_4326
    outline = np.empty(1, dtype=object)
    outline[0] = shapely.union_all(geometries)
    assert what.residents.total == pytest.approx(people_within(what.reading, outline)[0], rel=1e-4)
    assert what.residents.total < what.inputs.arrays.ground.population.sum()
    settled = float(what.residents.counted @ what.residents.in_settlement)
    kinds = np.array([row.kind for row in what.inputs.places.rows])
    assert settled == pytest.approx(what.inputs.arrays.ground.population[kinds == "settlement"].sum(), rel=2e-3)


# ---------------------------------------------------------------- commands and runs


def test_commands_answer_with_json_and_keep_runs(
    town: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def said(*arguments: str) -> Any:
        call_command(*arguments)
        return capsys.readouterr().out

    file = tmp_path / "land.xlsx"
    for arguments, measure in (
        (("access", "--count", "--service", "clinic"), "access"),
        (("land", "--service", "park", "--xlsx", str(file)), "land"),
        (("equity",), "equity"),
        (("curves", "--service", "clinic", "--nearest"), "curves"),
        (("utility", "--of", "water"), "utility"),
        (("isochrone", "--service", "clinic", "--number", "1", "--limit-m", "300"), "isochrone"),
    ):
        command, *options = arguments
        told = json.loads(said(command, town.code, *options, "--json", "--record"))
        run = Run.objects.get(pk=told["run"])
        assert (run.kind, run.city_id) == (measure, town.pk)
        assert run.parameters == told["parameters"]
        assert run.result == (told["feature"] if measure == "isochrone" else told["tables"])
        assert run.inputs["boundaries"]["count"] == 5
        again = json.loads(said(command, town.code, *options, "--json", "--record"))
        assert Run.objects.get(pk=again["run"]).input_hash == run.input_hash
        assert len(said(command, town.code, *options).splitlines()) > 1
    assert file.read_bytes().startswith(b"PK")


# ---------------------------------------------------------------- a published example


def test_pysals_three_tracts(tmp_path: Path) -> None:
    """PySAL's example, a metre of it drawn as a kilometre: a place of 20 m, its facility 1 km north, the next at 40 km.

    Ways to the others are √(40² + 1) and √(80² + 1), not 40 and 80, so that the digits agree to 3·10⁻⁴.
    """
    west, south = 300_000.0, 3_700_000.0
    at = {1: 0.0, 3: 40_000.0, 2: 80_000.0}
    people, capacity = {1: 100, 2: 50, 3: 10}, {1: 15, 2: 20, 3: 100}

    def written(name: str, kind: str, shapes: list[shapely.Geometry], **columns: list[Any]) -> None:
        degrees = project(np.array(shapes, dtype=object), 32639, 4326)
        pyogrio.raw.write(
            tmp_path / name, shapely.to_wkb(degrees), [np.array(values) for values in columns.values()],
            list(columns), geometry_type=kind, crs="EPSG:4326", driver="FlatGeobuf",
        )  # fmt: skip

    boxes = [shapely.box(west + at[n], south, west + at[n] + 20, south + 20) for n in (1, 2, 3)]
    points = [shapely.Point(west + at[n] + 10, south + 1_010) for n in (1, 2, 3)]
    names = {"name_fa": ["یک", "دو", "سه"], "name_en": ["one", "two", "three"]}
    written("tracts.fgb", "Polygon", boxes, code=["1", "2", "3"], people=[people[n] for n in (1, 2, 3)], **names)
    written("hospital.fgb", "Point", points, capacity=[capacity[n] for n in (1, 2, 3)], **names)
    (tmp_path / "city.toml").write_text(
        """
format = 1
[city]
code = "three-tracts"
name_fa = "سه ناحیه"
name_en = "Three tracts"
illustrative = true
[[places]]
kind = "neighbourhood"
file = "tracts.fgb"
code = "code"
name_fa = "name_fa"
name_en = "name_en"
source = "PySAL access"
certainty = "modelled"
valid_from = 2025-09-23
[[layers]]
code = "tracts"
theme = "population"
file = "tracts.fgb"
kind = "polygon"
name_fa = "ناحیه‌ها"
name_en = "Tracts"
source = "PySAL access"
[[layers]]
code = "hospital"
theme = "health"
file = "hospital.fgb"
kind = "point"
name_fa = "بیمارستان‌ها"
name_en = "Hospitals"
name_field = "name_fa"
source = "PySAL access"
[[supply]]
service = "hospital"
layer = "hospital"
[population]
layer = "tracts"
field = "people"
[analysis]
cell_m = 20
""",
        encoding="utf-8",
    )
    city = city_load(tmp_path / "city.toml", data=tmp_path)
    found = access_compute(city=city, user=system_user(), how=HowShared("power", limit_m=61_000.0))
    per_person = {code: value / 1000 for code, value in of_places(found.basis, found.services[0].per_1000).items()}
    expected = {"1": 0.331444, "2": 0.579828, "3": 7.286418}
    assert per_person == {code: pytest.approx(value, rel=3e-4) for code, value in expected.items()}
    assert sum(per_person[str(n)] * people[n] for n in people) == pytest.approx(135, rel=1e-9)
