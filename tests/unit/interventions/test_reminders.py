"""Reminders: each told once, never before its time; runs that are late, broken off or done twice lose and repeat nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interventions.core.reminders import (
    DAYS_BEFORE,
    SILENT_FOR_DAYS,
    TEHRAN,
    Level,
    Matter,
    Owed,
    digest_span,
    escalations_due,
    reminders_due,
    told_from,
)

DUE = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)

moments = st.datetimes(datetime(2026, 11, 1), datetime(2027, 2, 28)).map(lambda value: value.replace(tzinfo=UTC))
debts = st.builds(Owed, st.integers(1, 3), st.integers(0, 3), st.sampled_from(Matter), st.integers(0, 4), moments)


def tehran_day(moment: datetime) -> date:
    """Count the day by hand: Tehran is three and a half hours ahead in all seasons since 2022."""
    return (moment.astimezone(UTC) + timedelta(hours=3, minutes=30)).date()


@given(debts, st.lists(moments, min_size=1, max_size=40))
def test_each_is_told_once_and_never_before_its_time(owed: Owed, runs: list[datetime]) -> None:
    told = Counter[str]()
    for at in sorted(runs):
        due = (*reminders_due([owed], at), *escalations_due([owed], at))
        told.update(one.key for one in due if one.key not in told)  # as a store with unique keys does
        for reminder in reminders_due([owed], at):
            assert (tehran_day(owed.due_at) - tehran_day(at)).days <= reminder.days_before
            assert (at.astimezone(UTC) + timedelta(hours=3, minutes=30)).hour >= 7 or (
                tehran_day(owed.due_at) - tehran_day(at)
            ).days < reminder.days_before
        for escalation in escalations_due([owed], at):
            assert at > owed.due_at
            assert (tehran_day(at) - tehran_day(owed.due_at)).days >= SILENT_FOR_DAYS[escalation.level]
    assert set(told.values()) <= {1}
    assert len(told) <= len(DAYS_BEFORE) + len(Level)


@given(debts, st.sets(st.integers(-30, 30)), st.integers(0, 59))
def test_daily_runs_tell_every_step_and_missed_days_lose_none_that_still_counts(
    owed: Owed, missed: set[int], minute: int
) -> None:
    """Of each debt the last step told by the end is that which a run of every day would have told last."""
    morning = told_from(owed.due_at, 0) + timedelta(minutes=minute)

    def told(days: list[int]) -> list[int]:
        found: list[int] = []
        for day in days:
            for reminder in reminders_due([owed], morning + timedelta(days=day)):
                if reminder.days_before not in found:
                    found.append(reminder.days_before)
        return found

    every = told(list(range(-30, 31)))
    expected = [14, 7, 3, 1] if owed.matter == Matter.ASSESSMENTS else list(DAYS_BEFORE)
    assert every == expected
    partly = told([day for day in range(-30, 31) if day not in missed])
    assert partly == [days for days in expected if days in partly]
    if owed.matter != Matter.ASSESSMENTS and not missed.issuperset(range(1, 31)):
        assert partly[-1] == -1


@given(debts, st.lists(st.integers(0, 400), min_size=1, max_size=30))
def test_silence_reaches_everybody_however_the_runs_fall(owed: Owed, hours: list[int]) -> None:
    told: dict[Level, datetime] = {}
    for hour in sorted({*hours, 400}):
        at = owed.due_at + timedelta(hours=hour)
        for one in escalations_due([owed], at):
            told.setdefault(one.level, at)
    if owed.matter != Matter.ASSESSMENTS:
        assert told == {}
        return
    assert list(told) == [Level.DEPARTMENT, Level.SUPERVISOR, Level.ABOVE]
    assert all(first <= second for first, second in pairwise(told.values()))


@given(st.lists(moments, min_size=1, max_size=40))
def test_digests_cover_every_hour_once(runs: list[datetime]) -> None:
    spans: list[tuple[datetime, datetime]] = []
    for at in sorted(runs):
        span = digest_span(spans[-1][1] if spans else None, at)
        if span is None:
            continue
        assert span[0] < span[1] <= at
        spans.append(span)
    for before, after in pairwise(spans):
        assert before[1] == after[0]
    assert all(tehran_day(second[1]) > tehran_day(first[1]) for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("days", "hour", "step"),
    [
        (15, 23, None), (14, 6, None), (14, 7, 14), (13, 0, 14), (7, 6, 14), (7, 7, 7), (3, 7, 3), (1, 6, 3), (1, 7, 1),
        (0, 23, 1), (-1, 6, 1), (-1, 7, -1), (-40, 12, -1),
    ],
)  # fmt: skip
def test_steps_by_hand(days: int, hour: int, step: int | None) -> None:
    at = datetime(2026, 12, 21, hour, 0, tzinfo=TEHRAN) - timedelta(days=days)
    found = [one.days_before for one in reminders_due([Owed(1, 2, Matter.NEEDS, 0, DUE)], at)]
    assert found == ([] if step is None else [step])


def test_a_deadline_moved_to_another_day_is_told_anew() -> None:
    at = DUE - timedelta(days=1)
    first = reminders_due([Owed(1, 2, Matter.NEEDS, 0, DUE)], at)[0]
    later_that_day = reminders_due([Owed(1, 2, Matter.NEEDS, 0, DUE - timedelta(hours=3))], at)[0]
    moved = reminders_due([Owed(1, 2, Matter.NEEDS, 0, DUE + timedelta(days=9))], at)[0]
    assert first.key == later_that_day.key
    assert moved.key != first.key
    assert moved.days_before == 14
