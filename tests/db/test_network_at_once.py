"""Two people, or one phone twice, at one thing at one moment: nothing is done twice, nothing is lost, nobody waits in a ring."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from geo.errors import Conflict
from geo.models import Assignment
from interventions.models import Capacity, Decision, LogEntry, Membership, Need, Proposal
from interventions.services import (
    CapacitySpec,
    OrganisationSpec,
    ProposalSpec,
    capacity_put,
    committee_activate,
    membership_apply,
    membership_enter,
    membership_review,
    need_report,
    need_review,
    organisation_put,
    organisation_review,
    proposal_record,
    proposal_submit,
    proposal_withdraw,
    round_close,
)
from interventions.services.decisions import Ruling, decisions_take
from tests.db.at_once import at_once, losers
from tests.db.network_world import IN_TIME, network_swept, network_world


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """A network that other connections see."""
    with django_db_blocker.unblock():
        try:
            yield network_world("netrace")
        finally:
            network_swept("netrace")


def roles_of(user: Any) -> set[tuple[str, str]]:
    return set(Assignment.objects.filter(user=user).values_list("role", "place__code"))


# ---- members


@pytest.mark.parametrize("attempt", range(3))
def test_two_who_approve_at_once_approve_once(committed: SimpleNamespace, attempt: int) -> None:
    people = committed.people
    applied = membership_apply(user=people["nobody"], organisation=committed.office)
    results = at_once(
        *(
            lambda name=name: membership_review(user=people[name], membership=applied, event="approve")
            for name in ("supervisor@city", "administrator@city", "root")
        )
    )
    assert [type(lost) for lost in losers(results)] == [Conflict, Conflict]
    assert roles_of(people["nobody"]) == {("agency", "netrace-city")}
    assert LogEntry.objects.filter(subject="membership", subject_id=applied.pk, event="approve").count() == 1
    assert applied.assignments.count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_one_membership_begins_while_another_ends(committed: SimpleNamespace, attempt: int) -> None:
    """Both rest on the same assignment: whoever comes first, the one that begins gives the role."""
    lead, member = committed.people["root"], committed.people["nobody"]
    spec = OrganisationSpec(committed.city, "office-2", "agency", "اداره", "Office")
    other = organisation_put(user=lead, spec=spec)
    ending = membership_enter(user=lead, organisation=committed.office, person=member)
    results = at_once(
        lambda: membership_review(user=lead, membership=ending, event="end"),
        lambda: membership_enter(user=lead, organisation=other, person=member),
    )
    assert losers(results) == []
    assert roles_of(member) == {("agency", "netrace-city")}
    assert Membership.objects.get(organisation=other, user=member).assignments.count() == 1


def test_two_organisations_with_the_same_members_are_suspended_at_once(committed: SimpleNamespace) -> None:
    lead, people = (
        committed.people["root"],
        [committed.people[name] for name in ("nobody", "viewer@city", "analyst@city")],
    )
    other = organisation_put(user=lead, spec=OrganisationSpec(committed.city, "office-2", "agency", "اداره", "Office"))
    for organisation, order in ((committed.office, people), (other, people[::-1])):
        for user in order:
            membership_enter(user=lead, organisation=organisation, person=user)
    for event in ("suspend", "restore", "suspend"):
        results = at_once(
            *(
                lambda found=found, event=event: organisation_review(
                    user=lead, organisation=found, event=event, reason="r"
                )
                for found in (committed.office, other)
            )
        )
        assert losers(results) == []
        agencies = {user.pk for user in people if ("agency", "netrace-city") in roles_of(user)}
        assert agencies == ({user.pk for user in people} if event == "restore" else set())


# ---- needs


@pytest.mark.parametrize("attempt", range(4))
def test_a_phone_that_sends_its_queue_twice_at_once_makes_each_need_once(
    committed: SimpleNamespace, attempt: int
) -> None:
    reporter = committed.people["reporter@city"]
    queue = [replace(committed.need_spec, ticket=uuid4(), text_fa=f"نیاز {number}") for number in range(5)]

    def send(order: list[Any]) -> list[int]:
        return [need_report(user=reporter, spec=spec, at=IN_TIME).pk for spec in order]

    results = at_once(lambda: send(queue), lambda: send(queue[::-1]), lambda: send(queue))
    assert losers(results) == []
    assert results[0] == results[1][::-1] == results[2]
    assert Need.objects.filter(round=committed.round).count() == 5
    reports = LogEntry.objects.filter(subject="need", subject_id__in=results[0], event="report")
    assert sorted(reports.values_list("subject_id", flat=True)) == sorted(results[0])


def test_a_ticket_is_of_one_person(committed: SimpleNamespace) -> None:
    spec = replace(committed.need_spec, ticket=uuid4())
    names = ("reporter@city", "reporter@a", "supervisor@city")
    results = at_once(
        *(lambda name=name: need_report(user=committed.people[name], spec=spec, at=IN_TIME) for name in names)
    )
    assert [(type(lost), lost.code) for lost in losers(results)] == [(Conflict, "ticket_taken")] * 2
    assert Need.objects.filter(ticket=spec.ticket).count() == 1


def test_capacities_sent_twice_at_once_are_recorded_once_and_by_one_person(committed: SimpleNamespace) -> None:
    people = committed.people
    specs = [
        CapacitySpec(committed.a, "donor", committed.office, text_fa=f"خیّر {number}", ticket=uuid4())
        for number in range(4)
    ]

    def send(name: str, order: list[CapacitySpec]) -> list[int]:
        return [capacity_put(user=people[name], spec=spec).pk for spec in order]

    results = at_once(*(lambda order=order: send("reporter@a", order) for order in (specs, specs[::-1], specs)))
    assert losers(results) == []
    assert results[0] == results[1][::-1] == results[2]
    taken = replace(specs[0], ticket=uuid4())
    results = at_once(*(lambda name=name: send(name, [taken]) for name in ("reporter@a", "root")))
    assert [(type(lost), lost.code) for lost in losers(results)] == [(Conflict, "ticket_taken")]
    assert Capacity.objects.within(committed.city).count() == 5


@pytest.mark.parametrize("attempt", range(3))
def test_two_needs_are_not_merged_into_each_other(committed: SimpleNamespace, attempt: int) -> None:
    lead = committed.people["supervisor@city"]
    one, two = (need_report(user=lead, spec=committed.need_spec, at=IN_TIME) for _ in range(2))
    results = at_once(
        lambda: need_review(user=lead, need=one, event="merge", into=two),
        lambda: need_review(user=lead, need=two, event="merge", into=one),
    )
    assert [type(lost) for lost in losers(results)] == [Conflict]
    assert sorted(Need.objects.filter(pk__in=(one.pk, two.pk)).values_list("state", flat=True)) == [
        "merged",
        "reported",
    ]


@pytest.mark.parametrize("attempt", range(3))
def test_a_need_that_is_merged_while_it_is_answered_loses_no_answer(committed: SimpleNamespace, attempt: int) -> None:
    lead, agency = committed.people["supervisor@city"], committed.people["agency@city"]
    one, two = (need_report(user=lead, spec=committed.need_spec, at=IN_TIME) for _ in range(2))
    offer = ProposalSpec(committed.round, committed.office, (one,), Decimal(5), title_fa="طرح")
    merged, handed_in = at_once(
        lambda: need_review(user=lead, need=one, event="merge", into=two),
        lambda: proposal_submit(user=agency, spec=offer, at=IN_TIME),
    )
    assert merged.state == "merged"
    if isinstance(handed_in, Proposal):
        assert set(handed_in.needs.all()) == {one, two}  # it came first, and answers the other one now
    else:
        assert getattr(handed_in, "code", handed_in) == "bad_need"
        assert not Proposal.objects.filter(round=committed.round).exists()


# ---- proposals


@pytest.fixture
def proposal(committed: SimpleNamespace) -> Proposal:
    lead = committed.people["supervisor@city"]
    need = need_report(user=lead, spec=committed.need_spec, at=IN_TIME)
    spec = ProposalSpec(committed.round, committed.office, (need,), Decimal(5), title_fa="طرح")
    colleague = get_user_model().objects.create_user("netrace-colleague")
    membership_enter(user=lead, organisation=committed.office, person=colleague)
    committed.people["colleague"] = colleague
    committed.spec = spec
    return proposal_record(spec, state="returned", submitted_at=IN_TIME)


def chained(proposal: Proposal) -> list[str]:
    """Return the events of a proposal's log, each beginning where the one before ended, and the last with what is stored."""
    log = list(LogEntry.objects.filter(subject="proposal", subject_id=proposal.pk).order_by("pk"))
    for before, after in itertools.pairwise(log):
        assert after.state_from == before.state_to
    proposal.refresh_from_db()
    assert log[-1].state_to == proposal.state
    return [entry.event for entry in log]


