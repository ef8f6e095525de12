"""Places and their boundaries: addresses, names, editions in time, and spatial questions in metres."""

from __future__ import annotations

import math
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry, Point, Polygon
from django.contrib.gis.measure import Distance
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pyproj import Geod

from geo.db.spatial import SpatialQuerySet
from geo.errors import CrsError, GeometryError, InvalidInput
from geo.models import Assignment, Boundary, Place
from geo.services import PlaceSpec, assignments_put, boundary_approve, place_put, places_import, to_geos

pytestmark = pytest.mark.django_db

DAY = date(2020, 3, 20)


@pytest.fixture
def country() -> Place:
    return Place.objects.create(kind="country", code="farland", name_fa="دورستان", name_en="Farland", is_published=True)


def city_in(country: Place, code: str = "fartown") -> Place:
    return Place.objects.create(
        kind="city", code=code, parent=country, name_fa="دورشهر", name_en="Fartown", is_published=True
    )


def box(west: float, south: float, size: float = 0.01) -> shapely.Polygon:
    return shapely.box(west, south, west + size, south + size)


def approve(place: Place, shape: shapely.Geometry, day: date = DAY) -> Boundary:
    return boundary_approve(place=place, geometry_4326=shape, valid_from=day, source="survey", certainty="surveyed")


# ---------------------------------------------------------------- addresses and names


def test_a_path_is_the_way_from_the_outermost_place(country: Place) -> None:
    city = city_in(country)
    quarter = Place.objects.create(kind="neighbourhood", code="n001", parent=city, name_fa="م", name_en="Q")
    assert quarter.path == "farland/fartown/n001"
    assert str(quarter).endswith("(n001)")


def test_within_keeps_the_subtree_and_no_namesake(country: Place) -> None:
    city, namesake = city_in(country), city_in(country, "fartown-new")
    inside = Place.objects.create(kind="neighbourhood", code="n1", parent=city, name_fa="م", name_en="Q")
    Place.objects.create(kind="neighbourhood", code="n1", parent=namesake, name_fa="م", name_en="Q")
    assert set(Place.objects.within(city)) == {city, inside}
    assert set(Place.objects.within(country).cities()) == {city, namesake}


def test_subtrees_are_found_by_an_index(country: Place) -> None:
    places = [
        Place(
            kind="settlement", code=f"s{i}", path=f"elsewhere/c{i % 97}/s{i}", name_fa="م", name_en="Q", search_name="q"
        )
        for i in range(5000)
    ]
    Place.objects.bulk_create(places)
    city = city_in(country)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE geo_place")
    with CaptureQueriesContext(connection) as captured:
        assert list(Place.objects.within(city).filter(kind="city")) == [city]
    plan = Place.objects.within(city).explain()
    assert len(captured) == 1
    assert "Seq Scan on geo_place" not in plan


@pytest.mark.parametrize(
    "asked", ["علي‌آباد", "علی آباد", "كرگانه", "کرگانه", "KARGANEH", "۱۲", "12", "  Ali ", "kargāneh"]
)
def test_any_spelling_finds_a_place(country: Place, asked: str) -> None:
    place_put(
        PlaceSpec(
            kind="settlement", code="s1", name_fa="علی‌آباد كرگانه ١٢", name_en="Aliabad Kargāneh 12", parent=country
        )
    )
    assert [place.code for place in Place.objects.within(country).matching(asked)] == ["s1"]


def test_stored_names_have_persian_letters(country: Place) -> None:
    place = place_put(
        PlaceSpec(kind="settlement", code="s1", name_fa=" علي‌آباد  كرگانه ", name_en="Ali", parent=country)
    )
    assert place.name_fa == "علی‌آباد کرگانه"


