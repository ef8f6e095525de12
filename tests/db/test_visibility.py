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

from analysis.models import (
    Index,
    IndexEdition,
    Indicator,
    IndicatorValue,
    NationalCity,
    NationalRun,
    Run,
    RunOrder,
    Scenario,
    ScenarioDraft,
    Weight,
)
from geo.models import Assignment, Boundary, Change, ChangeSet, Descent, Place, Presence, Review, WorkingCopy
from geo.querysets import system_user
from interventions.models import (
    Action,
    Activation,
    Admission,
    Assessment,
    Capacity,
    Committee,
    Council,
    Decision,
    Evidence,
    LogEntry,
    MailChoice,
    Membership,
    Milestone,
    Need,
    Notice,
    Organisation,
    Phase,
    Programme,
    Progress,
    Proposal,
    Round,
    Seat,
    Sector,
    Tally,
    TallyMark,
    WeightSet,
    YearTally,
)
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
APPS = ("geo", "layers", "analysis", "interventions", "maps")
LAYERS: dict[str, dict[str, Any]] = {
    "layer": {"visibility": "public"},
    "secret": {"visibility": "assigned"},
    "members": {"visibility": "signed-in"},
    "analysts": {"visibility": "assigned", "seen_by_roles": ["agency"]},
}
ROLES = Assignment.Role.values

PUBLIC = {"anonymous", "stranger", "inactive", "member"}
IN_OPEN = {"in_open", "in_country", "administrator", "system"}
IN_HUSH = {"in_hush", "in_country", "administrator", "system"}
SIGNED_IN = {"stranger", "member", "in_quarter", "in_twin", "in_hush"}
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
        domain="health",
        origin="coverage",
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
    w.people["member"] = User.objects.create_user(
        "vis-member"
    )  # of the organisation of the published city, without any role
    sector = Sector.objects.create(code="vis-sector", name_fa="ح", name_en="S")
    measured = Indicator.objects.create(
        code="vis-outcome",
        domain="health",
        origin="survey",
        unit="%",
        direction="more-is-better",
        name_fa="ش",
        name_en="I",
    )
    w.rows |= {"sector": sector, "outcome-indicator": measured}
    for city_code, is_open in (("opentown", True), ("hushtown", False)):
        city = Place.objects.create(
            kind="city", code=city_code, parent=country, name_fa="ش", name_en=city_code, is_published=is_open
        )
        fill(w.rows, city, theme, service)
        member = w.people["member"] if is_open else User.objects.create_user("vis-member-hush")
        fill_network(w.rows, city, sector, measured, member)
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
    rows[f"{c}/run-order"] = RunOrder.objects.create(kind="siting", city=city, author=author, question={})
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
            rows[f"{c}/edition-{code}"] = IndexEdition.objects.create(
                city=city,
                number=2 if withdrawn_at else 1,
                title_fa="ع",
                title_en="T",
                question={},
                run=made,
                codebook=[],
                document={},
                published_at=now,
                withdrawn_at=withdrawn_at,
                withdrawn_reason="r" if withdrawn_at else "",
            )


