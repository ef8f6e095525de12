"""Sums by area equal those of the pure core, whatever is written, by whom, at once; and what each reader is told of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.disclosure import suppressed
from geo.models import Assignment, Place
from interventions.core.gaps import STAGE_OF_ACTION, STAGE_OF_PROPOSAL, Needs, Stage, gaps
from interventions.core.transitions import OPEN_NEEDS, RUNNING_ACTIONS, ActionState
from interventions.core.years import Year
from interventions.models import Action, Need, Proposal, Tally, TallyMark
from interventions.querysets import reached_q
from interventions.selectors.actions import gap_matrix
from interventions.selectors.national import side_by_side
from interventions.selectors.outcomes import Done, done_counted, done_kept
from interventions.selectors.rounds import round_found
from interventions.services import (
    OrganisationSpec,
    action_hand_over,
    action_step,
    need_record,
    need_review,
    organisation_record,
)
from interventions.services.tallies import tallies_count
from tests.db.at_once import at_once
from tests.db.network_world import IN_TIME, network_swept, network_world

TODAY = date(2026, 11, 22)
EVENTS = (
    "need", "need-state", "need-people", "proposal", "proposal-state", "proposal-needs", "action", "action-state", "action-needs",
    "action-public", "action-gone", "place-hidden", "city-hidden", "place-moved", "count",
)  # fmt: skip


def counted_by_hand(root: str, *, is_public: bool) -> dict[tuple[str, int], tuple[int, ...]]:
    """The sums of all areas below a country by `gaps` and plain Python: by area and sector."""
    places = list(Place.objects.filter(path__startswith=root))
    hidden = [place.path for place in places if place.kind == "city" and not place.is_published]
    shown = {
        place.pk
        for place in places
        if place.is_published and not any(f"{place.path}/".startswith(f"{path}/") for path in hidden)
    }
    used = [place for place in places if place.pk in shown or not is_public]
    sectors = sorted({*Need.objects.values_list("sector", flat=True), *Action.objects.values_list("sector", flat=True)})
    row, column = {place.pk: i for i, place in enumerate(used)}, {pk: i for i, pk in enumerate(sectors)}
    needs = [need for need in Need.objects.filter(state__in=OPEN_NEEDS) if need.place_id in row]
    number = {need.pk: i for i, need in enumerate(needs)}
    links = [
        (number[need], stages[state])
        for table, stages in ((Proposal, STAGE_OF_PROPOSAL), (Action, STAGE_OF_ACTION))
        for need, state in table.objects.values_list("needs", "state")
        if need in number and state in stages
    ]
    found = gaps(
        Needs(
            [row[need.place_id] for need in needs],
            [column[need.sector_id] for need in needs],
            [need.people_affected for need in needs],
            [need.severity for need in needs],
        ),
        [need for need, _ in links],
        [stage for _, stage in links],
        places=len(used),
        sectors=len(sectors),
    )
    sums: dict[tuple[str, int], np.ndarray[Any, Any]] = {}
    for place in used:
        area = "/".join(place.path.split("/")[:3])
        for sector in sectors:
            at = (row[place.pk], column[sector])
            people, in_gap = int(found.people[at].max()), int(found.people_in_gap[at])
            acts = [
                action
                for action in Action.objects.filter(place=place, sector=sector)
                if action.is_public or not is_public
            ]
            numbers = [
                *found.counts[at], people, people * suppressed(people), in_gap, in_gap * suppressed(in_gap),
                found.severity_max[at].max(), sum(act.state in RUNNING_ACTIONS for act in acts),
                sum(act.state == "done" for act in acts),
            ]  # fmt: skip
            if any(numbers):
                before = sums.get((area, sector))
                added = np.array(numbers) if before is None else before + numbers
                added[9] = max(numbers[9], 0 if before is None else before[9])
                sums[area, sector] = added
    return {key: tuple(int(value) for value in numbers) for key, numbers in sums.items()}


def counted_by_database(root: str, *, is_public: bool) -> dict[tuple[str, int], tuple[int, ...]]:
    rows = Tally.objects.filter(place__path__startswith=root, is_public=is_public).select_related("place")
    return {
        (row.place.path, row.sector_id): tuple(
            getattr(row, name)
            for name in (
                *(stage.name.lower() for stage in Stage), "people", "people_withheld", "people_in_gap",
                "people_in_gap_withheld", "severity_max", "actions_running", "actions_done",
            )
        )
        for row in rows
    }  # fmt: skip


def check(root: str) -> None:
    assert tallies_count() == 0
    for is_public in (False, True):
        told = counted_by_database(root, is_public=is_public)
        assert {key: row for key, row in told.items() if any(row)} == counted_by_hand(root, is_public=is_public)
    check_years(root)


def check_years(root: str) -> None:
    """Hold the sums of years against what Django counts of actions and needs one by one."""
    everything = get_user_model()(is_superuser=True, is_active=True)
    for place in Place.objects.filter(path__in=(root, f"{root}/lorestan")):
        for year in (Year(1404), Year(1405), Year(1406)):
            for user, exact in ((everything, True), (AnonymousUser(), False)):
                kept = done_kept(place, year, TODAY + timedelta(3), exact=exact) or NOTHING
                counted = done_counted(place, user, year, TODAY + timedelta(3), exact=exact)
                if not exact:  # the public is told by which action a need is answered only where that is public
                    kept, counted = replace(kept, answered=0), replace(counted, answered=0)
                assert kept == counted, (place.path, year, exact)


NOTHING = Done(0, 0, 0, Decimal(0), 0, 0, 0)


def write(world: SimpleNamespace, event: str, chosen: random.Random) -> None:
    """Write something somewhere, past the services: the sums must not rely on them."""
    places = [world.a, world.b, world.hidden, world.city]
    sectors = list(world.sectors.values())
    place, sector = chosen.choice(places), chosen.choice(sectors)
    need, proposal = _any(Need.objects.filter(round=world.round), chosen), _any(world.round.proposals, chosen)
    action = _any(Action.objects.filter(organisation=world.office), chosen)
    if event == "need":
        Need.objects.create(
            round=world.round, place=place, sector=sector, organisation=world.office, approach="social",
            severity=chosen.randint(1, 5), people_affected=chosen.choice((3, 9, 10, 40, 500)), text_en="x",
        )  # fmt: skip
    elif event == "need-state" and need:
        Need.objects.filter(pk=need.pk).update(state=chosen.choice(("reported", "confirmed", "rejected", "withdrawn")))
    elif event == "need-people" and need:
        Need.objects.filter(pk=need.pk).update(people_affected=chosen.randint(1, 60), place=place)
    elif event == "proposal":
        made = Proposal.objects.create(
            round=world.round, organisation=world.office, title_en="x", cost_irr=Decimal(1), state="submitted",
            submitted_at=IN_TIME,
        )  # fmt: skip
        made.needs.set(filter(None, [need]))
    elif event == "proposal-state" and proposal:
        proposal.state = chosen.choice(("submitted", "returned", "accepted", "refused", "withdrawn"))
        proposal.save()
    elif event == "proposal-needs" and proposal and need:
        (proposal.needs.add if chosen.random() < 0.5 else proposal.needs.remove)(need)
    elif event == "action":
        act = Action.objects.create(
            organisation=world.office, place=place, sector=sector, approach="social", title_en="x", starts_on=TODAY,
            ends_on=TODAY + timedelta(chosen.randint(0, 9)), is_public=chosen.random() < 0.7,
        )  # fmt: skip
        act.needs.set(filter(None, [need]))
    elif event == "action-state" and action:
        state = chosen.choice(("planned", "under-way", "suspended", "done", "handed-over", "cancelled"))
        Action.objects.filter(pk=action.pk).update(state=state, done_on=TODAY, place=place)
    elif event == "action-needs" and action and need:
        (action.needs.add if chosen.random() < 0.5 else action.needs.remove)(need)
    elif event == "action-public" and action:
        Action.objects.filter(pk=action.pk).update(is_public=not action.is_public)
    elif event == "action-gone" and action:
        action.delete()
    elif event in ("place-hidden", "city-hidden"):
        of = world.a if event == "place-hidden" else world.city
        Place.objects.filter(pk=of.pk).update(is_published=chosen.random() < 0.5)
    elif event == "place-moved":
        moved = chosen.choice((world.b, world.a))
        parent = chosen.choice((world.city, world.city.parent, world.city.parent.parent))
        moved = Place.objects.get(pk=moved.pk)
        moved.parent = parent
        moved.save()
    elif event == "count":
        tallies_count()


def _any(records: Any, chosen: random.Random) -> Any:
    found = list(records.order_by("pk"))
    return chosen.choice(found) if found else None


@pytest.fixture
def world(db: None) -> SimpleNamespace:
    return network_world("tally")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.sampled_from(EVENTS), min_size=3, max_size=25), seed=st.integers(0, 2**16))
def test_sums_are_those_of_the_core_after_any_writes(world: SimpleNamespace, events: list[str], seed: int) -> None:
    with transaction.atomic():
        chosen = random.Random(seed)
        for event in ["need", "need", "action", *events]:
            write(world, event, chosen)
        check("tally")
        transaction.set_rollback(True)


STAGE_WORDS: dict[str, str] = {
    "planned": "decided", "under-way": "under_way", "suspended": "under_way", "done": "done",
    "handed-over": "unanswered", "cancelled": "unanswered",
}  # fmt: skip
"""Written by hand: how far a need has come by an action in each state."""


def told_everywhere(world: SimpleNamespace) -> tuple[str, ...]:
    """How far the one need of the world has come, as each page counts it: sums of the country, the city's matrix, the round."""
    check("tally")
    root = world.people["root"]
    (tally,) = Tally.objects.filter(place__path__startswith="tally", is_public=False, sector=world.sectors["health"])
    (by_sum,) = (stage.name.lower() for stage in Stage if getattr(tally, stage.name.lower()))
    by_matrix = Stage(int(gap_matrix(world.city, root).found.stage[0])).name.lower()
    counts = round_found(world.round.pk, root, world.city).total
    needs = Need.objects.filter(round=world.round)
    for at_least, n in ((Stage.PROPOSED, counts.answered), (Stage.DECIDED, counts.decided), (Stage.DONE, counts.done)):
        assert needs.filter(reached_q(at_least)).count() == n == int(Stage[by_matrix.upper()] >= at_least)
    return by_sum, by_matrix


