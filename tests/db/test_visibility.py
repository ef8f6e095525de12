"""Who sees which rows: `visible_to(user)` of every model, against a table written by hand.

Two cities, one published and one not; in each a published and an unpublished thing of every kind. People have no role, a role in
a neighbourhood, in a city, in the country above, or in another city whose path begins alike.
"""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from analysis.models import Index, Indicator, NationalCity, NationalRun, Run, Scenario, ScenarioDraft, Weight
from geo.models import Assignment, Boundary, Change, ChangeSet, Descent, Place, Presence, Review, WorkingCopy
from geo.querysets import system_user
from layers.models import (
    Attachment,
    Feature,
    FieldMapping,
    FrequencyClass,
    Layer,
    PopulationSource,
    Raster,
    Release,
    Service,
    Standard,
    Supply,
    Theme,
    Timetable,
    TravelData,
    Upload,
)
from maps.models import Publication

pytestmark = pytest.mark.django_db

SQUARE = MultiPolygon(Polygon.from_bbox((48.0, 33.0, 48.01, 33.01)), srid=4326)
APPS = ("geo", "layers", "analysis", "maps")
LAYERS: dict[str, dict[str, Any]] = {
    "layer": {"visibility": "public"},
    "secret": {"visibility": "assigned"},
    "members": {"visibility": "signed-in"},
    "analysts": {"visibility": "assigned", "seen_by_roles": ["agency"]},
}
ROLES = Assignment.Role.values

PUBLIC = {"anonymous", "stranger", "inactive"}
IN_OPEN = {"in_open", "in_country", "administrator", "system"}
IN_HUSH = {"in_hush", "in_country", "administrator", "system"}
SIGNED_IN = {"stranger", "in_quarter", "in_twin", "in_hush"}
ADMINISTRATORS = {"administrator", "system"}
NOBODY_BUT_ABOVE = {"in_country", "administrator", "system"}


@pytest.fixture
def world() -> Any:
    """Rows by name, and people by what they have a role in."""
    w = SimpleNamespace(rows={}, people={})
    country = Place.objects.create(kind="country", code="visland", name_fa="ک", name_en="Visland", is_published=True)
    theme = Theme.objects.create(code="vis-theme", name_fa="ت", name_en="T")
    service = Service.objects.create(code="vis-service", name_fa="خ", name_en="S", theme=theme)
    indicator = Indicator.objects.create(
        code="vis-i",
        service=service,
        measure="uncovered-share",
        unit="%",
        goalpost_low=0,
        goalpost_high=1,
        name_fa="ش",
        name_en="I",
    )
    general = Standard.objects.create(service=service, value=500, source="s")
    often = FrequencyClass.objects.create(service=service, departures_week=0, name_fa="ک", name_en="Low", source="s")
    w.rows |= {"country": country, "theme": theme, "service": service, "indicator": indicator, "standard": general}
    w.rows["frequency"] = often
    for city_code, is_open in (("opentown", True), ("hushtown", False)):
        city = Place.objects.create(
            kind="city", code=city_code, parent=country, name_fa="ش", name_en=city_code, is_published=is_open
        )
        fill(w.rows, city, theme, service)
    twin = Place.objects.create(kind="city", code="opentown-new", parent=country, name_fa="ش", name_en="Twin")
    w.rows["twin"] = twin
    quarter = w.rows["opentown/quarter"]
    roles_at = {
        "in_quarter": quarter,
        "in_open": w.rows["opentown"],
        "in_hush": w.rows["hushtown"],
        "in_twin": twin,
        "in_country": country,
    }
    for name, place in roles_at.items():
        w.people[name] = person(name, place)
    w.people["stranger"] = User.objects.create_user("vis-stranger")
    w.people["inactive"] = person("inactive", country)
    User.objects.filter(username="vis-inactive").update(is_active=False)
    w.people["inactive"].refresh_from_db()
    w.people |= {
        "anonymous": AnonymousUser(),
        "administrator": User.objects.create_superuser("vis-admin"),
        "system": system_user(),
    }
    return w


