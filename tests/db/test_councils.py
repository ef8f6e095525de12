"""Councils, committees and crises: who sits where, activated in several counties, stood down; and what the history tells whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from geo.services import PlaceSpec, place_put
from interventions.models import Activation, Committee, Council, LogEntry, Seat
from interventions.selectors import history_of
from interventions.services import (
    CommitteeSpec,
    CouncilSpec,
    OrganisationSpec,
    ProposalSpec,
    activation_stand_down,
    committee_activate,
    committee_put,
    council_put,
    need_amend,
    need_report,
    need_review,
    organisation_record,
    proposal_save,
    proposal_submit,
    round_extend,
    seat_end,
    seat_give,
)
from tests.db.network_world import IN_TIME, LATE, NEEDS_DUE, network_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world()
    made.province = Place.objects.get(path="net/lorestan")
    made.county = Place.objects.get(path="net/lorestan/khorramabad-county")
    made.other_county = place_put(PlaceSpec("county", "kuhdasht", "کوهدشت", "Kuhdasht", made.province))
    made.crisis = Committee.objects.create(
        place=made.province, code="crisis", name_fa="ستاد بحران", name_en="Crisis", is_crisis=True
    )
    made.health = Committee.objects.create(place=made.province, code="health", name_fa="سلامت", name_en="Health")
    return made


def leading(world: SimpleNamespace) -> set[str]:
    return {"root", "supervisor@city", "administrator@city"}


# ---- crises


def test_a_crisis_committee_is_activated_in_two_counties_and_stood_down_in_each(world: SimpleNamespace) -> None:
    root = world.people["root"]
    places = (world.county, world.other_county)
    first, second = committee_activate(user=root, committee=world.crisis, places=places, reason="  سیل  ", at=IN_TIME)
    assert (first.place, second.place, first.reason, first.state) == (*places, "سیل", "active")
    assert set(Activation.objects.active()) == {first, second}
    with pytest.raises(Conflict) as caught:
        committee_activate(user=root, committee=world.crisis, places=[world.city, world.county], reason="سیل")
    assert caught.value.code == "committee_active"
    assert Activation.objects.count() == 2  # in all of them or in none
    with pytest.raises(InvalidInput, match="after"):
        activation_stand_down(user=root, activation=first, at=IN_TIME)
    down = activation_stand_down(user=root, activation=first, at=IN_TIME + timedelta(days=3))
    assert (down.state, down.stood_down_at) == ("stood-down", IN_TIME + timedelta(days=3))
    with pytest.raises(Conflict):
        activation_stand_down(user=root, activation=first)
    (again,) = committee_activate(user=root, committee=world.crisis, places=[world.county], reason="سیل دیگر", at=LATE)
    assert set(Activation.objects.active()) == {second, again}
    log = LogEntry.objects.filter(subject="activation", subject_id=first.pk).order_by("pk")
    assert [(entry.event, entry.state_from, entry.state_to, entry.place) for entry in log] == [
        ("activate", "", "active", world.county),
        ("stand-down", "active", "stood-down", world.county),
    ]


def test_only_crisis_committees_are_activated_in_their_province_with_a_reason(world: SimpleNamespace) -> None:
    root = world.people["root"]
    for values, code in (
        ({"committee": world.health}, "no_crisis_committee"),
        ({"places": []}, "no_places"),
        ({"places": [world.elsewhere]}, "place_elsewhere"),
        ({"reason": " "}, "no_reason"),
        ({"reason": "س" * 2001}, "too_long"),
    ):
        asked: dict[str, Any] = {"committee": world.crisis, "places": [world.county], "reason": "سیل", **values}
        with pytest.raises(InvalidInput) as caught:
            committee_activate(user=root, **asked)
        assert caught.value.code == code
    assert not Activation.objects.exists()
    with pytest.raises(IntegrityError, match="activation_ends_after_it_begins"), transaction.atomic():
        Activation.objects.create(committee=world.crisis, place=world.county, state="stood-down", reason="r")


def test_who_leads_in_every_place_activates_and_stands_down_there(world: SimpleNamespace) -> None:
    for name, user in world.people.items():
        with transaction.atomic():
            if name in leading(world):
                (made,) = committee_activate(
                    user=user, committee=world.crisis, places=[world.city], reason="r", at=IN_TIME
                )
                assert activation_stand_down(user=user, activation=made).state == "stood-down"
            else:
                with pytest.raises(Forbidden):
                    committee_activate(user=user, committee=world.crisis, places=[world.city], reason="r")
                made = Activation.objects.create(
                    committee=world.crisis, place=world.city, reason="r", activated_at=IN_TIME
                )
                with pytest.raises(Forbidden):
                    activation_stand_down(user=user, activation=made)
            transaction.set_rollback(True)
        if name != "root":
            with pytest.raises(Forbidden):  # leading in one of them is not enough
                committee_activate(
                    user=user, committee=world.crisis, places=[world.city, world.other_county], reason="r"
                )


# ---- councils, committees, seats


def test_councils_and_committees_are_kept_by_those_who_lead_there(world: SimpleNamespace) -> None:
    council = CouncilSpec(world.city, "شورای شهر", "City council", "خانهٔ محله", "House")
    committee = CommitteeSpec(world.city, "sport", "ورزش", "Sport", (world.sectors["health"],))
    for name, user in world.people.items():
        with transaction.atomic():
            if name in leading(world):
                made = council_put(user=user, spec=council)
                again = council_put(user=user, spec=replace(council, name_en="Council"))
                assert (made.pk, again.name_en) == (again.pk, "Council")
                council_put(user=user, spec=replace(council, name_en="Council"))  # nothing new: nothing logged
                log = LogEntry.objects.filter(subject="council", subject_id=made.pk).order_by("pk")
                assert [(entry.event, entry.details) for entry in log] == [
                    ("enter", {}),
                    ("amend", {"name_en": "City council"}),
                ]
                kept = committee_put(user=user, spec=committee)
                both = (world.sectors["health"], world.sectors["water"])
                committee_put(user=user, spec=replace(committee, sectors=both))
                assert set(kept.sectors.all()) == set(both)
            else:
                with pytest.raises(Forbidden):
                    council_put(user=user, spec=council)
                with pytest.raises(Forbidden):
                    committee_put(user=user, spec=committee)
            transaction.set_rollback(True)
    for values in ({"name_fa": " "}, {"code": "no code"}, {"sectors": ()}):
        with pytest.raises(InvalidInput):
            committee_put(user=world.people["root"], spec=replace(committee, **values))


def test_a_committee_at_work_stays_a_crisis_committee(world: SimpleNamespace) -> None:
    root = world.people["root"]
    spec = CommitteeSpec(world.province, "crisis", "ستاد", "Crisis", (world.sectors["health"],))
    (active,) = committee_activate(user=root, committee=world.crisis, places=[world.county], reason="r", at=IN_TIME)
    with pytest.raises(Conflict) as caught:
        committee_put(user=root, spec=spec)
    assert caught.value.code == "committee_active"
    activation_stand_down(user=root, activation=active)
    assert not committee_put(user=root, spec=spec).is_crisis


def test_seats_are_given_taken_away_and_stay_in_the_log(world: SimpleNamespace) -> None:
    lead, member = world.people["supervisor@city"], world.people["nobody"]
    council = council_put(user=lead, spec=CouncilSpec(world.city, "شورا", "Council"))
    chair = seat_give(user=lead, council=council, person=member, position="chair")
    assert seat_give(user=lead, council=council, person=member, position="secretary").pk == chair.pk
    assert seat_give(user=lead, council=council, person=member, position="secretary").pk == chair.pk
    in_committee = seat_give(user=lead, council=council, committee=world.health, organisation=world.office)
    assert Seat.objects.filter(council=council).count() == 2
    far = organisation_record(OrganisationSpec(world.elsewhere, "far", "ngo", "دور", "Far"))
    foreign = Committee.objects.create(place=world.elsewhere, code="c", name_fa="ک", name_en="C")
    for values, code in (
        ({}, "bad_value"),
        ({"organisation": far}, "works_elsewhere"),
        ({"person": member, "committee": foreign}, "works_elsewhere"),
        ({"person": member, "position": "king"}, "bad_value"),
    ):
        with pytest.raises(InvalidInput) as caught:
            seat_give(user=lead, council=council, **values)
        assert caught.value.code == code
    for name, user in world.people.items():
        if name not in leading(world):
            with pytest.raises(Forbidden):
                seat_give(user=user, council=council, person=world.people["root"])
            with pytest.raises(Forbidden):
                seat_end(user=user, seat=chair)
    seat_end(user=lead, seat=chair, reason="moved away")
    with pytest.raises(Conflict):
        seat_end(user=lead, seat=chair)
    assert list(council.seats.all()) == [in_committee]
    log = LogEntry.objects.filter(subject="council", subject_id=council.pk).order_by("pk")
    assert [(entry.event, entry.note, entry.details.get("user")) for entry in log] == [
        ("enter", "", None),
        ("seat", "", member.pk),
        ("seat", "", member.pk),
        ("seat", "", None),
        ("unseat", "moved away", member.pk),
    ]
    assert log[2].details["was"] == "chair"
    assert Council.objects.visible_to(world.people["anonymous"]).filter(pk=council.pk).exists()


# ---- history


def test_a_need_tells_its_history_to_those_with_a_role_and_names_to_leaders(world: SimpleNamespace) -> None:
    reporter, lead = world.people["reporter@a"], world.people["supervisor@city"]
    need = need_report(user=reporter, spec=world.need_spec, at=IN_TIME)
    need_amend(user=reporter, need=need, spec=replace(world.need_spec, severity=5), version=1, at=IN_TIME)
    need_review(user=lead, need=need, event="reject", reason="there is one", at=LATE)
    for name, user in world.people.items():
        rows = history_of(need, user)
        _role, _, where = name.partition("@")
        if name != "root" and where not in {"city", "a"}:
            assert rows == (), name
            continue
        assert [(row.event, row.state_from, row.state_to, row.note, dict(row.details)) for row in rows] == [
            ("reject", "reported", "rejected", "there is one", {}),
            ("amend", "reported", "reported", "", {"severity": 3}),
            ("report", "", "reported", "", {}),
        ], name
        actors = [row.actor for row in rows]
        if name in leading(world) or name == "supervisor@a":
            assert actors == ["net-supervisor-city", "net-reporter-a", "net-reporter-a"], name
        elif name == "reporter@a":
            assert actors == [None, "net-reporter-a", "net-reporter-a"]
        else:
            assert actors == [None, None, None], name
        assert [row.is_own for row in rows] == [name == "supervisor@city", *[name == "reporter@a"] * 2]
    with pytest.raises(AttributeError):
        history_of(need, lead)[0].note = "other"  # type: ignore[misc]


def test_the_public_reads_that_a_round_was_extended_not_why(world: SimpleNamespace) -> None:
    lead = world.people["supervisor@city"]
    later = NEEDS_DUE + timedelta(days=7)
    round_extend(user=lead, round_=world.round, due={"needs": later}, reason="snow", at=IN_TIME)
    for name, told in (
        ("anonymous", ("", {}, None)),
        ("viewer@city", ("snow", 1, None)),
        ("root", ("snow", 1, "net-supervisor-city")),
    ):
        extended, opened = history_of(world.round, world.people[name])
        assert (extended.event, opened.event) == ("extend", "open")
        note, details, actor = told
        assert (extended.note, bool(extended.details), extended.actor) == (note, bool(details), actor), name
    before, after = history_of(world.round, world.people["root"])[0].details["due"]["needs"]
    assert (datetime.fromisoformat(before), datetime.fromisoformat(after)) == (NEEDS_DUE, later)


def test_a_proposal_keeps_what_it_said_before(world: SimpleNamespace) -> None:
    agency = world.people["agency@city"]
    one, two = (need_report(user=world.people["root"], spec=world.need_spec, at=IN_TIME) for _ in range(2))
    spec = ProposalSpec(world.round, world.office, (one,), Decimal(5), title_fa="طرح")
    made = proposal_save(user=agency, spec=spec, at=IN_TIME)
    proposal_save(
        user=agency, spec=replace(spec, needs=(one, two), cost_irr=Decimal(7)), proposal=made, version=1, at=IN_TIME
    )
    proposal_submit(
        user=agency, spec=replace(spec, needs=(two,), cost_irr=Decimal(7)), proposal=made, version=2, at=IN_TIME
    )
    rows = history_of(made, agency)
    assert [(row.event, row.state_to, dict(row.details)) for row in rows] == [
        ("submit", "submitted", {"needs": sorted([one.pk, two.pk])}),
        ("amend", "draft", {"cost_irr": "5", "needs": [one.pk]}),
        ("draft", "draft", {}),
    ]
    assert history_of(made, world.people["reporter@a"])  # of the same office
    assert history_of(made, world.people["nobody"]) == ()
