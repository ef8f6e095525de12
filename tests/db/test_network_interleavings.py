"""Several people at one proposal, and a phone at its queue, in whatever order their acts arrive: nothing is lost, nothing done twice.

Each service is one transaction that locks what it changes, so that whatever happens at one moment happens in some order (that they lock
is tested in `test_network_at_once`); here the orders are drawn, and people act on what they saw before others acted.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import Conflict
from interventions.models import Decision, LogEntry, Membership, Need, Proposal
from interventions.services import (
    ProposalSpec,
    need_amend,
    need_record,
    need_report,
    need_review,
    proposal_record,
    proposal_return,
    proposal_save,
    proposal_submit,
    proposal_withdraw,
)
from interventions.services.decisions import Ruling, decisions_take
from tests.db.network_world import IN_TIME, network_world

pytestmark = pytest.mark.django_db

AGENCIES, SUPERVISOR = ("agency@city", "viewer@city"), "supervisor@city"
ACTS = (
    *((name, act) for name in AGENCIES for act in ("look", "save", "submit", "withdraw")),
    *((SUPERVISOR, act) for act in ("look", "return", "accept", "refuse", "reconsider")),
)


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world()
    # A second person of the same office: a viewer besides.
    second = made.people["viewer@city"]
    second.assignments.create(role="agency", place=made.city)
    Membership.objects.create(organisation=made.office, user=second, state="approved")
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=14))
def test_two_of_an_agency_and_the_supervisor_act_in_any_order(
    world: SimpleNamespace, acts: list[tuple[str, str]]
) -> None:
    with transaction.atomic():
        need = need_record(world.need_spec, state="reported", reporter=None, reported_at=IN_TIME)
        spec = ProposalSpec(world.round, world.office, (need,), Decimal(5), title_fa="آغاز")
        made = proposal_record(spec, state="draft", submitted_at=None)
        seen = {name: Proposal.objects.get(pk=made.pk) for name in (*AGENCIES, SUPERVISOR)}
        words, done = "آغاز", 0
        for number, (name, act) in enumerate(acts):
            if act == "look":
                seen[name] = Proposal.objects.get(pk=made.pk)
                continue
            before = Proposal.objects.get(pk=made.pk)
            said = f"طرح {number}"
            try:
                with transaction.atomic():
                    _act(world, act, world.people[name], seen[name], replace(spec, title_fa=said))
            except Conflict as error:
                refused = error.code
            else:
                refused = ""
            after = Proposal.objects.get(pk=made.pk)
            if refused:  # only for what others did meanwhile, or what the state does not allow
                assert refused == "state_changed" or (refused == "stale" and seen[name].version != before.version)
                assert (after.state, after.version) == (before.state, before.version)
            else:
                done += 1
                if act in {"save", "submit"}:
                    assert seen[name].version == before.version  # nobody's words are written over unseen
                    words = said
            assert after.title_fa == words
        log = list(LogEntry.objects.filter(subject="proposal", subject_id=made.pk).order_by("pk"))
        assert len(log) == 1 + done
        assert all(one.state_to == two.state_from for one, two in itertools.pairwise(log))
        now = Proposal.objects.get(pk=made.pk)
        assert (now.state, now.version) == (log[-1].state_to, 1 + done)
        decided = [entry for entry in log if entry.event in {"accept", "refuse", "reconsider"}]
        assert Decision.objects.filter(proposal=made).count() == len(decided)
        transaction.set_rollback(True)


def _act(world: SimpleNamespace, act: str, user: Any, seen: Proposal, spec: ProposalSpec) -> None:
    if act == "save":
        proposal_save(user=user, spec=spec, proposal=seen, version=seen.version, at=IN_TIME)
    elif act == "submit":
        proposal_submit(user=user, spec=spec, proposal=seen, version=seen.version, at=IN_TIME)
    elif act == "withdraw":
        proposal_withdraw(user=user, proposal=seen, at=IN_TIME)
    elif act == "return":
        proposal_return(user=user, proposal=seen, reason="r", version=seen.version, at=IN_TIME)
    else:
        decisions_take(user=user, rulings=[Ruling(seen, act, "r", seen.version)], at=IN_TIME)


TICKETS = [UUID(int=number) for number in range(1, 4)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["send", "send", "amend", "confirm", "reject", "merge", "withdraw"]), st.integers(0, 2)
        ),
        min_size=3,
        max_size=14,
    )
)
def test_a_phone_sends_again_whatever_happened_to_its_needs_meanwhile(
    world: SimpleNamespace, acts: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        reporter, lead = world.people["reporter@city"], world.people[SUPERVISOR]
        made: dict[int, int] = {}
        for act, which in acts:
            spec = replace(world.need_spec, ticket=TICKETS[which], text_fa=f"نیاز {which}")
            if act == "send":
                state = Need.objects.filter(pk=made.get(which)).values_list("state", "version").first()
                sent = need_report(user=reporter, spec=spec, at=IN_TIME)
                assert made.setdefault(which, sent.pk) == sent.pk  # the same need, as it stands now
                assert state is None or (sent.state, sent.version) == state
                continue
            if which not in made:
                continue
            need = Need.objects.get(pk=made[which])
            other = made.get((which + 1) % 3)
            refused = ""
            try:
                with transaction.atomic():
                    if act == "amend":
                        need_amend(
                            user=reporter, need=need, spec=replace(spec, severity=5), version=need.version, at=IN_TIME
                        )
                    elif act != "merge":
                        need_review(
                            user=reporter if act == "withdraw" else lead, need=need, event=act, reason="r", at=IN_TIME
                        )
                    elif other:
                        need_review(
                            user=lead, need=need, event=act, into=Need.objects.get(pk=other), reason="r", at=IN_TIME
                        )
            except Conflict as error:
                refused = error.code
            assert refused in {"", "state_changed"}
        assert Need.objects.filter(round=world.round).count() == len(made)
        reports = LogEntry.objects.filter(subject="need", subject_id__in=made.values(), event="report")
        assert reports.count() == len(made)
        # What was merged says the same as one that stands, or stood; never as one that is merged itself.
        assert not Need.objects.filter(round=world.round, merged_into__state="merged").exists()
        transaction.set_rollback(True)
