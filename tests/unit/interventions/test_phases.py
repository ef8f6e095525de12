"""Phases of a round: order, deadlines to the second, whatever the offset they are written in."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidInput
from interventions.core.phases import PhaseKind, is_late, phase_current, phases_check, phases_running

TEHRAN = timezone(timedelta(hours=3, minutes=30))
OPENED = datetime(2026, 9, 23, 8, 0, tzinfo=TEHRAN)
END_OF_AZAR = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
END_OF_YEAR = datetime(2027, 3, 20, 23, 59, 59, tzinfo=TEHRAN)
SECOND = timedelta(seconds=1)


def test_the_last_second_is_in_time_and_the_next_is_late() -> None:
    assert not is_late(END_OF_AZAR, END_OF_AZAR)
    assert not is_late(END_OF_AZAR, END_OF_AZAR + timedelta(microseconds=999_999))
    assert is_late(END_OF_AZAR, END_OF_AZAR + SECOND)


def test_a_moment_is_compared_not_its_spelling() -> None:
    assert not is_late(END_OF_AZAR, datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC))
    assert is_late(END_OF_AZAR, datetime(2026, 12, 21, 20, 30, 0, tzinfo=UTC))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(-(10**6), 10**6))
def test_late_is_whole_seconds_after(due: datetime, seconds: int) -> None:
    due_at = due.replace(microsecond=0, tzinfo=UTC)
    assert is_late(due_at, (due_at + timedelta(seconds=seconds)).astimezone(TEHRAN)) == (seconds > 0)


@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Tehran"), TEHRAN, UTC])
def test_a_deadline_of_the_wall_clock_in_tehran_holds_to_the_second(zone: ZoneInfo) -> None:
    """Since 2022 the clock in Iran stays at +03:30 all year, at the spring equinox too; before, it went an hour forward."""
    tehran = ZoneInfo("Asia/Tehran")
    for year, offset in ((2026, 3.5), (2021, 4.5)):  # 31 Farvardin
        due = datetime(year, 4, 20, 23, 59, 59, tzinfo=tehran)
        assert due.utcoffset() == timedelta(hours=offset)
        last = (due - timedelta(hours=offset)).replace(tzinfo=UTC)
        assert not is_late(due, last.astimezone(zone))
        assert is_late(due, (last + SECOND).astimezone(zone))


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_who_is_let_in_is_late_after_the_later_moment(admitted: int, at: int) -> None:
    until = END_OF_AZAR + admitted * SECOND
    assert is_late(END_OF_AZAR, END_OF_AZAR + at * SECOND, admitted_until=until) == (at > max(0, admitted))


def test_the_current_phase_is_the_one_due_next() -> None:
    due = {"needs": END_OF_AZAR, "proposals": END_OF_YEAR, "execution": END_OF_YEAR + SECOND}
    assert phase_current(due, END_OF_AZAR) is PhaseKind.NEEDS
    assert phase_current(due, END_OF_AZAR + SECOND) is PhaseKind.PROPOSALS
    assert phase_current(due, END_OF_YEAR + SECOND) is PhaseKind.EXECUTION
    assert phase_current(due, END_OF_YEAR + 2 * SECOND) is None
    assert phase_current({"proposals": END_OF_AZAR, "needs": END_OF_AZAR}, OPENED) is PhaseKind.NEEDS


@given(st.lists(st.integers(0, 4), min_size=6, max_size=6), st.sets(st.sampled_from(list(PhaseKind))))
def test_six_phases_end_in_the_order_of_work(days: list[int], given_kinds: set[PhaseKind]) -> None:
    due = {
        kind.value: OPENED + timedelta(days=day)
        for kind, day in zip(PhaseKind, days, strict=True)
        if kind in given_kinds
    }
    moments = [due[kind] for kind in PhaseKind if kind in due]
    in_order = all(a <= b for a, b in itertools.pairwise(moments)) and all(moment > OPENED for moment in moments)
    if in_order and {"needs", "proposals"} <= set(due):
        phases_check(OPENED, due)
    else:
        with pytest.raises(InvalidInput):
            phases_check(OPENED, due)


def test_phases_run_until_their_deadline_in_the_order_of_work() -> None:
    due = {"proposals": END_OF_YEAR, "needs": END_OF_AZAR}
    assert phases_running(due, OPENED) == (PhaseKind.NEEDS, PhaseKind.PROPOSALS)
    assert phases_running(due, END_OF_AZAR + SECOND) == (PhaseKind.PROPOSALS,)
    assert phases_running(due, END_OF_YEAR + SECOND) == ()


def test_both_phases_may_end_together() -> None:
    phases_check(OPENED, {"needs": END_OF_AZAR, "proposals": END_OF_AZAR})


@pytest.mark.parametrize(
    ("due", "where"),
    [
        ({"needs": OPENED, "proposals": END_OF_YEAR}, "needs_due"),
        ({"needs": OPENED - SECOND, "proposals": END_OF_YEAR}, "needs_due"),
        ({"needs": END_OF_YEAR, "proposals": END_OF_AZAR}, "proposals_due"),
        ({"needs": END_OF_AZAR}, "proposals_due"),
    ],
)
def test_disordered_deadlines_are_refused_by_name(due: dict[str, datetime], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        phases_check(OPENED, due)
    assert caught.value.where == where
