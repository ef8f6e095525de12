"""The network in the database: constraints, who sees what, sums for the public, rights of every write, loading."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError
from geo.models import Assignment, Place
from geo.services import PlaceSpec, place_put
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NeedState, ProposalState, RoundState
from interventions.loading import network_load
from interventions.models import (
    Approach,
    Committee,
    Council,
    LogEntry,
    Membership,
    Need,
    Organisation,
    Phase,
    Programme,
    Proposal,
    Round,
    Sector,
)
from interventions.selectors import need_list, needs_summary, roles_at, round_current
from interventions.services import (
    OrganisationSpec,
    ProposalSpec,
    need_report,
    need_review,
    organisation_put,
    organisation_record,
    proposal_record,
    proposal_submit,
    round_close,
    round_open,
)
from tests.db.network_world import IN_TIME, LATE, NEEDS_DUE, OPENED, PROPOSALS_DUE, ROLES, network_world

NETWORK = Path(settings.BASE_DIR) / "fixtures" / "khorramabad" / "network.toml"

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    """A country of its own with one city, settlements a and b, an unpublished one, a round, and people."""
    return network_world()


@pytest.fixture
def need(world: SimpleNamespace) -> Callable[..., Need]:
    """Return a function that reports a need of settlement a, in time, with some values of its own."""

    def report(by: str = "reporter@city", **values: Any) -> Need:
        return need_report(user=world.people[by], spec=replace(world.need_spec, **values), at=IN_TIME)

    return report


@pytest.fixture
def offer(world: SimpleNamespace) -> Callable[..., ProposalSpec]:
    """Return a function that makes a proposal's spec for some needs."""

    def spec(*needs: Need, **values: Any) -> ProposalSpec:
        return replace(
            ProposalSpec(
                round=world.round, organisation=world.office, needs=needs, cost_irr=Decimal(5000), title_fa="طرح"
            ),
            **values,
        )

    return spec


# ---- what the database itself refuses


def test_states_of_models_are_those_of_the_tables() -> None:
    assert set(Round.State.values) == {state.value for state in RoundState}
    assert set(Need.State.values) == {state.value for state in NeedState}
    assert set(Proposal.State.values) == {state.value for state in ProposalState}
    assert set(Phase.Kind.values) == {kind.value for kind in PhaseKind}


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"severity": 0}, "need_severity_in_range"),
        ({"severity": 6}, "need_severity_in_range"),
        ({"people_affected": 0}, "need_people_in_range"),
        ({"people_affected": 100_000_001}, "need_people_in_range"),
        ({"approach": "violent"}, "need_approach_known"),
        ({"state": "lost"}, "need_merged_into_another|need_state_known"),
        ({"state": "merged"}, "need_merged_into_another"),
        ({"text_fa": "", "text_en": ""}, "need_has_text"),
    ],
)
def test_needs_that_the_database_refuses(need: Callable[..., Need], values: dict[str, Any], constraint: str) -> None:
    made = need()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Need.objects.filter(pk=made.pk).update(**values)


