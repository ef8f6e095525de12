"""The interface of capacities: recorded once however often sent, by those who may, and every fault with its place and sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from geo.models import Place
from geo.querysets import system_user
from interventions.models import Capacity, LogEntry, Organisation
from interventions.services import MemberSpec, capacity_review, members_enter

pytestmark = pytest.mark.django_db

API = "/api/v1/cities/khorramabad/capacities"
ClientAs = Callable[[str], Client]


@pytest.fixture
def body(demo_city: Place, personas: dict[str, Any]) -> Organisation:
    """The organisation for which the agency's person records."""
    found = Organisation.objects.get(code="municipality", place=demo_city)
    members_enter(user=system_user(), organisation=found, members=[MemberSpec(personas["agency"])])
    return found


def reader(client_as: ClientAs, name: str, language: str = "en") -> Client:
    client = client_as(name)
    client.cookies["django_language"] = language
    return client


def said(body: Organisation, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": body.pk, "place": "s01", "kind": "place", "text_fa": "زميني براي بازي", "text_en": "", "amount": 1200,
        "contact": "شهرداری ۱۲۳", "sectors": ["sport", "culture"], "geometry": None, "ticket": str(uuid4()),
    } | changes  # fmt: skip


def post(client: Client, content: Any, path: str = API) -> Any:
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return client.post(path, text, content_type="application/json")


def test_a_capacity_sent_twice_is_recorded_once(client_as: ClientAs, body: Organisation) -> None:
    client = reader(client_as, "agency")
    content = said(body)
    first = post(client, content)
    assert first.status_code == 201, first.content
    made = Capacity.objects.get(ticket=content["ticket"])
    assert first.json() == {
        "is_new": True, "number": made.pk, "state": "recorded", "version": 1, "ticket": content["ticket"],
        "address": f"/khorramabad/capacities/{made.pk}/",
    }  # fmt: skip
    assert first["ETag"] == '"1"'
    assert (made.text_fa, made.amount, made.kind, made.contact) == ("زمینی برای بازی", 1200, "place", "شهرداری ۱۲۳")
    assert {sector.code for sector in made.sectors.all()} == {"sport", "culture"}
    # Whatever is in it: what was recorded stands, even where it was withdrawn since.
    again = post(client, content | {"text_fa": "متن دیگر", "place": "nowhere"})
    assert (again.status_code, again.json()) == (200, first.json() | {"is_new": False})
    capacity_review(user=system_user(), capacity=made, event="withdraw")
    later = post(client, content).json()
    assert (later["is_new"], later["state"], later["version"]) == (False, "withdrawn", 2)
    assert Capacity.objects.filter(ticket=content["ticket"]).count() == 1
    assert LogEntry.objects.filter(subject="capacity", subject_id=made.pk, event="record").count() == 1
    # Under the ticket of somebody else nothing is told and nothing made.
    taken = post(reader(client_as, "supervisor"), content)
    assert (taken.status_code, taken.json()["code"], taken.json()["where"]) == (409, "ticket_taken", "ticket")


def test_what_is_optional_may_be_left_out(client_as: ClientAs, body: Organisation) -> None:
    least = {name: said(body)[name] for name in ("organisation", "place", "kind", "text_fa", "ticket")}
    made = Capacity.objects.get(pk=post(reader(client_as, "agency"), least).json()["number"])
    assert (made.amount, made.contact, made.geometry, made.sectors.count()) == (None, "", None, 0)


