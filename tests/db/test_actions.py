"""Actions in the database: every step × state × person, proposals become one action, budgets are handed over once, sums are told why."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import shapely
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import default_storage
from django.db import DatabaseError, IntegrityError, connection, transaction
from PIL import Image

from geo.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, MahallehError
from geo.models import Assignment
from geo.services import PlaceSpec, boundary_approve, place_put
from interventions.core.phases import PhaseKind
from interventions.core.transitions import ACTION, NEEDS_REASON, ActionState, RoundState
from interventions.models import (
    Action,
    Decision,
    Evidence,
    LogEntry,
    Membership,
    Milestone,
    Need,
    Organisation,
    Programme,
    Progress,
    Proposal,
    Sector,
)
from interventions.services import (
    ActionSpec,
    NeedSpec,
    OrganisationSpec,
    ProgressSpec,
    ProposalSpec,
    RoundSpec,
    action_amend,
    action_enter,
    action_from_proposal,
    action_hand_over,
    action_record,
    action_step,
    evidence_add,
    evidence_change,
    milestone_put,
    milestone_reach,
    need_record,
    organisation_record,
    progress_report,
    proposal_record,
    round_record,
)
from interventions.services import evidence as evidence_services
from interventions.services.evidence import evidence_file_name, evidence_thumbnail_name

pytestmark = pytest.mark.django_db

TEHRAN = timezone(timedelta(hours=3, minutes=30))
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=TEHRAN)
TODAY = date(2026, 11, 1)
ROLES = tuple(Assignment.Role.values)
STATES = ("planned", "under-way", "suspended", "done", "handed-over", "cancelled")

# Written by hand, not derived from the table: from which states to which, by whom.
WORKERS = {"reporter", "agency", "supervisor", "administrator"}
LEADERS = {"supervisor", "administrator"}
EXPECTED: dict[str, tuple[dict[str, str], set[str]]] = {
    "enter": ({"": "planned"}, WORKERS),
    "amend": ({state: state for state in ("planned", "under-way", "suspended")}, WORKERS),
    "report": ({state: state for state in ("under-way", "suspended")}, WORKERS),
    "start": ({"planned": "under-way", "suspended": "under-way"}, WORKERS),
    "suspend": ({"planned": "suspended", "under-way": "suspended"}, WORKERS),
    "finish": ({"under-way": "done"}, WORKERS),
    "reopen": ({"done": "under-way", "cancelled": "under-way"}, LEADERS),
    "hand-over": (dict.fromkeys(("planned", "under-way", "suspended"), "handed-over"), WORKERS),
    "cancel": (dict.fromkeys(("planned", "under-way", "suspended"), "cancelled"), WORKERS),
    "attach": ({state: state for state in ("planned", "under-way", "suspended", "done")}, WORKERS),
}


def picture(size: tuple[int, int] = (40, 30), exif: Image.Exif | None = None) -> io.BytesIO:
    """Return a photo as it arrives."""
    out = io.BytesIO()
    Image.new("RGB", size, "#2a6").save(out, "JPEG", **({"exif": exif} if exif else {}))
    out.seek(0)
    out.name = "school.jpg"
    return out


def files_remove(*kept: Evidence) -> None:
    """Take away the files that a test left."""
    for one in kept:
        default_storage.delete(evidence_file_name(one))
        default_storage.delete(evidence_thumbnail_name(one))


@pytest.fixture
def world() -> SimpleNamespace:
    """A country of its own with a city, settlements a and b, two agencies, an association, a round, needs, and people."""
    country = place_put(PlaceSpec("country", "act", "کشور", "Country"))
    city = place_put(PlaceSpec("city", "act-city", "شهر", "City", country))
    a, b = (place_put(PlaceSpec("settlement", code, code, code, city)) for code in ("act-a", "act-b"))
    elsewhere = place_put(PlaceSpec("country", "act-elsewhere", "جای دیگر", "Elsewhere"))
    boundary_approve(
        place=a,
        geometry_4326=shapely.box(48.30, 33.40, 48.31, 33.41),
        valid_from=date(2026, 1, 1),
        source="test",
        certainty="modelled",
    )
    sectors = [
        Sector.objects.create(code=f"act-{code}", name_fa=code, name_en=code, position=900)
        for code in ("water", "sport")
    ]
    office = organisation_record(OrganisationSpec(city, "act-office", "agency", "اداره", "Office"))
    other = organisation_record(OrganisationSpec(city, "act-other", "agency", "دیگر", "Other"))
    of_b = organisation_record(OrganisationSpec(b, "act-of-b", "ngo", "سمن", "Association"))
    users = get_user_model().objects
    people: dict[str, Any] = {"anonymous": AnonymousUser(), "root": users.create_superuser("act-root")}
    for role in ROLES:
        for name, place, member in (
            (f"{role}@city", city, True),
            (f"{role}@elsewhere", elsewhere, True),
            (f"{role}@city, no member", city, False),
        ):
            people[name] = users.create_user(f"act-{name}".replace(" ", "-").replace(",", ""))
            Assignment.objects.create(user=people[name], role=role, place=place)
            if member:
                Membership.objects.create(organisation=office, user=people[name], state="approved")
    programme = Programme.objects.create(place=city, code="act", name_fa="برنامه", name_en="Programme")
    due = datetime(2027, 3, 20, 23, 59, 59, tzinfo=TEHRAN)
    opened = round_record(
        RoundSpec(programme=programme, place=city, name_fa="دور", name_en="Round", due={PhaseKind.NEEDS: due, PhaseKind.PROPOSALS: due}),
        state=RoundState.OPENED,
        opened_at=NOW - timedelta(days=60),
    )  # fmt: skip

    def need(place: Any, sector: Sector, **values: Any) -> Need:
        spec = NeedSpec(
            round=opened, place=place, sector=sector, organisation=office, approach="social", severity=3, people_affected=100, text_fa="نیاز"
        )  # fmt: skip
        return need_record(replace(spec, **values), state="confirmed", reporter=None, reported_at=NOW)

    needs = {"a": need(a, sectors[0]), "b": need(b, sectors[0]), "sport": need(a, sectors[1])}
    spec = ActionSpec(
        organisation=office,
        place=a,
        sector=sectors[0],
        approach="infrastructural",
        starts_on=date(2026, 10, 1),
        ends_on=date(2027, 2, 1),
        title_fa="لوله‌کشی",
        budget_irr=Decimal(1000),
        people_targeted=90,
        needs=(needs["a"],),
    )
    return SimpleNamespace(
        city=city, a=a, b=b, sectors=sectors, office=office, other=other, of_b=of_b, people=people, round=opened, needs=needs, spec=spec
    )  # fmt: skip


@pytest.fixture
def action(world: SimpleNamespace) -> Callable[..., Action]:
    """Return a function that makes an action in a state, with some values of its own."""

    def make(state: str = "under-way", **values: Any) -> Action:
        days: dict[str, Any] = {"started_on": date(2026, 10, 2)} if state != "planned" else {}
        days |= {"done_on": date(2026, 10, 20)} if state == "done" else {}
        return action_record(replace(world.spec, **values), state=state, at=NOW, **days)

    return make


def done_by(world: SimpleNamespace, user: Any, event: str, record: Action | None) -> Any:
    """Do one event of the table by its service, with nothing wrong but perhaps the person or the state."""
    if event == "enter":
        return action_enter(user=user, spec=world.spec, at=NOW)
    assert record is not None
    match event:
        case "amend":
            spec = replace(world.spec, title_fa="نام دیگر")
            return action_amend(user=user, action=record, spec=spec, version=record.version, at=NOW)
        case "report":
            return progress_report(user=user, action=record, spec=ProgressSpec(10, Decimal(5), 1), at=NOW)
        case "hand-over":
            return action_hand_over(user=user, action=record, to=world.other, reason="چون", at=NOW)
        case "attach":
            return evidence_add(user=user, action=record, file=picture(), title="عکس", at=NOW)
        case _:
            return action_step(user=user, action=record, event=event, reason="چون", at=NOW)


def may(name: str, roles: set[str]) -> bool:
    """Tell whether a person of the world may do what some roles may."""
    role, _, where = name.partition("@")
    if name == "root":
        return "administrator" in roles
    acts = role in {"reporter", "agency"}
    return role in roles and where.startswith("city") and not (acts and "no member" in where)


@pytest.mark.parametrize("event", EXPECTED)
def test_every_event_in_every_state_by_everybody(world: SimpleNamespace, event: str) -> None:
    assert set(ACTION) == set(EXPECTED)
    moves, roles = EXPECTED[event]
    states = ("",) if event == "enter" else STATES
    records = {state: action_record(world.spec, state=state, at=NOW, done_on=TODAY) for state in states if state}
    for (name, user), state in itertools.product(world.people.items(), states):
        record, where = records.get(state), f"{event} from {state!r} as {name}"
        before = LogEntry.objects.count()
        try:
            with transaction.atomic():
                if not may(name, roles):
                    with pytest.raises(Forbidden) as caught:
                        done_by(world, user, event, record)
                    assert caught.value.code == "role_missing", where
                    assert LogEntry.objects.count() == before, where
                elif state not in moves:
                    with pytest.raises(Conflict):
                        done_by(world, user, event, record)
                    assert LogEntry.objects.count() == before, where
                else:
                    done_by(world, user, event, record)
                    last = LogEntry.objects.filter(subject="action", event=event).order_by("-pk").first()
                    assert last is not None, where
                    assert (last.state_from, last.state_to) == (state, moves[state]), where
                    assert (last.actor_id, last.place, last.organisation) == (user.pk, world.a, world.office), where
                    if record is not None:
                        assert last.subject_id == record.pk
                        assert Action.objects.get(pk=record.pk).state == moves[state], where
                raise _Undone
        except _Undone:
            pass


class _Undone(Exception):
    """Takes back what one case did."""


@pytest.mark.parametrize("event", sorted(event for kind, event in NEEDS_REASON if kind == "action"))
def test_what_needs_a_reason_is_not_done_without(
    world: SimpleNamespace, action: Callable[..., Action], event: str
) -> None:
    record, root = action("done" if event == "reopen" else "under-way"), world.people["root"]
    with pytest.raises(InvalidInput) as caught:
        action_hand_over(user=root, action=record, to=world.other, reason=" ") if event == "hand-over" else action_step(
            user=root, action=record, event=event, reason=" "
        )
    assert caught.value.code == "no_reason"
    assert Action.objects.get(pk=record.pk).state == record.state


# ---- entering


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"organisation": "of_b"}, "works_elsewhere"),
        ({"needs": ("b",)}, "bad_need"),
        ({"lon_lat": (50.0, 30.0)}, "point_elsewhere"),
        ({"lon_lat": (float("nan"), 30.0)}, "bad_point"),
        ({"title_fa": " "}, "bad_value"),
        ({"ends_on": date(2026, 9, 30)}, "bad_value"),
        ({"budget_irr": Decimal(-1)}, "bad_value"),
        ({"approach": "violent"}, "bad_value"),
    ],
)
def test_actions_that_are_not_entered(world: SimpleNamespace, values: dict[str, Any], code: str) -> None:
    if "organisation" in values:
        values = {"organisation": getattr(world, values["organisation"])}
    if "needs" in values:
        values = {"needs": tuple(world.needs[name] for name in values["needs"])}
    with pytest.raises(InvalidInput) as caught:
        action_enter(user=world.people["root"], spec=replace(world.spec, **values))
    assert caught.value.code == code
    assert not Action.objects.filter(place=world.a).exists()


def test_an_organisation_that_is_not_approved_begins_nothing_new(world: SimpleNamespace) -> None:
    Organisation.objects.filter(pk=world.office.pk).update(state="suspended")
    world.office.refresh_from_db()
    with pytest.raises(InvalidInput) as caught:
        action_enter(user=world.people["root"], spec=world.spec)
    assert caught.value.code == "not_approved"
    with pytest.raises(Forbidden):  # its members are none while it is suspended
        action_enter(user=world.people["agency@city"], spec=world.spec)


def test_the_place_of_an_action_bounds_its_needs_from_above(world: SimpleNamespace) -> None:
    spec = replace(world.spec, place=world.city, needs=(world.needs["a"], world.needs["b"]))
    made = action_enter(user=world.people["root"], spec=spec)
    assert set(made.needs.all()) == {world.needs["a"], world.needs["b"]}
    assert made.state == ActionState.PLANNED


# ---- from a proposal


def proposal_of(world: SimpleNamespace, *needs: Need, state: str = "accepted", **values: Any) -> Proposal:
    spec = ProposalSpec(
        round=world.round, organisation=world.office, needs=needs, cost_irr=Decimal(5000), title_fa="طرح", effect_fa="اثر",
        lon_lat=(48.305, 33.405), starts_on=date(2026, 12, 1), ends_on=date(2027, 3, 1), people_targeted=70,
    )  # fmt: skip
    return proposal_record(replace(spec, **values), state=state, submitted_at=NOW)


def granted(proposal: Proposal, sum_irr: int, outcome: str = "accepted", at: datetime = NOW) -> None:
    Decision.objects.create(
        proposal=proposal, outcome=outcome, granted_irr=Decimal(sum_irr), reason="چون", decided_at=at
    )


def test_an_accepted_proposal_becomes_one_action(world: SimpleNamespace) -> None:
    proposal = proposal_of(world, world.needs["a"], own_funding_irr=Decimal(1000))
    granted(proposal, 3000, at=NOW - timedelta(days=3))
    granted(proposal, 0, "reconsidered", at=NOW - timedelta(days=2))
    granted(proposal, 3500, at=NOW - timedelta(days=1))
    agency = world.people["agency@city"]
    made = action_from_proposal(user=agency, proposal=proposal, at=NOW)
    assert (made.organisation, made.place, made.sector, made.round) == (
        world.office,
        world.a,
        world.sectors[0],
        world.round,
    )
    assert (made.starts_on, made.ends_on, made.budget_irr) == (date(2026, 12, 1), date(2027, 3, 1), Decimal(3500))
    assert (made.title_fa, made.text_fa, made.people_targeted, made.approach) == ("طرح", "اثر", 70, "social")
    assert made.geometry == proposal.geometry
    assert set(made.needs.all()) == {world.needs["a"]}
    assert made.state == ActionState.PLANNED
    assert made.author_id == agency.pk
    again = action_from_proposal(user=world.people["root"], proposal=proposal, at=NOW)
    assert again == made
    assert Action.objects.filter(proposal=proposal).count() == 1
    handed = action_hand_over(user=agency, action=made, to=world.other, reason="چون", at=NOW)
    assert action_from_proposal(user=agency, proposal=proposal) == made != handed


def test_what_a_proposal_does_not_say_is_asked_for(world: SimpleNamespace) -> None:
    root = world.people["root"]
    needs = (world.needs["a"], world.needs["sport"])
    proposal = proposal_of(world, *needs, starts_on=None, ends_on=None)
    with pytest.raises(InvalidInput) as caught:
        action_from_proposal(user=root, proposal=proposal)
    assert (caught.value.code, caught.value.where) == ("no_sector", "action, sector")
    with pytest.raises(InvalidInput) as caught:
        action_from_proposal(user=root, proposal=proposal, sector=world.sectors[1])
    assert (caught.value.code, caught.value.where) == ("no_day", "action, starts_on")
    made = action_from_proposal(
        user=root, proposal=proposal, sector=world.sectors[1], starts_on=TODAY, ends_on=TODAY + timedelta(days=9)
    )
    assert made.sector == world.sectors[1]
    assert made.budget_irr == Decimal(5000)


@pytest.mark.parametrize("state", ["draft", "submitted", "returned", "refused", "withdrawn"])
def test_a_proposal_that_is_not_accepted_becomes_none(world: SimpleNamespace, state: str) -> None:
    proposal = proposal_of(world, world.needs["a"])
    Proposal.objects.filter(pk=proposal.pk).update(state=state)
    with pytest.raises(Conflict) as caught:
        action_from_proposal(user=world.people["root"], proposal=proposal)
    assert caught.value.code == "not_accepted"


def test_a_proposal_of_several_places_takes_the_right_in_all(world: SimpleNamespace) -> None:
    proposal = proposal_of(world, world.needs["a"], world.needs["b"], lon_lat=None)
    supervisor = get_user_model().objects.create_user("act-of-a")
    Assignment.objects.create(user=supervisor, role="supervisor", place=world.a)
    with pytest.raises(Forbidden):
        action_from_proposal(user=supervisor, proposal=proposal)
    made = action_from_proposal(user=world.people["supervisor@city"], proposal=proposal)
    assert made.place == world.city


# ---- amending, steps and days


def test_an_amendment_is_logged_with_what_was_there_before(
    world: SimpleNamespace, action: Callable[..., Action]
) -> None:
    record, agency = action(), world.people["agency@city"]
    spec = replace(world.spec, title_fa="نام دیگر", budget_irr=Decimal(2000), needs=(), ends_on=date(2027, 3, 1))
    changed = action_amend(user=agency, action=record, spec=spec, version=1, at=NOW)
    assert changed.version == 2
    assert changed.title_fa == "نام دیگر"
    entry = LogEntry.objects.filter(subject="action", subject_id=record.pk, event="amend").get()
    assert entry.details == {
        "title_fa": "لوله‌کشی", "budget_irr": "1000", "ends_on": "2027-02-01", "needs": [world.needs["a"].pk]
    }  # fmt: skip
    with pytest.raises(Conflict) as caught:
        action_amend(user=agency, action=record, spec=world.spec, version=1)
    assert caught.value.code == "stale"
    assert action_amend(user=agency, action=record, spec=spec, version=2).version == 2  # says nothing new
    assert LogEntry.objects.filter(subject="action", subject_id=record.pk, event="amend").count() == 1


def test_moving_an_action_takes_the_right_in_both_places(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    supervisor = get_user_model().objects.create_user("act-of-a")
    Assignment.objects.create(user=supervisor, role="supervisor", place=world.a)
    record = action()
    with pytest.raises(Forbidden):
        action_amend(user=supervisor, action=record, spec=replace(world.spec, place=world.b, needs=()), version=1)
    assert (
        action_amend(user=supervisor, action=record, spec=replace(world.spec, title_en="Pipes"), version=1).version == 2
    )


def test_a_need_merged_meanwhile_stays_answered(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    record = action()
    Need.objects.filter(pk=world.needs["a"].pk).update(state="rejected")
    world.needs["a"].refresh_from_db()
    spec = replace(world.spec, title_en="Pipes")
    assert action_amend(user=world.people["root"], action=record, spec=spec, version=1).version == 2
    with pytest.raises(InvalidInput):
        action_enter(user=world.people["root"], spec=spec)


def test_days_of_the_steps(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    agency, root = world.people["agency@city"], world.people["root"]
    record = action("planned")
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(InvalidInput, match="future"):
        action_step(user=agency, action=record, event="start", day=tomorrow, at=NOW)
    # Just after midnight in Tehran it is still yesterday in Greenwich: today is Tehran's.
    at = datetime(2026, 11, 2, 0, 10, tzinfo=TEHRAN)
    assert action_step(user=agency, action=record, event="start", at=at).started_on == tomorrow
    action_step(user=agency, action=record, event="suspend", reason="چون", at=at + timedelta(days=1))
    again = action_step(user=agency, action=record, event="start", at=at + timedelta(days=2))
    assert again.started_on == tomorrow  # the first start stays
    with pytest.raises(InvalidInput, match="before it was started"):
        action_step(user=agency, action=record, event="finish", day=TODAY, at=at + timedelta(days=3))
    done = action_step(user=agency, action=record, event="finish", day=tomorrow, at=at + timedelta(days=3))
    assert (done.state, done.done_on) == ("done", tomorrow)
    opened = action_step(user=root, action=record, event="reopen", reason="چون", at=at + timedelta(days=4))
    assert (opened.state, opened.done_on, opened.started_on) == ("under-way", None, tomorrow)
    with pytest.raises(InvalidInput):
        action_step(user=root, action=record, event="hand-over", reason="چون")
    with pytest.raises(Conflict, match="meanwhile"):
        action_step(user=root, action=record, event="finish", version=1)


# ---- handing over


def test_the_rest_of_the_budget_goes_along_once(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    record, agency = action(is_public=False, lon_lat=(48.305, 33.405)), world.people["agency@city"]
    progress_report(user=agency, action=record, spec=ProgressSpec(30, Decimal(400), 20), at=NOW)
    reached = milestone_put(user=agency, action=record, title_fa="گام ۱", due_on=TODAY)
    milestone_reach(user=agency, milestone=reached, reached_on=TODAY, at=NOW)
    milestone_put(user=agency, action=record, title_fa="گام ۲", due_on=date(2027, 1, 1))
    made = action_hand_over(user=agency, action=record, to=world.other, reason="چون", at=NOW)
    record.refresh_from_db()
    assert (record.state, record.budget_irr, record.spent_irr) == ("handed-over", Decimal(400), Decimal(400))
    assert (made.state, made.budget_irr, made.spent_irr) == ("planned", Decimal(600), Decimal(0))
    assert (made.organisation, made.handed_from, made.people_targeted) == (world.other, record, 90)
    assert (made.starts_on, made.ends_on, made.is_public) == (TODAY, date(2027, 2, 1), False)
    assert made.geometry == record.geometry
    assert set(made.needs.all()) == set(record.needs.all()) == {world.needs["a"]}
    assert [step.title_fa for step in made.milestones.all()] == ["گام ۲"]
    over = LogEntry.objects.get(subject="action", subject_id=record.pk, event="hand-over")
    assert over.details == {"to": made.pk, "budget_irr": "1000"}
    assert over.note == "چون"
    assert LogEntry.objects.get(subject="action", subject_id=made.pk).details == {"handed_from": record.pk}


def test_who_has_spent_more_than_the_budget_hands_over_nothing(
    world: SimpleNamespace, action: Callable[..., Action]
) -> None:
    record, root = action(ends_on=date(2026, 10, 15)), world.people["root"]
    progress_report(user=root, action=record, spec=ProgressSpec(90, Decimal(1400), 0), at=NOW)
    made = action_hand_over(user=root, action=record, to=world.other, reason="چون", at=NOW)
    record.refresh_from_db()
    assert (made.budget_irr, record.budget_irr, record.spent_irr) == (Decimal(0), Decimal(1000), Decimal(1400))
    assert (made.starts_on, made.ends_on) == (TODAY, TODAY)  # what is late does not end before it begins


@pytest.mark.parametrize(("to", "code"), [("office", "same_organisation"), ("of_b", "works_elsewhere")])
def test_to_whom_nothing_is_handed_over(
    world: SimpleNamespace, action: Callable[..., Action], to: str, code: str
) -> None:
    record = action()
    with pytest.raises(InvalidInput) as caught:
        action_hand_over(user=world.people["root"], action=record, to=getattr(world, to), reason="چون")
    assert caught.value.code == code
    record.refresh_from_db()
    assert record.state == "under-way"
    assert record.handed_to.count() == 0


# ---- progress and milestones


def test_sums_may_fall_only_with_a_word_about_it(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    record, agency = action(), world.people["agency@city"]

    def report(percent: int, spent: int, people: int, text: str = "", **values: Any) -> Progress:
        return progress_report(
            user=agency, action=record, spec=ProgressSpec(percent, Decimal(spent), people, text), at=NOW, **values
        )  # fmt: skip

    report(40, 500, 30)
    for worse in ((39, 500, 30), (40, 499, 30), (40, 500, 29)):
        with pytest.raises(InvalidInput) as caught:
            report(*worse)
        assert (caught.value.code, caught.value.where) == ("smaller_sum", "progress, text")
    report(40, 450, 30, text="یک صورت‌حساب دو بار شمرده شده بود")
    report(60, 1500, 80)  # more than the budget
    record.refresh_from_db()
    assert (record.spent_irr, record.people_reached, record.version) == (Decimal(1500), 80, 4)
    assert [one.done_percent for one in record.reports.order_by("pk")] == [40, 40, 60]
    details = [entry.details for entry in LogEntry.objects.filter(event="report").order_by("pk")]
    assert details[-1] == {"spent_irr": "450", "people_reached": 30, "done_percent": 40}
    with pytest.raises(InvalidInput):
        report(101, 1500, 80)
    with pytest.raises(Conflict) as conflict:
        report(70, 1600, 80, version=3)  # sent twice
    assert conflict.value.code == "stale"


def test_milestones_are_amendments(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    record, other, agency = action(), action(), world.people["agency@city"]
    step = milestone_put(user=agency, action=record, title_fa="گام", due_on=TODAY)
    with pytest.raises(InvalidInput, match="future"):
        milestone_reach(user=agency, milestone=step, reached_on=TODAY + timedelta(days=1), at=NOW)
    assert milestone_reach(user=agency, milestone=step, reached_on=TODAY, at=NOW).reached_on == TODAY
    assert milestone_reach(user=agency, milestone=step, reached_on=None, at=NOW).reached_on is None
    moved = milestone_put(user=agency, action=record, title_fa="گام", due_on=TODAY + timedelta(days=5), milestone=step)
    entry = LogEntry.objects.filter(subject_id=record.pk, subject="action").order_by("-pk").first()
    assert entry is not None
    assert entry.details == {"milestone": moved.pk, "due_on": "2026-11-01"}
    for user, at, error in (("viewer@city", record, Forbidden), ("agency@city", other, InvalidInput)):
        with pytest.raises(error):
            milestone_put(user=world.people[user], action=at, title_fa="گام", due_on=TODAY, milestone=step)
    with pytest.raises(InvalidInput) as untitled:
        milestone_put(user=agency, action=record, due_on=TODAY)
    assert (untitled.value.code, untitled.value.where) == ("bad_value", "milestone")
    Action.objects.filter(pk=record.pk).update(state="done", done_on=TODAY)
    with pytest.raises(Conflict):
        milestone_reach(user=agency, milestone=step, reached_on=TODAY, at=NOW)


# ---- evidence


def test_a_photo_is_kept_without_what_the_camera_wrote(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretMaker"
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (33.0, 24.0, 18.0), 3: "E", 4: (48.0, 18.0, 18.0)})
    agency = world.people["agency@city"]
    bare = evidence_add(user=agency, action=action(), file=picture(exif=exif), title="مدرسه", is_public=True)
    assert (bare.point, bare.is_public, bare.kind) == (None, False, "photo")  # an agency does not publish
    placed = evidence_add(
        user=world.people["supervisor@city"],
        action=action(),
        file=picture((3000, 10), exif=exif),
        title="مدرسه",
        is_public=True,
        keeps_location=True,
    )
    assert placed.is_public
    assert placed.point is not None
    assert placed.width == 2048
    assert (round(placed.point.x, 4), round(placed.point.y, 4)) == (48.305, 33.405)
    try:
        for name in (evidence_file_name(placed), evidence_thumbnail_name(placed), evidence_file_name(bare)):
            with default_storage.open(name) as file:
                data = file.read()
            assert b"SecretMaker" not in data, name
            assert not Image.open(io.BytesIO(data)).getexif(), name
    finally:
        files_remove(bare, placed)


def test_evidence_of_needs_is_never_public(world: SimpleNamespace) -> None:
    need = world.needs["a"]
    with pytest.raises(Forbidden):
        evidence_add(user=world.people["agency@city"], need=need, file=picture(), title="عکس")
    made = evidence_add(user=world.people["supervisor@city"], need=need, file=picture(), title="عکس", is_public=True)
    assert not made.is_public
    assert not evidence_change(user=world.people["root"], evidence=made, is_public=True).is_public
    seen = {
        name for name, user in world.people.items() if Evidence.objects.visible_to(user).filter(pk=made.pk).exists()
    }
    assert seen == {"root", *(name for name in world.people if "@city" in name)}
    files_remove(made)


def test_a_photo_sent_twice_under_one_ticket_is_kept_once(
    world: SimpleNamespace, action: Callable[..., Action]
) -> None:
    need, lead, ticket = world.needs["a"], world.people["supervisor@city"], uuid4()
    made = evidence_add(user=lead, need=need, file=picture(), title="عکس", ticket=ticket)
    again = evidence_add(user=lead, need=need, file=io.BytesIO(b"cut off"), title="عکس", ticket=ticket)
    assert made.pk == again.pk == ticket
    assert Evidence.objects.filter(need=need).count() == 1
    assert LogEntry.objects.filter(subject="need", subject_id=need.pk, event="attach").count() == 1
    others: list[dict[str, Any]] = [
        {"user": world.people["root"]},
        {"need": world.needs["b"]},
        {"need": None, "action": action()},
    ]
    for other in others:
        with pytest.raises(Conflict) as caught:
            evidence_add(**{"user": lead, "need": need, "file": picture(), "title": "عکس", "ticket": ticket, **other})
        assert caught.value.code == "ticket_taken"
    files_remove(made)


def test_evidence_that_is_not_taken(
    world: SimpleNamespace, action: Callable[..., Action], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, record = world.people["root"], action()
    bad: list[tuple[dict[str, Any], type[MahallehError], str]] = [
        ({"file": io.BytesIO(b"MZ\x90 program")}, InvalidInput, "unsafe_type"),
        ({"title": " "}, InvalidInput, "no_title"),
        ({"need": world.needs["a"]}, InvalidInput, "bad_evidence"),
        ({"action": None}, InvalidInput, "bad_evidence"),
    ]
    for values, error, code in bad:
        with pytest.raises(error) as caught:
            evidence_add(**{"user": root, "action": record, "file": picture(), "title": "عکس", **values})
        assert caught.value.code == code
    monkeypatch.setattr(evidence_services, "MOST_OF_A_RECORD", 0)
    with pytest.raises(LimitExceeded):
        evidence_add(user=root, action=record, file=picture(), title="عکس")
    assert not Evidence.objects.filter(action=record).exists()
    assert not LogEntry.objects.filter(subject="action", event="attach").exists()


def test_who_changes_evidence(world: SimpleNamespace, action: Callable[..., Action]) -> None:
    author = world.people["agency@city"]
    made = evidence_add(user=author, action=action(), file=picture(), title="عکس")
    assert evidence_change(user=author, evidence=made, is_archived=True).archived_at
    assert evidence_change(user=author, evidence=made, is_archived=False).archived_at is None
    for name in ("agency@city", "reporter@city", "viewer@city", "anonymous", "supervisor@elsewhere"):
        with pytest.raises(Forbidden):
            evidence_change(user=world.people[name], evidence=made, is_public=True)
    assert evidence_change(user=world.people["supervisor@city"], evidence=made, is_public=True).is_public
    Membership.objects.filter(user=author).update(state="ended")
    with pytest.raises(Forbidden):
        evidence_change(user=author, evidence=made, is_archived=True)
    files_remove(made)


# ---- what the database itself refuses


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "action_state_known"),
        ({"state": "done", "done_on": None}, "action_done_on_a_day"),
        ({"ends_on": date(2026, 9, 1)}, "action_ends_after_it_starts"),
        ({"spent_irr": Decimal(-1)}, "action_sums_not_negative"),
        ({"title_fa": "", "title_en": ""}, "action_has_title"),
    ],
)
def test_actions_that_the_database_refuses(
    action: Callable[..., Action], values: dict[str, Any], constraint: str
) -> None:
    made = action()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Action.objects.filter(pk=made.pk).update(**values)


def test_the_log_of_an_action_stays(action: Callable[..., Action]) -> None:
    made = action()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE interventions_logentry SET note = '' WHERE subject = 'action' AND subject_id = %s", [made.pk]
        )
    assert Milestone.objects.filter(action=made).count() == 0