def test_every_state_of_an_action_is_told_alike_by_the_database_and_the_core(world: SimpleNamespace) -> None:
    assert {state.value for state in ActionState} == set(STAGE_WORDS)
    need = need_record(world.need_spec, state="confirmed", reporter=None, reported_at=IN_TIME)
    act = Action.objects.create(
        organisation=world.office, place=world.a, sector=world.sectors["health"], approach="social", title_en="x", starts_on=TODAY,
        ends_on=TODAY,
    )  # fmt: skip
    act.needs.set([need])
    for state, stage in STAGE_WORDS.items():
        Action.objects.filter(pk=act.pk).update(state=state, done_on=TODAY)
        assert told_everywhere(world) == (stage, stage), state


def test_a_need_is_as_far_as_the_action_that_took_another_over(world: SimpleNamespace) -> None:
    root, other = world.people["root"], organisation_record(OrganisationSpec(world.city, "two", "agency", "دو", "Two"))
    need = need_record(world.need_spec, state="confirmed", reporter=None, reported_at=IN_TIME)
    act = Action.objects.create(
        organisation=world.office, place=world.a, sector=world.sectors["health"], approach="social", title_en="x", starts_on=TODAY,
        ends_on=TODAY, state="under-way",
    )  # fmt: skip
    act.needs.set([need])
    assert told_everywhere(world) == ("under_way", "under_way")
    successor = action_hand_over(user=root, action=act, to=other, reason="r")
    assert told_everywhere(world) == ("decided", "decided")
    action_step(user=root, action=successor, event="start")
    assert told_everywhere(world) == ("under_way", "under_way")
    action_step(user=root, action=successor, event="cancel", reason="r")
    assert told_everywhere(world) == ("unanswered", "unanswered")