def test_a_need_is_not_merged_into_itself(need: Callable[..., Need]) -> None:
    made = need()
    with pytest.raises(IntegrityError, match="need_not_merged_into_itself"), transaction.atomic():
        Need.objects.filter(pk=made.pk).update(state="merged", merged_into=made.pk)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"cost_irr": Decimal(-1)}, "proposal_cost_not_negative"),
        ({"title_fa": "", "title_en": ""}, "proposal_has_title"),
        ({"submitted_at": None}, "proposal_submitted_at_a_time"),
        ({"state": "lost"}, "proposal_submitted_at_a_time|proposal_state_known"),
    ],
)
def test_proposals_that_the_database_refuses(
    need: Callable[..., Need], offer: Callable[..., ProposalSpec], values: dict[str, Any], constraint: str
) -> None:
    made = proposal_record(offer(need()), state="submitted", submitted_at=IN_TIME)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Proposal.objects.filter(pk=made.pk).update(**values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "closed"}, "round_closed_after_opened"),
        ({"state": "closed", "closed_at": OPENED}, "round_closed_after_opened"),
        ({"closed_at": IN_TIME}, "round_closed_after_opened"),
        ({"state": "lost"}, "round_closed_after_opened"),
    ],
)
def test_rounds_that_the_database_refuses(world: SimpleNamespace, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Round.objects.filter(pk=world.round.pk).update(**values)


def test_keys_that_the_database_refuses_twice(world: SimpleNamespace) -> None:
    again = [
        Round(programme=world.programme, place=world.city, number=2, name_fa="د", name_en="r"),
        Round(programme=world.programme, place=world.city, number=1, state="closed", opened_at=OPENED, closed_at=LATE),
        Phase(round=world.round, kind="needs", due_at=LATE, first_due_at=LATE),
        Organisation(place=world.city, code="office", kind="ngo"),
        Programme(place=world.city, code="upgrading"),
    ]
    for record in again:
        with pytest.raises(IntegrityError, match=r"one_open_at_a_time|unique|once"), transaction.atomic():
            record.save()
    with pytest.raises(IntegrityError, match="organisation_kind_known"), transaction.atomic():
        Organisation(place=world.city, code="spies", kind="spies").save()
    with pytest.raises(IntegrityError, match="phase_kind_known"), transaction.atomic():
        Phase(round=world.round, kind="party", due_at=LATE, first_due_at=LATE).save()


# ---- who sees what

INSIDERS = {"root", *(f"{role}@city" for role in ROLES)}


def test_needs_are_seen_by_those_assigned_around_their_place_alone(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    in_a, in_hidden = need(), need(place=world.hidden)
    for name, user in world.people.items():
        seen = set(Need.objects.visible_to(user).filter(round=world.round))
        if name in INSIDERS:
            assert seen == {in_a, in_hidden}, name
        elif name.endswith("@a"):
            assert seen == {in_a}, name
        else:
            assert seen == set(), name


def test_proposals_are_seen_where_their_needs_are_and_drafts_by_fewer(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    in_a, in_b = need(), need(place=world.b)
    of_both = proposal_record(offer(in_a, in_b), state="submitted", submitted_at=IN_TIME)
    of_b = proposal_record(offer(in_b), state="accepted", submitted_at=IN_TIME)
    draft = proposal_record(offer(in_a), state="draft", submitted_at=None)
    # The reporter at the city is a member of its organisation.
    drafting = {"root", "agency@city", "reporter@city", "supervisor@city", "administrator@city"}
    for name, user in world.people.items():
        seen = set(Proposal.objects.visible_to(user).filter(round=world.round))
        if name in INSIDERS:
            assert seen == {of_both, of_b} | ({draft} if name in drafting else set()), name
        elif name == "supervisor@a":
            assert seen == {of_both, draft}, name
        elif name == "reporter@a":
            assert seen == {of_both, of_b, draft}, name  # a member of its organisation
        else:
            assert seen == set(), name
        assert Proposal.objects.visible_to(user).filter(round=world.round).count() == len(seen), name  # none twice


def test_institutions_and_rounds_are_as_visible_as_their_place(world: SimpleNamespace) -> None:
    Place.objects.filter(pk=world.city.pk).update(is_published=False)
    Committee.objects.create(place=world.city, code="health", name_fa="کمیته", name_en="Committee")
    for model in (Committee, Organisation, Programme, Round, Phase):
        mine = model.objects.filter(
            **{"round" if model is Phase else "place": world.round if model is Phase else world.city}
        )
        assert mine.exists()
        for name, user in world.people.items():
            belongs = model is Organisation and name == "reporter@a"  # a member of the office
            assert mine.visible_to(user).exists() == (name in INSIDERS or belongs), (model, name)
    Place.objects.filter(pk=world.city.pk).update(is_published=True)
    assert Round.objects.filter(pk=world.round.pk).visible_to(AnonymousUser()).exists()
    assert Sector.objects.visible_to(AnonymousUser()).filter(code="net-health").exists()


def test_roles_come_from_assignments_to_the_place_or_around_it(world: SimpleNamespace) -> None:
    people = world.people
    assert roles_at(people["supervisor@city"], world.a) == {"supervisor"}
    assert roles_at(people["supervisor@a"], world.city) == frozenset()
    assert roles_at(people["supervisor@a"], world.a) == {"supervisor"}
    assert roles_at(people["supervisor@elsewhere"], world.a) == frozenset()
    assert roles_at(people["gone"], world.a) == roles_at(people["anonymous"], world.a) == frozenset()
    assert roles_at(people["root"], world.elsewhere) == {"administrator"}
    # «net» is the beginning of the text "net-elsewhere", and no part of its path.
    Assignment.objects.create(user=people["nobody"], role="planner", place=Place.objects.get(path="net"))
    assert roles_at(people["nobody"], world.elsewhere) == frozenset()
    assert roles_at(people["nobody"], world.a) == {"planner"}


def test_the_reporter_is_told_to_supervisors_of_the_needs_place_alone(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    need("reporter@a"), need("reporter@city", place=world.b)
    told = {
        name: {row.place.code: row.reporter for row in need_list(world.city, user)}
        for name, user in world.people.items()
    }
    both = {"a": "net-reporter-a", "b": "net-reporter-city"}
    for name, rows in told.items():
        if name in {"root", "supervisor@city", "administrator@city"}:
            assert rows == both, name
        elif name == "supervisor@a":
            assert rows == {"a": "net-reporter-a"}
        elif name == "reporter@a":
            assert rows == {"a": None}
        elif name in INSIDERS:
            assert rows == {"a": None, "b": None}, name
        else:
            assert rows == {}, name


def test_who_supervises_one_place_does_not_learn_the_reporters_of_another(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    need(), need(place=world.b)
    Assignment.objects.create(user=world.people["supervisor@a"], role="viewer", place=world.city)
    rows = {row.place.code: row.reporter for row in need_list(world.city, world.people["supervisor@a"])}
    assert rows == {"a": "net-reporter-city", "b": None}


def test_rows_of_needs_are_complete_and_ordered(
    world: SimpleNamespace,
    need: Callable[..., Need],
    offer: Callable[..., ProposalSpec],
    django_assert_num_queries: Any,
) -> None:
    mild, grave = need(severity=1), need(severity=5, lon_lat=(48.305, 33.405), text_en="")
    proposal_record(offer(mild, grave), state="submitted", submitted_at=IN_TIME)
    proposal_record(offer(grave), state="accepted", submitted_at=IN_TIME)
    proposal_record(offer(grave), state="refused", submitted_at=IN_TIME)
    proposal_record(offer(grave), state="draft", submitted_at=None)
    with django_assert_num_queries(3):
        first, second = need_list(world.city, world.people["viewer@city"])
    assert (first.pk, first.severity, first.proposals, first.geometry.coords) == (grave.pk, 5, 2, (48.305, 33.405))
    assert (second.pk, second.proposals, second.geometry) == (mild.pk, 1, None)
    assert (first.organisation.code, first.sector.code, first.state) == ("office", "net-health", "reported")
    assert first.reported_at == IN_TIME
    with translation.override("en"):
        assert (second.text, first.text, first.place.name) == ("No clinic", "درمانگاه نیست", "Settlement a")
    with translation.override("fa"):
        assert (second.text, first.place.name) == ("درمانگاه نیست", "سکونتگاه a")
    assert [row.pk for row in need_list(world.city, world.people["viewer@city"], limit=1)] == [grave.pk]
    assert need_list(world.b, world.people["viewer@city"]) == ()


# ---- sums


def test_sums_by_sector_as_counted_by_hand(
    world: SimpleNamespace,
    need: Callable[..., Need],
    offer: Callable[..., ProposalSpec],
    django_assert_max_num_queries: Any,
) -> None:
    """In a: 300 and 120 people lack health, so at least 300; in b 50: together at least 350."""
    first = need(people_affected=300, severity=2)
    second = need(people_affected=120, severity=4)
    third = need(place=world.b, people_affected=50)
    water = need(sector=world.sectors["water"], people_affected=80, severity=1)
    merged, rejected = need(severity=5, people_affected=9000), need(severity=5, people_affected=9000)
    lead = world.people["supervisor@city"]
    need_review(user=lead, need=first, event="confirm")
    need_review(user=lead, need=merged, event="merge", into=first)
    need_review(user=lead, need=rejected, event="reject", reason="none")
    proposal_record(offer(first, second, water), state="submitted", submitted_at=IN_TIME)
    proposal_record(offer(third), state="returned", submitted_at=IN_TIME)
    proposal_record(offer(third), state="refused", submitted_at=IN_TIME)
    proposal_record(offer(third), state="draft", submitted_at=None)
    for name in ("anonymous", "viewer@city", "root", "planner@elsewhere"):
        with django_assert_max_num_queries(3):
            health, waters = needs_summary(world.city, world.people[name])
        assert (health.sector.code, waters.sector.code) == ("net-health", "net-water")
        assert (health.needs, health.confirmed, health.people_affected) == (3, 1, 350), name
        assert (health.severity_max, health.proposals) == (4, 2), name
        assert (waters.needs, waters.people_affected, waters.severity_max, waters.proposals) == (1, 80, 1, 1)
    (only,) = needs_summary(world.b, AnonymousUser())
    assert (only.needs, only.people_affected, only.proposals) == (1, 50, 1)
    assert needs_summary(world.elsewhere, AnonymousUser()) == ()


@pytest.mark.parametrize(
    ("in_a", "in_b", "public"),
    [
        (9, None, None),  # few
        (10, None, 10),
        (500, None, 500),
        (500, 9, None),  # the public knows the 500 of a, so 509 would tell the 9 of b
        (6, 7, 13),  # neither part can be told from 13
        (4, 5, None),  # 9 together
        (500, 10, 510),
    ],
)
def test_small_numbers_of_people_are_not_told_nor_can_be_subtracted(
    world: SimpleNamespace, need: Callable[..., Need], in_a: int, in_b: int | None, public: int | None
) -> None:
    need(people_affected=in_a)
    if in_b is not None:
        need(people_affected=in_b, place=world.b)
    for name, user in world.people.items():
        (row,) = needs_summary(world.city, user)
        exact = in_a + (in_b or 0)
        assert row.people_affected == (exact if name in INSIDERS else public), name
        assert row.needs == (1 if in_b is None else 2)


def test_needs_of_unpublished_places_are_in_no_sum_of_the_public(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    shown, hidden = need(), need(place=world.hidden, severity=5, people_affected=4000)
    proposal_record(offer(hidden), state="submitted", submitted_at=IN_TIME)
    for name, user in world.people.items():
        (row,) = needs_summary(world.city, user)
        told = (row.needs, row.people_affected, row.severity_max, row.proposals)
        assert told == ((2, 4100, 5, 1) if name in INSIDERS else (1, 100, shown.severity, 0)), name
    assert needs_summary(world.hidden, AnonymousUser()) == ()
    assert needs_summary(world.hidden, world.people["reporter@a"]) == ()
    assert len(needs_summary(world.hidden, world.people["viewer@city"])) == 1


# ---- rounds


def test_the_current_round_is_the_newest_open_one_of_the_city_or_around_it(world: SimpleNamespace) -> None:
    row = round_current(world.city)
    assert row is not None
    assert (row.pk, row.number, row.programme.code, row.place.code) == (world.round.pk, 1, "upgrading", "net-city")
    assert (row.needs_due, row.proposals_due, row.opened_at, row.is_open) == (NEEDS_DUE, PROPOSALS_DUE, OPENED, True)
    assert row.phases_running(NEEDS_DUE + timedelta(seconds=1)) == ("proposals",)
    assert round_current(world.a) == row
    assert round_current(world.elsewhere) is None
    round_close(user=world.people["supervisor@city"], round_=world.round, at=LATE)
    assert round_current(world.city) is None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("where", ["city", "elsewhere"])
def test_rounds_are_opened_and_closed_by_those_who_lead_there(world: SimpleNamespace, role: str, where: str) -> None:
    user = world.people[f"{role}@{where}"]
    may = role in {"supervisor", "administrator"} and where == "city"
    if not may:
        with pytest.raises(Forbidden):
            round_close(user=user, round_=world.round, at=LATE)
        with pytest.raises(Forbidden):
            round_open(user=user, spec=world.round_spec, at=IN_TIME)
        return
    with pytest.raises(Conflict):
        round_open(user=user, spec=world.round_spec, at=IN_TIME)
    closed = round_close(user=user, round_=world.round, at=LATE)
    assert (closed.state, closed.closed_at) == ("closed", LATE)
    with pytest.raises(Conflict):
        round_close(user=user, round_=world.round, at=LATE)
    with pytest.raises(InvalidInput):
        round_open(user=user, spec=world.round_spec, at=LATE)  # its deadlines are over
    later = replace(
        world.round_spec,
        due={PhaseKind.NEEDS: LATE + timedelta(days=30), PhaseKind.PROPOSALS: LATE + timedelta(days=60)},
    )
    second = round_open(user=user, spec=later, at=LATE)
    assert (second.number, second.state) == (2, "opened")
    assert [(phase.kind, phase.due_at) for phase in second.phases.all()] == [
        ("needs", later.due[PhaseKind.NEEDS]),
        ("proposals", later.due[PhaseKind.PROPOSALS]),
    ]


# ---- needs


@pytest.mark.parametrize("at", [IN_TIME, NEEDS_DUE, NEEDS_DUE + timedelta(seconds=1)])
def test_who_may_report_needs_where_and_when(world: SimpleNamespace, at: datetime) -> None:
    late = at > NEEDS_DUE
    for name, user in world.people.items():
        role, _, where = name.partition("@")
        leads = name == "root" or (where in {"city", "a"} and role in {"supervisor", "administrator"})
        if leads or (where in {"city", "a"} and role == "reporter" and not late):
            made = need_report(user=user, spec=world.need_spec, at=at)
            assert (made.state, made.reporter, made.reported_at) == ("reported", user, at), name
        else:
            with pytest.raises(Forbidden) as caught:
                need_report(user=user, spec=world.need_spec, at=at)
            in_place = where in {"city", "a"} and role == "reporter"
            assert caught.value.code == ("deadline_passed" if in_place else "role_missing"), name
    with pytest.raises(Forbidden):
        need_report(user=world.people["reporter@a"], spec=replace(world.need_spec, place=world.b), at=at)


def test_a_closed_round_takes_nothing_from_anybody(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    made = need()
    round_close(user=world.people["supervisor@city"], round_=world.round, at=IN_TIME)
    for name in ("reporter@city", "supervisor@city", "root"):
        with pytest.raises(Conflict, match="closed"):
            need(name)
    for name in ("agency@city", "root"):
        with pytest.raises(Conflict, match="closed"):
            proposal_submit(user=world.people[name], spec=offer(made), at=IN_TIME)
    assert (Need.objects.filter(round=world.round).count(), Proposal.objects.filter(round=world.round).count()) == (
        1,
        0,
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"severity": 0}, "severity"),
        ({"severity": 6}, "severity"),
        ({"people_affected": 0}, "people_affected"),
        ({"people_affected": -5}, "people_affected"),
        ({"approach": "violent"}, "approach"),
        ({"text_fa": " \u200c ", "text_en": "\n"}, ""),
        ({"text_fa": "ن" * 2001}, "text_fa"),
        ({"lon_lat": (33.405, 48.305)}, "point"),
        ({"lon_lat": (48.316, 33.405)}, "point"),
        ({"lon_lat": (float("nan"), 33.4)}, "point"),
        ({"lon_lat": (48.3, float("inf"))}, "point"),
        ({"lon_lat": (181.0, 33.4)}, "point"),
    ],
)
def test_needs_that_are_refused_name_the_field(
    world: SimpleNamespace, need: Callable[..., Need], values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        need(**values)
    assert caught.value.where == ", ".join(filter(None, ("need", field)))
    assert caught.value.remedy
    assert not Need.objects.filter(round=world.round).exists()


def test_a_need_belongs_to_a_place_of_the_round_and_an_organisation_that_works_there(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    assert need(organisation=world.ngo_a).organisation == world.ngo_a
    with pytest.raises(InvalidInput, match="organisation"):
        need(organisation=world.ngo_a, place=world.b)
    with pytest.raises(InvalidInput, match="need, place"):
        need("root", place=world.elsewhere)


def test_a_point_near_the_place_is_kept_and_text_is_cleaned(need: Callable[..., Need]) -> None:
    made = need(lon_lat=(48.3145, 33.405), text_fa="  علي آباد\n\n كوچه  اول ")  # some 420 m outside
    made.refresh_from_db()
    assert (round(made.geometry.x, 6), round(made.geometry.y, 6), made.geometry.srid) == (48.3145, 33.405, 4326)
    assert made.text_fa == "علی آباد\n\nکوچه اول"


def test_a_reporter_who_leaves_takes_the_name_along_and_the_need_stays(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    made = need()
    world.people["reporter@city"].delete()
    made.refresh_from_db()
    assert made.reporter is None
    (row,) = need_list(world.city, world.people["supervisor@city"])
    assert row.reporter is None


def test_needs_are_reviewed_by_those_who_lead_in_their_place(world: SimpleNamespace, need: Callable[..., Need]) -> None:
    for name, user in world.people.items():
        made = need()
        role, _, where = name.partition("@")
        if name == "root" or (role in {"supervisor", "administrator"} and where in {"city", "a"}):
            assert need_review(user=user, need=made, event="confirm").state == "confirmed"
        else:
            with pytest.raises(Forbidden):
                need_review(user=user, need=made, event="confirm")
            made.refresh_from_db()
            assert made.state == "reported", name


def test_a_review_from_a_stale_page_is_refused(world: SimpleNamespace, need: Callable[..., Need]) -> None:
    lead = world.people["supervisor@city"]
    made = need()
    stale = Need.objects.get(pk=made.pk)
    with pytest.raises(InvalidInput, match="reason"):
        need_review(user=lead, need=made, event="reject", reason=" ")
    need_review(user=lead, need=made, event="reject", reason="no such thing")
    with pytest.raises(Conflict):
        need_review(user=lead, need=stale, event="confirm")


def test_a_merger_names_another_need_that_stands(world: SimpleNamespace, need: Callable[..., Need]) -> None:
    lead = world.people["supervisor@city"]
    first, second, third = need(), need(), need()
    for into in (None, first):
        with pytest.raises(InvalidInput):
            need_review(user=lead, need=first, event="merge", into=into)
    with pytest.raises(InvalidInput):
        need_review(user=lead, need=first, event="confirm", into=second)
    assert need_review(user=lead, need=first, event="merge", into=second).merged_into == second
    with pytest.raises(Conflict):
        need_review(user=lead, need=third, event="merge", into=first)
    later = replace(
        world.round_spec,
        due={PhaseKind.NEEDS: LATE + timedelta(days=30), PhaseKind.PROPOSALS: LATE + timedelta(days=60)},
    )
    round_close(user=lead, round_=world.round, at=LATE)
    other = need_report(
        user=lead, spec=replace(world.need_spec, round=round_open(user=lead, spec=later, at=LATE)), at=LATE
    )
    with pytest.raises(InvalidInput, match="merged_into"):
        need_review(user=lead, need=third, event="merge", into=other)


# ---- proposals


@pytest.mark.parametrize("at", [IN_TIME, PROPOSALS_DUE, LATE])
def test_who_may_submit_proposals_where_and_when(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec], at: datetime
) -> None:
    made = need()
    for name, user in world.people.items():
        role, _, where = name.partition("@")
        leads = name == "root" or (role in {"supervisor", "administrator"} and where in {"city", "a"})
        if leads or (role == "agency" and where == "city" and at <= PROPOSALS_DUE):
            proposal = proposal_submit(user=user, spec=offer(made), at=at)
            assert (proposal.state, proposal.submitted_at, list(proposal.needs.all())) == ("submitted", at, [made])
        else:
            with pytest.raises(Forbidden) as caught:
                proposal_submit(user=user, spec=offer(made), at=at)
            in_place = role == "agency" and where == "city"
            assert caught.value.code == ("deadline_passed" if in_place else "role_missing"), name


def test_an_agency_needs_its_role_in_the_place_of_every_need(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    in_a, in_b = need(), need(place=world.b)
    user = world.people["nobody"]
    Assignment.objects.create(user=user, role="agency", place=world.a)
    with pytest.raises(Forbidden):  # the role without the organisation
        proposal_submit(user=user, spec=offer(in_a), at=IN_TIME)
    Membership.objects.create(organisation=world.office, user=user, state="approved")
    assert proposal_submit(user=user, spec=offer(in_a), at=IN_TIME).state == "submitted"
    with pytest.raises(Forbidden):
        proposal_submit(user=user, spec=offer(in_a, in_b), at=IN_TIME)
    of_b = proposal_record(offer(in_b), state="draft", submitted_at=None)
    with pytest.raises(Forbidden):  # nor may it take over a draft about another place
        proposal_submit(user=user, spec=offer(in_a), proposal=of_b, at=IN_TIME)


def test_drafts_and_returned_proposals_are_handed_in_in_new_words(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    first, second = need(), need()
    agency = world.people["agency@city"]
    for state, submitted_at in (("draft", None), ("returned", IN_TIME)):
        made = proposal_record(offer(first), state=state, submitted_at=submitted_at)
        again = proposal_submit(
            user=agency, spec=offer(second, title_fa="طرح دوم", cost_irr=Decimal(7)), proposal=made, at=NEEDS_DUE
        )
        again.refresh_from_db()
        assert (again.pk, again.state, again.submitted_at) == (made.pk, "submitted", NEEDS_DUE)
        assert (again.title_fa, again.cost_irr, list(again.needs.all())) == ("طرح دوم", 7, [second])
    for state in ("submitted", "accepted", "refused"):
        made = proposal_record(offer(first), state=state, submitted_at=IN_TIME)
        with pytest.raises(Conflict):
            proposal_submit(user=agency, spec=offer(first), proposal=made, at=IN_TIME)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cost_irr": Decimal(-1)}, "cost_irr"),
        ({"cost_irr": Decimal("0.5")}, "cost_irr"),
        ({"cost_irr": Decimal("NaN")}, "cost_irr"),
        ({"cost_irr": Decimal("Infinity")}, "cost_irr"),
        ({"cost_irr": Decimal(10**18)}, "cost_irr"),
        ({"title_fa": " "}, ""),
        ({"title_fa": "ط" * 201}, "title_fa"),
        ({"needs": ()}, "needs"),
    ],
)
def test_proposals_that_are_refused_name_the_field(
    world: SimpleNamespace,
    need: Callable[..., Need],
    offer: Callable[..., ProposalSpec],
    values: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as caught:
        proposal_submit(user=world.people["agency@city"], spec=offer(need(), **values), at=IN_TIME)
    assert caught.value.where == ", ".join(filter(None, ("proposal", field)))
    assert not Proposal.objects.filter(round=world.round).exists()


def test_a_proposal_answers_needs_that_stand_where_its_organisation_works(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    agency, lead = world.people["agency@city"], world.people["supervisor@city"]
    in_b, rejected = need(place=world.b), need()
    need_review(user=lead, need=rejected, event="reject", reason="it is there")
    with pytest.raises(InvalidInput, match="stands"):  # the page still shows it as it was
        proposal_submit(user=agency, spec=offer(rejected), at=IN_TIME)
    office_a = organisation_record(OrganisationSpec(world.a, "office-a", "agency", "اداره", "Office"))
    with pytest.raises(InvalidInput, match="does not work"):
        proposal_submit(user=lead, spec=offer(in_b, organisation=office_a), at=IN_TIME)
    free = proposal_submit(user=agency, spec=offer(in_b, cost_irr=Decimal(0)), at=IN_TIME)
    assert free.cost_irr == 0


# ---- organisations


def test_organisations_are_kept_by_those_who_lead_in_their_place(world: SimpleNamespace) -> None:
    spec = OrganisationSpec(world.city, "mosque-1", "mosque", "مسجد جامع", "Jame Mosque")
    for name, user in world.people.items():
        role, _, where = name.partition("@")
        if name == "root" or (role in {"supervisor", "administrator"} and where == "city"):
            assert organisation_put(user=user, spec=spec).name_fa == "مسجد جامع"
        else:
            with pytest.raises(Forbidden):
                organisation_put(user=user, spec=spec)
    again = organisation_put(user=world.people["root"], spec=replace(spec, name_fa="مسجد  جامع عتيق"))
    assert (again.name_fa, Organisation.objects.filter(place=world.city, code="mosque-1").count()) == (
        "مسجد جامع عتیق",
        1,
    )
    for values, field in (({"kind": "spies"}, "kind"), ({"name_en": " "}, "name_en"), ({"code": "no way"}, "code")):
        with pytest.raises(InvalidInput, match=f"organisation .*, {field}"):
            organisation_put(user=world.people["root"], spec=replace(spec, **values))


# ---- loading


@pytest.fixture
def city(world: SimpleNamespace) -> Place:
    """A city with the ten settlements of the demo and the neighbourhoods in which it acts, by code."""
    for number in range(1, 11):
        place_put(PlaceSpec("settlement", f"s{number:02d}", f"س {number}", f"S {number}", world.city))
    for code in ("n102", "n164"):
        place_put(PlaceSpec("neighbourhood", code, f"م {code}", f"N {code}", world.city))
    return world.city


def _counts(city: Place) -> tuple[int, ...]:
    around = {"place__path__startswith": "net/"}
    rounds = {"round__place__path__startswith": "net/"}
    return (
        Committee.objects.filter(**around).count(),
        Organisation.objects.filter(**around).count(),
        Programme.objects.filter(**around).count(),
        Round.objects.filter(**around).count(),
        Need.objects.filter(**rounds).count(),
        Proposal.objects.filter(**rounds).count(),
    )


def test_the_demo_network_loads(city: Place) -> None:
    before = _counts(city)
    network_load(city, NETWORK)
    assert tuple(after - old for after, old in zip(_counts(city), before, strict=True)) == (7, 26, 1, 1, 40, 12)
    row = round_current(city)
    assert row is not None
    assert (row.name_fa, row.number) == ("ساماندهی و توانمندسازی ده سکونتگاه", 1)
    assert (row.opened_at, row.needs_due, row.proposals_due) == (OPENED, NEEDS_DUE, PROPOSALS_DUE)
    lorestan = Committee.objects.filter(place__path="net/lorestan", is_crisis=False)
    assert list(lorestan.values_list("code", flat=True)) == [
        "health", "civil-works", "vitality-sport", "security-harms", "support-livelihood", "culture-education",
    ]  # fmt: skip
    covered = [sector.code for committee in lorestan for sector in committee.sectors.all()]
    assert sorted(covered) == sorted(set(covered))
    loaded = Need.objects.filter(round_id=row.pk)
    assert set(loaded.values_list("place__code", flat=True)) == {f"s{n:02d}" for n in range(1, 11)}
    assert set(loaded.values_list("state", flat=True)) == {"reported", "confirmed", "merged", "rejected"}
    assert set(loaded.values_list("approach", flat=True)) == set(Approach.values)
    assert set(loaded.values_list("sector__code", flat=True)) == set(covered)
    assert not loaded.exclude(reporter=None).exists()
    assert not loaded.filter(reported_at__lt=row.opened_at).exists()
    assert not loaded.filter(reported_at__gt=row.needs_due).exists()
    assert set(Proposal.objects.filter(round_id=row.pk).values_list("state", flat=True)) == {
        "draft", "submitted", "returned", "accepted", "refused",
    }  # fmt: skip
    public = {summary.sector.code: summary for summary in needs_summary(city, AnonymousUser())}
    assert set(public) == set(covered)
    assert public["health"].proposals == 2
    assert public["health"].people_affected == 26_013  # six in s04 and seven in s03: neither can be told from the sum
    four = {summary.sector.code: summary for summary in needs_summary(city.children.get(code="s04"), AnonymousUser())}
    assert (four["health"].needs, four["health"].people_affected) == (1, None)
    assert four["environment"].people_affected == 2900


def test_loading_again_changes_no_work_of_people(city: Place) -> None:
    network_load(city, NETWORK)
    before = _counts(city)
    need = Need.objects.get(place__code="s01", place__parent=city, sector__code="culture")
    need_review(user=get_user_model()(is_superuser=True, is_active=True), need=need, event="confirm")
    Organisation.objects.filter(place=city, code="municipality").update(name_fa="نام کهنه")
    network_load(city, NETWORK)
    need.refresh_from_db()
    assert (need.state, _counts(city)) == ("confirmed", before)
    assert Organisation.objects.get(place=city, code="municipality").name_fa == "شهرداری خرم‌آباد"


def _swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (_swap("format = 1", "format = 2"), "network.toml, format"),
        (_swap("format = 1", "format ="), "network.toml"),
        (_swap("[round]", "[rounds]"), "network.toml"),
        (_swap("[programme]", "[[programme]]"), "network.toml"),
        (_swap("[round]\nnumber = 1", "[round]\nnumber = 0"), "network.toml, round, number"),
        (_swap('place = "lorestan"\ncode = "health"', 'code = "health"'), "network.toml, committees 1 (health), place"),
        (_swap('sectors = ["sport"]', 'sectors = ["sports"]'), "network.toml, committees 3 (vitality-sport), sectors"),
        (_swap('sectors = ["sport"]', 'sectors = "sport"'), "network.toml, committees 3 (vitality-sport), sectors"),
        (_swap('sectors = ["sport"]', "sectors = []"), "network.toml, committees 3 (vitality-sport), sectors"),
        (_swap('kind = "mosque"', 'kind = "mosk"'), "network.toml, organisations 13 (mosque-s05), kind"),
        (_swap('code = "red-crescent"', 'code = "gas-company"'), "network.toml, organisations 11 (gas-company), code"),
        (_swap('code = "red-crescent"', 'code = "red crescent"'), "network.toml, organisations 11 (red crescent), organisation red crescent, code"),
        (_swap("needs_due = 2026-12-21T23:59:59+03:30", "needs_due = 2026-12-21T23:59:59"), "network.toml, round, needs_due"),
        (_swap("needs_due = 2026-12-21T23:59:59+03:30", "needs_due = 2026-12-21"), "network.toml, round, needs_due"),
        (_swap("needs_due = 2026-12-21T23:59:59+03:30", "needs_due = 2026-01-21T23:59:59+03:30"), "network.toml, round, needs_due"),
        (_swap("needs_due = 2026-", "needs_due = 0001-"), "network.toml, round, needs_due"),
        (_swap('code = "s01-pharmacy"', 'code = "s01\\u0000"'), "network.toml, needs 1 (s01\0), code"),
        (_swap("severity = 3", "severity = " + "9" * 5000), "network.toml"),
        (_swap("format = 1", "format = 1\nneeds = " + "[" * 20_000), "network.toml"),
        (_swap('place = "s01"\nsector', 'place = "s99"\nsector'), "network.toml, needs 1 (s01-pharmacy), place"),
        (_swap('organisation = "ngo-hamdelan"', 'organisation = "ngo-baran"'), "network.toml, needs 1 (s01-pharmacy), need, organisation"),
        (_swap("severity = 3", "severity = 9"), "network.toml, needs 1 (s01-pharmacy), severity"),
        (_swap("severity = 3", "severity = true"), "network.toml, needs 1 (s01-pharmacy), severity"),
        (_swap("severity = 3", 'severity = "3"'), "network.toml, needs 1 (s01-pharmacy), severity"),
        (_swap("people_affected = 4200", "people_affected = -1"), "network.toml, needs 1 (s01-pharmacy), people_affected"),
        (_swap("people_affected = 4200", "people = 4200"), "network.toml, needs 1 (s01-pharmacy), people_affected"),
        (_swap("people_affected = 4200", "people_affected = 4200\nphone = 1"), "network.toml, needs 1 (s01-pharmacy), phone"),
        (_swap("people_affected = 4200", "people_affected = 4200\npoint = [48.3]"), "network.toml, needs 1 (s01-pharmacy), point"),
        (_swap("people_affected = 4200", "people_affected = 4200\npoint = [nan, 33.4]"), "network.toml, needs 1 (s01-pharmacy), need, point"),
        (_swap('merged_into = "s02-sewer"', 'merged_into = "s10-sewer"'), "network.toml, needs 6 (s02-sewer-lower), merged_into"),
        (_swap('needs = ["s05-water"]', 'needs = ["s03-pool"]'), "network.toml, proposals 6 (booster-pump), proposal, needs"),
        (_swap("cost_irr = 62_000_000_000", "cost_irr = -1"), "network.toml, proposals 12 (pitch), cost_irr"),
        (_swap("cost_irr = 62_000_000_000", "cost_irr = 62.5"), "network.toml, proposals 12 (pitch), cost_irr"),
        (_swap("submitted_at = 2026-11-11T10:40:00+03:30\n", ""), "network.toml, proposals 12 (pitch), submitted_at"),
        (_swap("early-care = 10, pharmacy", "early-care = 11, pharmacy"), "network.toml, weights 2 (health-1405), weights, points"),
        (_swap("early-care = 10, pharmacy", 'early-care = "10", pharmacy'), "network.toml, weights 2 (health-1405), weights"),
        (_swap("early-care = 10, pharmacy", "early-caress = 10, pharmacy"), "network.toml, weights 2 (health-1405), weights"),
        (_swap('["livelihood", "economic", 2], ', ""), "network.toml, weights 3 (relief-1405), indicators 1 and 2"),
        (_swap('["livelihood", "economic", 2]', '["livelihood", 2]'), "network.toml, weights 3 (relief-1405), comparisons"),
        (_swap('indicators = ["food-worry"', 'indicators = ["bread"'), "network.toml, weights 3 (relief-1405), indicators"),
    ],
)  # fmt: skip
def test_a_fault_is_located_and_nothing_is_stored(
    city: Place, tmp_path: Path, change: Callable[[str], str], where: str
) -> None:
    before, sectors = _counts(city), Sector.objects.count()
    path = tmp_path / "network.toml"
    path.write_text(change(NETWORK.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(MahallehError) as caught:
        network_load(city, path)
    assert caught.value.where == where
    assert caught.value.remedy
    assert (_counts(city), Sector.objects.count()) == (before, sectors)


def test_files_that_cannot_be_read_are_refused(city: Place, tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    with pytest.raises(InvalidInput, match="cannot be read"):
        network_load(city, path)
    path.write_bytes("format = 1 # پ".encode("cp1256"))
    with pytest.raises(InvalidInput, match="not UTF-8"):
        network_load(city, path)
    path.write_bytes(b"#" * 5_000_001)
    with pytest.raises(InvalidInput, match="too large"):
        network_load(city, path)


def test_two_places_of_one_code_are_refused(city: Place, tmp_path: Path) -> None:
    district = place_put(PlaceSpec("district", "d1", "منطقه", "District", city))
    place_put(PlaceSpec("neighbourhood", "s01", "محله", "Quarter", district))
    with pytest.raises(InvalidInput, match="s01"):
        network_load(city, Path(shutil.copy(NETWORK, tmp_path)))


# ---- administration


def test_the_admin_pages_work_without_other_hosts_and_change_states_by_the_services(
    world: SimpleNamespace, need: Callable[..., Need], offer: Callable[..., ProposalSpec]
) -> None:
    first, rejected = need(lon_lat=(48.305, 33.405)), need()
    need_review(user=world.people["root"], need=rejected, event="reject", reason="none")
    proposal = proposal_record(offer(first), state="submitted", submitted_at=IN_TIME)
    committee = Committee.objects.create(place=world.city, code="health", name_fa="کمیته", name_en="Committee")
    client = Client()
    client.force_login(world.people["root"])
    membership, entry = world.office.memberships.first(), LogEntry.objects.first()
    council = Council.objects.create(place=world.city, name_fa="شورا", name_en="Council")
    made = (first, proposal, committee, council, world.programme, world.office, world.sectors["health"])
    by_services_alone = (world.round, membership, entry)
    for record in (*made, *by_services_alone):
        base = f"/admin/interventions/{record._meta.model_name}"
        for url in (f"{base}/", f"{base}/add/", f"{base}/{record.pk}/change/"):
            response = client.get(url)
            refused = record in by_services_alone and url.endswith("/add/")
            assert response.status_code == (403 if refused else 200), url
            assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*', response.content.decode()) == [], url
        if record not in (world.programme, world.sectors["health"]):
            assert client.post(f"/admin/interventions/{record._meta.model_name}/{record.pk}/delete/").status_code == 403
    for model in apps.get_app_config("interventions").get_models():
        if admin.site.is_registered(model):
            assert client.get(f"/admin/interventions/{model._meta.model_name}/").status_code == 200, model
    chosen = {"action": "confirm", "_selected_action": [first.pk, rejected.pk]}
    page = client.post("/admin/interventions/need/", chosen, follow=True).content.decode()
    assert "cannot be done any more" in page
    first.refresh_from_db(), rejected.refresh_from_db()
    assert (first.state, rejected.state) == ("confirmed", "rejected")
    client.post("/admin/interventions/round/", {"action": "close", "_selected_action": [world.round.pk]})
    world.round.refresh_from_db()
    assert world.round.state == "closed"


def test_a_need_saved_in_the_admin_keeps_its_point_and_tells_what_is_missing(
    world: SimpleNamespace, need: Callable[..., Need]
) -> None:
    made = need(lon_lat=(48.305, 33.405))
    client = Client()
    client.force_login(world.people["root"])
    url = f"/admin/interventions/need/{made.pk}/change/"
    form = client.get(url).context["adminform"].form
    values = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    values |= {
        "geometry": str(made.geometry),
        "severity": 4,
        "reported_at_0": "2026-11-01",
        "reported_at_1": "09:00:00",
    }
    assert client.post(url, {**values, "place": "", "round": ""}).status_code == 200
    assert client.post(url, {**values, "place": world.elsewhere.pk}).status_code == 200
    assert client.post(url, values).status_code == 302
    made.refresh_from_db()
    assert (made.severity, made.geometry.x, made.state, made.place) == (4, 48.305, "reported", world.a)
