"""Rights of the services against the tables: every event of every machine × state × role × inside or outside × member or not × in time,
late, let in.

The tables themselves are tested by hand in `tests/unit/interventions/test_transitions.py`. Here the roles that a person should hold are
written by hand, and each service has to do what the table says of them: to refuse by the right word and leave everything as it was, or
to store the state it leads to and log it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from PIL import Image

from analysis.models import Indicator, IndicatorValue
from geo.errors import Conflict, Forbidden
from geo.models import Assignment
from interventions.core.transitions import MACHINES, NEW, ONESELF, PERSON, STAYS, state_after
from interventions.core.years import Year
from interventions.models import (
    Action,
    Activation,
    Admission,
    Assessment,
    Capacity,
    Committee,
    Council,
    Decision,
    LogEntry,
    Membership,
    Need,
    Organisation,
    Phase,
    Programme,
    Proposal,
    Round,
    Seat,
    WeightSet,
)
from interventions.services import (
    ActionSpec,
    CapacitySpec,
    CommitteeSpec,
    CouncilSpec,
    OrganisationSpec,
    OutcomeSpec,
    ProgressSpec,
    ProposalSpec,
    Ruling,
    WeightSetSpec,
    action_amend,
    action_enter,
    action_hand_over,
    action_record,
    action_step,
    activation_stand_down,
    assessment_say,
    assessments_ask,
    capacity_amend,
    capacity_put,
    capacity_record,
    capacity_review,
    committee_activate,
    committee_put,
    council_put,
    decisions_publish,
    decisions_take,
    evidence_add,
    membership_amend,
    membership_apply,
    membership_enter,
    membership_review,
    need_amend,
    need_record,
    need_report,
    need_review,
    organisation_apply,
    organisation_put,
    organisation_record,
    organisation_review,
    outcome_put,
    outcome_record,
    outcome_retract,
    progress_report,
    proposal_record,
    proposal_return,
    proposal_save,
    proposal_submit,
    proposal_withdraw,
    round_admit,
    round_close,
    round_extend,
    round_open,
    seat_end,
    seat_give,
    weight_set_record,
    weight_set_review,
    weight_set_save,
)
from tests.db.network_world import IN_TIME, LATE, OPENED, PROPOSALS_DUE, ROLES, network_world

pytestmark = pytest.mark.django_db

ACTING = ("reporter", "agency")
LET_IN = "let in"
MOMENTS: dict[str, datetime] = {"in time": IN_TIME, "late": LATE, LET_IN: LATE}


@dataclass(frozen=True)
class Person:
    """Somebody: a role, where it is held (the city, its settlement a, another country), and whether in the organisations."""

    role: str
    where: str
    is_member: bool

    @property
    def name(self) -> str:
        return f"{self.role or 'no role'} @ {self.where}{', member' if self.is_member else ''}"

    def roles(self, place: str) -> set[str]:
        """The roles held for the organisations (an office of the city) in settlement a or in the city, written by hand."""
        is_inside = self.where == "city" or (self.where == "a" and place == "a")
        counts = self.is_member or self.role not in ACTING
        return {self.role} if self.role and is_inside and counts else set()


PEOPLE = (
    *(Person(role, "city", is_member=True) for role in ROLES),
    *(Person(role, "city", is_member=False) for role in ACTING),
    *(Person(role, "elsewhere", is_member=True) for role in ROLES),
    *(Person(role, "a", is_member=True) for role in (*ACTING, "supervisor")),
    Person("", "nowhere", is_member=True),
)


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world()
    made.department = organisation_record(OrganisationSpec(made.city, "department", "agency", "بخش", "Department"))
    Phase.objects.create(round=made.round, kind="assessment", due_at=PROPOSALS_DUE, first_due_at=PROPOSALS_DUE)
    made.need, made.other = (
        need_record(made.need_spec, state="reported", reporter=None, reported_at=IN_TIME) for _ in range(2)
    )
    made.offer = ProposalSpec(made.round, made.office, (made.other,), Decimal(5), title_fa="طرح")
    made.proposal = proposal_record(made.offer, state="submitted", submitted_at=IN_TIME)
    made.assessment = Assessment.objects.create(proposal=made.proposal, organisation=made.department)
    Decision.objects.create(proposal=made.proposal, outcome="refused", reason="r")  # to be published
    made.gift = CapacitySpec(made.a, "place", made.office, text_fa="اتاق")
    made.capacity = capacity_record(made.gift, reporter=None, reported_at=IN_TIME)
    made.weighed = WeightSetSpec(made.office, made.city, "given", {"early-care": 1}, name_fa="وزن‌ها")
    made.weights = weight_set_record(made.weighed, author=None, saved_at=IN_TIME)
    made.action_spec = ActionSpec(
        organisation=made.office,
        place=made.a,
        sector=made.sectors["health"],
        approach="social",
        starts_on=IN_TIME.date(),
        ends_on=LATE.date(),
        title_fa="کار",
        needs=(made.other,),
    )
    made.action = action_record(made.action_spec, state="under-way", at=IN_TIME)
    indicator = Indicator.objects.create(
        code="water",
        name_fa="آب",
        name_en="Water",
        domain="welfare",
        origin="register",
        unit="percent",
        direction="more-is-better",
    )
    made.outcome_spec = OutcomeSpec(indicator, made.a, Year(1404), "measured", 5.0, None, "A count")
    made.outcome = outcome_record(made.outcome_spec, at=IN_TIME)
    sectors = (made.sectors["health"],)
    made.crisis = Committee.objects.create(
        place=made.city, code="crisis", name_fa="بحران", name_en="Crisis", is_crisis=True
    )
    made.activation = Activation.objects.create(committee=made.crisis, place=made.a, reason="r", activated_at=OPENED)
    made.committee = Committee.objects.create(place=made.a, code="health", name_fa="سلامت", name_en="Health")
    made.committee_spec = CommitteeSpec(made.a, "health", "بهداشت", "Sanitation", sectors)
    made.council = Council.objects.create(place=made.a, name_fa="شورا", name_en="Council")
    made.someone = get_user_model().objects.create_user("net-rights-someone")
    made.seat = Seat.objects.create(council=made.council, user=made.someone)
    made.club = organisation_record(OrganisationSpec(made.city, "club", "ngo", "انجمن", "Club"))
    made.second_programme = Programme.objects.create(place=made.city, code="second", name_fa="ب", name_en="P")
    made.users = {}
    for number, person in enumerate(PEOPLE):
        user = made.users[person] = get_user_model().objects.create_user(f"net-rights-{number}")
        if person.role:
            place = {"city": made.city, "a": made.a, "elsewhere": made.elsewhere}[person.where]
            Assignment.objects.create(user=user, role=person.role, place=place)
        if person.is_member:
            for organisation in (made.office, made.department):
                Membership.objects.create(organisation=organisation, user=user, state="approved")
    return made


Act = Callable[[SimpleNamespace, str, Any, Any, datetime], object]


def picture() -> io.BytesIO:
    """A photo as it arrives."""
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "#2a6").save(out, "JPEG")
    out.seek(0)
    out.name = "school.jpg"
    return out


def of_need(w: SimpleNamespace, event: str, need: Need | None, user: Any, at: datetime) -> object:
    if need is None:
        return need_report(user=user, spec=w.need_spec, at=at)
    if event == "attach":
        return evidence_add(user=user, need=need, file=picture(), title="عکس", at=at)
    if event == "amend":
        return need_amend(user=user, need=need, spec=replace(w.need_spec, severity=5), version=need.version, at=at)
    into = w.other if event == "merge" else None
    return need_review(user=user, need=need, event=event, into=into, reason="r", at=at)


def of_proposal(w: SimpleNamespace, event: str, proposal: Proposal | None, user: Any, at: datetime) -> object:
    if event in {"draft", "amend"}:
        return proposal_save(user=user, spec=replace(w.offer, title_fa="نو"), proposal=proposal, at=at)
    if event == "submit":
        return proposal_submit(user=user, spec=w.offer, proposal=proposal, at=at)
    assert proposal is not None
    if event == "withdraw":
        return proposal_withdraw(user=user, proposal=proposal, at=at)
    if event == "return":
        return proposal_return(user=user, proposal=proposal, reason="r", at=at)
    return decisions_take(user=user, rulings=[Ruling(proposal, event, "r", proposal.version)], at=at)


def of_capacity(w: SimpleNamespace, event: str, capacity: Capacity | None, user: Any, at: datetime) -> object:
    if capacity is None:
        return capacity_put(user=user, spec=w.gift, at=at)
    if event == "amend":
        spec = replace(w.gift, text_fa="حیاط")
        return capacity_amend(user=user, capacity=capacity, spec=spec, version=capacity.version, at=at)
    return capacity_review(user=user, capacity=capacity, event=event, at=at)


def of_weights(w: SimpleNamespace, event: str, weights: WeightSet | None, user: Any, at: datetime) -> object:
    if weights is None:
        return weight_set_save(user=user, spec=w.weighed, at=at)
    if event == "amend":
        spec = replace(w.weighed, note="چرا")
        return weight_set_save(user=user, spec=spec, weight_set=weights, version=weights.version, at=at)
    return weight_set_review(user=user, weight_set=weights, event=event, at=at)


def of_assessment(w: SimpleNamespace, event: str, assessment: Assessment | None, user: Any, at: datetime) -> object:
    if assessment is None:
        Assessment.objects.filter(proposal=w.proposal).delete()
    if event == "ask":
        return assessments_ask(user=user, proposal=w.proposal, organisations=[w.department], at=at)
    assert assessment is not None
    return assessment_say(user=user, assessment=assessment, event=event, reason="r", at=at)


def of_organisation(w: SimpleNamespace, event: str, found: Organisation | None, user: Any, at: datetime) -> object:
    if event == "apply":
        return organisation_apply(user=user, spec=OrganisationSpec(w.city, "new", "ngo", "نو", "New"), at=at)
    if event in {"enter", "amend"}:
        return organisation_put(
            user=user, spec=OrganisationSpec(w.city, "department" if found else "new", "agency", "نو", "New")
        )
    assert found is not None
    return organisation_review(user=user, organisation=found, event=event, reason="r", at=at)


def of_round(w: SimpleNamespace, event: str, round_: Round | None, user: Any, at: datetime) -> object:
    later = {"needs": at + timedelta(days=300), "proposals": at + timedelta(days=400)}
    if round_ is None:
        return round_open(user=user, spec=replace(w.round_spec, programme=w.second_programme, due=later), at=at)
    if event == "extend":
        later["assessment"] = later["proposals"]
        return round_extend(user=user, round_=round_, due=later, reason="r", at=at)
    if event == "admit":
        until = LATE + timedelta(days=9)
        return round_admit(
            user=user, round_=round_, kind="needs", organisation=w.office, until=until, reason="r", at=at
        )
    if event == "publish":
        return decisions_publish(user=user, round_=round_, at=at)
    return round_close(user=user, round_=round_, at=at)


def of_membership(w: SimpleNamespace, event: str, found: Membership | None, user: Any, at: datetime) -> object:
    """What is done to the membership of somebody else."""
    if found is None:
        return membership_enter(user=user, organisation=w.club, person=w.someone, at=at)
    if event == "amend":
        return membership_amend(user=user, membership=found, is_contact=not found.is_contact, at=at)
    return membership_review(user=user, membership=found, event=event, reason="r", at=at)


def of_own_membership(w: SimpleNamespace, event: str, found: Membership | None, user: Any, at: datetime) -> object:
    if event == "apply":
        return membership_apply(user=user, organisation=w.club, at=at)
    if found is None:
        return membership_enter(user=user, organisation=w.club, person=user, at=at)
    return of_membership(w, event, found, user, at)


def of_committee(w: SimpleNamespace, event: str, _found: None, user: Any, at: datetime) -> object:
    spec = w.committee_spec if event == "amend" else replace(w.committee_spec, place=w.city)
    return committee_put(user=user, spec=spec, at=at)


def of_council(w: SimpleNamespace, event: str, _found: None, user: Any, at: datetime) -> object:
    if event == "seat":
        return seat_give(user=user, council=w.council, organisation=w.office, at=at)
    if event == "unseat":
        return seat_end(user=user, seat=w.seat, at=at)
    return council_put(user=user, spec=CouncilSpec(w.a if event == "amend" else w.city, "شورای نو", "New"), at=at)


def of_activation(w: SimpleNamespace, event: str, found: Activation | None, user: Any, at: datetime) -> object:
    if event == "stand-down":
        assert found is not None
        return activation_stand_down(user=user, activation=found, at=at)
    w.activation.__class__.objects.filter(pk=w.activation.pk).delete()
    return committee_activate(user=user, committee=w.crisis, places=[w.a], reason="r", at=at)


def of_action(w: SimpleNamespace, event: str, action: Action | None, user: Any, at: datetime) -> object:
    if action is None:
        return action_enter(user=user, spec=w.action_spec, at=at)
    match event:
        case "amend":
            spec = replace(w.action_spec, title_fa="نام دیگر")
            return action_amend(user=user, action=action, spec=spec, version=action.version, at=at)
        case "report":
            return progress_report(user=user, action=action, spec=ProgressSpec(10, Decimal(5), 1), at=at)
        case "hand-over":
            return action_hand_over(user=user, action=action, to=w.department, reason="r", at=at)
        case "attach":
            return evidence_add(user=user, action=action, file=picture(), title="عکس", at=at)
        case _:
            return action_step(user=user, action=action, event=event, reason="r", at=at)


def of_outcome(w: SimpleNamespace, event: str, outcome: None, user: Any, at: datetime) -> object:
    if event == "retract":
        return outcome_retract(user=user, outcome=w.outcome, reason="r", at=at)
    spec = w.outcome_spec if event == "correct" else replace(w.outcome_spec, year=Year(1405))
    return outcome_put(user=user, spec=replace(spec, value=7.0), reason="r", at=at)


@dataclass(frozen=True)
class Service:
    """What does the events of a machine.

    Attributes
    ----------
    place
        The settlement or the city in which its rights are asked; `places` for events that are asked elsewhere.
    record
        The record, for who acts; by default that of the world.
    events
        Those that it does; None for all of the machine.
    new
        Events that it does where there is no record yet.
    acting_in
        Where roles held for an organisation count too.
    """

    machine: str
    act: Act
    place: str
    new: frozenset[str]
    places: dict[str, str] = field(default_factory=dict)
    events: frozenset[str] | None = None
    record: Callable[[SimpleNamespace, Any], Any] | None = None
    acting_in: str = ""
    is_oneself: bool = False

    def done(self) -> frozenset[str]:
        """The events that it does."""
        return frozenset(MACHINES[self.machine]) if self.events is None else self.events

    def of(self, world: SimpleNamespace, user: Any) -> Any:
        """The record that somebody acts on."""
        return self.record(world, user) if self.record else getattr(world, self.machine)

    def roles(self, event: str, person: Person) -> set[str]:
        """The roles that count for an event, written by hand."""
        own = {ONESELF} if self.is_oneself else set()
        acting = person.roles(self.acting_in) & set(ACTING)
        return person.roles(self.places.get(event, self.place)) | acting | {PERSON} | own


def member(user_of: Callable[[SimpleNamespace, Any], Any]) -> Callable[[SimpleNamespace, Any], Membership]:
    return lambda w, user: Membership.objects.get_or_create(organisation=w.club, user=user_of(w, user))[0]


DECIDING = ("return", "accept", "refuse", "reconsider")
MEMBERSHIP_OF_ANOTHER = frozenset({"approve", "amend", "refuse", "end"})  # nobody applies for another
SERVICES: dict[str, Service] = {
    "need": Service("need", of_need, "a", frozenset({"report"})),
    "proposal": Service("proposal", of_proposal, "a", frozenset({"draft", "submit"}), dict.fromkeys(DECIDING, "city")),
    "assessment": Service("assessment", of_assessment, "city", frozenset({"ask"}), acting_in="a"),
    "organisation": Service("organisation", of_organisation, "city", frozenset({"apply", "enter"}), record=lambda w, _: w.department),
    "round": Service("round", of_round, "city", frozenset({"open"})),
    "capacity": Service("capacity", of_capacity, "a", frozenset({"record"})),
    "weights": Service("weights", of_weights, "city", frozenset({"record"})),
    "action": Service("action", of_action, "a", frozenset({"enter"})),
    "committee": Service("committee", of_committee, "a", frozenset({"enter", "amend"}), {"enter": "city"}),
    "council": Service("council", of_council, "a", frozenset({"enter", "amend", "seat", "unseat"}), {"enter": "city"}),
    "outcome": Service("outcome", of_outcome, "a", frozenset({"enter", "correct", "retract"})),
    "activation": Service("activation", of_activation, "a", frozenset({"activate"})),
    "membership": Service(
        "membership", of_membership, "city", frozenset({"approve"}), events=MEMBERSHIP_OF_ANOTHER, record=member(lambda w, _: w.someone)
    ),
    "own membership": Service(
        "membership", of_own_membership, "city", frozenset({"apply", "approve"}), record=member(lambda _, user: user), is_oneself=True
    ),
}  # fmt: skip
LOGGED_TWICE = {
    ("organisation", "apply"),
    ("action", "hand-over"),
}  # the founder's membership; the action of the other one


def test_every_event_of_every_machine_has_a_service() -> None:
    done = {(service.machine, event) for service in SERVICES.values() for event in service.done()}
    assert done == {(kind, event) for kind, machine in MACHINES.items() for event in machine}
    # What makes a record is tried where there is none.
    new = {(service.machine, event) for service in SERVICES.values() for event in service.new}
    assert new == {
        (kind, event) for kind, machine in MACHINES.items() for event in machine if NEW in machine[event].sources
    }


def put_into(record: Any, state: str, w: SimpleNamespace) -> None:
    """Store a record in a state, with what the database asks for in it."""
    values: dict[str, Any] = {"state": state}
    if isinstance(record, Need):
        values["merged_into"] = w.other if state == "merged" else None
    elif isinstance(record, Proposal):
        values["submitted_at"] = None if state == "draft" else IN_TIME
    elif isinstance(record, Assessment):
        values |= {"said_at": None if state == "asked" else IN_TIME, "reason": "r"}
    elif isinstance(record, Round):
        values["closed_at"] = IN_TIME if state == "closed" else None
    elif isinstance(record, Capacity | WeightSet):
        values = {"archived_at": IN_TIME if state == "withdrawn" else None}
    elif isinstance(record, Action):
        values["done_on"] = IN_TIME.date() if state == "done" else None
    elif isinstance(record, Activation):
        values["stood_down_at"] = IN_TIME if state == "stood-down" else None
    type(record)._default_manager.filter(pk=record.pk).update(**values)
    record.refresh_from_db()


def cases(service: Service) -> Iterator[tuple[str, str, Person, str]]:
    """Yield every case; where no role is locked out by the deadline, the late alone, which shows just that."""
    machine = MACHINES[service.machine]
    states = [NEW, *sorted({str(s) for move in machine.values() for s in (*move.sources, move.target)} - {NEW, STAYS})]
    for event, move in machine.items():
        if event not in service.done():
            continue
        times = tuple(MOMENTS) if move.roles != move.late_roles else ("late",)
        for state in states:
            if (state == NEW and event not in service.new) or (
                state != NEW and NEW in move.sources and len(move.sources) == 1
            ):
                continue
            if (service.machine, event, state) == ("assessment", "ask", "asked"):  # asked already: left as it is
                continue
            for person in PEOPLE:
                # Who holds no role that counts is refused in time too.
                for time in times if person.roles("a") else ("in time",):
                    yield event, state, person, time


def expected_of(kind: str, event: str, state: str, roles: set[str], *, is_late: bool) -> str | type[Exception]:
    try:
        return state_after(MACHINES[kind], event, state=state, roles=roles, is_late=is_late)
    except (Forbidden, Conflict) as error:
        return error.code if isinstance(error, Forbidden) else Conflict


@pytest.mark.parametrize("name", SERVICES)
def test_services_do_what_the_table_says(world: SimpleNamespace, name: str) -> None:
    service = SERVICES[name]
    kind, wrong, done = service.machine, [], set()
    others = {"outcome": IndicatorValue, "weights": WeightSet}
    model = others.get(kind) or apps.get_model("interventions", kind)
    for event, state, person, time in cases(service):
        expected = expected_of(kind, event, state, service.roles(event, person), is_late=time == "late")
        where = f"{person.name} {event} from {state!r} {time}"
        with transaction.atomic():
            if time == LET_IN:
                for phase in world.round.phases.all():
                    for organisation in (world.office, world.department):
                        Admission.objects.create(
                            phase=phase, organisation=organisation, until=LATE + timedelta(days=1), reason="r"
                        )
            record = service.of(world, world.users[person]) if state != NEW else None
            if record is not None:
                put_into(record, state, world)
            logged, rows = LogEntry.objects.count(), model._default_manager.count()
            try:
                with transaction.atomic():
                    service.act(world, event, record, world.users[person], MOMENTS[time])
            except Forbidden as error:
                found: object = error.code
            except Conflict:
                found = Conflict
            else:
                entry = LogEntry.objects.filter(subject=kind).order_by("-pk")[0]
                found = entry.state_to
                stored = model._default_manager.get(pk=entry.subject_id)
                if (entry.event, entry.state_from, entry.actor_id) != (event, state, world.users[person].pk):
                    wrong.append(f"{where}: logged {entry.event} from {entry.state_from!r}")
                if getattr(stored, "state", NEW) != found:
                    wrong.append(f"{where}: stored {stored.state!r}")
                if LogEntry.objects.count() != logged + 1 + ((kind, event) in LOGGED_TWICE):
                    wrong.append(f"{where}: not once logged")
                done.add(event)
            if found != expected:
                wrong.append(f"{where}: {found}, not {expected}")
            if found in (Conflict, "role_missing", "deadline_passed"):
                after = getattr(model._default_manager.get(pk=record.pk), "state", NEW) if record is not None else NEW
                if (after, LogEntry.objects.count(), model._default_manager.count()) != (state, logged, rows):
                    wrong.append(f"{where}: refused, and something changed")
            transaction.set_rollback(True)
    assert wrong == []
    assert done == service.done()


def test_who_is_not_signed_in_does_nothing(world: SimpleNamespace) -> None:
    for service in SERVICES.values():
        for event in sorted(service.done()):
            state = sorted(map(str, MACHINES[service.machine][event].sources))[0]
            state = state if state != NEW or event in service.new else "applied"
            for name in ("anonymous", "gone"):
                with transaction.atomic():
                    record = service.of(world, world.someone) if state != NEW else None
                    if record is not None:
                        put_into(record, state, world)
                    with pytest.raises(Forbidden):
                        service.act(world, event, record, world.people[name], IN_TIME)
                    transaction.set_rollback(True)
