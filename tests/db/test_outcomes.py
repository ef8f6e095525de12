"""Outcomes: who enters, corrects and retracts, tables whole or not at all, and what changed against `core.change` by hand."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from analysis.models import Indicator, IndicatorValue
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from geo.services import PlaceSpec, place_put
from interventions.core.change import LEVEL, Measured, change
from interventions.core.transitions import MACHINES
from interventions.core.years import Year
from interventions.models import Action, LogEntry
from interventions.selectors.outcomes import changed_in, family_path
from interventions.services import (
    OutcomeSpec,
    outcome_put,
    outcome_record,
    outcome_retract,
    outcomes_import,
    outcomes_plan,
)
from tests.db.network_world import ROLES, TEHRAN, network_world

pytestmark = pytest.mark.django_db

YEAR = Year(1404)
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=TEHRAN)
TODAY = date(2026, 4, 1)
MEASURERS = {"supervisor", "administrator", "analyst"}  # written by hand


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world("out")
    made.water = Indicator.objects.create(
        code="out-water",
        domain="infrastructure",
        origin="survey",
        unit="%",
        direction="more-is-better",
        name_fa="آب",
        name_en="Water",
    )
    made.hunger = Indicator.objects.create(
        code="out-hunger",
        domain="livelihood",
        origin="register",
        unit="people",
        direction="more-is-worse",
        name_fa="گرسنگی",
        name_en="Hunger",
    )
    made.spec = OutcomeSpec(made.water, made.a, YEAR, "measured", 60.0, 4.0, "survey")
    for place in (made.city.parent.parent.parent, made.city.parent.parent, made.city.parent, made.city):
        Place.objects.filter(pk=place.pk).update(is_published=True)
    return made


def settlements(w: SimpleNamespace, count: int) -> list[Place]:
    return [place_put(PlaceSpec("settlement", f"p{k}", f"جای {k}", f"Place {k}", w.city)) for k in range(count)]


def values(
    w: SimpleNamespace, place: Place, before: float, after: float, *, error: float | None = 4.0, **others: Any
) -> None:
    spec = {"indicator": w.water, "place": place, "year": YEAR, "source": "survey", **others}
    outcome_record(OutcomeSpec(kind="baseline", value=before, error=error, **spec), at=NOW)
    outcome_record(OutcomeSpec(kind="measured", value=after, error=error, **spec), at=NOW)


def act_in(w: SimpleNamespace, place: Place, starts_on: date = date(2025, 6, 1), **others: Any) -> Action:
    return Action.objects.create(
        organisation=w.office, place=place, sector=w.sectors["health"], approach="social", title_en="Deed", starts_on=starts_on,
        **({"ends_on": date(2025, 12, 1), "state": "done", "done_on": date(2025, 12, 1)} | others),
    )  # fmt: skip


def ours() -> Any:
    return IndicatorValue.objects.filter(place__path__startswith="out/")  # the demonstration has its own


# ---- writes


@pytest.mark.parametrize("event", MACHINES["outcome"])
def test_those_who_lead_or_analyse_and_nobody_else(world: SimpleNamespace, event: str) -> None:
    standing = outcome_record(world.spec, at=NOW) if event != "enter" else None
    people = {f"{role}@{where}": (role, where) for role in ROLES for where in ("city", "elsewhere")}
    people |= {"supervisor@a": ("supervisor", "a"), "reporter@a": ("reporter", "a"), "nobody": ("", "")}
    people |= {"anonymous": ("", ""), "gone": ("", ""), "root": ("administrator", "city")}
    wrong = []
    for number, (name, (role, where)) in enumerate(people.items()):
        may = role in MEASURERS and where != "elsewhere"
        rows, logged = list(ours().order_by("pk").values()), LogEntry.objects.count()
        user = world.people[name]
        value = 70.0 + number
        later = NOW + timedelta(hours=number + 1)
        try:
            if event == "retract":
                assert standing is not None
                done = outcome_retract(user=user, outcome=standing, reason="r", at=later)
            else:
                spec = OutcomeSpec(world.water, world.a, YEAR, "measured", value, 4.0, "survey")
                done = outcome_put(user=user, spec=spec, at=later)
        except Forbidden as error:
            if may or error.code != "role_missing" or list(ours().order_by("pk").values()) != rows:
                wrong.append(name)
            if LogEntry.objects.count() != logged:
                wrong.append(f"{name}: logged")
            continue
        entry = LogEntry.objects.order_by("-pk")[0]
        if not may or (entry.subject, entry.event, entry.subject_id, entry.actor_id) != (
            "outcome",
            event,
            done.pk,
            user.pk,
        ):
            wrong.append(f"{name}: {entry.event}")
        # Back to how it was for the next person.
        if event == "retract":
            IndicatorValue.objects.filter(pk=done.pk).update(replaced_at=None)
        elif event == "enter":
            done.delete()
    assert wrong == []


def test_a_correction_overwrites_nothing(world: SimpleNamespace) -> None:
    user = world.people["analyst@city"]
    first = outcome_put(user=user, spec=world.spec, instead_of=0, at=NOW)
    spec = OutcomeSpec(world.water, world.a, YEAR, "measured", 62.0, None, "recount")
    second = outcome_put(
        user=user, spec=spec, instead_of=first.pk, reason="two houses twice", at=NOW + timedelta(days=1)
    )
    first.refresh_from_db()
    assert (first.value, first.error, first.replaced_at) == (60.0, 4.0, NOW + timedelta(days=1))
    assert list(ours().in_force()) == [second]
    entry = LogEntry.objects.get(event="correct", subject="outcome")
    assert (entry.note, entry.details) == (
        "two houses twice",
        {"value": 60.0, "error": 4.0, "source": "survey", "source_fa": "", "replaces": first.pk},
    )
    assert outcome_put(user=user, spec=spec, at=NOW + timedelta(days=2)).pk == second.pk  # the same again: nothing
    assert (ours().count(), LogEntry.objects.filter(subject="outcome", place=world.a).count()) == (2, 2)


def test_who_looked_at_an_older_value_is_told(world: SimpleNamespace) -> None:
    user = world.people["supervisor@city"]
    first = outcome_put(user=user, spec=world.spec, instead_of=0, at=NOW)
    for seen in (0, first.pk + 999):
        with pytest.raises(Conflict) as caught:
            outcome_put(
                user=user, spec=OutcomeSpec(world.water, world.a, YEAR, "measured", 1.0, 1.0, "s"), instead_of=seen
            )
        assert caught.value.code == "stale"
    outcome_retract(user=user, outcome=first, reason="wrong place", at=NOW + timedelta(days=1))
    with pytest.raises(Conflict):
        outcome_retract(user=user, outcome=first, reason="wrong place")
    assert not ours().in_force().exists()
    assert ours().count() == 1


def test_nothing_is_taken_back_without_a_reason(world: SimpleNamespace) -> None:
    first = outcome_record(world.spec, at=NOW)
    with pytest.raises(InvalidInput) as caught:
        outcome_retract(user=world.people["supervisor@city"], outcome=first, reason=" ")
    assert caught.value.code == "no_reason"


@pytest.mark.parametrize(
    ("kind", "value", "error", "source"),
    [
        ("measured", math.nan, 1.0, "s"),
        ("measured", math.inf, 1.0, "s"),
        ("measured", 1e13, 1.0, "s"),
        ("measured", 1.0, -0.1, "s"),
        ("measured", 1.0, math.nan, "s"),
        ("target", 1.0, 0.5, "s"),
        ("measured", 1.0, 1.0, " "),
        ("guessed", 1.0, 1.0, "s"),
        ("measured", 1.0, 1.0, "s" * 401),
    ],
)
def test_what_cannot_be_is_refused(
    world: SimpleNamespace, kind: str, value: float, error: float | None, source: str
) -> None:
    with pytest.raises(InvalidInput):
        outcome_put(user=world.people["root"], spec=OutcomeSpec(world.water, world.a, YEAR, kind, value, error, source))
    assert not ours().exists()


# ---- tables

HEAD = "place\tindicator\tyear\tbaseline\tbaseline_error\ttarget\tmeasured\tmeasured_error\tsource\n"


def test_a_table_is_read_in_either_language_and_any_digits(world: SimpleNamespace) -> None:
    user = world.people["analyst@city"]
    english = HEAD + "a\tout-water\t1404\t41\t4\t55\t58\t\tsurvey\n"
    persian = "جا؛شاخص؛سال؛پایه؛خطای پایه؛هدف؛سنجیده؛منبع\nسکونتگاه b؛آب؛۱۴۰۴؛۴۱٫۵؛۴؛۵۵؛۵۸٪؛پیمایش\n"
    for text in (english, persian):
        made = outcomes_import(user=user, within=world.city, text=text, at=NOW)
        assert {row.kind for row in made} == {"baseline", "target", "measured"}
        assert outcomes_import(user=user, within=world.city, text=text) == ()
    told = IndicatorValue.objects.filter(place=world.b).values_list("kind", "value", "error")
    assert sorted(told) == [("baseline", 41.5, 4.0), ("measured", 58.0, None), ("target", 55.0, None)]
    plan = outcomes_plan(user=user, within=world.city, text=english.replace("\t58\t", "\t59\t"))
    assert (plan.count("enter"), plan.count("correct"), plan.count("")) == (0, 1, 2)


@pytest.mark.parametrize(
    ("row", "where", "code"),
    [
        ("zz\tout-water\t1404\t41\t4\t\t\t\tsurvey", "row 3, place", "unknown_place_code"),
        ("a\tout-air\t1404\t41\t4\t\t\t\tsurvey", "row 3, indicator", "unknown_indicator"),
        ("a\tout-water\t2025\t41\t4\t\t\t\tsurvey", "row 3, year", "bad_year"),
        ("a\tout-water\t\t41\t4\t\t\t\tsurvey", "row 3, year", "bad_year"),
        ("a\tout-water\t1404\tmany\t4\t\t\t\tsurvey", "row 3, baseline", "bad_number"),
        ("a\tout-water\t1404\t1e400\t4\t\t\t\tsurvey", "row 3, baseline", "bad_number"),
        ("a\tout-water\t1404\t1,200\t4\t\t\t\tsurvey", "row 3, baseline", "ambiguous_number"),
        ("a\tout-water\t1404\t41\t-4\t\t\t\tsurvey", "row 3, baseline_error", "bad_number"),
        ("a\tout-water\t1404\t41\t4\t\t\t\t", "row 3, source", "no_source"),
        ("a\tout-water\t1404\t\t\t\t\t\tsurvey", "row 3", "no_value"),
        ("b\tout-water\t1404\t1\t\t\t\t\tother", "row 3, baseline", "row_twice"),
        ("hidden\tout-water", "row 3, year", "bad_year"),
    ],
)
def test_one_wrong_row_stores_nothing_and_says_which(world: SimpleNamespace, row: str, where: str, code: str) -> None:
    text = HEAD + "b\tout-water\t1404\t41\t4\t55\t58\t4\tsurvey\n" + row + "\n"
    user = world.people["analyst@city"]
    plan = outcomes_plan(user=user, within=world.city, text=text)
    assert (plan.faults[0].where, plan.faults[0].code) == (where, code)
    assert plan.faults[0].remedy
    with pytest.raises(InvalidInput) as caught:
        outcomes_import(user=user, within=world.city, text=text)
    assert caught.value.where == where
    assert not ours().exists()


@pytest.mark.parametrize(
    "text", ["", "\n\n", HEAD, "place\tyear\na\t1404\n", HEAD.rstrip() + "\tplace\na\t\t\t\t\t\t\t\t\tb\n"]
)
def test_what_is_no_table_is_refused(world: SimpleNamespace, text: str) -> None:
    with pytest.raises(InvalidInput):
        outcomes_plan(user=world.people["root"], within=world.city, text=text)


def test_a_table_of_places_of_others_is_refused_row_by_row(world: SimpleNamespace) -> None:
    text = HEAD + "a\tout-water\t1404\t1\t1\t\t\t\ts\nb\tout-water\t1404\t1\t1\t\t\t\ts\n"
    plan = outcomes_plan(user=world.people["supervisor@a"], within=world.city, text=text)
    assert [(fault.where, fault.code) for fault in plan.faults] == [("row 3, place", "role_missing")]
    with pytest.raises(Forbidden):
        outcomes_import(user=world.people["supervisor@a"], within=world.city, text=text)
    plan = outcomes_plan(user=world.people["planner@city"], within=world.city, text=text)
    assert {fault.code for fault in plan.faults} == {"role_missing"}
    assert not ours().exists()


# ---- what changed


def test_verdicts_are_those_of_the_core(world: SimpleNamespace) -> None:
    places = settlements(world, 8)
    pairs = [(40, 72), (44, 58), (41, 40), (42, 43), (43, 41), (45, 20), (90, 91), (40, 44)]
    for place, (before, after) in zip(places, pairs, strict=True):
        values(world, place, before, after)
    for place in places[:3]:
        act_in(world, place)
    act_in(
        world, places[4], starts_on=date(2026, 4, 1), ends_on=date(2026, 6, 1), state="under-way", done_on=None
    )  # of the year after
    act_in(world, places[5], state="cancelled")
    act_in(world, places[7], state="planned")
    found = changed_in(world.city, AnonymousUser(), YEAR, today=TODAY)
    rows = {row.path.rpartition("/")[2]: row for row in found.rows}
    before, after = ([float(pair[k]) for pair in pairs] for k in (0, 1))
    four = [4.0] * 8
    alone = change(Measured(before, four, after, four, [0] * 8), level=LEVEL).change
    verdict = {"rose": "better", "fell": "worse", "unclear": "unclear"}
    for k in range(8):
        told = rows[f"p{k}"].change
        assert told is not None
        assert (told.value, told.verdict) == (alone.estimate[k], verdict[alone.verdict[k]])
        assert (told.error, told.p) == pytest.approx((alone.error[k], alone.p_holm[k]))
    assert [rows[f"p{k}"].verdict for k in (0, 5, 2)] == ["better", "worse", "unclear"]
    # p6 was not similar before, so it is neither compared with nor judged against the others.
    assert [rows[f"p{k}"].is_comparison for k in range(8)] == [False, False, False, True, True, True, False, True]
    kept = [0, 1, 2, 3, 4, 5, 7]
    pick = lambda column: [column[k] for k in kept]  # noqa: E731
    against = change(Measured(pick(before), pick(four), pick(after), pick(four), [0, 0, 0, 1, 1, 1, 1]), level=LEVEL)
    for at, k in enumerate(kept[:3]):
        effect = rows[f"p{k}"].effect
        assert effect is not None
        assert effect.value == pytest.approx(against.effect.estimate[at])
        assert effect.error == pytest.approx(against.effect.error[at])
    assert rows["p6"].effect is None
    assert rows["p3"].effect is None
    (mean,) = found.overall.values()
    assert (mean.places, mean.compared) == (3, 4)
    assert (mean.estimate.value, mean.estimate.error) == pytest.approx(
        (against.overall.estimate, against.overall.error)
    )
    assert found.counts() == {"better": 1, "worse": 1, "mixed": 0, "unclear": 6, "unknown": 0}


def test_less_is_better_where_the_indicator_says_so(world: SimpleNamespace) -> None:
    values(world, world.a, 500, 300, indicator=world.hunger, error=10)
    values(world, world.b, 300, 500, indicator=world.hunger, error=10)
    found = changed_in(world.city, AnonymousUser(), None, today=TODAY)
    assert [row.verdict for row in found.rows] == ["better", "worse"]


def test_the_more_indicators_are_looked_at_the_stricter(world: SimpleNamespace) -> None:
    values(world, world.a, 40, 52)  # z 2.12: real if it is looked at alone
    assert changed_in(world.city, AnonymousUser(), YEAR, today=TODAY).rows[0].verdict == "better"
    values(world, world.b, 500, 500, indicator=world.hunger)
    assert changed_in(world.city, AnonymousUser(), YEAR, today=TODAY).rows[0].verdict == "unclear"


def test_what_was_measured_the_year_before_is_the_baseline(world: SimpleNamespace) -> None:
    outcome_record(OutcomeSpec(world.water, world.a, YEAR.previous, "measured", 40.0, 2.0, "old"), at=NOW)
    outcome_record(OutcomeSpec(world.water, world.b, YEAR.previous, "measured", 40.0, 2.0, "old"), at=NOW)
    outcome_record(OutcomeSpec(world.water, world.a, YEAR, "measured", 60.0, 2.0, "new"), at=NOW)
    outcome_record(OutcomeSpec(world.water, world.a, YEAR, "target", 50.0, None, "plan"), at=NOW)
    found = changed_in(world.city, AnonymousUser(), None, today=TODAY)
    assert found.years == (Year(1404), Year(1403))
    (row,) = found.rows  # b has nothing of the year
    assert row.baseline is not None
    assert (row.baseline.value, row.baseline.year, row.target_share) == (40.0, Year(1403), 2.0)
    outcome_record(OutcomeSpec(world.water, world.a, YEAR, "baseline", 45.0, 2.0, "better"), at=NOW)
    (row,) = changed_in(world.city, AnonymousUser(), YEAR, today=TODAY).rows
    assert row.baseline is not None
    assert row.baseline.value == 45.0


def test_the_public_sees_published_places_and_no_few_people(world: SimpleNamespace) -> None:
    values(world, world.hidden, 40, 80)
    values(world, world.a, 8, 4, indicator=world.hunger, error=1)
    values(world, world.b, 60, 40, indicator=world.hunger, error=1)
    public = changed_in(world.city, AnonymousUser(), YEAR, today=TODAY)
    assert {(row.place.code, row.is_withheld, row.change is None) for row in public.rows} == {
        ("a", True, True),
        ("b", False, False),
    }
    assert all(
        value is None for row in public.rows if row.is_withheld for value in (row.baseline, row.measured, row.target)
    )
    inside = changed_in(world.city, world.people["viewer@city"], YEAR, today=TODAY)
    assert {(row.place.code, row.is_withheld) for row in inside.rows} == {("hidden", False), ("a", False), ("b", False)}
    # With a role in one place only, the numbers of this one.
    own = changed_in(world.city, world.people["reporter@a"], YEAR, today=TODAY)
    assert {(row.place.code, row.is_withheld) for row in own.rows} == {("a", False), ("b", False)}
    elsewhere = changed_in(world.city, world.people["supervisor@elsewhere"], YEAR, today=TODAY)
    assert elsewhere.rows == public.rows


def test_a_place_has_one_verdict_on_all_pages_and_parts_add_up(world: SimpleNamespace) -> None:
    for place, pair in zip((world.a, world.b), ((40, 72), (44, 46)), strict=True):
        values(world, place, *pair)
    county, province = world.city.parent, world.city.parent.parent
    told = [
        {row.path: row.change for row in changed_in(place, AnonymousUser(), YEAR, today=TODAY).rows}
        for place in (world.city, county, province, province.parent)
    ]
    assert all(one == told[0] for one in told)
    (part,) = changed_in(province, AnonymousUser(), YEAR, today=TODAY).parts
    assert (part.place.code, dict(part.counts), part.areas) == (
        county.code,
        {"better": 1, "worse": 0, "mixed": 0, "unclear": 1, "unknown": 0},
        2,
    )
    assert changed_in(world.a, AnonymousUser(), YEAR, today=TODAY).rows[0].change == told[0][world.a.path]
    assert family_path(world.a.path) == county.path


def test_what_was_done_in_the_year(world: SimpleNamespace) -> None:
    late = act_in(world, world.a, done_on=date(2026, 1, 5), spent_irr=500, people_reached=70)
    act_in(world, world.a, spent_irr=300, people_reached=90)
    act_in(world, world.b, is_public=False, spent_irr=100, people_reached=4)
    act_in(world, world.b, starts_on=date(2024, 1, 1), done_on=date(2025, 3, 20))  # the last day of 1403
    public = changed_in(world.city, AnonymousUser(), YEAR, today=TODAY).done
    assert (public.at_work, public.finished, public.late) == (2, 2, 1)
    assert (int(public.spent_irr), public.people_reached) == (800, 90)
    inside = changed_in(world.city, world.people["viewer@city"], YEAR, today=TODAY).done
    assert (inside.at_work, int(inside.spent_irr), inside.people_reached) == (3, 900, 94)
    before = changed_in(world.city, world.people["viewer@city"], YEAR.previous, today=TODAY).done
    assert (before.at_work, before.finished) == (1, 1)
    late.refresh_from_db()


def test_needs_of_the_year_with_and_without_a_decision(world: SimpleNamespace) -> None:
    from interventions.services import need_record

    at = datetime(2025, 8, 1, 9, 0, tzinfo=TEHRAN)
    answered, _open = (
        need_record(world.need_spec, state="reported", reporter=None, reported_at=moment)
        for moment in (at, at + timedelta(days=1))
    )
    need_record(world.need_spec, state="reported", reporter=None, reported_at=at + timedelta(days=400))
    act_in(world, world.a).needs.add(answered)
    done = changed_in(world.city, AnonymousUser(), YEAR, today=TODAY).done
    assert (done.needs, done.answered) == (2, 1)
