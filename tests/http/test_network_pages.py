"""Pages of the network: what the public and a leader are told, and crisis committees set to work by those who lead alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from interventions.models import Activation, Committee, Need
from tests.db.network_world import network_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world("pages")
    for place in (made.city.parent.parent.parent, made.city.parent.parent, made.city.parent, made.city):
        place.is_published = True
        place.save()
    for place, people in ((made.a, 500), (made.hidden, 40)):
        Need.objects.create(
            round=made.round, place=place, sector=made.sectors["health"], organisation=made.office, approach="social",
            severity=3, people_affected=people, text_en="x",
        )  # fmt: skip
    return made


def page(client: Client, path: str) -> str:
    client.cookies["django_language"] = "en"
    answer = client.get(f"/network/{path}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_finding_counts_what_the_reader_may_see(world: SimpleNamespace, client: Client) -> None:
    county = world.city.parent
    assert "nothing is decided about 1 of 1 need" in page(client, county.path)
    client.force_login(world.people["root"])
    told = page(client, county.path)
    assert "nothing is decided about 2 of 2 needs" in told
    assert f'href="/network/{world.city.path}/"' in told


def test_leaders_alone_set_a_crisis_committee_to_work_and_stand_it_down(world: SimpleNamespace, client: Client) -> None:
    committee = Committee.objects.create(
        place=world.city.parent, code="crisis", name_fa="بحران", name_en="Crisis", is_crisis=True
    )
    path = world.city.path
    sent = {"around": path, "places": [path], "committee": str(committee.pk), "reason": "سیل"}
    for name, status in (("planner@city", 403), ("supervisor@elsewhere", 403), ("supervisor@city", 302)):
        client.force_login(world.people[name])
        assert client.post("/network/activate/", sent).status_code == status, name
    client.cookies["django_language"] = "en"
    for wrong, told in (
        ({"reason": "سیل"}, "active"),
        ({"places": [], "reason": "سیل"}, "at least one"),
        ({"reason": " "}, "reason"),
    ):
        answer = client.post("/network/activate/", {**sent, **wrong})
        assert answer.status_code in (400, 409)
        assert told in answer.content.decode()
    active = Activation.objects.get(committee=committee)
    assert active.place == world.city
    assert "سیل" in page(client, world.city.parent.path)
    client.force_login(world.people["planner@city"])
    assert "network/stand-down" not in page(client, world.city.path)
    assert client.post("/network/stand-down/", {"activation": str(active.pk)}).status_code == 403
    client.force_login(world.people["supervisor@city"])
    assert client.post("/network/stand-down/", {"activation": str(active.pk)}).status_code == 302
    active.refresh_from_db()
    assert active.state == "stood-down"
