"""What the database itself refuses, whoever writes: every constraint of places, boundaries and layers, each broken once."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Point, Polygon
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import ProtectedError

from geo.models import Assignment, Boundary, ChangeSet, Place
from geo.services import to_geos
from layers.models import (
    Feature,
    FrequencyClass,
    Layer,
    PopulationSource,
    Release,
    Service,
    Standard,
    Supply,
    Theme,
    Timetable,
    TravelData,
)

pytestmark = pytest.mark.django_db

SQUARE = MultiPolygon(Polygon.from_bbox((48.0, 33.0, 48.01, 33.01)), srid=4326)
BOW_TIE = to_geos(shapely.from_wkt("MULTIPOLYGON (((0 0, 1 1, 1 0, 0 1, 0 0)))"))
EMPTY = GEOSGeometry("SRID=4326;MULTIPOLYGON EMPTY")
DAY = date(2020, 3, 20)


@pytest.fixture
def ground() -> Any:
    """A city with a neighbourhood, a layer with a release, and a service."""
    country = Place.objects.create(kind="country", code="conland", name_fa="ک", name_en="Conland")
    city = Place.objects.create(kind="city", code="contown", parent=country, name_fa="ش", name_en="Contown")
    quarter = Place.objects.create(kind="neighbourhood", code="cq", parent=city, name_fa="م", name_en="Quarter")
    theme = Theme.objects.create(code="con-theme", name_fa="ت", name_en="Theme")
    layer = Layer.objects.create(
        city=city, theme=theme, code="con-layer", kind="point", name_fa="ل", name_en="L", source="s"
    )
    release = Release.objects.create(
        layer=layer, number=1, file_name="f", file_sha256="0" * 64, content_hash="0" * 64, row_count=1
    )
    service = Service.objects.create(code="con-service", name_fa="خ", name_en="S", theme=theme)
    return SimpleNamespace(
        country=country, city=city, quarter=quarter, theme=theme, layer=layer, release=release, service=service
    )


def boundary(place: Place, **changes: Any) -> Boundary:
    values = {"geometry": SQUARE, "valid": DateRange(DAY, None), "status": "approved", "source": "survey"}
    return Boundary.objects.create(place=place, **(values | changes))


def feature(release: Release, number: int = 1, **changes: Any) -> Feature:
    return Feature.objects.create(release=release, number=number, **({"geometry": Point(48, 33, srid=4326)} | changes))


def refuses(constraint: str, write: Callable[[], Any]) -> None:
    """Assert that a write breaks the constraint of this name, and leaves nothing."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write()


# ---------------------------------------------------------------- boundaries


@pytest.mark.parametrize("status", ["draft", "proposed", "approved", "withdrawn"])
def test_a_boundary_is_valid_whatever_its_status(ground: Any, status: str) -> None:
    refuses("boundary_geometry_valid", lambda: boundary(ground.quarter, geometry=BOW_TIE, status=status))


def test_a_boundary_is_not_empty(ground: Any) -> None:
    refuses("boundary_geometry_not_empty", lambda: boundary(ground.quarter, geometry=EMPTY))


def test_a_boundary_cannot_be_made_invalid_by_an_update(ground: Any) -> None:
    edition = boundary(ground.quarter)
    refuses("boundary_geometry_valid", lambda: Boundary.objects.filter(pk=edition.pk).update(geometry=BOW_TIE))


def test_a_boundary_has_one_reference_system_and_one_kind(ground: Any) -> None:
    edition = boundary(ground.quarter)
    for geometry in ("SRID=32639;MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", "SRID=4326;POINT (48 33)"):
        with pytest.raises(Exception, match=r"SRID|type"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE geo_boundary SET geometry = %s::geometry WHERE id = %s", [geometry, edition.pk])


def test_a_valid_time_is_not_empty(ground: Any) -> None:
    refuses("boundary_valid_time_not_empty", lambda: boundary(ground.quarter, valid=DateRange(DAY, DAY)))


def test_a_status_is_known(ground: Any) -> None:
    refuses("boundary_status_known", lambda: boundary(ground.quarter, status="official"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DateRange(DAY, None), DateRange(DAY, None)),
        (DateRange(DAY, None), DateRange(date(2030, 1, 1), None)),
        (DateRange(None, None), DateRange(DAY, date(2021, 1, 1))),
        (DateRange(DAY, date(2021, 1, 1)), DateRange(date(2020, 12, 31), None)),
    ],
)
def test_one_approved_edition_at_a_time(ground: Any, first: DateRange, second: DateRange) -> None:
    boundary(ground.quarter, valid=first)
    refuses("boundary_one_approved_at_a_time", lambda: boundary(ground.quarter, valid=second))
    boundary(ground.city, valid=second)  # of another place, it may


def test_editions_may_follow_each_other_on_the_day(ground: Any) -> None:
    boundary(ground.quarter, valid=DateRange(DAY, date(2021, 1, 1)))
    boundary(ground.quarter, valid=DateRange(date(2021, 1, 1), None))
    assert ground.quarter.boundaries.count() == 2


