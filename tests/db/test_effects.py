"""What proposals would do in the demo city: computed as the what-if page computes it, kept, shown, overlapped, chosen."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.contrib.gis.geos import MultiPoint, Point
from django.utils import timezone

from analysis.comparing import counted_rows, what_if_compute
from analysis.core.changes import FacilityAdded
from analysis.results import Question
from geo.models import Boundary, Place
from geo.querysets import system_user
from interventions.core.overlap import Likeness
from interventions.core.portfolio import Rules, portfolio
from interventions.models import Proposal
from interventions.selectors import (
    decision_table,
    decisions_told,
    offering_of,
    proposal_found,
    proposal_rows,
)
from interventions.services import (
    Ruling,
    assessments_ask,
    decisions_publish,
    decisions_take,
    demand_of,
    effect_refresh,
    effects_refresh,
)
from layers.models import Layer, Service, Supply
from tests.db.proposing import ASSESSED, ASSESSMENT_DUE, BILLION, IN_TIME, SECOND, Proposing, proposing

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(demo_city: Place) -> Proposing:
    areas = list(Place.objects.within(demo_city).filter(kind="settlement").order_by("code")[:2])
    return proposing(demo_city, areas, "fx")


def middle(area: Place) -> tuple[float, float]:
    point = Boundary.objects.current().get(place=area).geometry.point_on_surface
    return point.x, point.y


def clinic(world: Proposing, n: int = 0, shift: float = 0.0, **values: Any) -> Proposal:
    lon, lat = middle(world.areas[n])
    service = Service.objects.get(code="clinic")
    return world.submitted(world.needs[n], service=service, lon_lat=(lon + shift, lat), **values)


def test_the_effect_is_that_of_the_coverage_engine(world: Proposing) -> None:
    made = clinic(world)
    effect = effect_refresh(made)
    lon, lat = middle(world.areas[0])
    found = what_if_compute(
        city=world.city, user=system_user(), question=Question(changes=(FacilityAdded("clinic", lon, lat, "x"),))
    )
    k = found.after.coverage.service_index("clinic")
    gained = found.effect.gained_people[:, k]
    assert effect["people"] == pytest.approx(gained[counted_rows(found.after.coverage.places)].sum(), abs=0.06)
    assert effect["people"] > 100
    told = {code: people for code, people, *_ in effect["places"]}
    for place, people in zip(found.after.coverage.places, gained, strict=True):
        assert told.get(place.code, 0.0) == pytest.approx(people if people >= 0.5 else 0.0, abs=0.06)
    # More covered is never a needier place.
    assert all(after <= before for _, _, before, after, _, _ in effect["places"])


def test_several_points_are_as_many_facilities_that_share_the_capacity(world: Proposing) -> None:
    points = [middle(area) for area in world.areas]
    made = clinic(world, capacity=30.0)
    made.geometry = MultiPoint(*(Point(lon, lat) for lon, lat in points), srid=4326)
    effect = effect_refresh(made)
    changes = tuple(FacilityAdded("clinic", lon, lat, f"x{n}", 15.0) for n, (lon, lat) in enumerate(points))
    found = what_if_compute(city=world.city, user=system_user(), question=Question(changes=changes))
    k = found.after.coverage.service_index("clinic")
    gained = found.effect.gained_people[counted_rows(found.after.coverage.places), k].sum()
    assert effect["people"] == pytest.approx(gained, abs=0.06)
    demand = demand_of([made])
    people = sum(share * demand.people[unit] for unit, share in zip(demand.unit, demand.share, strict=True))
    assert people == pytest.approx(effect["people"], rel=1e-3)


def test_the_effect_is_kept_until_its_inputs_change(world: Proposing) -> None:
    made = clinic(world)
    first = effect_refresh(made)
    kept = Proposal.objects.get(pk=made.pk)
    assert (kept.effect, kept.version) == (first, made.version)
    kept.effect |= {"people": 7.0}  # would be computed away, were it computed again
    assert effect_refresh(kept)["people"] == 7.0
    kept.geometry = Point(*middle(world.areas[1]), srid=4326)
    assert effect_refresh(kept)["key"] != first["key"]
    assert kept.effect["people"] != 7.0
    # Nor do the data of the city change without it.
    Layer.objects.filter(pk__in=Supply.objects.filter(city=world.city, service__code="clinic").values("layer")).update(
        name_en="Clinics, named anew"
    )
    before = kept.effect["key"]
    supply = (
        Supply.objects.filter(city=world.city, service__code="school").first()
        or Supply.objects.filter(city=world.city).exclude(service__code="clinic")[0]
    )
    supply.delete()
    assert effect_refresh(kept)["key"] != before


def test_what_gives_no_service_at_a_point_has_no_computed_effect(world: Proposing) -> None:
    plain = world.submitted()
    assert set(effect_refresh(plain)) == {"key"}
    row = proposal_rows([plain], world.people["supervisor"])[0]
    assert (row.effect, row.people, row.people_per_billion) == (None, 100.0, 10.0)


def test_effects_are_brought_up_to_date_as_long_as_time_allows(world: Proposing) -> None:
    made = [clinic(world, shift=n / 1000) for n in range(3)]
    assert effects_refresh(made, 0.0) == 2
    assert effects_refresh(made, 60.0) == 0
    assert effects_refresh(made, 0.0) == 0


def test_two_clinics_side_by_side_serve_people_once(world: Proposing) -> None:
    one, beside, plain = clinic(world), clinic(world, shift=0.0002), world.submitted(world.needs[1])
    demand = demand_of([one, beside, plain])
    alone = [
        sum(
            share * demand.people[unit]
            for number, unit, share in zip(demand.proposal, demand.unit, demand.share, strict=True)
            if number == wanted
        )
        for wanted in range(3)
    ]
    assert alone[0] == pytest.approx(effect_refresh(one)["people"], rel=1e-3)
    assert alone[2] == 200.0
    best = portfolio([1, 1, 1], demand, Rules(budget_irr=3))
    together = float(np.maximum(alone[0], alone[1]))
    assert together <= best.people - 200.0 < together * 1.2 < alone[0] + alone[1]


def test_the_effect_is_told_only_to_those_who_see_the_layer(world: Proposing) -> None:
    made = clinic(world)
    effect_refresh(made)
    user = world.people["viewer"]
    assert proposal_rows([made], user)[0].effect is not None
    layers = Supply.objects.filter(city=world.city, service__code="clinic").values("layer")
    Layer.objects.filter(pk__in=layers).update(visibility="assigned", seen_by_roles=["planner"])
    assert proposal_rows([made], user)[0].effect is None
    assert proposal_rows([made], world.people["planner"])[0].effect is not None


def test_rows_say_what_is_answered_what_it_costs_and_who_is_silent(world: Proposing) -> None:
    made = world.submitted(*world.needs, own_funding_irr=4 * BILLION)
    assessments_ask(
        user=world.people["supervisor"], proposal=made, organisations=[world.health, world.water], at=ASSESSED
    )
    in_time, late = (
        proposal_rows([made], world.people["supervisor"], at=at)[0] for at in (ASSESSMENT_DUE, ASSESSMENT_DUE + SECOND)
    )
    assert [(one.state, one.is_late) for one in in_time.assessments] == [("asked", False)] * 2
    assert (in_time.is_silent, late.is_silent) == (False, True)
    assert (late.needs, late.people_in_needs, late.asked_irr, late.people_per_billion) == (2, 300, 6 * 10**9, 50.0)
    assert [place.code for place in late.places] == [area.code for area in world.areas]


def test_who_does_the_same_is_shown_to_both_sides(world: Proposing) -> None:
    mine = clinic(world)
    other = clinic(world, shift=0.0001, organisation=world.health, by="health")
    away = clinic(world, 1)
    for asked, found in ((mine, other), (other, mine)):
        for name in ("agency", "health", "supervisor"):
            rows = proposal_rows([asked], world.people[name])[0].overlaps
            assert [(row.second.pk, row.likeness, row.is_done_twice) for row in rows if row.second.pk == found.pk] == [
                (found.pk, Likeness.SAME, True)
            ]
    assert away.pk not in {
        row.second.pk for row in proposal_rows([mine], world.people["agency"])[0].overlaps if row.score > 0.9
    }
    together = {row.pk: row.overlaps for row in proposal_rows([mine, other], world.people["supervisor"])}
    assert other.pk in {row.second.pk for row in together[mine.pk]}
    # Who may see neither is told of neither.
    assert proposal_rows(Proposal.objects.visible_to(world.people["nobody"]), world.people["nobody"]) == ()


def test_the_table_of_a_decision_counts_by_place(world: Proposing) -> None:
    made, _draft = world.submitted(world.needs[0]), None
    table = decision_table(world.round, world.city, world.people["supervisor"])
    areas = {area.place.code: area for area in table.areas}
    first, second = (areas[area.code] for area in world.areas)
    assert (first.needs, first.unanswered, first.proposals) == (1, 0, (made.pk,))
    assert (second.needs, second.unanswered, second.proposals) == (1, 1, ())
    assert first.rank is not None
    assert (table.budget_irr, table.granted_irr, table.left_irr) == (25 * 10**9, 0, 25 * 10**9)
    decisions_take(user=world.people["supervisor"], rulings=[Ruling(made, "accept", "دلیل", 1)])
    table = decision_table(world.round, world.city, world.people["supervisor"])
    assert (table.granted_irr, table.left_irr, table.open) == (10 * 10**9, 15 * 10**9, ())


def test_the_public_reads_what_was_published_last(world: Proposing) -> None:
    one, two = world.submitted(), world.submitted()
    leader = world.people["supervisor"]
    decisions_take(
        user=leader,
        rulings=[Ruling(one, "accept", "نخست", 1, 3 * BILLION), Ruling(two, "refuse", "دور", 1)],
        at=ASSESSED,
    )
    assert decisions_told(world.round, world.city) == ()
    decisions_publish(user=leader, round_=world.round, at=ASSESSED)
    told = decisions_told(world.round, world.city)
    assert [(row.outcome, row.granted_irr, row.reason) for row in told] == [
        ("accepted", 3 * 10**9, "نخست"),
        ("refused", 0, "دور"),
    ]
    decisions_take(user=leader, rulings=[Ruling(one, "reconsider", "اعتراض", 2)], at=ASSESSED + SECOND)
    assert decisions_told(world.round, world.city) == told, "what was told stands until more is told"
    decisions_publish(user=leader, round_=world.round, at=ASSESSED + 2 * SECOND)
    assert [row.outcome for row in decisions_told(world.round, world.city)] == ["reconsidered", "refused"]


def test_what_each_may_do_with_a_proposal(world: Proposing) -> None:
    made = world.submitted()
    assessments_ask(user=world.people["supervisor"], proposal=made, organisations=[world.health], at=ASSESSED)
    found = {name: proposal_found(made.pk, user, world.city, at=ASSESSED) for name, user in world.people.items()
             if Proposal.objects.visible_to(user).filter(pk=made.pk).exists()}  # fmt: skip
    assert found["agency"].events == ("withdraw",)
    assert found["supervisor"].events == ("withdraw", "return", "accept", "refuse")
    assert found["health"].events == ()
    assert found["health"].row.assessments[0].events == ("approve", "supplement", "refuse")
    assert found["agency"].row.assessments[0].events == ()
    assert {one.code for one in found["supervisor"].departments} >= {"fx-health", "fx-water"}
    assert not {one.code for one in found["supervisor"].departments} & {"fx-works", "fx-ngo"}
    assert found["health"].departments == ()
    assert not {"anonymous", "nobody"} & found.keys()


def test_who_may_offer_what(world: Proposing) -> None:
    offers = {name: offering_of(user, world.city) for name, user in world.people.items()}
    assert {name for name, offer in offers.items() if offer.is_possible} == {
        "agency", "health", "water", "agency-area", "health-area", "supervisor", "second", "root",
    }  # fmt: skip
    needs = {need.pk for need in world.needs}
    assert {need.pk for need in offers["agency"].needs} >= needs
    assert {need.pk for need in offers["agency-area"].needs} & needs == {world.needs[0].pk}
    assert [one.code for one in offers["agency"].organisations] == ["fx-works"]


def test_rows_of_many_proposals_cost_no_query_each(world: Proposing, django_assert_max_num_queries: Any) -> None:
    for n in range(12):
        clinic(world, shift=n / 2000)
    found = Proposal.objects.filter(round=world.round).select_related(
        "round__place", "organisation__place", "sector", "service"
    )
    effects_refresh(found, 60.0)
    began = time.process_time()
    with django_assert_max_num_queries(25):
        rows = proposal_rows(found, world.people["supervisor"], at=timezone.now())
    assert len(rows) == 12
    assert time.process_time() - began < 3.0
    assert IN_TIME < ASSESSED
    assert all(isinstance(row.cost_irr, int) and Decimal(row.cost_irr) == 10 * BILLION for row in rows)