@pytest.mark.parametrize("code", ["tiles", "admin", "publish", "m", "static", "accounts"])
def test_words_of_the_site_are_no_codes(country: Place, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        place_put(PlaceSpec(kind="city", code=code, name_fa="ش", name_en="C", parent=country))
    assert caught.value.where == f"place farland/{code}, code"


def test_every_first_word_of_an_address_is_reserved() -> None:
    """No city can take the place of a page: what the resolver knows is refused as a code."""
    from django.urls import get_resolver

    first_words = {str(pattern.pattern).split("/")[0] for pattern in flat(get_resolver().url_patterns)}
    words = {word for word in first_words if word.isidentifier()}
    assert {"admin", "tiles", "layers", "m", "api"} <= words
    free = []
    for word in words:
        try:
            Place(kind="city", code=word.lower(), name_fa="ش", name_en="C").clean()
        except ValidationError:
            continue
        free.append(word)
    assert free == []


def flat(patterns: Any, prefix: str = "") -> list[Any]:
    found = []
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        nested = getattr(pattern, "url_patterns", None)
        found += flat(nested, text) if nested is not None else [SimpleNamespace(pattern=text)]
    return found


@pytest.mark.parametrize(
    "code", ["", "Caps", "under_score", "double--hyphen", "-edge", "edge-", "فارسی", "a/b", "a b", "a\n"]
)
def test_malformed_codes_are_refused(country: Place, code: str) -> None:
    with pytest.raises(InvalidInput):
        place_put(PlaceSpec(kind="city", code=code, name_fa="ش", name_en="C", parent=country))
    assert not Place.objects.filter(parent=country).exists()


def test_putting_a_place_again_brings_it_up_to_date(country: Place) -> None:
    first = place_put(PlaceSpec(kind="city", code="put", name_fa="ش", name_en="Old", parent=country))
    again = place_put(PlaceSpec(kind="city", code="put", name_fa="ش", name_en="New", parent=country))
    assert (first.pk, again.name_en, Place.objects.get(pk=first.pk).name_en) == (again.pk, "New", "New")


# ---------------------------------------------------------------- editions


def test_a_new_edition_ends_the_one_before(country: Place) -> None:
    first = approve(country, box(48, 33))
    second = approve(country, box(48, 33, 0.02), date(2023, 1, 1))
    first.refresh_from_db()
    assert (first.status, first.valid.lower, first.valid.upper) == ("approved", DAY, date(2023, 1, 1))
    assert (second.version, second.valid.upper) == (2, None)
    assert first.geometry.equals_exact(to_geos(shapely.MultiPolygon([box(48, 33)])))
    assert list(country.boundaries.as_of(date(2022, 12, 31))) == [first]
    assert list(country.boundaries.as_of(date(2023, 1, 1))) == [second]
    assert not country.boundaries.as_of(DAY - timedelta(days=1)).exists()
    assert list(country.boundaries.current()) == [second]


def test_the_same_geometry_again_is_no_new_edition(country: Place) -> None:
    first = approve(country, box(48, 33))
    assert approve(country, box(48, 33), date(2024, 1, 1)).pk == first.pk
    assert country.boundaries.count() == 1


def test_an_edition_that_would_begin_later_is_withdrawn_not_lost(country: Place) -> None:
    later = approve(country, box(48, 33), date(2024, 1, 1))
    earlier = approve(country, box(48, 33, 0.02), date(2022, 1, 1))
    later.refresh_from_db()
    assert later.status == "withdrawn"
    assert list(country.boundaries.current()) == [earlier]


def test_what_begins_tomorrow_is_not_in_force_today(country: Place) -> None:
    today = timezone.localdate()
    now = approve(country, box(48, 33), today - timedelta(days=30))
    approve(country, box(48, 33, 0.02), today + timedelta(days=1))
    now.refresh_from_db()
    assert now.valid.upper == today + timedelta(days=1)
    assert list(country.boundaries.as_of(today)) == [now]
    assert list(country.boundaries.current()) == [now]


@pytest.mark.parametrize("shape", [shapely.Point(48, 33), shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])])
def test_only_filled_polygons_become_boundaries(country: Place, shape: shapely.Geometry) -> None:
    with pytest.raises(GeometryError):
        approve(country, shape)
    assert not country.boundaries.exists()


def test_many_places_come_in_together_or_not_at_all(country: Place) -> None:
    city = city_in(country)

    def items(*codes: str) -> list[tuple[PlaceSpec, shapely.Geometry]]:
        return [
            (PlaceSpec(kind="neighbourhood", code=code, name_fa="م", name_en=code, parent=city), box(48 + i / 100, 33))
            for i, code in enumerate(codes)
        ]

    options = {"valid_from": DAY, "source": "s", "certainty": "modelled"}
    assert places_import(items("a", "b"), **options) == 2
    with pytest.raises(InvalidInput, match="2 places have the code"):
        places_import(items("c", "d", "d"), **options)
    with pytest.raises(InvalidInput):
        places_import(items("e", "Bad Code"), **options)
    with pytest.raises(GeometryError):
        places_import([*items("f"), (items("g")[0][0], shapely.Point(0, 0))], **options)
    assert set(Place.objects.filter(parent=city).values_list("code", flat=True)) == {"a", "b"}
    assert places_import(items("a", "b", "c"), **options) == 1
    assert Boundary.objects.filter(place__parent=city).count() == 3


def test_roles_are_known_and_given_once(country: Place) -> None:
    user = User.objects.create_user("place-user")
    assignments_put(user, [("planner", country), ("planner", country)])
    assert Assignment.objects.filter(user=user).count() == 1
    with pytest.raises(InvalidInput, match="not a role"):
        assignments_put(user, [("king", country)])


# ---------------------------------------------------------------- spatial questions


def editions() -> SpatialQuerySet:
    return SpatialQuerySet(Boundary)