@pytest.mark.parametrize("status", ["draft", "proposed", "withdrawn"])
def test_what_is_not_approved_may_overlap(ground: Any, status: str) -> None:
    boundary(ground.quarter)
    other = boundary(ground.quarter, status=status)
    refuses("boundary_one_approved_at_a_time", lambda: Boundary.objects.filter(pk=other.pk).update(status="approved"))


def test_history_is_not_deleted_with_its_place(ground: Any) -> None:
    boundary(ground.quarter)
    with pytest.raises(ProtectedError):
        ground.quarter.delete()
    change = ChangeSet.objects.create(place=ground.city)
    boundary(ground.city, change_set=change)
    with pytest.raises(ProtectedError):
        change.delete()


# ---------------------------------------------------------------- places


def test_two_places_cannot_have_one_path(ground: Any) -> None:
    refuses(
        "geo_place_path",
        lambda: Place.objects.create(kind="settlement", code="cq", parent=ground.city, name_fa="م", name_en="M"),
    )


def test_two_cities_cannot_have_one_code(ground: Any) -> None:
    refuses(
        "place_city_code_unique", lambda: Place.objects.create(kind="city", code="contown", name_fa="ش", name_en="C")
    )
    Place.objects.create(
        kind="district", code="contown", parent=ground.city, name_fa="ن", name_en="District of that name"
    )


def test_a_kind_is_known(ground: Any) -> None:
    refuses("place_kind_known", lambda: Place.objects.filter(pk=ground.quarter.pk).update(kind="village"))


def test_a_place_is_not_its_own_parent(ground: Any) -> None:
    refuses(
        "place_not_its_own_parent", lambda: Place.objects.filter(pk=ground.quarter.pk).update(parent=ground.quarter)
    )


def test_places_below_hold_their_parent(ground: Any) -> None:
    with pytest.raises(ProtectedError):
        ground.country.delete()


def test_an_assignment_is_made_once(ground: Any) -> None:
    user = User.objects.create_user("con-user")
    Assignment.objects.create(user=user, role="planner", place=ground.city)
    Assignment.objects.create(user=user, role="analyst", place=ground.city)
    refuses("assignment_once", lambda: Assignment.objects.create(user=user, role="planner", place=ground.city))


# ---------------------------------------------------------------- layers


def test_a_feature_is_valid(ground: Any) -> None:
    refuses("feature_geometry_valid", lambda: feature(ground.release, geometry=BOW_TIE))


def test_a_feature_is_not_empty(ground: Any) -> None:
    refuses(
        "feature_geometry_not_empty", lambda: feature(ground.release, geometry=GEOSGeometry("SRID=4326;POINT EMPTY"))
    )


def test_a_row_comes_once_in_a_release(ground: Any) -> None:
    feature(ground.release)
    refuses("layers_feature_shared_pkey", lambda: feature(ground.release))


def test_the_tile_geometry_follows_the_geometry(ground: Any) -> None:
    made = feature(ground.release, geometry=Point(48.36, 33.49, srid=4326))
    made.refresh_from_db()
    assert made.geometry_3857.srid == 3857
    radius_m = 6378137.0
    y_m = radius_m * math.log(math.tan(math.pi / 4 + math.radians(33.49) / 2))
    assert made.geometry_3857.coords == pytest.approx((radius_m * math.radians(48.36), y_m), abs=0.01)
    Feature.objects.filter(pk=made.pk).update(geometry=Point(0, 0, srid=4326))
    made.refresh_from_db()
    assert made.geometry_3857.coords == pytest.approx((0, 0), abs=1e-6)


def test_what_lies_beyond_web_mercator_is_cut_off_not_refused(ground: Any) -> None:
    made = feature(ground.release, geometry=Polygon.from_bbox((10, 80, 20, 89)))
    made.refresh_from_db()
    assert made.geometry.extent == (10, 80, 20, 89)
    assert made.geometry_3857.extent[3] == pytest.approx(20_048_966, abs=30_000)
    pole = feature(ground.release, 2, geometry=Point(0, 90, srid=4326))
    pole.refresh_from_db()
    assert pole.geometry_3857 is None or pole.geometry_3857.empty


def test_release_numbers_do_not_repeat(ground: Any) -> None:
    values = {"number": 1, "file_name": "g", "file_sha256": "1" * 64, "content_hash": "1" * 64, "row_count": 0}
    refuses("release_number_unique_in_layer", lambda: Release.objects.create(layer=ground.layer, **values))


def test_a_layer_code_comes_once_in_a_city(ground: Any) -> None:
    values = {"theme": ground.theme, "code": "con-layer", "kind": "line", "name_fa": "ل", "name_en": "L", "source": "s"}
    refuses("layer_code_unique_in_city", lambda: Layer.objects.create(city=ground.city, **values))


def test_a_layer_with_releases_stays(ground: Any) -> None:
    with pytest.raises(ProtectedError):
        ground.layer.delete()


