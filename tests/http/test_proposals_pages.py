"""Pages of proposals: the form keeps what is typed, the effect is a sentence, each reader is offered what they may do."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.models import Boundary, Place
from interventions.core.phases import PhaseKind
from interventions.models import Assessment, Proposal
from interventions.services import assessments_ask, proposal_return, proposal_save
from layers.models import Service
from tests.db.proposing import BILLION, Proposing, proposing

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(demo_city: Place) -> Proposing:
    """The demo city with a round that runs now."""
    areas = list(Place.objects.within(demo_city).filter(kind="settlement").order_by("code")[:2])
    now = timezone.now()
    due = {kind: now + timedelta(days=10 * n) for n, kind in enumerate(list(PhaseKind)[:3], start=1)}
    return proposing(demo_city, areas, "pg", due=due)


def signed_in(world: Proposing, name: str, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.cookies["django_language"] = language
    client.cookies["language"] = language
    client.force_login(world.people[name])
    return client


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def typed(world: Proposing, **values: Any) -> dict[str, Any]:
    lon, lat = middle(world)
    return {
        "round": world.round.pk,
        "organisation": world.works.pk,
        "needs": [world.needs[0].pk],
        "title_fa": "درمانگاه شمالی",
        "title_en": "",
        "cost_irr": "۱۲٬۵۰۰٬۰۰۰٬۰۰۰",
        "own_funding_irr": "",
        "starts_on": "۱۴۰۵/۱۰/۰۱",
        "ends_on": "1406/06/31",
        "service": "clinic",
        "lon": f"{lon:.6f}",
        "lat": f"{lat:.6f}",
        "do": "submit",
    } | values


def middle(world: Proposing) -> tuple[float, float]:
    point = Boundary.objects.current().get(place=world.areas[0]).geometry.point_on_surface
    return point.x, point.y


def submitted(world: Proposing, **values: Any) -> Proposal:
    return world.submitted(at=timezone.now(), **values)


def clinic(world: Proposing, **values: Any) -> Proposal:
    return submitted(world, service=Service.objects.get(code="clinic"), lon_lat=middle(world), **values)


def test_an_agency_hands_in_with_persian_digits_and_jalali_days(world: Proposing) -> None:
    client = signed_in(world, "agency", "fa")
    page = client.get("/khorramabad/proposals/new/")
    assert page.status_code == 200
    assert str(world.needs[0].pk) in page.content.decode()
    answer = client.post("/khorramabad/proposals/new/", typed(world))
    made = Proposal.objects.get(round=world.round)
    assert (answer.status_code, answer["Location"]) == (302, f"/khorramabad/proposals/{made.pk}/")
    assert (made.state, made.cost_irr, made.author_id) == (
        "submitted",
        Decimal(12_500_000_000),
        world.people["agency"].pk,
    )
    assert (str(made.starts_on), str(made.ends_on)) == ("2026-12-22", "2027-09-22")
    assert made.effect["people"] > 100
    told = text_of(client.get(answer["Location"]))
    assert "درمانگاه شمالی" in told


def test_the_effect_is_a_sentence_in_both_languages(world: Proposing) -> None:
    made = clinic(world)
    people = None
    for language, digits in (("en", r"[\d,]+"), ("fa", r"[۰-۹٬]+")):
        page = text_of(signed_in(world, "viewer", language).get(f"/khorramabad/proposals/{made.pk}/"))
        made.refresh_from_db()
        people = round(made.effect["people"])
        if language == "en":
            assert f"{people:,} people newly covered" in page
            assert "newly covered" in text_of(signed_in(world, "viewer").get("/khorramabad/proposals/"))
        assert re.search(digits, page)


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(world: Proposing) -> None:
    client = signed_in(world, "agency")
    wrong = typed(world, cost_irr="lots", starts_on="1405/12/30", needs=[], title_fa="عنوان من", lon="x", lat="33")
    page = client.post("/khorramabad/proposals/new/", wrong)
    body = page.content.decode()
    assert page.status_code == 400
    assert not Proposal.objects.filter(round=world.round).exists()
    for kept in ("lots", "1405/12/30", "عنوان من"):
        assert kept in body
    for field in ("cost_irr", "starts_on", "needs", "geometry"):
        assert f'href="#f-{field}"' in body
        assert f'id="f-{field}"' in body


def test_the_service_refuses_beside_the_field_too(world: Proposing) -> None:
    client = signed_in(world, "agency")
    page = client.post("/khorramabad/proposals/new/", typed(world, own_funding_irr="99000000000"))
    assert page.status_code == 400
    assert "99000000000" in page.content.decode()
    page = client.post("/khorramabad/proposals/new/", typed(world, lon="10.0", lat="50.0"))
    assert page.status_code == 400
    assert "10.0" in page.content.decode()


@pytest.mark.parametrize("values", [{"needs": ["x"]}, {"round": "7" * 30}, {"organisation": "-1"}, {"service": "castle"},
                                    {"geometry": "[[[["}, {"geometry": '{"type": "Moon"}'}, {"version": "٣"}, {"capacity": "٩" * 50}])  # fmt: skip
def test_nonsense_is_refused_and_breaks_nothing(world: Proposing, values: dict[str, Any]) -> None:
    client = signed_in(world, "agency")
    page = client.post("/khorramabad/proposals/new/", typed(world, **values))
    assert page.status_code == (302 if "version" in values else 400)


def test_a_draft_is_kept_changed_and_handed_in(world: Proposing) -> None:
    client = signed_in(world, "agency")
    client.post("/khorramabad/proposals/new/", typed(world, do="save"))
    draft = Proposal.objects.get(round=world.round)
    assert draft.state == "draft"
    # Others with a role are not told of it.
    assert signed_in(world, "health").get(f"/khorramabad/proposals/{draft.pk}/").status_code == 404
    page = client.get(f"/khorramabad/proposals/{draft.pk}/edit/").content.decode()
    assert "12,500,000,000" in page
    assert "2026-12-22" in page
    answer = client.post(f"/khorramabad/proposals/{draft.pk}/edit/", typed(world, version=1, cost_irr="7000000000"))
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.cost_irr, draft.version) == ("submitted", Decimal(7_000_000_000), 2)
    assert client.get(f"/khorramabad/proposals/{draft.pk}/edit/").status_code == 403


def test_a_stale_form_shows_both_and_keeps_mine(world: Proposing) -> None:
    draft = proposal_save(user=world.people["agency"], spec=world.spec())
    proposal_save(user=world.people["supervisor"], spec=world.spec(title_en="Theirs"), proposal=draft, version=1)
    client = signed_in(world, "agency")
    page = client.post(f"/khorramabad/proposals/{draft.pk}/edit/", typed(world, version=1, title_en="Mine"))
    assert page.status_code == 409
    assert "Mine" in page.content.decode()
    assert "طرح" in page.content.decode() or "Theirs" in page.content.decode()
    assert 'name="version" value="2"' in page.content.decode()
    assert client.post(f"/khorramabad/proposals/{draft.pk}/edit/", typed(world, version=2)).status_code == 302


def test_departments_are_asked_and_say_it_on_the_page(world: Proposing) -> None:
    made = submitted(world)
    address = f"/khorramabad/proposals/{made.pk}/"
    leader, health = signed_in(world, "supervisor"), signed_in(world, "health")
    assert leader.post(address, {"do": "ask", "departments": [world.health.pk]}).status_code == 302
    asked = Assessment.objects.get(proposal=made)
    assert 'name="assessment"' in health.get(address).content.decode()
    assert 'name="assessment"' not in signed_in(world, "water").get(address).content.decode()
    body = {"do": "say", "assessment": asked.pk, "event": "supplement", "reason": ""}
    refused = health.post(address, body)
    assert refused.status_code == 400
    assert health.post(address, body | {"reason": "Where is the plan?"}).status_code == 302
    assert "Where is the plan?" in text_of(leader.get(address))
    assert leader.post(address, {"do": "return", "version": 1, "reason": "Add the plan"}).status_code == 302
    made.refresh_from_db()
    assert made.state == "returned"
    assert "Add the plan" in text_of(signed_in(world, "agency").get(address))
    # Nobody else moves it.
    assert signed_in(world, "water").post(address, {"do": "withdraw"}).status_code == 403
    assert signed_in(world, "agency").post(address, {"do": "dance"}).status_code == 400
    assert signed_in(world, "agency").post(address, {"do": "withdraw"}).status_code == 302


def test_a_returned_proposal_is_completed_by_its_agency(world: Proposing) -> None:
    made = submitted(world)
    proposal_return(user=world.people["supervisor"], proposal=made, reason="map")
    client = signed_in(world, "agency")
    assert client.post(f"/khorramabad/proposals/{made.pk}/edit/", typed(world, version=2)).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.version) == ("submitted", 3)


def test_both_sides_see_the_overlap(world: Proposing) -> None:
    mine = clinic(world, title_en="Northern clinic")
    other = clinic(world, title_en="Health house", organisation=world.health, by="health")
    for name, shown, told in (("agency", mine, "Health house"), ("health", other, "Northern clinic")):
        page = text_of(signed_in(world, name).get(f"/khorramabad/proposals/{shown.pk}/"))
        assert "the same thing in the same place at the same time" in page
        assert told in page


def test_names_of_authors_are_for_those_who_lead(world: Proposing) -> None:
    made = submitted(world)
    name = world.people["agency"].get_username()
    assert name in text_of(signed_in(world, "supervisor").get(f"/khorramabad/proposals/{made.pk}/"))
    assert name not in text_of(signed_in(world, "viewer").get(f"/khorramabad/proposals/{made.pk}/"))


def test_silence_past_the_deadline_is_marked(world: Proposing) -> None:
    made = submitted(world)
    assessments_ask(user=world.people["supervisor"], proposal=made, organisations=[world.health])
    gone = timezone.now() - timedelta(days=1)
    world.round.phases.update(due_at=gone, first_due_at=gone)
    assert "silent past the deadline" in text_of(signed_in(world, "viewer").get("/khorramabad/proposals/"))
    assert BILLION > 0