def fill_network(rows: dict[str, Any], city: Place, sector: Sector, measured: Indicator, member: User) -> None:
    """Put one of everything of the network into a city, most of it into its published quarter."""
    c, now, day = city.code, timezone.now(), date(2026, 4, 1)
    quarter = rows[f"{c}/quarter"]
    named: dict[str, Any] = {"name_fa": "ن", "name_en": "N"}
    organisation = Organisation.objects.create(place=city, code="works", kind="ngo", **named)
    asking = Organisation.objects.create(place=city, code="asks", kind="ngo", state="applied", **named)
    refused = Organisation.objects.create(place=city, code="refused", kind="ngo", state="refused", **named)
    rows |= {
        f"{c}/organisation": organisation,
        f"{c}/organisation-asking": asking,
        f"{c}/organisation-refused": refused,
    }
    rows[f"{c}/membership"] = Membership.objects.create(organisation=organisation, user=member, state="approved")
    rows[f"{c}/membership-asking"] = Membership.objects.create(organisation=asking, user=member)
    rows[f"{c}/membership-refused"] = Membership.objects.create(
        organisation=organisation, user=User.objects.create_user(f"vis-refused-{c}"), state="refused"
    )
    committee = Committee.objects.create(place=city, code="crisis", is_crisis=True, **named)
    council = Council.objects.create(place=city, **named)
    rows |= {f"{c}/committee": committee, f"{c}/council": council}
    rows[f"{c}/seat"] = Seat.objects.create(council=council, organisation=organisation)
    rows[f"{c}/seat-own"] = Seat.objects.create(council=council, user=member)
    rows[f"{c}/activation"] = Activation.objects.create(committee=committee, place=quarter, reason="r")
    programme = Programme.objects.create(place=city, code="p", **named)
    round_ = Round.objects.create(programme=programme, place=city, number=1, **named)
    phase = Phase.objects.create(round=round_, kind="needs", due_at=now, first_due_at=now)
    rows |= {f"{c}/programme": programme, f"{c}/round": round_, f"{c}/phase": phase}
    rows[f"{c}/admission"] = Admission.objects.create(phase=phase, organisation=organisation, until=now, reason="r")
    need = Need.objects.create(
        round=round_, place=quarter, sector=sector, organisation=organisation, approach="social", text_fa="ن", severity=1,
        people_affected=1,
    )  # fmt: skip
    rows[f"{c}/need"] = need
    rows[f"{c}/capacity"] = Capacity.objects.create(
        place=quarter, kind="people", organisation=organisation, text_fa="ظ"
    )
    rows[f"{c}/weights"] = WeightSet.objects.create(
        organisation=organisation, city=city, how="given", weights={"vis-i": 1}, name_fa="و"
    )
    for code, submitted_at in (("offer", now), ("offer-draft", None)):
        rows[f"{c}/{code}"] = offer = Proposal.objects.create(
            round=round_, organisation=organisation, title_fa="ط", cost_irr=1, submitted_at=submitted_at,
            state="submitted" if submitted_at else "draft",
        )  # fmt: skip
        offer.needs.add(need)
        rows[f"{c}/{code}/assessment"] = Assessment.objects.create(proposal=offer, organisation=organisation)
        rows[f"{c}/{code}/decision"] = Decision.objects.create(proposal=offer, outcome="refused", reason="r")
    rows[f"{c}/offer/decision-told"] = Decision.objects.create(
        proposal=rows[f"{c}/offer"], outcome="accepted", reason="r", published_at=now
    )
    for code, is_public in (("deed", True), ("deed-inside", False)):
        rows[f"{c}/{code}"] = deed = Action.objects.create(
            organisation=organisation, place=quarter, sector=sector, approach="social", title_fa="ع", starts_on=day, ends_on=day,
            is_public=is_public,
        )  # fmt: skip
        rows[f"{c}/{code}/milestone"] = Milestone.objects.create(action=deed, title_fa="م", due_on=day)
        rows[f"{c}/{code}/progress"] = Progress.objects.create(action=deed, done_percent=5)
        for name, values in {
            "photo-shown": {"is_public": True},
            "photo-kept": {},
            "photo-archived": {"is_public": True, "archived_at": now},
        }.items():
            rows[f"{c}/{code}/{name}"] = Evidence.objects.create(action=deed, **file_of(), **values)
    rows[f"{c}/need/photo"] = Evidence.objects.create(need=need, is_public=True, **file_of())
    rows[f"{c}/outcome"] = IndicatorValue.objects.create(
        indicator=measured, place=quarter, year_begins_on=day, kind="measured", value=1, source="s"
    )
    rows[f"{c}/log"] = LogEntry.objects.create(subject="need", subject_id=need.pk, event="report", place=quarter)
    rows[f"{c}/mail"] = MailChoice.objects.create(user=member)
    rows[f"{c}/notice"] = Notice.objects.create(user=member, kind="change", key=f"vis-{c}", place=quarter)


