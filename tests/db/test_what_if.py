"""What if: a city with changes is the city in which the changes were made, to the last bit; and the way back is the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import selectors
from analysis.caching import caches_clear
from analysis.core.changes import (
    CapacityChanged,
    Change,
    FacilityAdded,
    FacilityClosed,
    FacilityMoved,
    StreetDrawn,
)
from analysis.inputs import CityInputs, inputs_read
from analysis.measures.access import HowShared, access_compute
from analysis.measures.results import FacilityAccess
from analysis.results import Question, ScenarioRow
from analysis.services import coverage_compute
from analysis.what_if import facilities_after, facilities_of
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer
from layers.reading import Plan, read_file
from layers.services import release_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading(demo_city: Place) -> selectors.CityReading:
    return selectors.city_read(demo_city, system_user())


def inputs_of(reading: selectors.CityReading, *changes: Change, **more: object) -> CityInputs:
    return inputs_read(reading, replace(Question(changes=changes), **more))  # type: ignore[arg-type]


def middles_of(inputs: CityInputs, code: str = "clinic") -> dict[int, tuple[float, float]]:
    """Rows of the facilities of a service, and where they stand."""
    service = next(s for s in inputs.services if s.code == code)
    found = facilities_of(service, inputs.grid.epsg)
    return {int(number): (float(x), float(y)) for number, (x, y) in zip(found.numbers, found.middles, strict=True)}


def plan_of(folder: Path, points: list[tuple[float, float]]) -> Plan:
    """Read a plan from a file of points."""
    features = [
        {"type": "Feature", "properties": {"name": f"{i}"}, "geometry": {"type": "Point", "coordinates": point}}
        for i, point in enumerate(points)
    ]
    path = folder / "points.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    plan = read_file(path)
    assert isinstance(plan, Plan)
    return plan


@pytest.mark.parametrize("travel", ["straight", "streets", "walking", "surface"])
def test_a_changed_city_is_the_city_in_which_the_changes_were_made(
    demo_city: Place, reading: selectors.CityReading, tmp_path: Path, travel: str
) -> None:
    asked: dict[str, object] = {"travel": travel, "services": ("clinic", "park")}
    base = inputs_of(reading, **asked)
    stand = middles_of(base)
    one, two, *_ = stand
    (west, south), (east, north) = np.min([*stand.values()], axis=0), np.max([*stand.values()], axis=0)
    there, new = (west + 0.3 * (east - west), south + 0.6 * (north - south)), (east, south)
    changed = inputs_of(
        reading,
        FacilityMoved("clinic", one, *there),
        FacilityClosed("clinic", two),
        FacilityAdded("clinic", *new, "a"),
        **asked,
    )
    points = [there, *(at for number, at in stand.items() if number not in (one, two)), new]
    release_create(layer=Layer.objects.get(city=demo_city, code="clinic"), plan=plan_of(tmp_path, points))
    caches_clear()
    built = inputs_of(selectors.city_read(demo_city, system_user()), **asked)
    assert changed.services[0].facilities == built.services[0].facilities == len(stand)
    assert (changed.arrays.cost_m[0] != base.arrays.cost_m[0]).any()
    np.testing.assert_array_equal(changed.arrays.cost_m, built.arrays.cost_m)
    np.testing.assert_array_equal(changed.arrays.people, built.arrays.people)


def test_a_street_that_is_drawn_touches_what_is_gone_to_along_streets(reading: selectors.CityReading) -> None:
    asked: dict[str, object] = {"travel": "streets", "services": ("clinic", "water")}
    base = inputs_of(reading, **asked)
    stand = middles_of(base)
    (west, south), (east, north) = np.min([*stand.values()], axis=0), np.max([*stand.values()], axis=0)
    drawn = inputs_of(reading, StreetDrawn(((west, south), (east, north))), **asked)
    assert [service.code for service in base.services] == ["clinic", "water"]
    np.testing.assert_array_equal(drawn.arrays.cost_m[1], base.arrays.cost_m[1])
    assert drawn.arrays.cost_m[0].mean() < base.arrays.cost_m[0].mean()
    number = next(iter(stand))
    both = inputs_of(
        reading, StreetDrawn(((west, south), (east, north))), FacilityMoved("clinic", number, west, south), **asked
    )
    assert (both.arrays.cost_m != drawn.arrays.cost_m).any()


def test_a_facility_that_is_moved_back_stands_where_it_stood(reading: selectors.CityReading) -> None:
    base = inputs_of(reading)
    number, (lon, lat) = next(iter(middles_of(base).items()))
    back = inputs_of(reading, FacilityMoved("clinic", number, round(lon, 7), round(lat, 7)))
    np.testing.assert_array_equal(back.arrays.cost_m, base.arrays.cost_m)
    park, (x, y) = next(iter(middles_of(base, "park").items()))
    row = [s.code for s in base.services].index("park")
    away = inputs_of(reading, FacilityMoved("park", park, x + 0.02, y))
    assert (away.arrays.cost_m[row] != base.arrays.cost_m[row]).any()


def test_only_what_the_changes_touch_is_measured(reading: selectors.CityReading) -> None:
    base = inputs_of(reading)
    number, (lon, lat) = next(iter(middles_of(base).items()))
    changed = inputs_of(reading, FacilityMoved("clinic", number, lon + 0.01, lat))
    differs = [one != other for one, other in zip(base.column_keys, changed.column_keys, strict=True)]
    assert [s.code for s, d in zip(base.services, differs, strict=True) if d] == ["clinic"]
    same = ~np.array(differs)
    np.testing.assert_array_equal(changed.arrays.cost_m[same], base.arrays.cost_m[same])
    assert all(a is b for a, b, d in zip(changed.arrays.reaches, base.arrays.reaches, differs, strict=True) if not d)


def test_a_facility_is_known_again_by_where_it_stood(reading: selectors.CityReading) -> None:
    base = inputs_of(reading)
    row = [s.code for s in base.services].index("clinic")
    service, stand = base.services[row], middles_of(base)
    first, second = list(stand)[:2]
    epsg = base.grid.epsg
    renumbered = facilities_after(service, [FacilityClosed("clinic", second, was=stand[first])], epsg)
    assert renumbered.before.numbers[~renumbered.kept].tolist() == [first]
    gone = facilities_after(service, [FacilityClosed("clinic", first, was=(48.0, 33.0))], epsg)
    assert gone.skipped == (0,)
    assert gone.kept.all()
    told = facilities_after(service, [CapacityChanged("clinic", first, 30.0)], epsg)
    assert (told.capacities, told.kept.all(), len(told.added_m)) == ({first: 30.0}, True, 0)


def test_what_cannot_be_changed_is_said(demo_city: Place, reading: selectors.CityReading) -> None:
    street = StreetDrawn(((48.35, 33.48), (48.36, 33.48)))
    scenario = ScenarioRow(1, "North", 1, {"clinic": "the hash of an older release"})
    changes = (FacilityClosed("clinic", 999_999), FacilityClosed("castle", 1), street)
    result = coverage_compute(
        city=demo_city, user=system_user(), question=Question(travel="straight", changes=changes, scenario=scenario)
    )
    assert [
        warning for warning in result.warnings if "clinic" in warning or "castle" in warning or "treet" in warning
    ] == [
        "The change 2 is left out: the city has no service 'castle' that you may see.",
        "The layer clinic has a newer release than the scenario was made on.",
        "The change 1 is left out: the layer clinic does not have this facility any longer.",
        "Drawn streets change nothing here, because nothing is measured along streets.",
    ]
    assert (
        result.inputs["services"]["clinic"]["facilities"] == result.services[result.service_index("clinic")].facilities
    )


def test_who_finds_no_room_is_without_the_service(demo_city: Place, reading: selectors.CityReading) -> None:
    """Coverage with capacity is what the measure of access counts as crowded, however people travel, and with changes."""
    city = {"city": demo_city, "user": system_user(), "reading": reading}
    capacity = {int(f.number): f for f in _clinics(city)}
    number = next(iter(capacity))
    added = FacilityAdded("clinic", 48.36, 33.48, "n1", capacity=90.0)
    for travel in ("straight", "walking"):
        for changes in ((), (added, CapacityChanged("clinic", number, 10.0))):
            question = Question(needs_per_1000={"clinic": 13.0}, services=("clinic",), travel=travel, changes=changes)
            covered = coverage_compute(**city, question=question)  # type: ignore[arg-type]
            access = access_compute(  # type: ignore[arg-type]
                **city, question=replace(question, needs_per_1000={}), how=HowShared(per_1000=13.0)
            )
            crowded = access.services[0].crowded_people
            assert crowded is not None
            np.testing.assert_allclose(covered.values.uncovered_people[:, 0], crowded, rtol=0.02, atol=3.0)
            bare = coverage_compute(**city, question=replace(question, needs_per_1000={}))  # type: ignore[arg-type]
            assert (covered.values.uncovered_people >= bare.values.uncovered_people - 1e-9).all()
            np.testing.assert_array_equal(covered.values.area_share, bare.values.area_share)


def _clinics(city: dict[str, object]) -> tuple[FacilityAccess, ...]:
    question = Question(services=("clinic",))
    return access_compute(**city, question=question).services[0].facilities  # type: ignore[arg-type]