def system_user_row() -> User:
    return User.objects.get_or_create(username="vis-uploader")[0]


def person(name: str, place: Place) -> User:
    user = User.objects.create_user(f"vis-{name}")
    Assignment.objects.create(user=user, role="viewer", place=place)
    return user


def fill(rows: dict[str, Any], city: Place, theme: Theme, service: Service) -> None:
    """Put one of everything into a city."""
    c = city.code
    rows[c] = city
    for code, is_published in (("quarter", True), ("hidden", False)):
        place = Place.objects.create(
            kind="neighbourhood", code=code, parent=city, name_fa="م", name_en=code, is_published=is_published
        )
        rows[f"{c}/{code}"] = place
        for status in ("draft", "proposed", "approved", "withdrawn"):
            rows[f"{c}/{code}/{status}"] = Boundary.objects.create(
                place=place, geometry=SQUARE, valid=DateRange(date(2020, 1, 1), None), status=status, source="s"
            )
    rows[f"{c}/change"] = ChangeSet.objects.create(place=city)
    for code, seen in LAYERS.items():
        layer = Layer.objects.create(
            city=city,
            theme=theme,
            code=code,
            kind="point",
            name_fa="ل",
            name_en=code,
            source="s",
            **seen,
        )
        release = Release.objects.create(
            layer=layer, number=1, file_name="f", file_sha256="0" * 64, content_hash="0" * 64, row_count=1
        )
        rows[f"{c}/{code}"] = layer
        rows[f"{c}/{code}/release"] = release
        rows[f"{c}/{code}/feature"] = Feature.objects.create(
            release=release, number=1, geometry=Point(48, 33, srid=4326)
        )
        rows[f"{c}/{code}/raster"] = Raster.objects.create(
            release=release, file=f"{c}-{code}.tif", epsg=32639, width=1, height=1
        )
    rows[f"{c}/upload"] = Upload.objects.create(
        city=city, author=system_user_row(), file_name="f.csv", size=1, sha256="0" * 64
    )
    rows[f"{c}/mapping"] = FieldMapping.objects.create(layer=rows[f"{c}/layer"], columns="0" * 64)
    for code, of, is_public in (("photo", "layer", True), ("kept", "layer", False), ("hidden-photo", "secret", True)):
        rows[f"{c}/{code}"] = Attachment.objects.create(
            layer=rows[f"{c}/{of}"], feature_key="1", kind="photo", file_name="p.jpg", media_type="image/jpeg", size=1,
            sha256="0" * 64, is_public=is_public,
        )  # fmt: skip
    rows[f"{c}/standard"] = Standard.objects.create(service=service, city=city, value=400, source="s")
    rows[f"{c}/frequency"] = FrequencyClass.objects.create(
        service=service, city=city, departures_week=9, name_fa="ز", name_en="High", source="s"
    )
    rows[f"{c}/timetable"] = Timetable.objects.create(city=city, service=service, departures_field="per_week")
    rows[f"{c}/supply"] = Supply.objects.create(city=city, service=service, layer=rows[f"{c}/layer"])
    rows[f"{c}/population"] = PopulationSource.objects.create(city=city, layer=rows[f"{c}/layer"], field="people")
    rows[f"{c}/travel"] = TravelData.objects.create(city=city)
    rows[f"{c}/index"] = Index.objects.create(city=city, name_fa="ش", name_en="I")
    run = {
        "kind": "priority",
        "city": city,
        "parameters": {},
        "inputs": {},
        "input_hash": "0" * 64,
        "code_version": "1",
        "result": {},
        "duration_ms": 1,
    }
    national = rows.setdefault(
        "national", NationalRun.objects.get_or_create(country=rows["country"], code_version="1")[0]
    )
    rows[f"{c}/national-city"] = NationalCity.objects.create(national=national, city=city)
    author = system_user_row()
    for code, is_shared in (("thought", False), ("shared-thought", True)):
        rows[f"{c}/{code}"] = Scenario.objects.create(
            city=city, name=code, is_shared=is_shared, author=author, saved_by=author
        )
    rows[f"{c}/draft"] = ScenarioDraft.objects.create(
        scenario=rows[f"{c}/thought"], user=author, based_on=1, content={}
    )
    now = timezone.now()
    for code, is_published, withdrawn_at in (("work", False, None), ("shown", True, None), ("taken-back", True, now)):
        rows[f"{c}/run-{code}"] = made = Run.objects.create(**run)
        if is_published:
            rows[f"{c}/map-{code}"] = Publication.objects.create(
                slug=f"{c}-{code}",
                city=city,
                run=made,
                measure="priority",
                title_fa="ع",
                title_en="T",
                page_fa="",
                page_en="",
                geojson={},
                published_at=now,
                withdrawn_at=withdrawn_at,
            )


