"""Members of organisations: who approves them, which roles follow, which are taken back, and two people at once."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Assignment
from interventions.models import LogEntry, Membership, Organisation
from interventions.selectors import history_of, is_member, roles_for
from interventions.services import (
    OrganisationSpec,
    membership_amend,
    membership_apply,
    membership_enter,
    membership_review,
    need_report,
    organisation_apply,
    organisation_put,
    organisation_review,
)
from tests.db.network_world import IN_TIME, network_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    return network_world()


def person(name: str) -> Any:
    return get_user_model().objects.create_user(f"net-{name}")


def roles_of(user: Any) -> set[tuple[str, str]]:
    return set(Assignment.objects.filter(user=user).values_list("role", "place__code"))


def leads(name: str, where: str = "city") -> bool:
    role, _, at = name.partition("@")
    return name == "root" or (role in {"supervisor", "administrator"} and at == where)


# ---- organisations


def test_an_organisation_is_applied_for_and_works_once_approved(world: SimpleNamespace) -> None:
    founder, lead = person("founder"), world.people["supervisor@city"]
    spec = OrganisationSpec(world.city, "new-ngo", "ngo", "سمن نو", "New association")
    with pytest.raises(Forbidden):
        organisation_apply(user=world.people["anonymous"], spec=spec)
    made = organisation_apply(user=founder, spec=spec)
    member = made.memberships.get()
    assert (made.state, member.state, member.user, member.is_contact) == ("applied", "applied", founder, True)
    assert Organisation.objects.visible_to(founder).filter(pk=made.pk).exists()
    assert not Organisation.objects.visible_to(world.people["nobody"]).filter(pk=made.pk).exists()
    membership_review(user=lead, membership=member, event="approve")
    assert roles_of(founder) == set()  # not before the organisation is
    assert organisation_review(user=lead, organisation=made, event="approve").state == "approved"
    assert roles_of(founder) == {("reporter", "net-city")}
    assert need_report(
        user=founder, spec=world.need_spec.__class__(**{**_values(world.need_spec), "organisation": made}), at=IN_TIME
    ).pk
    with pytest.raises(InvalidInput, match="organisation"):
        organisation_apply(user=world.people["nobody"], spec=spec)


def _values(spec: Any) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__slots__}


def test_who_leads_in_its_place_decides_about_an_organisation(world: SimpleNamespace) -> None:
    spec = OrganisationSpec(world.city, "new-ngo", "ngo", "سمن", "Association")
    made = organisation_apply(user=person("founder"), spec=spec)
    steps = (("refuse", "refused"), ("approve", "approved"), ("suspend", "suspended"), ("restore", "approved"))
    for (event, state), (name, user) in itertools.product(steps, world.people.items()):
        before = Organisation.objects.get(pk=made.pk).state
        if leads(name):
            with transaction.atomic():
                assert organisation_review(user=user, organisation=made, event=event, reason="r").state == state, name
                with pytest.raises(Conflict):  # twice is once
                    organisation_review(user=user, organisation=made, event=event, reason="r")
                transaction.set_rollback(True)
        else:
            with pytest.raises(Forbidden):
                organisation_review(user=user, organisation=made, event=event, reason="r")
            assert Organisation.objects.get(pk=made.pk).state == before
        if name == list(world.people)[-1]:
            organisation_review(user=world.people["root"], organisation=made, event=event, reason="r")
    for event in ("suspend", "refuse"):
        with pytest.raises(InvalidInput) as caught:
            organisation_review(
                user=world.people["root"],
                organisation=made
                if event == "suspend"
                else organisation_apply(
                    user=world.people["nobody"], spec=OrganisationSpec(world.a, "x", "ngo", "س", "X")
                ),
                event=event,
            )
        assert caught.value.code == "no_reason"
    with pytest.raises(InvalidInput, match="nothing"):
        organisation_review(user=world.people["root"], organisation=made, event="amend")


def test_a_suspended_organisation_loses_its_members_roles_and_a_restored_one_has_them_again(
    world: SimpleNamespace,
) -> None:
    lead = world.people["supervisor@city"]
    first, second, had_it = person("first"), person("second"), person("had")
    Assignment.objects.create(user=had_it, role="agency", place=world.city)
    membership_enter(user=lead, organisation=world.office, person=first)
    membership_enter(user=lead, organisation=world.office, person=second, places=[world.a, world.b])
    membership_enter(user=lead, organisation=world.office, person=had_it)
    given_roles = {
        first: {("agency", "net-city")},
        second: {("agency", "a"), ("agency", "b")},
        had_it: {("agency", "net-city")},
    }
    assert {user: roles_of(user) for user in given_roles} == given_roles
    for _ in range(2):
        organisation_review(user=lead, organisation=world.office, event="suspend", reason="works elsewhere")
        assert [roles_of(user) for user in given_roles] == [set(), set(), {("agency", "net-city")}]
        assert not is_member(had_it, world.office)
        assert "agency" not in roles_for(had_it, world.city, world.office)
        organisation_review(user=lead, organisation=world.office, event="restore")
        assert {user: roles_of(user) for user in given_roles} == given_roles
    # The role that was there before any membership stays to its end.
    for membership in world.office.memberships.filter(user__in=given_roles):
        membership_review(user=lead, membership=membership, event="end")
    assert [roles_of(user) for user in given_roles] == [set(), set(), {("agency", "net-city")}]


def test_members_of_an_organisation_that_becomes_an_agency_act_as_one(world: SimpleNamespace) -> None:
    member, lead = person("member"), world.people["supervisor@city"]
    spec = OrganisationSpec(world.city, "group", "volunteer-group", "گروه", "Group")
    group = organisation_put(user=lead, spec=spec)
    membership_enter(user=lead, organisation=group, person=member)
    assert roles_of(member) == {("reporter", "net-city")}
    organisation_put(user=lead, spec=OrganisationSpec(world.city, "group", "agency", "گروه", "Group"))
    assert roles_of(member) == {("agency", "net-city")}


# ---- members


def test_a_person_applies_is_refused_applies_again_is_approved_and_leaves(world: SimpleNamespace) -> None:
    member, lead = person("member"), world.people["supervisor@city"]
    applied = membership_apply(user=member, organisation=world.office)
    with pytest.raises(Conflict):
        membership_apply(user=member, organisation=world.office)
    with pytest.raises(InvalidInput, match="reason"):
        membership_review(user=lead, membership=applied, event="refuse")
    membership_review(user=lead, membership=applied, event="refuse", reason="not known to us")
    assert roles_of(member) == set()
    membership_apply(user=member, organisation=world.office)
    with pytest.raises(InvalidInput, match="not part"):
        membership_review(user=lead, membership=applied, event="approve", places=[world.elsewhere])
    held = membership_review(user=lead, membership=applied, event="approve", places=[world.a])
    assert (held.pk, roles_of(member)) == (applied.pk, {("agency", "a")})
    assert roles_for(member, world.a, world.office) == {"agency"}
    # Assigned to a: a role that comes from elsewhere does not count for this organisation in b.
    Assignment.objects.create(user=member, role="agency", place=world.city)
    assert roles_for(member, world.b, world.office) == frozenset()
    with pytest.raises(Forbidden):
        membership_amend(user=member, membership=held, places=[world.b])
    membership_amend(user=lead, membership=held, places=[world.b], is_contact=True)
    assert roles_of(member) == {("agency", "b"), ("agency", "net-city")}
    assert membership_review(user=member, membership=held, event="end").state == "ended"
    assert roles_of(member) == {("agency", "net-city")}
    log = LogEntry.objects.filter(subject="membership", subject_id=held.pk).order_by("pk")
    assert [(entry.event, entry.state_to) for entry in log] == [
        ("apply", "applied"),
        ("refuse", "refused"),
        ("apply", "applied"),
        ("approve", "approved"),
        ("amend", "approved"),
        ("end", "ended"),
    ]
    assert log[3].details == {"places": [], "given": [world.a.pk]}
    assert log[4].details == {
        "is_contact": False, "places": [world.a.pk], "given": [world.b.pk], "taken": [world.a.pk],
    }  # fmt: skip


@pytest.mark.parametrize("state", ["", "applied", "approved", "refused", "ended"])
def test_who_may_do_what_to_a_membership_in_every_state(world: SimpleNamespace, state: str) -> None:
    """Written by hand: from which states leaders approve, refuse, end and amend; the person may end it; nobody else anything."""
    allowed = {"approve": {"applied", "refused", "ended"}, "refuse": {"applied"}, "end": {"applied", "approved"}}
    if not state:
        for name, user in world.people.items():
            with transaction.atomic():
                if leads(name):
                    membership_enter(user=user, organisation=world.office, person=world.people["nobody"])
                else:
                    with pytest.raises(Forbidden):
                        membership_enter(user=user, organisation=world.office, person=world.people["nobody"])
                transaction.set_rollback(True)
        return
    membership = Membership.objects.create(organisation=world.office, user=world.people["nobody"], state=state)
    for event, (name, user) in itertools.product(allowed, world.people.items()):
        may = leads(name) or (name == "nobody" and event == "end")
        with transaction.atomic():
            if may and state in allowed[event]:
                after = membership_review(user=user, membership=membership, event=event, reason="r").state
                assert after == {"approve": "approved", "refuse": "refused", "end": "ended"}[event], (name, event)
            else:
                with pytest.raises(Conflict if may else Forbidden):
                    membership_review(user=user, membership=membership, event=event, reason="r")
            transaction.set_rollback(True)


def test_a_role_that_two_memberships_rest_on_goes_with_the_last(world: SimpleNamespace) -> None:
    member, lead = person("member"), world.people["root"]
    other = organisation_put(user=lead, spec=OrganisationSpec(world.city, "office-2", "agency", "اداره", "Office"))
    first = membership_enter(user=lead, organisation=world.office, person=member)
    second = membership_enter(user=lead, organisation=other, person=member)
    assert Assignment.objects.filter(user=member).count() == 1
    membership_review(user=lead, membership=first, event="end")
    assert roles_of(member) == {("agency", "net-city")}
    membership_review(user=lead, membership=second, event="end")
    assert roles_of(member) == set()


def test_an_agency_member_of_an_association_is_no_agency_for_it(world: SimpleNamespace) -> None:
    member, lead = person("member"), world.people["root"]
    membership_enter(user=lead, organisation=world.office, person=member)
    membership_enter(user=lead, organisation=world.ngo_a, person=member)
    assert roles_of(member) == {("agency", "net-city"), ("reporter", "a")}
    assert roles_for(member, world.a, world.ngo_a) == {"reporter"}
    assert roles_for(member, world.b, world.office) == {"agency"}
    assert roles_for(member, world.b, world.ngo_a) == frozenset()


def test_nobody_joins_what_is_suspended_or_refused(world: SimpleNamespace) -> None:
    organisation_review(user=world.people["root"], organisation=world.office, event="suspend", reason="r")
    with pytest.raises(Conflict) as caught:
        membership_apply(user=world.people["nobody"], organisation=world.office)
    assert caught.value.code == "organisation_not_approved"
    with pytest.raises(Forbidden):
        membership_apply(user=world.people["gone"], organisation=world.ngo_a)


STEPS = (
    "enter-1",
    "enter-2",
    "end-1",
    "end-2",
    "suspend-1",
    "restore-1",
    "suspend-2",
    "restore-2",
    "places-1",
    "before",
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=12))
def test_roles_are_always_those_that_follow(world: SimpleNamespace, steps: list[str]) -> None:
    """Whatever happens in whatever order: a role is held where a membership in force gives it, or somebody had it before."""
    with transaction.atomic():
        lead, member = world.people["root"], person("walks")
        office_2 = organisation_put(user=lead, spec=OrganisationSpec(world.city, "office-2", "agency", "ا", "Office"))
        organisations = {"1": world.office, "2": office_2}
        had_before: set[tuple[str, str]] = set()
        for step in steps:
            event, _, which = step.partition("-")
            organisation = organisations.get(which)
            membership = Membership.objects.filter(user=member, organisation=organisation).first()
            try:
                if event == "before":
                    if not roles_of(member):
                        had_before = {("agency", "net-city")}
                        Assignment.objects.create(user=member, role="agency", place=world.city)
                elif event == "enter":
                    membership_enter(user=lead, organisation=organisation, person=member)
                elif event in {"suspend", "restore"}:
                    organisation_review(user=lead, organisation=organisation, event=event, reason="r")
                elif membership and event == "end":
                    membership_review(user=lead, membership=membership, event="end")
                elif membership:
                    membership_amend(user=lead, membership=membership, places=[world.a])
            except Conflict:
                pass
            follow = {
                ("agency", place.code)
                for held in Membership.objects.approved().filter(user=member)
                for place in (held.places.all() or [held.organisation.place])
            }
            assert roles_of(member) == follow | had_before, (steps, step)
        transaction.set_rollback(True)


# ---- history


def test_the_history_of_a_membership_names_who_decided_only_to_leaders(world: SimpleNamespace) -> None:
    member, lead = person("member"), world.people["supervisor@city"]
    applied = membership_apply(user=member, organisation=world.office)
    membership_review(user=lead, membership=applied, event="refuse", reason="not known to us")
    told = {
        name: [(row.event, row.actor, row.note, row.is_own) for row in history_of(applied, user)]
        for name, user in (*world.people.items(), ("member", member))
    }
    for name, rows in told.items():
        if leads(name):
            own = name == "supervisor@city"
            assert rows == [
                ("refuse", "net-supervisor-city", "not known to us", own), ("apply", "net-member", "", False),
            ], name  # fmt: skip
        elif name == "member":
            assert rows == [("refuse", None, "not known to us", False), ("apply", "net-member", "", True)]
        else:
            assert rows == [], name