@pytest.fixture
def lattice(country: Place) -> list[Boundary]:
    """Small squares on a lattice of 0.01 degrees in the ocean, far from what the tests load."""
    rows = []
    for i in range(10):
        for j in range(10):
            place = Place.objects.create(kind="settlement", code=f"l{i}-{j}", parent=country, name_fa="م", name_en="Q")
            shape = shapely.MultiPolygon([box(68.3 + i / 100, 13.4 + j / 100, 0.0001)])
            rows.append(
                Boundary(place=place, geometry=to_geos(shape), valid=(DAY, None), status="approved", source="s")
            )
    return Boundary.objects.bulk_create(rows)


@pytest.mark.parametrize("distance_m", [0, 1, 500, 930, 1500, 5000])
def test_within_distance_is_metres_on_the_ground(lattice: list[Boundary], distance_m: float) -> None:
    centre = Point(68.3451, 13.4449, srid=4326)
    geod = Geod(ellps="WGS84")

    def true_distance_m(edition: Boundary) -> float:
        west, south, east, north = edition.geometry.extent
        x, y = np.clip(centre.x, west, east), np.clip(centre.y, south, north)  # good to a metre on so small a square
        return geod.inv(centre.x, centre.y, x, y)[2]

    expected = {e.pk for e in lattice if true_distance_m(e) <= distance_m}
    near_the_edge = {e.pk for e in lattice if abs(true_distance_m(e) - distance_m) < 2}
    found = set(editions().within_distance(centre, distance_m).values_list("pk", flat=True))
    assert found ^ expected <= near_the_edge
    assert len(expected) > (0 if distance_m > 900 else -1)
    assert set(editions().within_distance(centre, Distance(km=distance_m / 1000)).values_list("pk", flat=True)) == found


def test_degrees_of_longitude_are_not_metres(country: Place) -> None:
    """At 60° north a degree of longitude is half as long as one of latitude; a planar answer would find both or neither."""
    for code, west, south in (("east", 10.018, 60.0), ("north", 10.0, 60.018)):
        place = Place.objects.create(kind="settlement", code=code, parent=country, name_fa="م", name_en="Q")
        approve(place, box(west, south, 0.0001))
    found = editions().within_distance(Point(10.0, 60.0, srid=4326), 1500)
    assert [edition.place.code for edition in found] == ["east"]


def test_what_is_near_across_the_180th_meridian_is_found(country: Place) -> None:
    approve(country, box(179.99, -17.0, 0.005))
    assert editions().within_distance(Point(-179.999, -17.0, srid=4326), 2000).count() == 1
    assert editions().within_distance(Point(-179.9, -17.0, srid=4326), 2000).count() == 0


def test_other_reference_systems_are_brought_to_the_column(lattice: list[Boundary]) -> None:
    centre = Point(68.345, 13.445, srid=4326)
    utm = centre.transform(32642, clone=True)
    assert list(editions().within_distance(utm, 3000).order_by("pk")) == list(
        editions().within_distance(centre, 3000).order_by("pk")
    )
    window = Polygon.from_bbox((68.305, 13.405, 68.345, 13.425))
    window.srid = 4326
    found = set(editions().intersecting(window).values_list("place__code", flat=True))
    assert found == {f"l{i}-{j}" for i in range(1, 5) for j in range(1, 3)}


def test_questions_that_cannot_be_meant_are_refused(lattice: list[Boundary]) -> None:
    for distance_m in (-1, math.nan, math.inf):
        with pytest.raises(InvalidInput):
            editions().within_distance(Point(48, 33, srid=4326), distance_m)
    with pytest.raises(CrsError):
        editions().within_distance(Point(48, 33), 100)
    with pytest.raises(CrsError):
        editions().intersecting(GEOSGeometry("POINT (48 33)"))


def test_spatial_questions_use_the_index(lattice: list[Boundary]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE geo_boundary")
        cursor.execute("SET LOCAL enable_seqscan = off")
    asked = [
        editions().within_distance(Point(68.345, 13.445, srid=4326), 1000),
        editions().intersecting(Point(68.345, 13.445, srid=4326)),
        editions().in_tile(14, 11302, 7574),
    ]
    for question in asked:
        assert "geo_boundary_geometry" in question.explain()


def test_in_tile_keeps_what_overlaps_the_widened_tile(lattice: list[Boundary]) -> None:
    from geo.core.crs import project
    from maps.tiles.address import TileAddress

    tile = TileAddress(13, 5651, 3787)
    for margin in (0.0, 0.25):
        west, south, east, north = tile.bounds_3857
        reach = margin * (east - west)
        window = project([shapely.box(west - reach, south - reach, east + reach, north + reach)], 3857, 4326)[0]
        expected = {e.pk for e in lattice if shapely.box(*e.geometry.extent).intersects(window)}
        found = set(editions().in_tile(tile.z, tile.x, tile.y, margin=margin).values_list("pk", flat=True))
        assert found == expected
        assert 0 < len(found) < 100