EVERYBODY = PUBLIC | IN_OPEN | IN_HUSH | {"in_quarter", "in_twin"}
WITH_QUARTER = IN_OPEN | {"in_quarter"}

SEEN_BY: dict[str, set[str]] = {
    "country": EVERYBODY,
    "theme": EVERYBODY,
    "service": EVERYBODY,
    "indicator": EVERYBODY,
    "standard": EVERYBODY,
    "frequency": EVERYBODY,
    "twin": NOBODY_BUT_ABOVE | {"in_twin"},
    "national": NOBODY_BUT_ABOVE,
    # the published city: what is published is seen by all, the rest by those with a role in it or above
    "opentown": EVERYBODY,
    "opentown/quarter": EVERYBODY,
    "opentown/quarter/draft": WITH_QUARTER,
    "opentown/quarter/proposed": WITH_QUARTER,
    "opentown/quarter/approved": EVERYBODY,
    "opentown/quarter/withdrawn": WITH_QUARTER,
    "opentown/hidden": IN_OPEN,
    "opentown/hidden/draft": IN_OPEN,
    "opentown/hidden/proposed": IN_OPEN,
    "opentown/hidden/approved": IN_OPEN,
    "opentown/hidden/withdrawn": IN_OPEN,
    "opentown/change": IN_OPEN,
    "opentown/layer": EVERYBODY,
    "opentown/layer/release": EVERYBODY,
    "opentown/layer/feature": EVERYBODY,
    "opentown/layer/raster": EVERYBODY,
    "opentown/secret": IN_OPEN,
    "opentown/secret/release": IN_OPEN,
    "opentown/secret/feature": IN_OPEN,
    "opentown/secret/raster": IN_OPEN,
    "opentown/members": IN_OPEN | SIGNED_IN,
    "opentown/members/release": IN_OPEN | SIGNED_IN,
    "opentown/members/feature": IN_OPEN | SIGNED_IN,
    "opentown/members/raster": IN_OPEN | SIGNED_IN,
    "opentown/analysts": ADMINISTRATORS,  # those in the city are its viewers
    "opentown/analysts/release": ADMINISTRATORS,
    "opentown/analysts/feature": ADMINISTRATORS,
    "opentown/analysts/raster": ADMINISTRATORS,
    "opentown/upload": ADMINISTRATORS,
    "opentown/mapping": ADMINISTRATORS,
    "opentown/photo": EVERYBODY,
    "opentown/kept": IN_OPEN,
    "opentown/hidden-photo": IN_OPEN,
    "opentown/standard": EVERYBODY,
    "opentown/frequency": EVERYBODY,
    "opentown/timetable": EVERYBODY,
    "opentown/supply": EVERYBODY,
    "opentown/population": EVERYBODY,
    "opentown/travel": EVERYBODY,
    "opentown/index": EVERYBODY,
    "opentown/national-city": IN_OPEN,
    "opentown/thought": ADMINISTRATORS,  # its author has no role in the city any more
    "opentown/shared-thought": IN_OPEN,
    "opentown/draft": set(),  # its author's alone
    "opentown/run-work": IN_OPEN,
    "opentown/run-shown": EVERYBODY,
    "opentown/run-taken-back": IN_OPEN,
    "opentown/map-shown": EVERYBODY,
    "opentown/map-taken-back": IN_OPEN,
}
SEEN_BY |= {
    # the unpublished city: nothing but for those with a role in it or above, whatever is marked as published inside
    name.replace("opentown", "hushtown"): SEEN_BY[name] if SEEN_BY[name] in (ADMINISTRATORS, set()) else IN_HUSH
    for name in list(SEEN_BY)
    if name.startswith("opentown")
}


