"""Several people acting on one proposal, or spending one budget, at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from geo.errors import Conflict
from geo.models import Assignment, Place
from interventions.models import (
    Assessment,
    Decision,
    LogEntry,
    Membership,
    Need,
    Organisation,
    Programme,
    Proposal,
    Sector,
)
from interventions.services import (
    Ruling,
    assessment_say,
    assessments_ask,
    decisions_take,
    granted_irr,
    proposal_return,
    proposal_withdraw,
    round_close,
)
from tests.db.at_once import at_once
from tests.db.proposing import ASSESSED, BILLION, IN_TIME, Proposing, proposing, small_city


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Proposing]:
    """A round that other connections see; taken away again row by row, as the other tests' data must stay."""
    with django_db_blocker.unblock():
        world = proposing(*small_city("race"), "race")
        try:
            yield world
        finally:
            swept(world)


def swept(world: Proposing) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE interventions_logentry DISABLE TRIGGER USER")
        LogEntry.objects.filter(place__path__startswith="race-land").delete()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE interventions_logentry ENABLE TRIGGER USER")
        Decision.objects.filter(proposal__round=world.round).delete()
        Assessment.objects.filter(proposal__round=world.round).delete()
        for proposal in Proposal.objects.filter(round=world.round):
            proposal.needs.clear()
        Proposal.objects.filter(round=world.round).delete()
        Need.objects.filter(round=world.round).delete()
        world.round.delete()
        Programme.objects.filter(place=world.city).delete()
        Membership.objects.filter(organisation__place=world.city).delete()
        Organisation.objects.filter(place=world.city).delete()
        Sector.objects.filter(code="race-health").delete()
        Assignment.objects.filter(place__path__startswith="race-land").delete()
        for place in Place.objects.filter(path__startswith="race-land").order_by("-path"):
            place.delete()
        for user in world.people.values():
            if user.pk:
                user.delete()


def test_two_supervisors_do_not_spend_one_budget_twice(committed: Proposing) -> None:
    one, two = committed.submitted(cost_irr=15 * BILLION), committed.submitted(cost_irr=15 * BILLION)
    results = at_once(
        *(
            lambda name=name, made=made: decisions_take(
                user=committed.people[name], rulings=[Ruling(made, "accept", "دلیل", 1)]
            )
            for name, made in (("supervisor", one), ("second", two))
        )
    )
    lost = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in lost] == [Conflict]
    assert lost[0].code == "over_budget"
    assert granted_irr(committed.round) == 15 * BILLION


def test_a_round_that_is_closed_meanwhile_is_decided_about_before_or_not_at_all(committed: Proposing) -> None:
    made = committed.submitted()
    decided, closed = at_once(
        lambda: decisions_take(user=committed.people["supervisor"], rulings=[Ruling(made, "accept", "دلیل", 1)]),
        lambda: round_close(user=committed.people["second"], round_=committed.round),
    )
    assert not isinstance(closed, Exception)
    assert not isinstance(decided, Exception) or decided.code == "round_closed"
    told = LogEntry.objects.filter(place=committed.city, event__in=("accept", "close")).order_by("pk")
    assert [entry.event for entry in told] == (["close"] if isinstance(decided, Exception) else ["accept", "close"])


def test_of_an_agency_that_withdraws_and_two_supervisors_one_comes_first(committed: Proposing) -> None:
    made = committed.submitted()
    results = at_once(
        lambda: proposal_withdraw(user=committed.people["agency"], proposal=made, at=IN_TIME),
        lambda: decisions_take(user=committed.people["supervisor"], rulings=[Ruling(made, "accept", "دلیل", 1)]),
        lambda: decisions_take(user=committed.people["second"], rulings=[Ruling(made, "refuse", "دلیل", 1)]),
    )
    lost = [result for result in results if isinstance(result, Exception)]
    assert len(lost) == 2
    assert all(isinstance(error, Conflict) for error in lost)
    made.refresh_from_db()
    assert (made.state, made.version) == ({0: "withdrawn", 1: "accepted", 2: "refused"}[_winner(results)], 2)


def test_a_department_that_speaks_while_the_proposal_is_returned_waits_or_is_told(committed: Proposing) -> None:
    made = committed.submitted()
    asked = assessments_ask(
        user=committed.people["supervisor"], proposal=made, organisations=[committed.health], at=ASSESSED
    )[0]
    results = at_once(
        lambda: assessment_say(user=committed.people["health"], assessment=asked, event="approve", at=ASSESSED),
        lambda: proposal_return(user=committed.people["supervisor"], proposal=made, reason="ناقص", at=ASSESSED),
    )
    assert not isinstance(results[1], Exception)
    assert not isinstance(results[0], Exception) or results[0].code == "state_changed"


def _winner(results: list[Any]) -> int:
    return next(n for n, result in enumerate(results) if not isinstance(result, Exception))
