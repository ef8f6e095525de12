"""Proposals, what departments say of them, what is decided: rights, deadlines, versions, budgets, and two people at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import shapely
from django.db import transaction

from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError
from geo.services import boundary_approve
from interventions.core.transitions import ASSESSMENT, PROPOSAL, ProposalState
from interventions.models import (
    Assessment,
    Decision,
    LogEntry,
    Organisation,
    Proposal,
    Round,
)
from interventions.selectors.rounds import round_found
from interventions.services import (
    Ruling,
    assessment_say,
    assessments_ask,
    decisions_publish,
    decisions_take,
    granted_irr,
    need_review,
    proposal_return,
    proposal_save,
    proposal_submit,
    proposal_withdraw,
    round_admit,
    round_close,
)
from tests.db.proposing import (
    ASSESSED,
    ASSESSMENT_DUE,
    BILLION,
    IN_TIME,
    PROPOSALS_DUE,
    SECOND,
    Proposing,
    proposing,
    small_city,
)

pytestmark = pytest.mark.django_db

LATE = PROPOSALS_DUE + SECOND


@pytest.fixture
def world(db: None) -> Proposing:
    """A small city of two settlements, with a round."""
    return proposing(*small_city("prop"), "prop")


def refused(act: Callable[[], Any], kind: type[MahallehError], code: str) -> MahallehError:
    """Do something that is refused, and see that nothing is stored or logged."""
    counts = [model.objects.count() for model in (Proposal, Assessment, Decision, LogEntry)]
    states = list(Proposal.objects.order_by("pk").values_list("pk", "state", "version", "cost_irr"))
    with pytest.raises(kind) as error, transaction.atomic():
        act()
    assert error.value.code == code
    assert counts == [model.objects.count() for model in (Proposal, Assessment, Decision, LogEntry)]
    assert states == list(Proposal.objects.order_by("pk").values_list("pk", "state", "version", "cost_irr"))
    return error.value


def code_of(act: Callable[[], Any]) -> str:
    """Do something; return the code with which it is forbidden, nothing where it is done."""
    try:
        act()
    except Forbidden as error:
        return error.code
    return ""


def rule(proposal: Proposal, event: str = "accept", **values: Any) -> Ruling:
    proposal.refresh_from_db()
    return Ruling(**{"proposal": proposal, "event": event, "reason": "دلیل", "version": proposal.version} | values)


def asked_of(world: Proposing, proposal: Proposal, *names: str) -> list[Assessment]:
    departments = [getattr(world, name) for name in names or ("health",)]
    return list(
        assessments_ask(user=world.people["supervisor"], proposal=proposal, organisations=departments, at=ASSESSED)
    )


# ---- rights, by table

AGENCIES = {"agency", "supervisor", "second", "root"}
"""Who acts for the municipality in the whole city."""
LEADERS = {"supervisor", "second", "root"}


@pytest.mark.parametrize("is_late", [False, True])
def test_who_may_draft_submit_amend_and_withdraw_before_and_after_the_deadline(world: Proposing, is_late: bool) -> None:
    at = LATE if is_late else PROPOSALS_DUE
    # Needs of two areas: who acts in one of them alone does not speak for the other.
    spec = world.spec(*world.needs)
    allowed: dict[str, set[str]] = {"draft": set(), "submit": set(), "withdraw": set()}
    for name, user in world.people.items():
        for event, act in (
            ("draft", lambda user=user: proposal_save(user=user, spec=spec, at=at)),
            ("submit", lambda user=user: proposal_submit(user=user, spec=spec, at=at)),
        ):
            code = code_of(act)
            if code:
                assert code == ("deadline_passed" if is_late and name == "agency" else "role_missing")
            else:
                allowed[event].add(name)
        standing = world.submitted(*world.needs)
        code = code_of(lambda user=user, standing=standing: proposal_withdraw(user=user, proposal=standing, at=at))
        assert code in ("", "role_missing")
        allowed["withdraw"] |= set() if code else {name}
    assert allowed == {"draft": AGENCIES, "submit": LEADERS if is_late else AGENCIES, "withdraw": AGENCIES}


def test_who_acts_in_one_area_proposes_there_alone(world: Proposing) -> None:
    made = world.submitted(world.needs[0], by="agency-area")
    assert made.state == "submitted"
    both = world.spec(*world.needs)
    refused(lambda: proposal_submit(user=world.people["agency-area"], spec=both, at=IN_TIME), Forbidden, "role_missing")
    # Nor takes over what also answers a need of another area.
    wide = world.submitted(*world.needs)
    refused(
        lambda: proposal_withdraw(user=world.people["agency-area"], proposal=wide, at=IN_TIME),
        Forbidden,
        "role_missing",
    )


def test_nobody_takes_a_proposal_to_another_organisation_without_acting_for_both(world: Proposing) -> None:
    draft = proposal_save(user=world.people["agency"], spec=world.spec(), at=IN_TIME)
    moved = world.spec(organisation=world.health)
    for name in ("agency", "health"):
        refused(
            lambda name=name: proposal_save(user=world.people[name], spec=moved, proposal=draft, at=IN_TIME),
            Forbidden,
            "role_missing",
        )


@pytest.mark.parametrize("state", list(ProposalState))
@pytest.mark.parametrize("event", ["amend", "submit", "withdraw", "return", "accept", "refuse", "reconsider"])
def test_a_proposal_moves_from_the_states_of_the_table_alone(world: Proposing, state: str, event: str) -> None:
    made = world.submitted()
    Proposal.objects.filter(pk=made.pk).update(state=state)
    made.refresh_from_db()
    leader, spec = world.people["supervisor"], world.spec(cost_irr=BILLION)
    acts: dict[str, Callable[[], Any]] = {
        "amend": lambda: proposal_save(user=leader, spec=spec, proposal=made, version=1, at=IN_TIME),
        "submit": lambda: proposal_submit(user=leader, spec=spec, proposal=made, version=1, at=IN_TIME),
        "withdraw": lambda: proposal_withdraw(user=leader, proposal=made, at=IN_TIME),
        "return": lambda: proposal_return(user=leader, proposal=made, reason="ناقص", version=1, at=IN_TIME),
    }
    act = acts.get(event, lambda: decisions_take(user=leader, rulings=[rule(made, event)], at=IN_TIME))
    if state not in PROPOSAL[event].sources:
        refused(act, Conflict, "state_changed")
        return
    act()
    made.refresh_from_db()
    target = PROPOSAL[event].target
    assert (made.state, made.version) == (state if target == "=" else target, 2)
    entry = LogEntry.objects.filter(subject="proposal", subject_id=made.pk).order_by("-pk")[0]
    assert (entry.event, entry.state_from, entry.state_to) == (event, state, made.state)


# ---- deadlines


def test_the_last_second_is_in_time_and_the_next_one_is_not(world: Proposing) -> None:
    world.submitted(at=PROPOSALS_DUE.replace(microsecond=999_999))
    refused(lambda: world.submitted(at=LATE), Forbidden, "deadline_passed")


def test_who_is_let_in_hands_in_late_and_others_do_not(world: Proposing) -> None:
    until = LATE + timedelta(days=2)
    round_admit(
        user=world.people["supervisor"],
        round_=world.round,
        kind="proposals",
        organisation=world.works,
        until=until,
        reason="سیل",
        at=LATE,
    )
    world.submitted(at=until)
    refused(lambda: world.submitted(at=until + SECOND), Forbidden, "deadline_passed")
    refused(lambda: world.submitted(at=LATE, by="health", organisation=world.health), Forbidden, "deadline_passed")


def test_what_was_returned_is_due_with_the_assessment(world: Proposing) -> None:
    made = world.submitted()
    proposal_return(user=world.people["supervisor"], proposal=made, reason="نقشه ندارد", at=LATE)
    for moment, is_late in ((LATE, False), (ASSESSMENT_DUE, False), (ASSESSMENT_DUE + SECOND, True)):
        duties = round_found(world.round.pk, world.people["supervisor"], world.round.place, at=moment).duties
        owed = next(one for one in duties if one.organisation and one.organisation.code == world.works.code)
        assert (owed.kind, owed.is_met, owed.due_at, owed.is_late) == ("proposals", False, ASSESSMENT_DUE, is_late)
    again = proposal_submit(user=world.people["agency"], spec=world.spec(), proposal=made, version=2, at=ASSESSMENT_DUE)
    assert (again.state, again.version, again.submitted_at) == ("submitted", 3, ASSESSMENT_DUE)
    proposal_return(user=world.people["supervisor"], proposal=made, reason="هنوز نقشه ندارد", at=ASSESSMENT_DUE)
    refused(
        lambda: proposal_submit(
            user=world.people["agency"], spec=world.spec(), proposal=made, version=4, at=ASSESSMENT_DUE + SECOND
        ),
        Forbidden,
        "deadline_passed",
    )


def test_a_closed_round_takes_no_proposal_no_word_of_a_department_and_no_decision(world: Proposing) -> None:
    accepted = world.submitted(cost_irr=BILLION)
    decisions_take(user=world.people["supervisor"], rulings=[rule(accepted)], at=ASSESSED)
    made, draft = world.submitted(), proposal_save(user=world.people["agency"], spec=world.spec(), at=IN_TIME)
    asked = asked_of(world, made)[0]
    round_close(user=world.people["supervisor"], round_=world.round, at=ASSESSED)
    root = world.people["root"]
    for act in (
        lambda: world.submitted(by="root"),
        lambda: proposal_save(user=root, spec=world.spec(), proposal=draft, version=1),
        lambda: proposal_withdraw(user=root, proposal=made),
        lambda: proposal_return(user=root, proposal=made, reason="ناقص"),
        lambda: assessments_ask(user=root, proposal=made, organisations=[world.water]),
        lambda: assessment_say(user=root, assessment=asked, event="approve"),
        lambda: decisions_take(user=root, rulings=[rule(made)]),
        lambda: decisions_take(user=root, rulings=[rule(made, "refuse")]),
        lambda: decisions_take(user=root, rulings=[rule(accepted, "reconsider")]),
    ):
        assert refused(act, Conflict, "round_closed").where == "round"
    # What was decided before is published all the same.
    assert decisions_publish(user=root, round_=world.round) == 1


# ---- versions and words


def test_a_page_that_others_overtook_is_refused_and_changes_nothing(world: Proposing) -> None:
    draft = proposal_save(user=world.people["agency"], spec=world.spec(), at=IN_TIME)
    proposal_save(
        user=world.people["supervisor"], spec=world.spec(cost_irr=BILLION), proposal=draft, version=1, at=IN_TIME
    )
    stale = world.spec(cost_irr=2 * BILLION)
    for act in (proposal_save, proposal_submit):
        refused(
            lambda act=act: act(user=world.people["agency"], spec=stale, proposal=draft, version=1, at=IN_TIME),
            Conflict,
            "stale",
        )
    proposal_submit(user=world.people["agency"], spec=stale, proposal=draft, version=2, at=IN_TIME)
    refused(
        lambda: proposal_return(user=world.people["supervisor"], proposal=draft, reason="ناقص", version=2, at=IN_TIME),
        Conflict,
        "stale",
    )
    refused(
        lambda: decisions_take(user=world.people["supervisor"], rulings=[rule(draft, version=2)], at=IN_TIME),
        Conflict,
        "stale",
    )


def test_what_a_proposal_said_before_is_in_the_log(world: Proposing) -> None:
    draft = proposal_save(user=world.people["agency"], spec=world.spec(), at=IN_TIME)
    proposal_save(
        user=world.people["agency"],
        spec=world.spec(*world.needs, cost_irr=BILLION),
        proposal=draft,
        version=1,
        at=IN_TIME,
    )
    entry = LogEntry.objects.get(subject="proposal", subject_id=draft.pk, event="amend")
    assert entry.details == {"cost_irr": "10000000000", "needs": [world.needs[0].pk]}


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"cost_irr": Decimal(-1)}, "cost_irr"),
        ({"cost_irr": Decimal("NaN")}, "cost_irr"),
        ({"cost_irr": Decimal(10**18)}, "cost_irr"),
        ({"own_funding_irr": 11 * BILLION}, ""),
        ({"title_fa": " ", "title_en": ""}, ""),
        ({"starts_on": PROPOSALS_DUE.date(), "ends_on": IN_TIME.date()}, ""),
        ({"capacity": float("inf")}, "capacity"),
        ({"people_targeted": -1}, "people_targeted"),
    ],
)
def test_a_proposal_that_is_refused_names_the_field(world: Proposing, values: dict[str, Any], where: str) -> None:
    error = refused(lambda: world.submitted(**values), InvalidInput, "bad_value")
    assert error.where == ", ".join(filter(None, ("proposal", where)))


def test_a_proposal_answers_needs_that_stand_in_its_round(world: Proposing) -> None:
    refused(lambda: proposal_submit(user=world.people["root"], spec=replace(world.spec(), needs=()), at=IN_TIME),
            InvalidInput, "no_needs")  # fmt: skip
    need_review(user=world.people["supervisor"], need=world.needs[1], event="reject", reason="تکراری")
    refused(lambda: world.submitted(*world.needs), InvalidInput, "bad_need")


def test_a_point_stands_near_the_places_it_serves(world: Proposing) -> None:
    for place, west, width in ((world.areas[0], 48.30, 0.01), (world.areas[1], 48.32, 0.01), (world.city, 48.30, 0.03)):
        boundary_approve(
            place=place,
            geometry_4326=shapely.box(west, 33.40, west + width, 33.41),
            valid_from=date(2026, 1, 1),
            source="test",
            certainty="modelled",
        )
    world.submitted(lon_lat=(48.305, 33.405))
    refused(lambda: world.submitted(lon_lat=(48.325, 33.405)), InvalidInput, "point_elsewhere")
    # Between the two, for both of them; but not anywhere.
    world.submitted(*world.needs, lon_lat=(48.315, 33.405))
    refused(lambda: world.submitted(*world.needs, lon_lat=(33.4, 48.3)), InvalidInput, "point_elsewhere")


# ---- departments


def test_who_asks_departments(world: Proposing) -> None:
    for name, user in world.people.items():
        made = world.submitted()

        def ask(user: Any = user, made: Proposal = made) -> Any:
            return assessments_ask(user=user, proposal=made, organisations=[world.health], at=ASSESSED)

        if name in LEADERS:
            assert [one.state for one in ask()] == ["asked"]
        else:
            refused(ask, Forbidden, "role_missing")


@pytest.mark.parametrize("is_late", [False, True])
def test_who_speaks_for_a_department(world: Proposing, is_late: bool) -> None:
    at = ASSESSMENT_DUE + SECOND if is_late else ASSESSMENT_DUE
    spoke = set()
    for name, user in world.people.items():
        asked = asked_of(world, world.submitted())[0]
        code = code_of(
            lambda user=user, asked=asked: assessment_say(user=user, assessment=asked, event="approve", at=at)
        )
        if code:
            speaks = name in ("health", "health-area")
            assert code == ("deadline_passed" if is_late and speaks else "role_missing")
        else:
            spoke.add(name)
    # Who acts for it in the area of the need alone says it too.
    assert spoke == (LEADERS if is_late else LEADERS | {"health", "health-area"})


def test_a_department_elsewhere_in_the_place_says_nothing(world: Proposing) -> None:
    asked = asked_of(world, world.submitted(world.needs[1]))[0]
    refused(
        lambda: assessment_say(
            user=world.people["health-area"], assessment=asked, event="approve", at=ASSESSED
        ),
        Forbidden,
        "role_missing",
    )  # fmt: skip


@pytest.mark.parametrize("state", ["asked", "approved", "supplement", "refused"])
@pytest.mark.parametrize("event", ["ask", "approve", "supplement", "refuse"])
def test_assessments_move_by_the_table(world: Proposing, state: str, event: str) -> None:
    made = world.submitted()
    asked = asked_of(world, made)[0]
    said = {"approved": "approve", "supplement": "supplement", "refused": "refuse"}
    if state != "asked":
        assessment_say(user=world.people["health"], assessment=asked, event=said[state], reason="چرا", at=ASSESSED)
    if event == "ask":
        again = asked_of(world, made)[0]
        # Who is still asked is left as they are; who spoke is asked again, and what they said is in the log.
        entries = LogEntry.objects.filter(subject="assessment", subject_id=again.pk, event="ask").order_by("-pk")
        assert (again.pk, again.state, again.reason, again.said_at) == (asked.pk, "asked", "", None)
        assert len(entries) == (1 if state == "asked" else 2)
        assert state == "asked" or entries[0].details == {"reason": "چرا"}
        return

    def act() -> Assessment:
        return assessment_say(
            user=world.people["health"], assessment=asked, event=event, reason="نقشه ندارد", at=ASSESSED
        )

    if state not in ASSESSMENT[event].sources:
        refused(act, Conflict, "state_changed")
    else:
        assert act().state == ASSESSMENT[event].target


def test_departments_give_reasons_unless_they_approve(world: Proposing) -> None:
    asked = asked_of(world, world.submitted())[0]
    for event in ("supplement", "refuse"):
        refused(
            lambda event=event: assessment_say(
                user=world.people["health"], assessment=asked, event=event, reason=" ", at=ASSESSED
            ),
            InvalidInput,
            "no_reason",
        )
    assert assessment_say(user=world.people["health"], assessment=asked, event="approve", at=ASSESSED).reason == ""


def test_only_those_are_asked_who_can_answer(world: Proposing) -> None:
    made = world.submitted()
    refused(lambda: asked_of(world, made, "works"), InvalidInput, "own_proposal")
    refused(lambda: asked_of(world, made, "ngo"), InvalidInput, "no_department")
    Organisation.objects.filter(pk=world.health.pk).update(state="suspended")
    world.health.refresh_from_db()
    refused(lambda: asked_of(world, made), Conflict, "state_changed")
    draft = proposal_save(user=world.people["agency"], spec=world.spec(), at=IN_TIME)
    refused(lambda: asked_of(world, draft, "water"), Conflict, "state_changed")


def test_a_supplement_leads_back_to_the_proposer_and_from_there_to_the_departments_again(world: Proposing) -> None:
    made = world.submitted()
    first, other = asked_of(world, made, "health", "water")
    assessment_say(user=world.people["health"], assessment=first, event="supplement", reason="نقشه؟", at=ASSESSED)
    assessment_say(user=world.people["water"], assessment=other, event="approve", at=ASSESSED)
    proposal_return(user=world.people["supervisor"], proposal=made, reason="نقشه بیفزایید", version=1, at=ASSESSED)
    # While it is with the proposer nobody judges it.
    refused(lambda: asked_of(world, made), Conflict, "state_changed")
    done = proposal_submit(
        user=world.people["agency"], spec=world.spec(effect_fa="با نقشه"), proposal=made, version=2, at=ASSESSED
    )
    assert done.state == "submitted"
    again = asked_of(world, made)[0]
    assert (again.pk, again.state) == (first.pk, "asked")
    assessment_say(user=world.people["health"], assessment=again, event="approve", at=ASSESSED)
    assert set(made.assessments.values_list("organisation__code", "state")) == {
        ("prop-health", "approved"),
        ("prop-water", "approved"),
    }
    events = LogEntry.objects.filter(subject="proposal", subject_id=made.pk).order_by("pk")
    assert list(events.values_list("event", flat=True)) == ["submit", "return", "submit"]


# ---- decisions


def test_who_decides_and_publishes(world: Proposing) -> None:
    for name, user in world.people.items():
        made = world.submitted(cost_irr=Decimal(1))
        for act in (
            lambda user=user, made=made: decisions_take(user=user, rulings=[rule(made)]),
            lambda user=user: decisions_publish(user=user, round_=world.round),
        ):
            if name in LEADERS:
                act()
            else:
                refused(act, Forbidden, "role_missing")


def test_over_the_budget_all_are_refused_together_or_all_are_decided(world: Proposing) -> None:
    one, two, three = (world.submitted(cost_irr=10 * BILLION) for _ in range(3))
    leader = world.people["supervisor"]
    error = refused(
        lambda: decisions_take(user=leader, rulings=[rule(one), rule(two), rule(three)]), Conflict, "over_budget"
    )
    assert "5,000,000,000" in error.message
    decided = decisions_take(
        user=leader, rulings=[rule(one), rule(two), rule(three, granted_irr=5 * BILLION)], at=ASSESSED
    )
    assert [decision.granted_irr for decision in decided] == [10 * BILLION, 10 * BILLION, 5 * BILLION]
    assert granted_irr(world.round) == 25 * BILLION
    # What one is no longer granted another may be, in the same breath.
    four = world.submitted(cost_irr=10 * BILLION)
    decisions_take(user=leader, rulings=[rule(four), rule(one, "reconsider")], at=ASSESSED + SECOND)
    assert granted_irr(world.round) == 25 * BILLION


def test_a_budget_cut_below_the_grants_is_met_step_by_step(world: Proposing) -> None:
    made = [world.submitted(cost_irr=8 * BILLION) for _ in range(3)]
    leader = world.people["supervisor"]
    decisions_take(user=leader, rulings=[rule(one) for one in made], at=ASSESSED)
    Round.objects.filter(pk=world.round.pk).update(budget_irr=5 * BILLION)
    decisions_take(user=leader, rulings=[rule(made[0], "reconsider")], at=ASSESSED + SECOND)
    assert granted_irr(world.round) == 16 * BILLION
    refused(lambda: decisions_take(user=leader, rulings=[rule(made[0])]), Conflict, "over_budget")


def test_own_funding_is_not_granted_and_grants_stay_within_the_cost(world: Proposing) -> None:
    made = world.submitted(own_funding_irr=4 * BILLION)
    leader = world.people["supervisor"]
    for grant in (Decimal(-1), 6 * BILLION + 1, Decimal("NaN"), Decimal("Infinity")):
        refused(
            lambda grant=grant: decisions_take(user=leader, rulings=[rule(made, granted_irr=grant)]),
            InvalidInput,
            "bad_grant",
        )
    assert decisions_take(user=leader, rulings=[rule(made)])[0].granted_irr == 6 * BILLION


def test_rulings_that_do_not_go_together(world: Proposing) -> None:
    made = world.submitted()
    leader = world.people["supervisor"]
    refused(lambda: decisions_take(user=leader, rulings=[]), InvalidInput, "bad_rulings")
    refused(lambda: decisions_take(user=leader, rulings=[rule(made), rule(made)]), InvalidInput, "bad_rulings")
    refused(lambda: decisions_take(user=leader, rulings=[rule(made, "bless")]), InvalidInput, "unknown_event")
    refused(lambda: decisions_take(user=leader, rulings=[rule(made, reason="  ")]), InvalidInput, "no_reason")


def test_what_stands_is_published_and_not_what_was_taken_back_before(world: Proposing) -> None:
    one, two = world.submitted(), world.submitted()
    leader = world.people["supervisor"]
    decisions_take(user=leader, rulings=[rule(one), rule(two, "refuse")], at=ASSESSED)
    decisions_take(user=leader, rulings=[rule(one, "reconsider")], at=ASSESSED + SECOND)
    decisions_take(user=leader, rulings=[rule(one, "refuse")], at=ASSESSED + 2 * SECOND)
    assert decisions_publish(user=leader, round_=world.round, at=ASSESSED + 3 * SECOND) == 2
    assert decisions_publish(user=leader, round_=world.round) == 0
    told = Decision.objects.filter(proposal__round=world.round, published_at__isnull=False)
    assert set(told.values_list("proposal", "outcome")) == {(one.pk, "refused"), (two.pk, "refused")}
    seen = Decision.objects.visible_to(world.people["anonymous"]).filter(proposal__round=world.round)
    assert set(seen) == set(told)