def test_every_row_is_seen_by_whom_it_should_be(world: Any) -> None:
    assert set(SEEN_BY) == set(world.rows)
    wrong = []
    for name, row in world.rows.items():
        for person_name, user in world.people.items():
            sees = type(row).objects.visible_to(user).filter(pk=row.pk).exists()
            if sees != (person_name in SEEN_BY[name]):
                wrong.append(f"{person_name} {'sees' if sees else 'does not see'} {name}")
    assert wrong == []


def test_no_row_is_seen_twice(world: Any) -> None:
    """A condition that joins would give a row once for every role of the user."""
    user = world.people["in_country"]
    for role in ROLES[1:]:
        Assignment.objects.create(user=user, role=role, place=world.rows["opentown"])
    for name, row in world.rows.items():
        is_own = name.endswith(("/thought", "/draft"))  # of somebody else, whatever the role
        is_seen = (name.startswith("opentown") and not is_own) or "in_country" in SEEN_BY[name]
        assert type(row).objects.visible_to(user).filter(pk=row.pk).count() == is_seen, name


def test_the_table_has_every_model() -> None:
    covered = {
        Place,
        Boundary,
        ChangeSet,
        Theme,
        Layer,
        Release,
        Feature,
        Raster,
        Service,
        Standard,
        Supply,
        FrequencyClass,
        Timetable,
        PopulationSource,
        TravelData,
        Attachment,
        FieldMapping,
        Upload,
    }
    covered |= {Indicator, Index, Run, Publication, Scenario, ScenarioDraft, NationalRun, NationalCity}
    covered |= {Change, Descent, Presence, Review, WorkingCopy}  # in test_change_sets
    covered |= {Assignment, Weight}  # the one below; the other is seen through its index only
    present = {model for app in APPS for model in apps.get_app_config(app).get_models()}
    assert present == covered


def test_people_see_their_own_roles_alone(world: Any) -> None:
    own = Assignment.objects.visible_to(world.people["in_open"])
    assert [(a.role, a.place.code) for a in own] == [("viewer", "opentown")]
    assert not Assignment.objects.visible_to(AnonymousUser()).exists()
    assert Assignment.objects.visible_to(world.people["administrator"]).count() == Assignment.objects.count()


@pytest.mark.parametrize("role", ROLES)
def test_roles_allow_what_they_should_in_their_subtree_alone(world: Any, role: str) -> None:
    user = User.objects.create_user(f"vis-role-{role}")
    Assignment.objects.create(user=user, role=role, place=world.rows["opentown"])
    mine = {world.rows["opentown"].pk, world.rows["opentown/quarter"].pk, world.rows["opentown/hidden"].pk}
    may_edit = mine if role in ("planner", "administrator") else set()
    may_analyse = mine if role in ("analyst", "planner", "administrator") else set()
    assert set(Place.objects.editable_by(user).values_list("pk", flat=True)) == may_edit
    assert set(Place.objects.analysable_by(user).values_list("pk", flat=True)) == may_analyse


def test_nobody_may_do_anything_without_a_role(world: Any) -> None:
    for name in ("anonymous", "stranger", "inactive"):
        assert not Place.objects.editable_by(world.people[name]).exists()
        assert not Place.objects.analysable_by(world.people[name]).exists()


def test_a_role_taken_away_ends_at_once(world: Any) -> None:
    user = world.people["in_hush"]
    assert Place.objects.visible_to(user).filter(code="hushtown").exists()
    Assignment.objects.filter(user=user).delete()
    assert not Place.objects.visible_to(user).filter(code="hushtown").exists()
