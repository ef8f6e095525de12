"""Capacities: recorded once however often sent, amended without losing work, and who may know of them and of people behind them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from uuid import uuid4

import pytest

from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from interventions.models import Capacity, LogEntry, Membership
from interventions.selectors import (
    CapacitiesAsked,
    capacities_counted,
    capacities_found,
    capacities_near,
    capacity_found,
    history_of,
    recording_of,
)
from interventions.services import CapacitySpec, capacity_amend, capacity_put, capacity_record, capacity_review
from tests.db.network_world import IN_TIME, network_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world()
    made.gift = CapacitySpec(
        made.a, "donor", made.office, text_fa="  خیّری براي دارو ", amount=20, contact="  ۰۹۱۲  آقای کریمی",
        sectors=(made.sectors["health"],), lon_lat=(48.305, 33.405),
    )  # fmt: skip
    return made


def test_a_capacity_is_recorded_once_and_cleaned(world: SimpleNamespace) -> None:
    user, ticket = world.people["reporter@a"], uuid4()
    first = capacity_put(user=user, spec=replace(world.gift, ticket=ticket))
    assert capacity_put(user=user, spec=replace(world.gift, ticket=ticket)) == first
    assert Capacity.objects.within(world.city).count() == 1
    assert (first.text_fa, first.contact, first.reporter, first.version) == (
        "خیّری برای دارو", "۰۹۱۲ آقای کریمی", user, 1,
    )  # fmt: skip
    with pytest.raises(Conflict) as caught:
        capacity_put(user=world.people["root"], spec=replace(world.gift, ticket=ticket))
    assert caught.value.code == "ticket_taken"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"text_fa": " "}, "capacity"),
        ({"kind": "gold"}, "capacity, kind"),
        ({"amount": 10**9}, "capacity, amount"),
        ({"contact": "ت" * 301}, "capacity, contact"),
        ({"lon_lat": (51.4, 35.7)}, "capacity, point"),
        ({"lon_lat": (float("nan"), 0)}, "capacity, point"),
    ],
)
def test_what_is_wrong_is_located(world: SimpleNamespace, change: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        capacity_put(user=world.people["root"], spec=replace(world.gift, **change))
    assert caught.value.where == where
    assert not Capacity.objects.within(world.city).exists()


def test_an_organisation_records_where_it_works(world: SimpleNamespace) -> None:
    with pytest.raises(InvalidInput) as caught:
        capacity_put(
            user=world.people["root"], spec=replace(world.gift, place=world.b, organisation=world.ngo_a, lon_lat=None)
        )
    assert caught.value.where == "capacity, organisation"
    with pytest.raises(Forbidden):  # a member of the office, not of the association
        capacity_put(user=world.people["reporter@a"], spec=replace(world.gift, organisation=world.ngo_a))


def test_nobody_amends_over_another(world: SimpleNamespace) -> None:
    root = world.people["root"]
    made = capacity_put(user=root, spec=world.gift)
    changed = capacity_amend(
        user=root, capacity=made, spec=replace(world.gift, amount=30, contact="دیگری", sectors=()), version=1
    )
    assert (changed.version, changed.amount, list(changed.sectors.all())) == (2, 30, [])
    with pytest.raises(Conflict) as caught:
        capacity_amend(user=root, capacity=made, spec=replace(world.gift, amount=40), version=1)
    assert caught.value.code == "stale"
    same = capacity_amend(
        user=root, capacity=made, spec=replace(world.gift, amount=30, contact="دیگری", sectors=()), version=2
    )
    assert same.version == 2
    entries = LogEntry.objects.filter(subject="capacity", subject_id=made.pk).order_by("pk")
    assert [entry.event for entry in entries] == ["record", "amend"]
    # What it was before is kept, but for how to reach somebody.
    assert entries[1].details == {"amount": 20, "contact": "", "sectors": [world.sectors["health"].pk]}
    assert "کریمی" not in str([entry.details for entry in entries])


def test_withdrawn_it_counts_no_more_until_it_is_restored(world: SimpleNamespace) -> None:
    user, lead = world.people["reporter@a"], world.people["supervisor@a"]
    made = capacity_put(user=user, spec=world.gift)
    capacity_review(user=user, capacity=made, event="withdraw")
    assert capacities_counted(world.city, world.people["root"]) == ()
    assert list(capacities_found(world.city, lead, CapacitiesAsked(is_withdrawn=True))) == [made]
    with pytest.raises(Conflict):
        capacity_review(user=user, capacity=made, event="withdraw")
    with pytest.raises(Forbidden):
        capacity_review(user=user, capacity=made, event="restore")
    assert capacity_review(user=lead, capacity=made, event="restore").state == "recorded"
    with pytest.raises(InvalidInput, match="nothing that can be done"):
        capacity_review(user=lead, capacity=made, event="burn")


def test_contact_and_reporter_are_for_those_who_lead_or_recorded_it(world: SimpleNamespace) -> None:
    made = capacity_put(user=world.people["reporter@a"], spec=world.gift)
    told = {}
    for name in ("supervisor@a", "reporter@a", "agency@city", "viewer@city", "planner@city"):
        row = capacity_found(made.pk, world.people[name], world.city).row
        told[name] = (bool(row.contact), bool(row.reporter))
    assert told == {
        "supervisor@a": (True, True),
        "reporter@a": (True, False),
        "agency@city": (True, False),  # of the office too
        "viewer@city": (False, False),
        "planner@city": (False, False),
    }
    history = history_of(made, world.people["viewer@city"])
    assert [step.actor for step in history] == [None]


def test_the_public_is_told_no_small_numbers(world: SimpleNamespace) -> None:
    world.city.is_published = True
    Place.objects.filter(path__startswith="net").update(is_published=True)
    Place.objects.filter(pk=world.hidden.pk).update(is_published=False)
    for number in range(10):
        capacity_record(
            replace(world.gift, kind="place", text_fa=str(number), lon_lat=None), reporter=None, reported_at=IN_TIME
        )
    for place in (world.a, world.hidden):
        capacity_record(replace(world.gift, place=place, lon_lat=None), reporter=None, reported_at=IN_TIME)
    anonymous, viewer = world.people["anonymous"], world.people["viewer@city"]
    assert [(one.kind, one.count) for one in capacities_counted(world.city, anonymous)] == [
        ("place", 10),
        ("donor", None),
    ]
    assert [(one.kind, one.count) for one in capacities_counted(world.city, viewer)] == [("place", 10), ("donor", 2)]
    assert not capacities_found(world.city, anonymous).exists()
    assert capacities_near((world.a,), world.city, anonymous) == 0


def test_what_is_near_is_in_the_place_or_given_to_the_whole_city_in_the_sector(world: SimpleNamespace) -> None:
    user = world.people["viewer@city"]
    plain = replace(world.gift, lon_lat=None)
    for spec in (
        plain,
        replace(plain, place=world.b),
        replace(plain, place=world.city),
        replace(plain, sectors=()),
        replace(plain, sectors=(world.sectors["water"],)),
    ):
        capacity_record(spec, reporter=None, reported_at=IN_TIME)
    assert capacities_near((world.a,), world.city, user, "net-health") == 3  # a's own two, and the city's
    assert capacities_near((world.a, world.b), world.city, user, "net-health") == 4
    assert capacities_near((world.a,), world.city, user) == 4
    assert capacities_near((), world.city, user) == 0


def test_one_records_where_ones_organisation_assigned_one(world: SimpleNamespace) -> None:
    assert not recording_of(world.people["viewer@city"], world.city).is_possible
    assert not recording_of(world.people["anonymous"], world.city).is_possible
    user = world.people["agency@city"]
    everywhere = recording_of(user, world.city)
    assert {place.code for place in everywhere.areas} == {"net-city", "a", "b", "hidden"}
    Membership.objects.get(user=user, organisation=world.office).places.set([world.a])
    assert [place.code for place in recording_of(user, world.city).areas] == ["a"]