def test_what_was_rejected_when_it_was_handed_over_is_answered_once_it_is_taken_up_again(
    world: SimpleNamespace,
) -> None:
    root, other = world.people["root"], organisation_record(OrganisationSpec(world.city, "two", "agency", "دو", "Two"))
    need = need_record(world.need_spec, state="confirmed", reporter=None, reported_at=IN_TIME)
    act = Action.objects.create(
        organisation=world.office, place=world.a, sector=world.sectors["health"], approach="social", title_en="x", starts_on=TODAY,
        ends_on=TODAY, state="under-way",
    )  # fmt: skip
    act.needs.set([need])
    need_review(user=root, need=need, event="reject", reason="r")
    action_hand_over(user=root, action=act, to=other, reason="r")
    need_review(user=root, need=need, event="reopen")
    assert told_everywhere(world) == ("decided", "decided")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """A network that other connections see, taken away afterwards."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            made = network_world("tallies")
        try:
            yield made
        finally:
            network_swept("tallies")
            tallies_count()


def test_sums_hold_when_many_write_and_count_at_once(committed: SimpleNamespace) -> None:
    def work(seed: int) -> int:
        chosen, written = random.Random(seed), 0
        for _ in range(12):
            with transaction.atomic():
                event = chosen.choice(("need", "need-state", "proposal", "proposal-state", "action"))
                event = "need" if written < 2 else event
                write(committed, event, chosen)
                written += 1
            if chosen.random() < 0.5:
                tallies_count()
        return written

    assert at_once(*(partial(work, seed) for seed in range(4))) == [12] * 4
    assert Need.objects.filter(round=committed.round).count() > 5
    check("tallies")


def test_a_write_marks_its_area_and_a_reader_who_stops_early_leaves_the_mark(world: SimpleNamespace) -> None:
    tallies_count()
    assert not TallyMark.objects.exists()
    write(world, "need", random.Random(1))
    assert list(TallyMark.objects.values_list("area", flat=True)) == ["/".join(world.city.path.split("/")[:3])]
    assert tallies_count(most_s=-1) == 1
    assert tallies_count() == 0


def test_each_reader_is_told_what_their_role_allows(world: SimpleNamespace) -> None:
    """In a 500 and in b 9 people; in the hidden settlement 40."""
    of: dict[str, Any] = {
        "round": world.round, "sector": world.sectors["health"], "organisation": world.office, "approach": "social",
        "severity": 3, "text_en": "x",
    }  # fmt: skip
    Need.objects.create(place=world.a, people_affected=500, **of)
    Need.objects.create(place=world.b, people_affected=9, **of)
    Need.objects.create(place=world.hidden, people_affected=40, **of)
    late: dict[str, Any] = {
        "organisation": world.office, "place": world.a, "sector": world.sectors["water"], "approach": "social",
        "title_en": "x", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 11, 21), "state": "under-way",
    }  # fmt: skip
    Action.objects.create(**late)
    Action.objects.create(**late | {"is_public": False})
    Action.objects.create(**late | {"ends_on": TODAY})
    tallies_count()
    country, province, county = world.city.parent.parent.parent, world.city.parent.parent, world.city.parent
    Place.objects.filter(path__startswith="tally").exclude(code="hidden").update(is_published=True)
    tallies_count()
    user = get_user_model().objects.create_user("tally-governor")
    Assignment.objects.create(user=user, role="viewer", place=province)
    for place in (country, province, county):
        public = side_by_side(place, AnonymousUser(), today=TODAY)
        exact = side_by_side(place, world.people["root"], today=TODAY)
        governor = side_by_side(place, user, today=TODAY)
        assert (public.sums.needs_all, exact.sums.needs_all) == (2, 3)
        assert (public.sums.actions_running, exact.sums.actions_running) == (2, 3)
        assert (public.sums.actions_late, exact.sums.actions_late) == (1, 2)
        health = [next(row for row in told.sectors if row.sector.code == "tally-health") for told in (public, exact)]
        # The 9 of b could be subtracted from 509, as the public knows the 500 of a.
        assert [row.sums.people_in_gap for row in health] == [None, 549]
        assert [row.in_gap_of_parts for row in health] == [(2,), (3,)]
        assert [part.sums.needs_all for part in governor.parts] == [3]
        assert [part.is_exact for part in governor.parts] == [True]
        assert governor.sums.needs_all == (2 if place == country else 3)
    parts = side_by_side(world.city, AnonymousUser(), today=TODAY).parts
    assert [(part.place.code, part.sums.in_gap) for part in parts] == [("a", 1), ("b", 1)]
