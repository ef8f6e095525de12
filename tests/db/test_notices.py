"""Notices in the database: who is told what and when, each thing once, and nothing of what the reader may not see any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from geo.models import Assignment
from interventions.core.transitions import NeedState, ProposalState
from interventions.models import Action, Membership, Need, Notice, Phase, Progress, Proposal, Round
from interventions.selectors import roles_at
from interventions.selectors.notices import notices_of, notices_unread
from interventions.selectors.overlapping import overlaps_with
from interventions.selectors.owing import contacts_of, owed_in, supervisors_of
from interventions.services import (
    ActionSpec,
    OrganisationSpec,
    ProposalSpec,
    Ruling,
    action_enter,
    action_step,
    assessment_say,
    assessments_ask,
    decisions_take,
    membership_enter,
    need_record,
    need_report,
    need_review,
    organisation_record,
    proposal_record,
    proposal_return,
    proposal_save,
    proposal_submit,
    round_admit,
    round_close,
    round_extend,
)
from interventions.services import notices as services
from interventions.services.notices import mail_choose, notices_read, notices_write, overlaps_tell
from tests.db.network_world import IN_TIME, NEEDS_DUE, PROPOSALS_DUE, TEHRAN, network_world

pytestmark = pytest.mark.django_db
ASSESSMENT_DUE = datetime(2027, 4, 20, 23, 59, 59, tzinfo=TEHRAN)
DECISION_DUE = datetime(2027, 5, 20, 23, 59, 59, tzinfo=TEHRAN)


@pytest.fixture
def world() -> SimpleNamespace:
    """The shared network, with contact persons, an agency and an association of the settlement, and all deadlines."""
    Round.objects.filter(state="opened").update(state="closed", closed_at=datetime(2100, 1, 1, tzinfo=TEHRAN))
    Action.objects.all().update(state="done", done_on=date(2026, 1, 1))
    made = network_world("note")
    for kind, due in (("assessment", ASSESSMENT_DUE), ("decision", DECISION_DUE)):
        Phase.objects.create(round=made.round, kind=kind, due_at=due, first_due_at=due)
    root = made.people["root"]
    users = get_user_model().objects
    for name, body in (("ngo", made.ngo_a), ("office", made.office)):
        person = users.create_user(f"note-contact-{name}", f"{name}@example.org")
        made.people[f"contact-{name}"] = person
        membership_enter(user=root, organisation=body, person=person, is_contact=True)
    made.water = organisation_record(OrganisationSpec(made.city, "water", "agency", "آب", "Water"))
    made.people["contact-water"] = users.create_user("note-contact-water", "water@example.org")
    membership_enter(user=root, organisation=made.water, person=made.people["contact-water"], is_contact=True)
    made.people["governor"] = users.create_user("note-governor", "governor@example.org")
    Assignment.objects.create(user=made.people["governor"], role="supervisor", place=made.city.parent.parent)
    return made


def told(person: Any, kind: str = "") -> list[dict[str, Any]]:
    found = Notice.objects.filter(user=person, **({"kind": kind} if kind else {})).order_by("pk")
    return [notice.content for notice in found]


def need_of(world: SimpleNamespace, **other: Any) -> Need:
    spec = replace(world.need_spec, organisation=world.ngo_a, **other)
    return need_record(spec, state=NeedState.CONFIRMED, reporter=world.people["reporter@city"], reported_at=IN_TIME)


def offer_of(world: SimpleNamespace, body: Any, *needs: Need, state: str = "submitted", **other: Any) -> Proposal:
    spec = ProposalSpec(world.round, body, needs, Decimal(10**9), "طرح", "Plan", **other)
    submitted = None if state == ProposalState.DRAFT else IN_TIME
    return proposal_record(spec, state=state, submitted_at=submitted, author=world.people["agency@city"], at=IN_TIME)


# ---- reminders


def test_associations_are_reminded_of_needs_until_they_report_one(world: SimpleNamespace) -> None:
    contact = world.people["contact-ngo"]
    assert notices_write(NEEDS_DUE - timedelta(days=15)).total == 0
    notices_write(NEEDS_DUE - timedelta(days=10))
    notices_write(NEEDS_DUE - timedelta(days=10, hours=-1))
    (reminder,) = told(contact, "reminder")
    assert (reminder["matter"], reminder["round"], reminder["organisation"]) == (
        "needs",
        world.round.pk,
        world.ngo_a.pk,
    )
    assert reminder["due_at"] == NEEDS_DUE.astimezone(datetime.fromisoformat(reminder["due_at"]).tzinfo).isoformat()
    notices_write(NEEDS_DUE - timedelta(days=7))
    assert len(told(contact)) == 2
    need_of(world)
    notices_write(NEEDS_DUE - timedelta(days=1))
    notices_write(NEEDS_DUE + timedelta(days=3))
    assert len(told(contact, "reminder")) == 2
    assert not told(world.people["supervisor@elsewhere"])
    assert not told(world.people["viewer@city"])


def test_an_extended_deadline_is_told_anew_and_an_admission_counts(world: SimpleNamespace) -> None:
    contact, root = world.people["contact-ngo"], world.people["root"]
    notices_write(NEEDS_DUE - timedelta(days=1))
    later = NEEDS_DUE + timedelta(days=20)
    round_extend(user=root, round_=world.round, due={"needs": later}, reason="باران", at=NEEDS_DUE - timedelta(hours=1))
    notices_write(NEEDS_DUE + timedelta(days=1))
    assert len(told(contact, "reminder")) == 1, "Nineteen days are left now."
    notices_write(later - timedelta(days=14))
    assert len(told(contact, "reminder")) == 2
    until = later + timedelta(days=5)
    round_admit(
        user=root, round_=world.round, kind="needs", organisation=world.ngo_a, until=until, reason="سیل", at=later
    )
    (owed,) = (one for one in owed_in(world.round) if one.organisation == world.ngo_a.pk)
    assert owed.due_at == until


def test_agencies_are_reminded_of_drafts_and_of_what_was_returned(world: SimpleNamespace) -> None:
    need = need_of(world)
    draft = offer_of(world, world.water, need, state="draft")
    given = offer_of(world, world.office, need)
    proposal_return(user=world.people["root"], proposal=given, reason="ناقص", at=IN_TIME)
    at = PROPOSALS_DUE - timedelta(days=7)
    notices_write(at)
    assert [one["matter"] for one in told(world.people["contact-water"], "reminder")] == ["drafts"]
    # What was returned is due with the assessment, a month later.
    assert told(world.people["contact-office"], "reminder") == []
    notices_write(ASSESSMENT_DUE - timedelta(days=3))
    assert [one["matter"] for one in told(world.people["contact-office"], "reminder")] == ["returned"]
    draft.delete()
    notices_write(PROPOSALS_DUE - timedelta(days=3))
    assert [one["matter"] for one in told(world.people["contact-water"], "reminder")] == [
        "drafts",
        "drafts",
        "proposals",
    ]


def test_who_works_in_more_than_the_place_is_not_reminded_of_what_they_never_began(world: SimpleNamespace) -> None:
    wide = organisation_record(OrganisationSpec(world.city.parent.parent, "wide", "red-crescent", "هلال", "Crescent"))
    assert wide.pk not in {one.organisation for one in owed_in(world.round)}
    assert world.water.pk in {one.organisation for one in owed_in(world.round)}
    offer_of(world, wide, need_of(world), state="draft")
    assert wide.pk in {one.organisation for one in owed_in(world.round)}


def test_supervisors_are_reminded_of_decisions(world: SimpleNamespace) -> None:
    offer_of(world, world.office, need_of(world))
    notices_write(DECISION_DUE - timedelta(days=1))
    owed = [one for one in told(world.people["supervisor@city"], "reminder") if one["matter"] == "decisions"]
    assert [one["n"] for one in owed] == [1]
    assert not [one for one in told(world.people["governor"], "reminder") if one["matter"] == "decisions"]


def test_a_closed_round_reminds_nobody(world: SimpleNamespace) -> None:
    round_close(user=world.people["root"], round_=world.round, at=IN_TIME)
    assert notices_write(NEEDS_DUE - timedelta(days=1)).total == 0


def test_a_run_that_is_broken_off_loses_nothing(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_of(world, world.water, need_of(world), state="draft")
    at = PROPOSALS_DUE - timedelta(days=1)
    keep, stored = services._keep, []

    def broken(notices: Any, written: Any) -> None:
        wanted = list(notices)
        stored.extend(wanted[:1])
        keep(wanted[:1], written)
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "_keep", broken)
    with pytest.raises(KeyboardInterrupt):
        notices_write(at)
    assert len(stored) == 1
    monkeypatch.undo()
    notices_write(at)
    again = notices_write(at)
    assert again.total == 0
    keys = list(Notice.objects.filter(kind="reminder").values_list("user_id", "key"))
    assert len(keys) == len(set(keys))
    assert stored[0].key in {key for _, key in keys}
    assert "drafts" in {one["matter"] for one in told(world.people["contact-water"], "reminder")}


# ---- silence


def test_silence_goes_from_the_department_to_the_supervisor_to_the_province(world: SimpleNamespace) -> None:
    offer = offer_of(world, world.office, need_of(world))
    assessments_ask(user=world.people["root"], proposal=offer, organisations=[world.water], at=IN_TIME)
    people = [world.people[name] for name in ("contact-water", "supervisor@city", "governor")]
    counted = []
    for days in (0, 1, 2, 3, 6, 7, 30):
        notices_write(ASSESSMENT_DUE + timedelta(days=days))
        counted.append([len(told(person, "escalation")) for person in people])
    assert counted == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]]
    assert told(people[1], "escalation")[0]["organisation"] == world.water.pk
    assert told(people[1], "escalation")[0]["what"] == "silent.supervisor"


def test_an_answer_ends_it_and_a_late_question_begins_its_own_silence(world: SimpleNamespace) -> None:
    root = world.people["root"]
    first, second = (offer_of(world, world.office, need_of(world)) for _ in range(2))
    (asked,) = assessments_ask(user=root, proposal=first, organisations=[world.water], at=IN_TIME)
    notices_write(ASSESSMENT_DUE + timedelta(days=1))
    assessment_say(user=root, assessment=asked, event="approve", at=ASSESSMENT_DUE + timedelta(days=2))
    notices_write(ASSESSMENT_DUE + timedelta(days=4))
    assert len(told(world.people["contact-water"], "escalation")) == 1
    assert told(world.people["supervisor@city"], "escalation") == []
    asked_late = ASSESSMENT_DUE + timedelta(days=10)
    assessments_ask(user=root, proposal=second, organisations=[world.water], at=asked_late)
    notices_write(asked_late + timedelta(days=2))
    assert len(told(world.people["contact-water"], "escalation")) == 2
    assert told(world.people["governor"], "escalation") == []


# ---- actions


def test_actions_past_their_end_and_without_a_report_are_told_to_who_does_them(world: SimpleNamespace) -> None:
    def action(state: str, starts_on: date, ends_on: date) -> Action:
        return Action.objects.create(
            organisation=world.water, place=world.a, sector=world.sectors["water"], approach="social", title_en="Pipe",
            starts_on=starts_on, ends_on=ends_on, state=state, started_on=starts_on if state == "under-way" else None,
        )  # fmt: skip

    late = action("planned", date(2026, 10, 1), date(2026, 11, 4))
    also = action("under-way", date(2026, 11, 1), date(2026, 11, 4))
    slow = action("under-way", date(2026, 10, 1), date(2027, 10, 1))
    contact = world.people["contact-water"]
    noon = datetime(2026, 11, 5, 12, 0, tzinfo=TEHRAN)
    notices_write(noon - timedelta(hours=6))
    assert not [one for one in told(contact) if one["what"] == "action.late"], "Nobody is told in the night."
    notices_write(noon)
    notices_write(noon)
    by_what = {one["what"]: one for one in told(contact) if one["what"].startswith("action")}
    assert by_what["action.late"]["actions"] == [late.pk, also.pk]
    assert by_what["action.silent"]["actions"] == [slow.pk]
    assert len(told(contact)) == 2
    Action.objects.filter(pk=also.pk).update(state="done", done_on=date(2026, 11, 5))
    Progress.objects.create(action=slow, done_percent=10, reported_at=noon)
    for days, n in ((29, 1), (30, 2), (59, 2), (60, 3)):
        notices_write(noon + timedelta(days=days))
        assert [one["actions"] for one in told(contact) if one["what"] == "action.silent"] == n * [[slow.pk]], days


# ---- digests


def test_the_digest_says_what_is_new_and_is_silent_where_nothing_is(world: SimpleNamespace) -> None:
    supervisor = world.people["supervisor@city"]
    morning = datetime(2026, 11, 2, 7, 5, tzinfo=TEHRAN)
    notices_write(morning - timedelta(days=1))
    assert told(supervisor, "digest") == []
    need_report(user=world.people["root"], spec=replace(world.need_spec, organisation=world.ngo_a), at=IN_TIME)
    offer_of(world, world.office, need_of(world))
    assert notices_write(morning).digests >= 1
    notices_write(morning + timedelta(hours=3))
    (digest,) = told(supervisor, "digest")
    assert digest["came"] == {"needs": 2, "proposals": 1, "assessments": 0, "reports": 0}
    assert (digest["waits"]["needs"], digest["waits"]["proposals"], digest["newly_late"]) == (1, 1, 0)
    notices_write(morning + timedelta(days=1))
    assert len(told(supervisor, "digest")) == 1
    # A week without a run: what came in meanwhile is in the next digest.
    need_report(user=world.people["root"], spec=world.need_spec, at=morning + timedelta(days=2))
    notices_write(morning + timedelta(days=9))
    assert [one["came"]["needs"] for one in told(supervisor, "digest")] == [2, 1]
    assert told(world.people["governor"], "digest") == [], "The place has a supervisor of its own."


def test_what_became_late_is_news(world: SimpleNamespace) -> None:
    notices_write(NEEDS_DUE + timedelta(hours=8))
    (digest,) = told(world.people["supervisor@city"], "digest")
    assert digest["newly_late"] == 1
    assert digest["late"] == {"needs": 1}


def test_a_place_without_a_supervisor_is_led_by_the_next_around(world: SimpleNamespace) -> None:
    city, governor = world.people["supervisor@city"].pk, world.people["governor"].pk
    assert supervisors_of(world.b) == ((city,), (governor,))
    Assignment.objects.filter(user=city).delete()
    assert supervisors_of(world.b) == ((governor,), ())


def test_organisations_without_contact_persons_are_told_through_all_their_members(world: SimpleNamespace) -> None:
    assert contacts_of({world.ngo_a.pk}) == {world.ngo_a.pk: (world.people["contact-ngo"].pk,)}
    Membership.objects.filter(user=world.people["contact-ngo"]).update(is_contact=False)
    assert set(contacts_of({world.ngo_a.pk})[world.ngo_a.pk]) == {
        world.people["contact-ngo"].pk,
        world.people["reporter@city"].pk,
    }


# ---- changes


def test_reporters_and_their_organisations_are_told_what_became_of_a_need(world: SimpleNamespace) -> None:
    reporter, contact, root = (world.people[name] for name in ("reporter@city", "contact-ngo", "root"))
    need, other = (
        need_report(user=reporter, spec=replace(world.need_spec, organisation=world.ngo_a), at=IN_TIME)
        for _ in range(2)
    )
    assert told(reporter) == []
    need_review(user=world.people["supervisor@city"], need=need, event="confirm", at=IN_TIME)
    need_review(user=root, need=other, event="merge", into=need, at=IN_TIME)
    for person in (reporter, contact):
        assert [one["what"] for one in told(person)] == ["need.confirm", "need.merge"]
        assert told(person)[1]["into"] == need.pk
    assert told(world.people["supervisor@city"]) == [], "Who did it knows."
    assert told(world.people["contact-office"]) == []
    whole = str([*Notice.objects.values_list("content", "key")])
    assert reporter.get_username() not in whole
    assert "reporter" not in whole


def test_proposers_are_told_and_departments_are_asked(world: SimpleNamespace) -> None:
    supervisor, agency = world.people["supervisor@city"], world.people["agency@city"]
    offer = offer_of(world, world.office, need_of(world))
    (asked,) = assessments_ask(user=supervisor, proposal=offer, organisations=[world.water], at=IN_TIME)
    assert [one["what"] for one in told(world.people["contact-water"])] == ["assessment.ask"]
    assessment_say(user=world.people["contact-water"], assessment=asked, event="supplement", reason="نقشه", at=IN_TIME)
    proposal_return(user=supervisor, proposal=offer, reason="ناقص", at=IN_TIME)
    offer.refresh_from_db()
    spec = ProposalSpec(world.round, world.office, tuple(offer.needs.all()), Decimal(10**9), "طرح", "Plan")
    again = proposal_submit(user=agency, spec=spec, proposal=offer, version=offer.version, at=IN_TIME)
    decisions_take(user=supervisor, rulings=[Ruling(again, "accept", "خوب", again.version)], at=IN_TIME)
    expected = ["assessment.supplement", "proposal.return", "proposal.accept"]
    for person in (agency, world.people["contact-office"]):
        assert [one["what"] for one in told(person)] == expected
    assert "ناقص" not in str(told(agency)), "Reasons are read on the page, by whom they concern."


def test_a_change_that_fails_tells_nothing(world: SimpleNamespace) -> None:
    from geo.errors import MahallehError

    need, before = need_of(world), Notice.objects.count()  # the demo city's people have theirs
    with pytest.raises(MahallehError):
        need_review(user=world.people["supervisor@city"], need=need, event="reject", reason="")
    assert Notice.objects.count() == before


# ---- overlaps


def test_the_other_side_of_an_overlap_is_told_once(world: SimpleNamespace) -> None:
    need = need_of(world)
    where: dict[str, Any] = {
        "lon_lat": (48.305, 33.405), "starts_on": date(2027, 6, 1), "ends_on": date(2027, 9, 1),
    }  # fmt: skip
    older = offer_of(world, world.water, need, **where)
    Action.objects.create(
        organisation=world.ngo_a, place=world.a, sector=need.sector, approach="social", title_en="Works",
        starts_on=date(2027, 6, 1), ends_on=date(2027, 9, 1), geometry=older.geometry,
    )  # fmt: skip
    agency = world.people["agency@city"]
    spec = ProposalSpec(world.round, world.office, (need,), Decimal(10**9), "طرح دوم", "Second plan", **where)
    draft = proposal_save(user=agency, spec=spec, at=IN_TIME)
    assert overlaps_tell("proposal", draft.pk) == 0, "Nobody is told of what is not handed in."
    newer = proposal_submit(user=agency, spec=spec, proposal=draft, version=draft.version, at=IN_TIME)
    from procrastinate.contrib.django.models import ProcrastinateJob

    jobs = ProcrastinateJob.objects.filter(task_name="interventions.overlaps").values_list("args", flat=True)
    assert list(jobs) == [{"kind": "proposal", "number": newer.pk}]
    assert overlaps_tell("proposal", newer.pk, at=IN_TIME) == 2
    overlaps_tell("proposal", newer.pk, at=IN_TIME)
    (seen,) = told(world.people["contact-water"])
    assert (seen["number"], seen["own"], seen["own_number"]) == (newer.pk, "proposal", older.pk)
    assert seen["what"] == "overlap.same"
    assert [one["own"] for one in told(world.people["contact-ngo"])] == ["action"]
    assert told(world.people["contact-office"]) == []


def test_others_are_told_of_an_action_that_comes_from_no_proposal(world: SimpleNamespace) -> None:
    need = need_of(world)
    days: dict[str, Any] = {"starts_on": date(2027, 6, 1), "ends_on": date(2027, 9, 1)}
    older = offer_of(world, world.water, need, lon_lat=(48.305, 33.405), **days)
    spec = ActionSpec(
        organisation=world.office, place=world.a, sector=need.sector, approach="social", title_en="Works",
        lon_lat=(48.305, 33.405), **days,
    )  # fmt: skip
    made = action_enter(user=world.people["agency@city"], spec=spec, at=IN_TIME)
    from procrastinate.contrib.django.models import ProcrastinateJob

    jobs = ProcrastinateJob.objects.filter(task_name="interventions.overlaps").values_list("args", flat=True)
    assert list(jobs) == [{"kind": "action", "number": made.pk}]
    assert overlaps_tell("action", made.pk, at=IN_TIME) == 1
    overlaps_tell("action", made.pk, at=IN_TIME)
    (seen,) = told(world.people["contact-water"])
    assert (seen["what"], seen["subject"], seen["number"], seen["own"], seen["own_number"]) == (
        "overlap.same", "action", made.pk, "proposal", older.pk,
    )  # fmt: skip
    action_step(user=world.people["agency@city"], action=made, event="cancel", reason="No longer")
    assert overlaps_tell("action", made.pk) == 0, "Nobody is told of what is cancelled."


def test_what_is_for_other_people_is_no_overlap(world: SimpleNamespace) -> None:
    where: dict[str, Any] = {
        "lon_lat": (48.305, 33.405), "starts_on": date(2027, 6, 1), "ends_on": date(2027, 9, 1),
    }  # fmt: skip
    women, children, both, some = (
        need_of(world, people_affected=30, people_by_group=groups)
        for groups in ({"women": 30}, {"children": 30}, {"women": 20, "children": 10}, {"children": 10})
    )
    offer_of(world, world.water, women, **where)
    other = offer_of(world, world.office, children, **where)
    assert overlaps_tell("proposal", other.pk) == 0
    third = offer_of(world, world.office, both, **where)
    (row,) = overlaps_with([third], world.people["root"])[third.pk][:1]
    assert (row.second.groups, row.beneficiaries) == (("women",), 1.0)
    assert overlaps_tell("proposal", third.pk) == 1
    # Ten of thirty are children; the rest may be anybody.
    fourth = offer_of(world, world.office, some, **where)
    assert overlaps_tell("proposal", fourth.pk) == 1


# ---- reading


def test_what_may_not_be_seen_any_more_is_not_told_by_its_notice(world: SimpleNamespace) -> None:
    contact = world.people["contact-ngo"]
    need = need_report(
        user=world.people["reporter@city"], spec=replace(world.need_spec, organisation=world.ngo_a), at=IN_TIME
    )
    need_review(user=world.people["root"], need=need, event="confirm", at=IN_TIME)
    rows = notices_of(contact)
    assert [(row.what, row.is_shown, row.subjects[0].title_en) for row in rows] == [("need.confirm", True, "No clinic")]
    assert rows[0].subjects[0].city == world.city.code
    Assignment.objects.filter(user=contact).delete()
    (row,) = notices_of(contact)
    assert (row.is_shown, row.subjects, row.place, dict(row.facts)) == (False, (), None, {})
    assert notices_unread(contact) == 1


def test_who_left_an_organisation_is_not_told_what_it_owes(world: SimpleNamespace) -> None:
    contact = world.people["contact-ngo"]
    notices_write(NEEDS_DUE - timedelta(days=3))
    (row,) = notices_of(contact)
    assert row.is_shown
    assert row.organisation is not None
    Membership.objects.filter(user=contact).update(state="ended")
    assert not notices_of(contact)[0].is_shown
    supervisor = world.people["supervisor@city"]
    notices_write(NEEDS_DUE + timedelta(days=1))
    assert notices_of(supervisor)[0].is_shown
    Assignment.objects.filter(user=supervisor).delete()
    assert roles_at(supervisor, world.city) == frozenset()
    assert not any(row.is_shown for row in notices_of(supervisor))


def test_reading_marks_ones_own_alone(world: SimpleNamespace) -> None:
    notices_write(NEEDS_DUE - timedelta(days=3))
    contact = world.people["contact-ngo"]
    notice = Notice.objects.get(user=contact)
    assert notices_read(user=world.people["root"], number=notice.pk) == 0
    assert notices_read(user=world.people["anonymous"]) == 0
    assert notices_unread(contact) == 1
    assert notices_read(user=contact, until=notice.pk - 1) == 0
    assert notices_read(user=contact, number=notice.pk) == 1
    assert notices_unread(contact) == 0
    read_at = Notice.objects.get(pk=notice.pk).read_at
    notices_read(user=contact)
    assert Notice.objects.get(pk=notice.pk).read_at == read_at


def test_a_choice_of_mail_is_one_of_those_offered(world: SimpleNamespace) -> None:
    from geo.errors import InvalidInput

    person = world.people["contact-ngo"]
    assert mail_choose(user=person, language="").language == ""
    assert mail_choose(user=person, language="en").language == "en"
    with pytest.raises(InvalidInput):
        mail_choose(user=person, language="de")