def test_a_standard_comes_once_also_in_general(ground: Any) -> None:
    for city in (None, ground.city):
        Standard.objects.create(service=ground.service, city=city, value=500, source="s")
        refuses(
            "standard_once_per_service_and_city",
            lambda city=city: Standard.objects.create(service=ground.service, city=city, value=600, source="s"),
        )


@pytest.mark.parametrize("threshold_m", [0, -1, 100_001, float("nan"), float("inf")])
def test_a_threshold_is_a_distance_in_a_city(ground: Any, threshold_m: float) -> None:
    refuses(
        "standard_value_in_range",
        lambda: Standard.objects.create(service=ground.service, value=threshold_m, source="s"),
    )


def test_a_service_is_supplied_once_in_a_city(ground: Any) -> None:
    Supply.objects.create(city=ground.city, service=ground.service, layer=ground.layer)
    refuses(
        "supply_once_per_service_and_city",
        lambda: Supply.objects.create(city=ground.city, service=ground.service, layer=ground.layer, where={"a": 1}),
    )


def test_people_are_counted_from_one_main_source_and_others_beside_it(ground: Any) -> None:
    def source(**more: Any) -> PopulationSource:
        return PopulationSource.objects.create(city=ground.city, layer=ground.layer, field="people", **more)

    assert source().code == ground.layer.code
    refuses("population_one_main_in_city", lambda: source(code="other"))
    source(code="other", is_main=False)
    refuses("population_code_unique_in_city", lambda: source(code="other", is_main=False))


@pytest.mark.parametrize(
    "said",
    [
        {"road_fields": {"colour": "x"}}, {"road_fields": ["class"]}, {"closed_classes": "motorway"}, {"cycling_kmh": {"lane": "fast"}},
        {"land_cover_kmh": {"1": -5}}, {"land_cover_kmh": {"water": 0}}, {"land_cover_kmh": {"1": float("nan")}},
    ],
)  # fmt: skip
def test_what_a_form_lets_through_about_travel_is_refused(ground: Any, said: dict[str, Any]) -> None:
    TravelData(city=ground.city, land_cover_kmh={"1": 5, "other": 0}, road_fields={"class": "type"}).clean()
    with pytest.raises(ValidationError):
        TravelData(city=ground.city, **said).clean()


def test_a_timetable_comes_once_and_its_lines_are_matched_within_reason(ground: Any) -> None:
    said = {"city": ground.city, "service": ground.service, "departures_field": "per_week"}
    for match_m in (0, 501):
        refuses(
            "timetable_match_in_range",
            lambda match_m=match_m: Timetable.objects.create(lines=ground.layer, match_m=match_m, **said),
        )
    Timetable.objects.create(**said)
    refuses("timetable_once_per_service_and_city", lambda: Timetable.objects.create(**said))


@pytest.mark.parametrize(
    "said",
    [
        {"line_field": "code"}, {"stop_field": "lines"}, {"match_m": 20.0}, {"lines": True}, {"lines": True, "stop_field": "lines"},
        {"lines": True, "line_field": "code", "stop_field": "lines", "match_m": 20.0},
    ],
)  # fmt: skip
def test_what_a_form_lets_through_about_a_timetable_is_refused(ground: Any, said: dict[str, Any]) -> None:
    def timetable(lines: bool = False, **more: Any) -> Timetable:
        layer = ground.layer if lines else None
        return Timetable(city=ground.city, service=ground.service, departures_field="week", lines=layer, **more)

    for good in ({}, {"lines": True, "match_m": 20.0}, {"lines": True, "line_field": "code", "stop_field": "lines"}):
        timetable(**good).clean()
    with pytest.raises(ValidationError):
        timetable(**said).clean()


def test_a_class_of_frequency_comes_once_also_in_general(ground: Any) -> None:
    named = {"service": ground.service, "name_fa": "ک", "name_en": "Low", "source": "s"}
    for city in (None, ground.city):
        FrequencyClass.objects.create(city=city, departures_week=0, **named)
        refuses(
            "frequency_class_once",
            lambda city=city: FrequencyClass.objects.create(city=city, departures_week=0, **named),
        )
    refuses("frequency_class_in_range", lambda: FrequencyClass.objects.create(departures_week=-1, **named))


def test_ends_of_streets_are_joined_within_reason(ground: Any) -> None:
    refuses("travel_snap_in_range", lambda: TravelData.objects.create(city=ground.city, snap_m=-1))


def test_every_constraint_is_in_the_database() -> None:
    """The models' constraints and indexes exist under their names, so that no migration was forgotten."""
    declared = {
        item.name
        for model in (
            Place,
            Boundary,
            Assignment,
            Layer,
            Release,
            Feature,
            Standard,
            Supply,
            FrequencyClass,
            Timetable,
            PopulationSource,
            TravelData,
        )
        for item in (*model._meta.constraints, *model._meta.indexes)
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes")
        present = {name for (name,) in cursor.fetchall()}
    assert declared - present == set()
    assert len(declared) > 15