def test_a_line_is_kept_as_it_was_marked(client_as: ClientAs, body: Organisation) -> None:
    place = Place.objects.get(code="s01")
    centre = place.boundaries.current().get().geometry.point_on_surface
    line = {"type": "LineString", "coordinates": [[centre.x, centre.y], [centre.x + 0.0005, centre.y]]}
    number = post(reader(client_as, "agency"), said(body, geometry=line)).json()["number"]
    assert json.loads(Capacity.objects.get(pk=number).geometry.geojson) == line


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"ticket": None}, "ticket"),
    ({"ticket": "x"}, "body.ticket"),
    ({"organisation": 0}, "body.organisation"),
    ({"organisation": 2**80}, "body.organisation"),
    ({"organisation": 999_999_999}, "capacity, organisation"),
    ({"place": ""}, "body.place"),
    ({"place": "nowhere"}, "capacity, place"),
    ({"kind": "gold"}, "body.kind"),
    ({"kind": "place\n"}, "body.kind"),
    ({"amount": -1}, "body.amount"),
    ({"amount": 10**9}, "body.amount"),
    ({"amount": "many"}, "body.amount"),
    ({"amount": 1.5}, "body.amount"),
    ({"text_fa": " ", "text_en": "\t"}, "capacity"),
    ({"text_fa": "ت" * 2001}, "body.text_fa"),
    ({"text_fa": ["a"]}, "body.text_fa"),
    ({"contact": "ت" * 301}, "body.contact"),
    ({"sectors": "sport"}, "body.sectors"),
    ({"sectors": ["sport", "castle"]}, "capacity, sectors"),
    ({"sectors": ["s" * 61]}, "body.sectors[0]"),
    ({"sectors": ["sport"] * 201}, "body.sectors"),
    ({"sectors": [{}]}, "body.sectors[0]"),
    ({"geometry": []}, "body.geometry"),
    ({"geometry": {"type": "Castle"}}, "capacity, geometry"),
    ({"geometry": {"type": "Point", "coordinates": ["x", None]}}, "capacity, geometry.coordinates"),
    ({"geometry": {"type": "Point", "coordinates": [51.4, 35.7]}}, "capacity, point"),
)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_what_is_wrong_is_located_and_told_in_the_language_of_the_reader(
    client_as: ClientAs, body: Organisation, language: str
) -> None:
    client = reader(client_as, "agency", language)
    before = Capacity.objects.count()
    for changes, where in WRONG:
        answer = post(client, said(body, **changes))
        told = answer.json()
        assert (answer.status_code, told["where"]) == (400, where), (changes, told)
        assert answer["Content-Type"] == "application/problem+json"
        assert told["language"] == language, (changes, told)
        assert any("آ" <= letter <= "ی" for letter in told["title"]) == (language == "fa"), (changes, told)
    assert Capacity.objects.count() == before


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ('"x"', 400),
        ("[" * 100_000, 400),
        (b"\xff\xfe", 400),
        ('{"amount": NaN}', 400),
        ('{"amount": 1e999}', 400),
        ('{"text_fa": "\\u0000"}', 400),
        ('{"text_fa": "\\ud800"}', 400),
        (b'{"x": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
)
def test_no_body_breaks_it(client_as: ClientAs, body: Organisation, text: str | bytes, status: int) -> None:
    answer = post(reader(client_as, "agency"), text)
    assert answer.status_code == status, answer.content
    assert answer.json()["where"]


def test_names_of_text_that_cannot_be_stored_are_refused(client_as: ClientAs, body: Organisation) -> None:
    for name in ("text_fa", "place", "contact", "kind"):
        answer = post(reader(client_as, "agency"), said(body, **{name: "place\x00"}))
        assert answer.status_code == 400, name


def test_only_those_who_act_for_the_organisation_or_lead_record(client_as: ClientAs, body: Organisation) -> None:
    for name, status in {
        "anonymous": 401, "planner_elsewhere": 403, "viewer": 403, "analyst": 403, "planner": 403, "reporter": 403,
        "agency": 201, "supervisor": 201, "administrator": 201,
    }.items():  # fmt: skip
        answer = post(client_as(name), said(body))
        assert answer.status_code == status, (name, answer.content)
    settlement = Place.objects.get(code="s01", parent=body.place)
    approved = Organisation.objects.approved().exclude(pk=body.pk).select_related("place")
    other = next(one for one in approved if one.works_in(settlement))
    assert post(client_as("agency"), said(other)).status_code == 403  # not theirs
    assert post(client_as("agency"), said(body), API.replace("khorramabad", "nowhere")).status_code == 404
    assert client_as("agency").get(API).status_code == 405
    waits = Organisation.objects.create(
        place=body.place, code="zz-waits", kind="ngo", state="applied", name_fa="ز", name_en="Z"
    )
    hidden = post(client_as("agency"), said(waits))
    assert (hidden.status_code, hidden.json()["where"]) == (400, "capacity, organisation")


def test_it_is_described(client_as: ClientAs) -> None:
    described = client_as("viewer").get("/api/v1/openapi.json").json()["paths"]
    schema = described["/api/v1/cities/{city}/capacities"]["post"]["requestBody"]["content"]["application/json"]
    assert {"place", "kind", "sectors", "ticket"} <= set(schema["schema"]["properties"])