@pytest.mark.parametrize("attempt", range(4))
def test_two_of_an_agency_and_the_supervisor_act_on_one_proposal_at_once(
    committed: SimpleNamespace, proposal: Proposal, attempt: int
) -> None:
    """All three see it returned, in its first version: one is done, and the others are told that it is not as they saw it."""
    people, version = committed.people, proposal.version
    ruling = Ruling(proposal, "refuse", "no", version)
    results = at_once(
        lambda: proposal_submit(
            user=people["agency@city"],
            spec=replace(committed.spec, title_fa="الف"),
            proposal=proposal,
            version=version,
            at=IN_TIME,
        ),
        lambda: proposal_submit(
            user=people["colleague"],
            spec=replace(committed.spec, title_fa="ب"),
            proposal=proposal,
            version=version,
            at=IN_TIME,
        ),
        lambda: decisions_take(user=people["supervisor@city"], rulings=[ruling], at=IN_TIME),
    )
    assert [(type(lost), lost.code) for lost in losers(results)] == [
        (Conflict, lost.code) for lost in losers(results) if lost.code in {"stale", "state_changed"}
    ]
    assert len(losers(results)) == 2
    events = chained(proposal)
    assert len(events) == 2
    assert proposal.version == version + 1
    title = {"الف": 0, "ب": 1, "طرح": 2}[proposal.title_fa]
    assert not isinstance(results[title], BaseException)
    assert Decision.objects.filter(proposal=proposal).count() == (1 if title == 2 else 0)