def file_of() -> dict[str, Any]:
    return {"kind": "photo", "file_name": "p.jpg", "media_type": "image/jpeg", "size": 1, "sha256": "0" * 64}


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
    "sector": EVERYBODY,
    "outcome-indicator": EVERYBODY,
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
    "opentown/run-order": ADMINISTRATORS,  # and its author's, with a role in the city
    "opentown/run-work": IN_OPEN,
    "opentown/run-shown": EVERYBODY,
    "opentown/run-taken-back": IN_OPEN,
    "opentown/map-shown": EVERYBODY,
    "opentown/map-taken-back": IN_OPEN,
    "opentown/edition-shown": EVERYBODY,
    "opentown/edition-taken-back": IN_OPEN,
    # the network; those with a role are viewers, and see who works, not who applied or was refused
    "opentown/organisation": EVERYBODY,
    "opentown/organisation-asking": ADMINISTRATORS | {"member"},
    "opentown/organisation-refused": ADMINISTRATORS,
    "opentown/membership": ADMINISTRATORS | {"member"},
    "opentown/membership-asking": ADMINISTRATORS | {"member"},
    "opentown/membership-refused": ADMINISTRATORS,  # of another person, in the member's organisation
    "opentown/committee": EVERYBODY,
    "opentown/council": EVERYBODY,
    "opentown/seat": IN_OPEN,
    "opentown/seat-own": IN_OPEN | {"member"},
    "opentown/activation": EVERYBODY,
    "opentown/programme": EVERYBODY,
    "opentown/round": EVERYBODY,
    "opentown/phase": EVERYBODY,
    "opentown/admission": IN_OPEN | {"member"},
    "opentown/need": WITH_QUARTER,
    "opentown/need/photo": WITH_QUARTER,  # a photo of a need is never public, whatever is marked
    "opentown/capacity": WITH_QUARTER,
    "opentown/weights": IN_OPEN,
    "opentown/offer": WITH_QUARTER | {"member"},
    "opentown/offer/assessment": WITH_QUARTER | {"member"},
    "opentown/offer/decision": WITH_QUARTER | {"member"},
    "opentown/offer/decision-told": EVERYBODY,
    "opentown/offer-draft": ADMINISTRATORS | {"member"},
    "opentown/offer-draft/assessment": ADMINISTRATORS | {"member"},
    "opentown/offer-draft/decision": ADMINISTRATORS | {"member"},
    "opentown/deed": EVERYBODY,
    "opentown/deed/milestone": EVERYBODY,
    "opentown/deed/progress": WITH_QUARTER,
    "opentown/deed/photo-shown": EVERYBODY,
    "opentown/deed/photo-kept": WITH_QUARTER,
    "opentown/deed/photo-archived": ADMINISTRATORS,
    "opentown/deed-inside": WITH_QUARTER,
    "opentown/deed-inside/milestone": WITH_QUARTER,
    "opentown/deed-inside/progress": WITH_QUARTER,
    "opentown/deed-inside/photo-shown": WITH_QUARTER,
    "opentown/deed-inside/photo-kept": WITH_QUARTER,
    "opentown/deed-inside/photo-archived": ADMINISTRATORS,
    "opentown/outcome": EVERYBODY,
    "opentown/log": ADMINISTRATORS,
    "opentown/notice": {"member"},  # one's own alone
    "opentown/mail": {"member"},
}
SEEN_BY |= {
    # the unpublished city: nothing but for those with a role in it or above, whatever is marked as published inside
    name.replace("opentown", "hushtown"): (
        SEEN_BY[name] - {"member"} if SEEN_BY[name] - {"member"} in (ADMINISTRATORS, set()) else IN_HUSH
    )
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
        is_own = name.endswith(
            ("/thought", "/draft", "/run-order", "/notice", "/mail")
        )  # of somebody else, whatever the role
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
    covered |= {Indicator, IndicatorValue, Index, IndexEdition, Publication, Scenario, ScenarioDraft, NationalRun}
    covered |= {NationalCity, Run, RunOrder}
    covered |= {
        Sector,
        Organisation,
        Membership,
        Committee,
        Council,
        Seat,
        Activation,
        Programme,
        Round,
        Phase,
        Admission,
    }
    covered |= {Need, Capacity, WeightSet, Proposal, Assessment, Decision, Action, Milestone, Progress, Evidence}
    covered |= {LogEntry, MailChoice, Notice}
    covered |= {Tally, TallyMark, YearTally}  # sums, told by selectors only: see test_tallies
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