@pytest.mark.parametrize("attempt", range(4))
def test_a_proposal_is_withdrawn_or_accepted_and_the_round_closed(
    committed: SimpleNamespace, proposal: Proposal, attempt: int
) -> None:
    people = committed.people
    handed_in = proposal_submit(user=people["agency@city"], spec=committed.spec, proposal=proposal, at=IN_TIME)
    ruling = Ruling(proposal, "accept", "yes", handed_in.version)
    withdrawn, decided, closed = at_once(
        lambda: proposal_withdraw(user=people["agency@city"], proposal=proposal, at=IN_TIME),
        lambda: decisions_take(user=people["supervisor@city"], rulings=[ruling], at=IN_TIME),
        lambda: round_close(user=people["administrator@city"], round_=committed.round),
    )
    assert closed.state == "closed"
    assert isinstance(withdrawn, Conflict) or isinstance(decided, Conflict)
    assert chained(proposal)[-1] in {"withdraw", "accept", "submit"}
    assert proposal.state == (
        "withdrawn"
        if not isinstance(withdrawn, Conflict)
        else "accepted"
        if not isinstance(decided, Conflict)
        else "submitted"
    )


# ---- committees


def test_a_crisis_committee_is_activated_once_in_each_place(committed: SimpleNamespace) -> None:
    from interventions.models import Activation, Committee

    committee = Committee.objects.create(
        place=committed.city, code="crisis", name_fa="بحران", name_en="Crisis", is_crisis=True
    )
    places = (committed.a, committed.b)
    results = at_once(
        lambda: committee_activate(user=committed.people["root"], committee=committee, places=places, reason="flood"),
        lambda: committee_activate(
            user=committed.people["supervisor@city"], committee=committee, places=places[::-1], reason="flood"
        ),
    )
    assert [type(lost) for lost in losers(results)] == [Conflict]
    assert sorted(Activation.objects.filter(committee=committee).values_list("place__code", flat=True)) == ["a", "b"]
